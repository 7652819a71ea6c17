"""One task per tenant with work: its calls, its budget, its parking."""
