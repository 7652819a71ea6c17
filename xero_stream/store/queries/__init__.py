"""Statements that read several tables, by feature. None writes."""
