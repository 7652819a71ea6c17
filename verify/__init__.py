"""Whether what was published keeps the promises: checks of a recorded history, for tests, the demo, your deployment. Pure."""
