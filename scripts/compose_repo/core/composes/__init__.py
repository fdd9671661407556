"""A compose, its id, where its files lie, and the index of a compose server."""
