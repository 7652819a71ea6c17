"""Reports that follow from the books: one file per kind, and the table of them."""
