"""Whether what was published keeps the promises: pure checks of a recorded history, for tests, the demo, your deployment."""
