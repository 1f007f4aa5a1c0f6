// Room PDServer.
