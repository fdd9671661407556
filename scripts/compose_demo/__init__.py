"""The whole story on one machine: composes, third parties, pipelines and bots around a local GitLab."""
