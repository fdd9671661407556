"""Where the contract of the forge is tried: a world in memory, and the port on the local GitLab over real HTTP.

On both the same people do the same things in the same words.
"""

import datetime as dt
import itertools
import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import gitlab
from memory_forge import DEVELOPER, MAINTAINER, REPORTER, MemoryWorld

from compose_repo.core.forge.forge import Forge
from compose_repo.core.names import Sha
from compose_repo.ports.clock import REAL
from compose_repo.ports.gitlab.forge import GitLab
from local_gitlab import lfs_locks, pipelines
from local_gitlab.git import ZERO, Change, Person
from local_gitlab.push_events import Move
from local_gitlab.pushes import branch_updated, refs_updated, remove_branch
from local_gitlab.server import LocalGitLab, Project, User
from local_gitlab.store import Row

LEVELS: Final = {"compose-bot": DEVELOPER, "gate-bot": MAINTAINER, "rdo-ci": DEVELOPER, "reporter": REPORTER}
"""The people and their roles; `stranger` has none."""
PEOPLE: Final = ("owner", *LEVELS, "stranger")
_SETTINGS: Final = {
    "pipelines_must_succeed": "only_allow_merge_if_pipeline_succeeds",
    "reset_approvals_on_push": "reset_approvals_on_push",
    "author_may_approve": "merge_requests_author_approval",
}


class Stage(Protocol):
    """A project whose main has a README, its people, and what they do by git and on GitLab's pages."""

    def forge(self, name: str) -> Forge:
        """Give the forge as somebody sees it."""
        ...

    def push(
        self,
        by: str,
        branch: str,
        files: Mapping[str, bytes | None],
        *,
        message: str = "Report results",
        base: Sha | None = None,
    ) -> Sha:
        """Push a commit on top of the branch, of main, or of another commit."""
        ...

    def push_many(self, by: str, files: Mapping[str, Mapping[str, bytes | None]]) -> Mapping[str, Sha]:
        """Push a commit to each of several branches at once."""
        ...

    def delete_branch(self, by: str, branch: str) -> None:
        """Delete a branch."""
        ...

    def open_from_fork(self, by: str, branch: str, title: str) -> int:
        """Fork the project, push to a branch there, and open a merge request."""
        ...

    def push_to_fork(self, by: str, branch: str) -> Sha:
        """Push to a branch of the fork."""
        ...

    def demand(self, setting: str) -> None:
        """Turn a setting of the project on."""
        ...

    def protect(self, branch: str) -> None:
        """Let nobody but Maintainers push to a branch or merge into it."""
        ...

    def set_pipeline(self, iid: int, state: str) -> None:
        """Let the pipeline of a merge request's head be in some state."""
        ...

    def run_status(self, by: str, sha: Sha, branch: str, name: str) -> None:
        """Set a status of a name to running, which we never do."""
        ...

    def meddle(self, by: str, iid: int, name: str, state: str) -> None:
        """Set a status in the pipeline of a merge request's head."""
        ...

    def forget_pipelines(self, sha: Sha) -> None:
        """Let a commit have no pipeline."""
        ...

    def hold_up(self, iid: int, until: dt.datetime) -> None:
        """Let a merge request not be merged before a date, as any Developer can."""
        ...

    def squash(self, iid: int) -> None:
        """Let GitLab squash a merge request's commits, as any Developer can."""
        ...

    def lock_file(self, by: str, path: str) -> None:
        """Lock a file with Git LFS."""
        ...

    def hold_events(self) -> None:
        """Keep pushes out of the log."""
        ...

    def release_events(self) -> int:
        """Write the pushes that wait to the log."""
        ...

    def commits(self, branch: str) -> tuple[Sha, ...]:
        """Give the parents of a branch's head."""
        ...


class MemoryStage:
    """In memory."""

    def __init__(self) -> None:
        self.world = MemoryWorld(files={"README.md": b"# Composes\n"})
        for name in PEOPLE:
            self.world.user(name, LEVELS.get(name))
        self.push = self.world.push
        self.push_many = self.world.push_many
        self.delete_branch = self.world.delete_branch
        self.forge = self.world.as_user
        self.set_pipeline = self.world.set_pipeline
        self.hold_events = self.world.hold_events
        self.release_events = self.world.release_events
        self.protect = self.world.protect
        self.lock_file = self.world.lock_file
        self._fork = 0

    def open_from_fork(self, by: str, branch: str, title: str) -> int:
        self._fork = self.world.fork(by)
        self.push_to_fork(by, branch)
        return self.world.open_from_fork(by, self._fork, branch, title=title)

    def push_to_fork(self, by: str, branch: str) -> Sha:
        head = self.world.head(branch, self._fork)
        return self.world.push(by, branch, {f"{head}.json": b"{}"}, project=self._fork)

    def demand(self, setting: str) -> None:
        assert hasattr(self.world, setting)
        setattr(self.world, setting, True)

    def run_status(self, by: str, sha: Sha, branch: str, name: str) -> None:
        self.world.set_status(self.world.user(by), sha, branch, name=name, state="running")

    def meddle(self, by: str, iid: int, name: str, state: str) -> None:
        head = self.world.line(iid).head
        assert head is not None
        ref = f"refs/merge-requests/{iid}/head"
        self.world.set_status(self.world.user(by), head, ref, name=name, state=state)

    def forget_pipelines(self, sha: Sha) -> None:
        self.world.pipelines = [one for one in self.world.pipelines if one.sha != sha]

    def hold_up(self, iid: int, until: dt.datetime) -> None:
        self.world.line(iid).merge_after = until

    def squash(self, iid: int) -> None:
        self.world.line(iid).squash = True

    def commits(self, branch: str) -> tuple[Sha, ...]:
        head = self.world.head(branch)
        assert head is not None
        return self.world.commit(head).parents


@dataclass(kw_only=True)
class Host:
    """One local GitLab with its people, for many stages."""

    server: LocalGitLab
    seed: Path
    people: Mapping[str, User]
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)


class LocalStage:
    """The port on the local GitLab, each stage a project of its own."""

    def __init__(self, host: Host, stack: ExitStack) -> None:
        self._people = host.people
        self._server = host.server
        self._site = host.server.site
        self._stack = stack
        path = f"centos/p{next(host.numbers)}"
        self._project: Project = host.server.create_project(
            path, owner=host.people["owner"], from_repository=host.seed, pipeline=False
        )
        for name, level in LEVELS.items():
            host.server.add_member(self._project, host.people[name], access_level=level)
        self._forges: dict[str, GitLab] = {}
        self._fork: Row | None = None
        self._settings: dict[str, bool] = {}

    def forge(self, name: str) -> GitLab:
        if name not in self._forges:
            self._forges[name] = GitLab(
                url=self._server.url,
                project=self._project.path,
                token=self._people[name].token,
                trace=lambda _: None,
                clock=REAL,
            )
            self._stack.callback(self._forges[name].close)
        return self._forges[name]

    @property
    def _row(self) -> Row:
        return self._site.store.get("projects", self._project.id)

    def _user(self, name: str) -> Row:
        return self._site.store.get("users", self._people[name].id)

    def push(
        self,
        by: str,
        branch: str,
        files: Mapping[str, bytes | None],
        *,
        message: str = "Report results",
        base: Sha | None = None,
    ) -> Sha:
        move = self._moved(self._row, by, branch, files, message=message, base=base)
        branch_updated(self._site, self._row, self._user(by), move.ref, move.old, move.new)
        return Sha(move.new)

    def push_many(self, by: str, files: Mapping[str, Mapping[str, bytes | None]]) -> Mapping[str, Sha]:
        moves = {branch: self._moved(self._row, by, branch, more) for branch, more in files.items()}
        refs_updated(self._site, self._row, self._user(by), list(moves.values()))
        return {branch: Sha(move.new) for branch, move in moves.items()}

    def _moved(  # noqa: PLR0913  # what a push is made of
        self,
        project: Row,
        by: str,
        branch: str,
        files: Mapping[str, bytes | None],
        *,
        message: str = "Report results",
        base: Sha | None = None,
    ) -> Move:
        repository, who = self._site.repository(project), Person(name=by, email=f"{by}@example.org")
        old = repository.branch(branch)
        changes = [
            Change(kind="delete", path=path)
            if content is None
            else Change(kind="update", path=path, content=content, mode="100644")
            for path, content in files.items()
        ]
        parent = base or old or repository.branch("main")
        new = repository.commit_changes(changes, parent=parent, message=message, author=who, committer=who)
        repository.update_ref(f"refs/heads/{branch}", new)
        return Move(ref=f"refs/heads/{branch}", old=old or ZERO, new=new)

    def delete_branch(self, by: str, branch: str) -> None:
        remove_branch(self._site, self._row, self._user(by), branch)

    def open_from_fork(self, by: str, branch: str, title: str) -> int:
        with gitlab.Gitlab(self._server.url, private_token=self._people[by].token) as client:
            fork = client.projects.get(self._project.id).forks.create({})
            self._fork = self._site.store.get("projects", int(fork.get_id() or 0))
            self.push_to_fork(by, branch)
            values: dict[str, Any] = {
                "source_branch": branch,
                "target_branch": "main",
                "title": title,
                "target_project_id": self._project.id,
            }
            return int(client.projects.get(self._fork["id"]).mergerequests.create(values).iid)

    def push_to_fork(self, by: str, branch: str) -> Sha:
        assert self._fork is not None
        old = self._site.repository(self._fork).branch(branch)
        move = self._moved(self._fork, by, branch, {f"{old}.json": b"{}"})
        branch_updated(self._site, self._fork, self._user(by), move.ref, move.old, move.new)
        return Sha(move.new)

    def demand(self, setting: str) -> None:
        self._settings[_SETTINGS[setting]] = True
        self._site.store.update("projects", self._project.id, settings=json.dumps(self._settings))

    def protect(self, branch: str) -> None:
        self._site.store.run(
            "INSERT INTO protected_branches (project_id, name, allow_force_push, push_levels, merge_levels, "
            "unprotect_levels) VALUES (?, ?, 0, '[40]', '[40]', '[]')",
            self._project.id,
            branch,
        )

    def set_pipeline(self, iid: int, state: str) -> None:
        sql = "SELECT * FROM merge_requests WHERE project_id = ? AND iid = ?"
        row = self._site.store.one(sql, self._project.id, iid)
        assert row is not None
        ref, user = f"refs/merge-requests/{iid}/head", self._user("owner")
        pipelines.create(
            self._site, self._row, user, ref=ref, sha=row["head_sha"], source="external", merge_request=row,
            status=state,
        )  # fmt: skip

    def run_status(self, by: str, sha: Sha, branch: str, name: str) -> None:
        with gitlab.Gitlab(self._server.url, private_token=self._people[by].token) as client:
            commit = client.projects.get(self._project.id).commits.get(sha)
            commit.statuses.create({"state": "running", "name": name, "ref": branch})

    def meddle(self, by: str, iid: int, name: str, state: str) -> None:
        with gitlab.Gitlab(self._server.url, private_token=self._people[by].token) as client:
            project = client.projects.get(self._project.id)
            pipeline = project.mergerequests.get(iid).head_pipeline
            commit = project.commits.get(pipeline["sha"])
            commit.statuses.create({"state": state, "name": name, "pipeline_id": pipeline["id"]})

    def forget_pipelines(self, sha: Sha) -> None:
        self._site.store.run("DELETE FROM pipelines WHERE sha = ?", sha)

    def _edit(self, iid: int, **values: object) -> None:
        with gitlab.Gitlab(self._server.url, private_token=self._people["rdo-ci"].token) as client:
            client.projects.get(self._project.id).mergerequests.update(iid, values)

    def hold_up(self, iid: int, until: dt.datetime) -> None:
        self._edit(iid, merge_after=until.isoformat())

    def squash(self, iid: int) -> None:
        self._edit(iid, squash=True)

    def lock_file(self, by: str, path: str) -> None:
        assert lfs_locks.take(self._site, self._row, self._user(by), path) is not None

    def hold_events(self) -> None:
        self._server.hold_events()

    def release_events(self) -> int:
        return self._server.release_events()

    def commits(self, branch: str) -> tuple[Sha, ...]:
        repository = self._site.repository(self._row)
        commit = repository.commit(f"refs/heads/{branch}")
        assert commit is not None
        return tuple(Sha(sha) for sha in commit.parents)
