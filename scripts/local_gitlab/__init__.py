"""A GitLab on loopback: the slice of REST API v4 that the project uses, over real git repositories.

It stands in for gitlab.com in the demo and the acceptance tests. It is not meant to be reachable by anyone else.
"""

from __future__ import annotations

from local_gitlab.ci_runner import CiRunner
from local_gitlab.server import LocalGitLab, Project, User
from local_gitlab.site import DEVELOPER, GUEST, MAINTAINER, OWNER, REPORTER

__all__ = ["DEVELOPER", "GUEST", "MAINTAINER", "OWNER", "REPORTER", "CiRunner", "LocalGitLab", "Project", "User"]
