"""How a request is let in, limited, answered and described."""
