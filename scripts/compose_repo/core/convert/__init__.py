"""What other tools report, as result files: one module per format, listed in `formats`."""
