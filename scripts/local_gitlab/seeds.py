"""What a server that is started alone begins with: the project of this checkout, or what a file names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from local_gitlab.site import DEVELOPER, MAINTAINER, OWNER, find_project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local_gitlab.server import LocalGitLab, Project, User

PROJECT: Final = "centos-stream/compose-repo"
COMPOSE_ID: Final = "CentOS-Stream-10-20261120.0"
MANIFEST: Final = f"composes/{COMPOSE_ID}/manifest.json"
EXAMPLES: Final = "tests/examples/base"
"""Where the checkout has a manifest for the merge request."""
ROLES: Final = {OWNER: "Owner", MAINTAINER: "Maintainer", DEVELOPER: "Developer"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """An account, its role in the project, and what it is for."""

    username: str
    name: str
    level: int
    part: str


PEOPLE: Final = (
    Person(username="releng", name="Release Engineering", level=OWNER, part="sets the rules"),
    Person(username="gate-bot", name="Gate Bot", level=MAINTAINER, part="approves and merges"),
    Person(username="compose-bot", name="Compose Bot", level=DEVELOPER, part="opens merge requests"),
    Person(username="t-functional-ci", name="Functional CI", level=DEVELOPER, part="reports results as t_functional"),
    Person(username="rdo-ci", name="RDO CI", level=DEVELOPER, part="reports results as rdo"),
    Person(username="idm-ci", name="IdM CI", level=DEVELOPER, part="reports results as idm"),
)


class SeedError(Exception):
    """Something could not be planted; the message says what."""


def of_file(server: LocalGitLab, file: Path) -> dict[str, str]:
    """Create what a file names and does not exist yet; return a token for each of its users.

    Raises SeedError when it cannot be read.
    """
    try:
        return plant(server, json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError) as error:
        raise SeedError(f"'{file}' is not a seed: {error}") from error


def plant(server: LocalGitLab, seed: dict[str, Any]) -> dict[str, str]:
    """Create what a seed names and does not exist yet; return a token for each of its users, or for `root`."""
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


def of_checkout(server: LocalGitLab, checkout: Path, *, without_pipelines: str) -> str:
    """Create the project of a checkout with its users, set it up, open a merge request; return what to say of it.

    What exists already is left alone. `without_pipelines` is why none can run.

    Raises SeedError when a step fails.
    """
    users = {one.username: server.create_user(one.username, name=one.name) for one in PEOPLE}
    if find_project(server.site, PROJECT) is None:
        try:
            # Like an import: without a pipeline, so that the project's own tests do not run.
            server.create_project(PROJECT, owner=users["releng"], from_repository=checkout, pipeline=False)
        except subprocess.CalledProcessError as error:
            raise SeedError(f"'{checkout}' is not a git repository with a commit") from error
    project = server.project(PROJECT)
    for one in PEOPLE:
        server.add_member(project, users[one.username], access_level=one.level)
    _set_up(server, users["releng"], checkout)
    address = _merge_request(server, project, users["compose-bot"], checkout)
    return _told(server, project, users, address, without_pipelines)


def _set_up(server: LocalGitLab, owner: User, checkout: Path) -> None:
    """Run `compose-repo setup`, as an owner would."""
    done = subprocess.run(
        [sys.executable, "-m", "compose_repo", "setup"],
        cwd=checkout,
        env={**_own_environment(), **_variables(server, owner.token), "PYTHONPATH": str(checkout / "scripts")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SeedError(f"`compose-repo setup` ended with {done.returncode}: {done.stderr.strip() or done.stdout}")


def _own_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("COMPOSE_REPO_", "CI_"))}


def _variables(server: LocalGitLab, token: str) -> dict[str, str]:
    return {"COMPOSE_REPO_URL": server.url, "COMPOSE_REPO_PROJECT": PROJECT, "COMPOSE_REPO_TOKEN": token}


def _merge_request(server: LocalGitLab, project: Project, opener: User, checkout: Path) -> str:
    """Open the merge request of a compose, if there is none, as the compose bot; return its address."""
    branch = f"compose/{COMPOSE_ID}"
    found = _ask(server, opener, project, f"/merge_requests?source_branch={quote(branch, safe='')}", None)
    if not found:
        manifest = (checkout / EXAMPLES / MANIFEST).read_text(encoding="utf-8")
        action = {"action": "create", "file_path": MANIFEST, "content": manifest}
        commit = {"branch": branch, "start_branch": "main", "commit_message": f"Add {COMPOSE_ID}", "actions": [action]}
        _ask(server, opener, project, "/repository/commits", commit)
        values = {"source_branch": branch, "target_branch": "main", "title": COMPOSE_ID}
        found = [_ask(server, opener, project, "/merge_requests", values)]
    return str(found[0]["web_url"])


def _ask(server: LocalGitLab, user: User, project: Project, path: str, body: Mapping[str, Any] | None) -> Any:  # noqa: ANN401  # JSON
    request = urllib.request.Request(  # noqa: S310  # loopback
        f"{server.url}/api/v4/projects/{project.id}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "PRIVATE-TOKEN": user.token},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise SeedError(f"{path}: {error.code} {error.read().decode(errors='replace')}") from error


def _told(
    server: LocalGitLab, project: Project, users: Mapping[str, User], merge_request: str, without_pipelines: str
) -> str:
    people = "\n".join(
        f"  {one.username:15} {ROLES[one.level]:11} {users[one.username].token}  {one.part}" for one in PEOPLE
    )
    variables = {**_variables(server, users["gate-bot"].token), "PATH": f"{Path(sys.prefix) / 'bin'}:$PATH"}
    exports = "\n".join(f'  export {name}="{value}"' for name, value in variables.items())
    pipelines = (
        f"None runs: {without_pipelines}."
        if without_pipelines
        else "A compose's merge request runs validate and gate of .gitlab-ci.yml, here with gitlab-ci-local.\n"
        "The project's own jobs, test and lint, do not run for what is here now, only for changes that you push."
    )
    return f"""\
GitLab: {server.url}
Everything here is on this machine only; nobody else can reach it.

Project:       {project.url}
Merge request: {merge_request}
Clone:         {project.clone_url}   (user name and token as password)

Users, roles and tokens:
{people}

Pipelines: {pipelines}

To use compose-repo as the gate bot, in another shell, in a checkout of the project:
{exports}

Then try:
  compose-repo doctor
  compose-repo approve {COMPOSE_ID} --dry-run
  git clone {project.clone_url_for(users["rdo-ci"])}

Ctrl-C stops it."""
