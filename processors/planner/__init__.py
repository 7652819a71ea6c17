"""Which call to Xero comes next. Pure."""
