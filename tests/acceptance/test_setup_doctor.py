"""setup and doctor, as people run them: real commands against a GitLab on loopback."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gitlab
import jsonschema
import pytest
from gitlab.v4.objects import Project as ApiProject

from compose_repo import cli
from local_gitlab.server import LocalGitLab, Project, User

ROOT = Path(__file__).resolve().parents[2]
DEVELOPER, MAINTAINER, OWNER = 30, 40, 50
NOW = "2026-11-20T12:00:00Z"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
FILES = {
    "gate/policy.toml": """\
schema = "policy/1"
[[requirement]]
origin = "rdo"
testcase = "tempest.smoke"
why = "OpenStack installs."
""",
    "gate/origins.toml": f"""\
schema = "origins/1"
[origins.rdo]
name = "RDO"
users = ["rdo-ci"]
keys = [{{key = "{KEY} rdo-ci", valid_before = 2028-01-01}}]
contact = {{email = "rdo-ci@example.org"}}
[origins.idm]
name = "Identity"
users = ["idm-ci"]
contact = {{email = "idm-ci@example.org"}}
""",
    "gate/streams.toml": """\
schema = "streams/1"
[bots]
compose = "compose-bot"
gate = "gate-bot"
[streams.CentOS-Stream-10]
composes = "%(url)s/-/composes/"
published = "%(url)s/-/published"
""",
    "gate/waivers.toml": """\
schema = "waivers/1"
[[waiver]]
origin = "rdo"
testcase = "tempest.smoke"
reason = "A bug."
issue = "https://issues.example.org/1"
by = "jdoe"
expires = 2027-01-01
""",
    ".gitlab-ci.yml": "job: {script: [true]}\n",
}


def git(where: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgSign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=where, check=True, capture_output=True)


@dataclass
class World:
    folder: Path
    server: LocalGitLab
    owner: User
    people: dict[str, User]
    project: Project
    gate_project: Project
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def api(self, path: str = "") -> ApiProject:
        client = gitlab.Gitlab(self.server.url, private_token=self.owner.token)
        return client.projects.get(path or self.project.path)

    def run(self, *arguments: str, token: str = "") -> tuple[int, str, str]:
        token = token or self.owner.token
        self.monkeypatch.setenv("COMPOSE_REPO_URL", self.server.url)
        self.monkeypatch.setenv("COMPOSE_REPO_PROJECT", self.project.path)
        self.monkeypatch.setenv("COMPOSE_REPO_TOKEN", token)
        code = cli._run([*arguments, "--repo", str(self.folder / "local.git")], cli.load)
        out, err = self.capsys.readouterr()
        assert token not in out + err
        return code, out, err

    def doctor(self, *more: str, token: str = "") -> dict[str, list[str]]:
        """Give what doctor finds, by code."""
        code, out, err = self.run("doctor", "--format", "json", "--now", NOW, *more, token=token)
        document = json.loads(out)
        assert (code == 0) is document["safe"], err
        return {row["code"]: row["findings"] for row in document["checks"] if row["state"] == "broken"}

    def setup(self, *more: str) -> tuple[int, str, str]:
        return self.run("setup", "--now", NOW, *more)

    def commit(self, path: str, content: str) -> None:
        """Bring a file to main, past all protection."""
        work = self.folder / "source"
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_text(content % {"url": f"{self.server.url}/{self.project.path}"})
        git(work, "add", "--all")
        git(work, "commit", "--quiet", "--message", f"Write {path}")
        self.server.push(self.project, work, by=self.owner, pipeline=False)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    source = tmp_path / "source"
    source.mkdir()
    git(source, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "init", "--quiet", "--bare", "local.git")
    with LocalGitLab.start(tmp_path / "server") as server:
        server.site.paid = False
        owner = server.create_user("releng")
        names = ("compose-bot", "gate-bot", "rdo-ci", "idm-ci", "someone")
        people = {name: server.create_user(name) for name in names}
        # What doctor reads of the streams' addresses: two pages of GitLab itself do as well as any other.
        url = f"{server.url}/centos/compose-repo"
        for path, content in FILES.items():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_text(content.replace("%(url)s/-/composes/", url).replace("%(url)s/-/published", url))
        for path in ("CODEOWNERS", "issue_templates", "merge_request_templates"):
            target = source / ".gitlab" / path
            for file in [ROOT / ".gitlab" / path, *(ROOT / ".gitlab" / path).glob("*.md")]:
                if file.is_file():
                    where = target if file.name == path else target / file.name
                    where.parent.mkdir(parents=True, exist_ok=True)
                    where.write_text(file.read_text())
        git(source, "add", "--all")
        git(source, "commit", "--quiet", "--message", "Begin")
        project = server.create_project("centos/compose-repo", owner=owner, from_repository=source, pipeline=False)
        gate_project = server.create_project("centos/compose-gate", owner=owner, from_repository=source, pipeline=False)
        for name, level in {"compose-bot": DEVELOPER, "rdo-ci": DEVELOPER, "idm-ci": DEVELOPER}.items():
            server.add_member(project, people[name], access_level=level)
        for one in (project, gate_project):
            server.add_member(one, people["gate-bot"], access_level=MAINTAINER)
        token = server.create_token(owner, expires_at="2027-06-01")
        yield World(
            folder=tmp_path,
            server=server,
            owner=User(id=owner.id, username=owner.username, token=token),
            people=people,
            project=project,
            gate_project=gate_project,
            monkeypatch=monkeypatch,
            capsys=capsys,
        )


@pytest.fixture
def hardened(world: World) -> World:
    code, _, err = world.setup()
    assert code == 0, err
    return world


def test_doctor_is_clean_on_a_project_made_by_setup(hardened: World) -> None:
    assert hardened.doctor() == {}
