"""Make the call, and judge what came back: settled, stale, missing."""
