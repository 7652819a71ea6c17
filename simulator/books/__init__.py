"""An organisation's records: fields, transitions, effects on others. Knows no HTTP."""
