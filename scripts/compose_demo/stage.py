"""What the demo plays on: a compose server with a mirror beside it, a local GitLab, and accounts."""

import functools
import html
import http.server
import io
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from compose_demo.actors import Actor
from compose_demo.narrator import DemoError
from local_gitlab import CiRunner, LocalGitLab

PROJECT: Final = "centos-stream/compose-repo"
DEVELOPER: Final = 30
MAINTAINER: Final = 40
LAST_PORT: Final = 65_535


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a word, and lists folders as Apache does."""

    def list_directory(self, path: str | os.PathLike[str]) -> io.BytesIO:
        """Answer with the names in a folder, folders with a slash."""
        names = sorted(f"{one.name}/" if one.is_dir() else one.name for one in Path(path).iterdir())
        rows = "".join(f'<li><a href="{quote(name)}"> {html.escape(name)}</a></li>\n' for name in names)
        title = f"Index of {html.escape(urlsplit(self.path).path.rstrip('/'))}"
        head = f"<html><head><title>{title}</title></head><body><h1>{title}</h1>"
        page = f'{head}<ul><li><a href="../"> Parent Directory</a></li>\n{rows}</ul></body></html>\n'.encode()
        self.send_response(http.HTTPStatus.OK)
        self.send_header("Content-Type", "text/html;charset=UTF-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        return io.BytesIO(page)

    def log_message(self, *_: object) -> None:
        """Say nothing: the story is on the terminal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ComposeServer:
    """A web server that shows composes and, under `mirror/`, what is published.

    Composes are made in `workshop`, which it does not show, and appear in two steps, as pungi makes them.
    """

    folder: Path
    workshop: Path
    url: str

    @property
    def composes(self) -> Path:
        """Where composes stand on disk."""
        return self.folder / "production"

    def begin(self, compose_id: str) -> None:
        """Let a compose appear that is still being made: its folder is there, STATUS says STARTED."""
        folder = self.composes / compose_id
        folder.mkdir(parents=True)
        (folder / "COMPOSE_ID").write_text(compose_id, encoding="ascii")
        (folder / "STATUS").write_text("STARTED\n", encoding="ascii")

    def finish(self, compose_id: str) -> None:
        """Let a compose that has begun be whole; its STATUS is the last to come."""
        made, folder = self.workshop / compose_id, self.composes / compose_id
        shutil.copytree(made, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("STATUS"))
        shutil.copyfile(made / "STATUS", folder / "STATUS")

    def publish(self, compose_id: str, *, under_way: bool = False) -> None:
        """Put a compose on the mirror, as a person does it about once a week; what is `under_way` has its marker."""
        mirror = self.folder / "mirror"
        mirror.mkdir(exist_ok=True)
        marker = mirror / ".sync_in_progress"
        marker.touch()
        (mirror / "COMPOSE_ID").write_text(compose_id, encoding="ascii")
        if not under_way:
            marker.unlink()


@contextmanager
def compose_server(folder: Path, *, port: int) -> Iterator[ComposeServer]:
    """Serve a folder on loopback for as long as the context lasts."""
    root, workshop = folder / "web", folder / "workshop"
    (root / "production").mkdir(parents=True)
    workshop.mkdir()
    handler = functools.partial(_Handler, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_address[1]}"
            yield ComposeServer(folder=root, workshop=workshop, url=url)
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Everything the story needs, running."""

    folder: Path
    server: ComposeServer
    gitlab: LocalGitLab
    project_id: int
    releng: Actor
    compose_bot: Actor
    gate_bot: Actor
    scheduled: Actor
    """The gate bot with the compose bot's token beside its own, as the scheduled job has them."""
    rdo: Actor
    idm: Actor

    @property
    def repository(self) -> str:
        """Where the project is cloned from."""
        return f"{self.gitlab.url}/{PROJECT}.git"


@contextmanager
def stage(
    folder: Path,
    *,
    repository: Path,
    ci: CiRunner | None,
    port: int,
    busy: Callable[[str], AbstractContextManager[object]] = nullcontext,
) -> Iterator[Stage]:
    """Start the servers, create the project from a checkout or its files, and give everybody an account and a folder.

    `busy` is told of each command that somebody runs.

    Raises:
        DemoError: somebody could not clone the project.

    """
    with ExitStack() as stack:
        server = stack.enter_context(
            compose_server(folder / "compose-server", port=port + 1 if 0 < port < LAST_PORT else 0)
        )
        gitlab = stack.enter_context(LocalGitLab.start(folder / "gitlab", port=port, ci=ci))
        owner = gitlab.create_user("releng", name="Release Engineering")
        project = gitlab.create_project(PROJECT, owner=owner, from_repository=repository, pipeline=False)
        accounts = {
            "compose-bot": ("Compose Bot", DEVELOPER),
            "gate-bot": ("Gate Bot", MAINTAINER),
            "rdo-ci": ("RDO CI", DEVELOPER),
            "idm-ci": ("IdM CI", DEVELOPER),
        }
        actors = {"releng": _actor(folder, gitlab, "releng", "Release Engineering", owner.token, busy)}
        for username, (name, level) in accounts.items():
            user = gitlab.create_user(username, name=name)
            gitlab.add_member(project, user, access_level=level)
            actors[username] = _actor(folder, gitlab, username, name, user.token, busy)
        playing = Stage(
            folder=folder,
            server=server,
            gitlab=gitlab,
            project_id=project.id,
            releng=actors["releng"],
            compose_bot=actors["compose-bot"],
            gate_bot=actors["gate-bot"],
            scheduled=replace(actors["gate-bot"], more={"COMPOSE_REPO_OPENER_TOKEN": actors["compose-bot"].token}),
            rdo=actors["rdo-ci"],
            idm=actors["idm-ci"],
        )
        for actor in actors.values():
            done = actor.git("clone", "--quiet", playing.repository, str(actor.folder), cwd=folder)
            if done.code:
                raise DemoError(f"{actor.username} could not clone the project: {done.err}")
        yield playing


def _actor(  # noqa: PLR0913, PLR0917  # what an actor is made of
    folder: Path,
    gitlab: LocalGitLab,
    username: str,
    name: str,
    token: str,
    busy: Callable[[str], AbstractContextManager[object]],
) -> Actor:
    home = folder / "people" / username
    home.mkdir(parents=True)
    return Actor(username=username, name=name, token=token, folder=home, gitlab=gitlab.url, project=PROJECT, busy=busy)
