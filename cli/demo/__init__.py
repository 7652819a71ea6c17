"""``xero-stream demo``: everything on one machine against a simulated Xero, shown live, broken at will, and checked."""
