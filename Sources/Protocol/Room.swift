// Room PDProtocol.
