"""How bytes from outside become values: strictly, within limits, with a word on what is wrong."""
