// Room PDShamir.
