"""Faults to order, each counted when it fires."""
