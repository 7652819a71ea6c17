"""The store: the PostgreSQL schema, its migrations, and connections that can't hold locks when frozen."""
