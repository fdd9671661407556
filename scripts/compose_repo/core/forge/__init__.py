"""What a forge such as GitLab holds, and the actions that change it."""
