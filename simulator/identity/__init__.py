"""The consent page, tokens with their rotation and grace, revocation, connections, scopes."""
