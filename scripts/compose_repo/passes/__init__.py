"""The work on one compose, for a verb or for a run of sync over all of them."""
