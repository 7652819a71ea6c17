"""Webhook events become dirty rows, their offsets stored in the same transaction."""
