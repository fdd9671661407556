"""A GitLab on loopback for the demo and the acceptance tests."""
