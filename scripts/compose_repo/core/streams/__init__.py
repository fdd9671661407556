"""What is due in a stream, and what became of it."""
