// Room PDStore.
