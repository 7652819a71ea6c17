"""Settings: environment and ``.env``, every field documented, any secret also as ``NAME_FILE``."""
