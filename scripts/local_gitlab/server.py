"""A running server, and the handle that tests and the demo hold it by."""

from __future__ import annotations

import json
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import WSGITask

from local_gitlab import snapshots
from local_gitlab.app import create_app
from local_gitlab.ci import Worker
from local_gitlab.deliveries import Webhooks
from local_gitlab.faults import Faults, RequestLog
from local_gitlab.git import ZERO
from local_gitlab.old_heads import remove_old_heads
from local_gitlab.pushes import branch_updated
from local_gitlab.site import (
    OWNER,
    Site,
    add_member,
    add_project,
    add_token,
    add_user,
    find_project,
    protect_default_branch,
)
from local_gitlab.store import Store
from local_gitlab.throttle import Throttle

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    from local_gitlab.ci_runner import CiRunner

THREADS = 12
CONNECTIONS = 1000  # many clients keep theirs open; past the limit a new one would wait for ever


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """A user and the token to act as that user."""

    id: int
    username: str
    token: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """A project and where it is."""

    id: int
    path: str
    url: str
    clone_url: str

    def clone_url_for(self, user: User) -> str:
        """Return the address to clone from, with the user's name and token in it."""
        scheme, _, rest = self.clone_url.partition("://")
        return f"{scheme}://{user.username}:{user.token}@{rest}"


class _Task(WSGITask):  # type: ignore[misc]  # waitress is untyped
    def get_environment(self) -> dict[str, Any]:
        environment: dict[str, Any] = super().get_environment()
        environment["local_gitlab.drop"] = self._drop
        return environment

    def _drop(self) -> None:
        self.channel.socket.shutdown(socket.SHUT_RDWR)


class _Channel(HTTPChannel):  # type: ignore[misc]  # waitress is untyped
    task_class = _Task


class LocalGitLab:
    """A GitLab on loopback, running in threads of this process."""

    def __init__(self, directory: Path, *, port: int = 0, ci: CiRunner | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "repositories").mkdir(exist_ok=True)
        self.faults = Faults()
        self.requests = RequestLog()
        self.site = Site(store=Store(directory / "gitlab.sqlite3"), directory=directory.resolve())
        self.worker = Worker(self.site, ci)
        self.site.pipelines = self.worker
        self.webhooks = Webhooks(self.site)
        self.site.deliveries = self.webhooks
        self.throttle = Throttle()
        app = create_app(self.site, self.faults, self.requests, self.throttle)
        self._sockets: dict[int, Any] = {}
        self._server = create_server(
            app,
            map=self._sockets,
            host="127.0.0.1",
            port=port,
            threads=THREADS,
            connection_limit=CONNECTIONS,
            asyncore_use_poll=True,  # select() ends at 1024 files
            clear_untrusted_proxy_headers=True,
            ident="local-gitlab",
        )
        self._server.channel_class = _Channel
        self.site.url = f"http://127.0.0.1:{self._server.effective_port}"
        self._thread = threading.Thread(target=self._server.run, name="local-gitlab", daemon=True)

    @classmethod
    def start(cls, directory: Path, *, port: int = 0, ci: CiRunner | None = None) -> Self:
        """Start a server that keeps its state in `directory`; port 0 takes any that is free.

        Without `ci`, pipelines are skipped with a reason; `CiRunner.find()` looks for gitlab-ci-local.
        """
        server = cls(directory, port=port, ci=ci)
        server._thread.start()
        server.worker.start()
        return server

    def stop(self) -> None:
        """Stop answering and running pipelines; the state stays on disk. A second call does nothing."""
        if not self._thread.is_alive():
            return
        self.worker.stop()
        self._server.task_dispatcher.shutdown()
        # Connections that clients keep open are closed too; the loop ends when it has nothing to watch. The lock holds
        # the loop back until it has been woken: to wake it is to write into what it is about to close.
        with self._server.trigger.lock:
            self._server.trigger.thunks.append(lambda: wasyncore.close_all(self._sockets, ignore_all=True))
            self._server.trigger._physical_pull()  # noqa: SLF001  # pull_trigger wakes it outside the lock
        self._thread.join(timeout=10)
        self.site.forget_repositories()
        self.site.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The server's address."""
        return self.site.url

    # --- users and projects

    def create_user(self, username: str, *, name: str = "", admin: bool = False, bot: bool = False) -> User:
        """Create a user with a token for everything; a user who exists keeps the account and gets a new token."""
        row = self.site.store.one("SELECT * FROM users WHERE username = ?", username)
        if row is None:
            row = add_user(self.site, username, name=name, admin=admin, bot=bot)
        return User(id=row["id"], username=row["username"], token=add_token(self.site, row))

    def create_token(self, user: User, *, scopes: tuple[str, ...] = ("api",), expires_at: str | None = None) -> str:
        """Create another token for a user, e.g. one that only reads, or one that is over."""
        row = self.site.store.get("users", user.id)
        return add_token(self.site, row, scopes=scopes, expires_at=expires_at)

    def create_project(
        self,
        path: str,
        *,
        owner: User,
        from_repository: Path | None = None,
        ref: str = "HEAD",
        visibility: str = "public",
        description: str | None = None,
        pipeline: bool = True,
        **settings: Any,  # noqa: ANN401  # any project setting of the API
    ) -> Project:
        """Create a project whose `main` is a commit of a repository on disk, or empty.

        `pipeline=False` brings the commit in as an import does, without a pipeline.
        """
        creator = self.site.store.get("users", owner.id)
        row = add_project(self.site, path, creator, visibility=visibility, description=description)
        if settings:
            self.site.store.update("projects", row["id"], settings=json.dumps(settings))
        if from_repository is not None:
            self.push(self.project(path), from_repository, ref=ref, by=owner, pipeline=pipeline)
        else:
            protect_default_branch(self.site, row)
        return self.project(path)

    def project(self, path: str) -> Project:
        """Return a project that exists."""
        row = find_project(self.site, path)
        if row is None:
            raise LookupError(path)
        web = self.site.web(row)
        return Project(id=row["id"], path=row["path_with_namespace"], url=web, clone_url=f"{web}.git")

    def push(
        self, project: Project, source: Path, *, by: User, ref: str = "HEAD", branch: str = "", pipeline: bool = True
    ) -> None:
        """Bring a commit of a repository on disk to a branch, by default the default one, past all protection.

        `pipeline=False` starts no pipeline.
        """
        row = self.site.store.get("projects", project.id)
        repository = self.site.repository(row)
        name = branch or row["default_branch"]
        with self.site.lock(row):
            old = repository.branch(name) or ZERO
            repository.fetch(source, ref, f"refs/heads/{name}")
            new = repository.branch(name) or ZERO
            pusher = self.site.store.get("users", by.id)
            branch_updated(self.site, row, pusher, f"refs/heads/{name}", old, new, quiet=not pipeline)

    def add_member(self, project: Project, user: User, *, access_level: int = OWNER) -> None:
        """Give a user a role: 10 Guest, 20 Reporter, 30 Developer, 40 Maintainer, 50 Owner."""
        row = self.site.store.get("projects", project.id)
        add_member(self.site, row, self.site.store.get("users", user.id), access_level, by=None)

    def housekeeping(self, project: Project) -> None:
        """Throw away what no ref leads to: commits forced away before a merge request or pipeline saw them."""
        row = self.site.store.get("projects", project.id)
        with self.site.lock(row):
            self.site.repository(row).prune()

    def remove_old_heads(self, project: Project, *, at: datetime) -> None:
        """Remove the refs of merge requests that ended two weeks before a time, as if it were that time."""
        row = self.site.store.get("projects", project.id)
        with self.site.lock(row):
            remove_old_heads(self.site, row, at)

    # --- events

    def hold_events(self) -> None:
        """Let the events of pushes wait: GitLab writes them in a background job, a moment after the push."""
        self.site.push_events.hold()

    def release_events(self) -> int:
        """Write the events that wait, with this moment as their time; return how many there were."""
        return self.site.push_events.release(self.site.store)

    # --- snapshots

    def take_snapshot(self, folder: Path) -> None:
        """Keep everything in a folder that does not exist yet."""
        self._quiet()
        snapshots.take(self.site, folder)

    def bring_back(self, folder: Path) -> None:
        """Be again as a snapshot says; faults that are still to come and the log are forgotten."""
        self.faults.clear()
        self._quiet()
        snapshots.bring_back(self.site, folder)
        self.requests.clear()

    def _quiet(self, timeout: float = 60.0) -> None:
        """Wait until nothing is being worked on."""
        end = time.monotonic() + timeout
        while self.requests.under_way or not self.worker.idle():
            if time.monotonic() > end:
                raise TimeoutError(f"{self.requests.under_way} requests are still being worked on")
            time.sleep(0.005)

    # --- waiting

    def wait_for_pipelines(self, timeout: float = 60.0) -> bool:
        """Wait until no webhook is under way and no pipeline waits or runs; tell whether that came about in time."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self._is_idle():
                return True
            time.sleep(0.02)
        return self._is_idle()

    def _is_idle(self) -> bool:
        """Look at webhooks first: they start pipelines."""
        return self.webhooks.idle() and self.worker.idle()
