"""The thin shell: one module each for git, GitLab, productmd, HTTP, files and the environment."""
