"""What Xero allows an app over all processes, and what it bills."""
