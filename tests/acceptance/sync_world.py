"""A local GitLab, and a web server that is compose server and mirror in one, for the tests of `sync`."""

import html
import http.server
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import gitlab
import pytest
from test_main_path import DEVELOPER, MAINTAINER, ORIGINS, POLICY, ROOT, World, git

from compose_repo import cli
from local_gitlab import User
from local_gitlab.server import LocalGitLab
from samples import write_compose

STREAMS = """\
schema = "streams/1"
[streams.CentOS-Stream-10]
composes = "{web}/stream-10/"
published = "{web}/mirror/COMPOSE_ID"
{more}
"""


class ListingHandler(http.server.SimpleHTTPRequestHandler):
    """Lists folders as Apache does."""

    def list_directory(self, path: Any) -> io.BytesIO:  # noqa: ANN401  # as the base class has it
        names = sorted(f"{one.name}/" if one.is_dir() else one.name for one in Path(path).iterdir())
        rows = "".join(f'<a href="{html.escape(name)}">{html.escape(name)}</a>\n' for name in names)
        page = f'<html><head><title>Index of /</title></head><body><a href="../">..</a>\n{rows}</body></html>'.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html;charset=UTF-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        return io.BytesIO(page)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it
        """Say nothing."""


@dataclass
class SyncWorld(World):
    """A world in which nothing but `sync` is run; `more` lines may be given to the stream's configuration."""

    @property
    def server_folder(self) -> Path:
        return self.folder / "web" / "stream-10"

    def compose(self, name: str, *, version: str = "5.2.1", status: str = "FINISHED") -> None:
        """Let a compose appear on the server."""
        write_compose(self.server_folder, name, version=version, status=status)

    def sync(self, *arguments: str, opener: bool = True) -> tuple[int, str, str]:
        """Run a pass with both tokens, or without the compose bot's."""
        if opener:
            self.monkeypatch.setenv("COMPOSE_REPO_OPENER_TOKEN", self.opener.token)
        else:
            self.monkeypatch.delenv("COMPOSE_REPO_OPENER_TOKEN", raising=False)
        code, out, err = self.run(self.gate, "sync", *arguments)
        assert self.opener.token not in out + err
        return code, out, err

    def report_of(self, *arguments: str) -> dict[str, Any]:
        """Run a pass and give what it reports."""
        _, out, err = self.sync("--format", "json", *arguments)
        assert out.startswith("{"), err
        report: dict[str, Any] = json.loads(out)
        return report

    def rows(self, *arguments: str) -> list[tuple[str, str, str, str]]:
        """Run a pass and give its steps, with the compose's day and respin."""
        report = self.report_of(*arguments)
        return [
            (row["compose_id"].rpartition("-")[2], row["step"], row["why"], row["outcome"])
            for stream in report["streams"]
            for row in stream["composes"]
        ]

    def states(self) -> dict[str, str]:
        """Give the state of each compose's merge request, by the compose's day and respin."""
        found = self.client.projects.get(self.project.id).mergerequests.list(get_all=True, state="all")
        return {line.title.rpartition("-")[2]: line.state for line in found}

    def iid(self, name: str) -> int:
        """Give the number of a compose's merge request."""
        found = self.client.projects.get(self.project.id).mergerequests.list(get_all=True, state="all")
        return next(int(line.iid) for line in found if line.title == name)

    def push_broken(self, who: User, name: str) -> None:
        """Push what cannot be read into RDO's folder of a compose."""
        clone = self.clone(who, name)
        (clone / "composes" / name / "results" / "rdo" / "broken.json").write_text("{")
        git(clone, "add", "--all")
        git(clone, "commit", "--quiet", "--message", "Break")
        git(clone, "push", "--quiet", "origin", f"HEAD:compose/{name}")

    def configure(self, streams: str) -> None:
        """Change gate/streams.toml on main."""
        values = {"branch": "main", "content": streams, "commit_message": "Configure"}
        file = self.client.projects.get(self.project.id).files.get("gate/streams.toml", ref="main")
        file.content = values["content"]
        file.save(branch="main", commit_message=values["commit_message"])


@contextmanager
def serving(folder: Path, handler: type[ListingHandler] = ListingHandler) -> Iterator[str]:
    """Serve a folder with listings, and give its address."""
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}"
    finally:
        listener.shutdown()
        listener.server_close()


@contextmanager
def sync_world(  # noqa: PLR0913  # what a world is made of
    server: LocalGitLab,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    more: str = "",
    handler: type[ListingHandler] = ListingHandler,
) -> Iterator[SyncWorld]:
    """Give a project, its people and an empty compose server, whose answers may be a handler's of one's own."""
    web = folder / "web"
    (web / "mirror").mkdir(parents=True)
    (web / "stream-10").mkdir()
    seed = folder / "seed"
    (seed / "gate").mkdir(parents=True)
    (seed / "composes").mkdir()
    (seed / "composes" / "README.md").write_text("# Composes\n")
    with serving(web, handler) as address:
        (seed / "gate" / "policy.toml").write_text(POLICY)
        (seed / "gate" / "origins.toml").write_text(ORIGINS)
        (seed / "gate" / "streams.toml").write_text(STREAMS.format(web=address, more=more))
        git(seed, "init", "--quiet", "--initial-branch=main")
        git(seed, "add", "--all")
        git(seed, "commit", "--quiet", "--message", "Start")
        git(folder, "init", "--quiet", "--bare", "local.git")
        names = ("owner", "compose-bot", "gate-bot", "rdo-ci", "idm-ci")
        owner, opener, gate, rdo, idm = map(server.create_user, names)
        project = server.create_project(f"centos/{folder.name}", owner=owner, from_repository=seed)
        for user, level in ((opener, DEVELOPER), (gate, MAINTAINER), (rdo, DEVELOPER), (idm, DEVELOPER)):
            server.add_member(project, user, access_level=level)
        server.requests.clear()
        with gitlab.Gitlab(server.url, private_token=owner.token) as client:
            yield SyncWorld(folder, server, project, opener, gate, rdo, idm, address, client, monkeypatch, capsys)
        server.faults.clear()


__all__ = ["ROOT", "STREAMS", "SyncWorld", "cli", "serving", "sync_world"]
