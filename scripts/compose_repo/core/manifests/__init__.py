"""A manifest, and what changed between two of them."""
