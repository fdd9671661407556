"""One module per verb of the command line: gather values, call the core, print, apply."""
