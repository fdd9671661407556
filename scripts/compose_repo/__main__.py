"""Lets `python -m compose_repo` do what `compose-repo` does."""

from compose_repo.cli import main

main()
