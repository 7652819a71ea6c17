"""Elements of requests to write, one file per group of entities, and the table of them."""
