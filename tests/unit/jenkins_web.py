"""A Jenkins in memory, whose one job reports for rdo: what `passes.jenkins` asks of one, without a server."""

import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from jenkins import Jenkins
from memory_forge import MAIN, MemoryWorld
from pass_scene import Scene, Web
from pass_world import ORIGINS

from compose_repo.passes.jenkins import Poll
from compose_repo.ports.http import Document

if TYPE_CHECKING:
    from collections.abc import Callable

    from compose_repo.core.problems.problem import InputError

SERVER: Final = "https://ci.example.org"
JOB: Final = f"{SERVER}/job/compose-test"


class JenkinsWeb(Web):
    """Answers as a Jenkins does; `asked` are the paths that it was asked for.

    `pages` are answers in the place of its own, by path, `failures` what goes wrong there. What is among `moved` is
    answered by another server. `slow` is called before each answer.
    """

    def __init__(self) -> None:
        super().__init__({})
        self.ci = Jenkins(url=SERVER)
        self.ci.jobs["compose-test"] = {}
        self.asked: list[str] = []
        self.failures: dict[str, InputError] = {}
        self.moved: set[str] = set()
        self.slow: Callable[[], None] = lambda: None

    def get(self, url: str, limit: int) -> Document | None:
        """Give a document."""
        parts = urlsplit(url)
        self.asked.append(parts.path)
        self.slow()
        if parts.path in self.failures:
            raise self.failures[parts.path]
        if parts.path in self.moved:
            return Document(url=url.replace(SERVER, "https://elsewhere.example.org"), body=b"{}")
        if parts.path in self.pages:
            return Document(url=url, body=self.pages[parts.path])
        names = re.fullmatch(r"((?:/job/[^/]+)+(?:/[^/]*=[^/]*)?)(?:/(\d+)(/testReport)?)?/api/json", parts.path)
        found = None if names is None else self.ci._find(names, parse_qs(parts.query)["tree"][0])
        body = json.dumps(found).encode()
        assert len(body) <= limit
        return None if found is None else Document(url=url, body=body)


def reports_for_rdo(world: MemoryWorld, arch: str = 'arch = "x86_64"') -> None:
    """Let the job report for rdo."""
    row = f'jenkins = [{{job = "{JOB}", testcase = "smoke", {arch}}}]\n'
    world.push("owner", MAIN, {"gate/origins.toml": (ORIGINS + row).encode()})


def poll_of(scene: Scene, web: JenkinsWeb, *, opener: bool = True) -> Poll:
    """Begin to poll, as a pass does."""
    return Poll(work=scene.gate, opener=scene.opener if opener else None, http=web)
