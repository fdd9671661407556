"""GitLab: the forge on python-gitlab, the only package that imports it."""
