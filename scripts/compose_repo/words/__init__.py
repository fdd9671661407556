"""The words that people read, made from templates."""
