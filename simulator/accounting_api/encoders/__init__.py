"""Fields as Xero spells them, one file per entity, and the table of them."""
