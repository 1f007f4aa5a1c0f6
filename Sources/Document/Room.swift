// Room PDDocument.
