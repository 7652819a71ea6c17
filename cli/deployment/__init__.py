"""The settings that all processes of a deployment share: shown, and changed for all of them."""
