"""Run a local GitLab from a shell: `python -m local_gitlab --directory DIR --port N [--seed FILE]`."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import threading
from pathlib import Path
from typing import Any

from local_gitlab.ci_runner import CiRunner, why_not
from local_gitlab.server import LocalGitLab
from local_gitlab.site import find_project

EXAMPLE = """\
A seed is JSON:
  {"users": [{"username": "root", "admin": true}, {"username": "compose-bot"}],
   "projects": [{"path": "centos/compose-repo", "owner": "root", "from": "/path/to/a/repository",
                 "members": {"compose-bot": 30}}]}
"""


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m local_gitlab",
        description="A GitLab on loopback.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--directory", type=Path, required=True, help="where the state is kept")
    parser.add_argument("--port", type=int, default=0, help="0 takes any that is free")
    parser.add_argument("--seed", type=Path, help="users and projects to create if they are not there")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with LocalGitLab.start(arguments.directory, port=arguments.port, ci=CiRunner.find()) as server:
        print(server.url)  # noqa: T201  # the answer
        if reason := why_not():
            print(f"Pipelines are skipped: {reason}.")  # noqa: T201  # the answer
        seed = json.loads(arguments.seed.read_text(encoding="utf-8")) if arguments.seed else {}
        for username, token in plant(server, seed).items():
            print(f"{username} {token}", flush=True)  # noqa: T201  # the answer
        done.wait()


def plant(server: LocalGitLab, seed: dict[str, Any]) -> dict[str, str]:
    """Create what a seed names and is not there yet; return a token for each of its users, or for `root`."""
    users = {
        entry["username"]: server.create_user(
            entry["username"],
            name=entry.get("name", ""),
            admin=entry.get("admin", False),
        )
        for entry in seed.get("users", [{"username": "root", "admin": True}])
    }
    for entry in seed.get("projects", []):
        if find_project(server.site, entry["path"]) is None:
            source = Path(entry["from"]) if entry.get("from") else None
            server.create_project(entry["path"], owner=users[entry["owner"]], from_repository=source)
        project = server.project(entry["path"])
        for username, level in entry.get("members", {}).items():
            server.add_member(project, users[username], access_level=level)
    return {name: user.token for name, user in users.items()}


if __name__ == "__main__":
    main()
