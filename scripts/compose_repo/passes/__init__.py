"""What is done for one compose, whoever asks for it: a verb, or the pass over all of them."""
