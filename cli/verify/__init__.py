"""Whether what was published keeps the promises: pure checks over what was recorded, shared by the demo and the tests."""
