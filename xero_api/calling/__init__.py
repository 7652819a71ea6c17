"""The shell that calls Xero: inside the budget, with a permit for each exchange."""
