"""What git, servers and mirrors hold, read and made into values of the core."""
