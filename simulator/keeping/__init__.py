"""Books kept on disk, safe against ``kill -9``."""
