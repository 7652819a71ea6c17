"""The unified records: one module per entity, typed models for consumers."""
