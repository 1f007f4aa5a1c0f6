// Room PDClient.
