"""An instance of the template takes a newer version of it, by the commands of docs/releasing.md."""

import datetime as dt
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gitlab
import pytest
from sync_world import serving

from compose_repo.core.manifests.manifest import Manifest
from compose_repo.ports.compose_root import compose_root
from compose_repo.ports.productmd.reading import read_compose
from local_gitlab.server import LocalGitLab, User
from own_files import own_files
from sample_composes.sample import SampleSpec
from samples import write_sample

pytestmark = pytest.mark.xdist_group("instance")

ROOT: Final = Path(__file__).resolve().parents[2]
TEMPLATE: Final = "https://gitlab.com/CentOS/compose-repo.git"
PAGE: Final = (ROOT / "docs" / "releasing.md").read_text(encoding="utf-8")
BLOCKS: Final = re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TAKE, AFTERWARDS, CONFLICT, NO_HISTORY, MAKE = range(5)
HERE: Final = str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
NEWER: Final = f"{HERE.partition('.')[0]}.{int(HERE.split('.')[1]) + 1}.0"
PUBLISHED: Final = [f"CentOS-Stream-10-{dt.date(2026, 10, 1) + dt.timedelta(day):%Y%m%d}.0" for day in range(50)]
OPEN: Final = [f"CentOS-Stream-10-202611{day}.0" for day in (20, 21, 22)]
GATE: Final = {
    "origins": """\
schema = "origins/1"
[origins.rdo]
name = "RDO"
users = ["rdo-ci"]
contact = {email = "rdo-ci@example.org", docs = "https://docs.example.org/rdo"}
""",
    "policy": """\
# Rules of this instance.
schema = "policy/1"
[[requirement]]
origin = "rdo"
testcase = "tempest.smoke"
arches = ["x86_64"]
why = "OpenStack installs."
baseline = "published"
[[requirement]]
origin = "rdo"
testcase = "tempest.full"
arches = "all"
why = "OpenStack works."
""",
    "streams": """\
schema = "streams/1"
[streams.CentOS-Stream-10]
composes = "{web}/stream-10/"
published = "{web}/mirror/COMPOSE_ID"
""",
    "waivers": """\
schema = "waivers/1"
[[waiver]]
origin = "rdo"
testcase = "tempest.full"
composes = ["CentOS-Stream-10-20261121*"]
reason = "A bug."
issue = "https://issues.example.org/1"
by = "jdoe"
expires = 2999-01-01
""",
}
OUTCOMES: Final = {OPEN[0]: ("passed", "passed"), OPEN[1]: ("passed", "failed"), OPEN[2]: ("failed", "passed")}
"""What is reported on each open compose: tempest.smoke, tempest.full."""
VERDICTS: Final = {OPEN[0]: "satisfied", OPEN[1]: "satisfied", OPEN[2]: "blocked"}


def git(where: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=where, env=surroundings(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def surroundings(**more: str) -> dict[str, str]:
    """Give the variables of a person's shell."""
    people = {
        f"GIT_{part}_{field}": text
        for part in ("AUTHOR", "COMMITTER")
        for field, text in (("NAME", "T"), ("EMAIL", "t@e.org"))
    }
    return {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_EDITOR": "false", **people, **more}


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message", message)


def block(number: int, template: Path) -> Iterator[list[str]]:
    """Give the commands of a block of docs/releasing.md, for another place of the template and this newer version."""
    for line in BLOCKS[number].splitlines():
        yield shlex.split(line.removeprefix("$ ").replace(TEMPLATE, str(template)).replace("0.3.0", NEWER))


def follow(number: int, where: Path, template: Path, *, may_fail: int = 0) -> None:
    """Type a block's commands; of the first ones some may fail."""
    for argv in block(number, template):
        command = [sys.executable, *argv[1:]] if argv[0] == "python3" else argv
        done = subprocess.run(command, cwd=where, env=surroundings(), capture_output=True, text=True, check=False)
        assert done.returncode == 0 or may_fail > 0, (argv, done.stdout, done.stderr)
        may_fail -= 1


def test_the_page_has_the_blocks_that_are_tested_here() -> None:
    first = [lines.splitlines()[0].split()[1:3] for lines in BLOCKS]
    assert [" ".join(words) for words in first] == [
        "git fetch", "compose-repo setup", "git merge", "git merge", "python3 scripts/release_notes.py",
    ]  # fmt: skip


# --- a whole instance


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """A project on GitLab with composes on main and open merge requests, and its owner's clone."""

    server: LocalGitLab
    path: str
    clone: Path
    template: Path
    owner: User
    bots: tuple[User, User]

    def run(self, who: User, *arguments: str) -> tuple[int, str, str]:
        """Run the code that the clone has, as somebody."""
        more = {
            "COMPOSE_REPO_URL": self.server.url,
            "COMPOSE_REPO_PROJECT": self.path,
            "COMPOSE_REPO_TOKEN": who.token,
            "COMPOSE_REPO_OPENER_TOKEN": self.bots[0].token,
            "COMPOSE_REPO_TEMPLATE": str(self.template),
            "PYTHONPATH": str(self.clone / "scripts"),
        }
        done = subprocess.run(
            [sys.executable, "-m", "compose_repo", *arguments],
            cwd=self.clone, env=surroundings(**more), capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def begin(self) -> None:
        """Do what setup leaves to people: give the job its tokens, switch the schedule on, and see a run succeed."""
        with gitlab.Gitlab(self.server.url, private_token=self.bots[1].token) as client:
            project = client.projects.get(self.path)
            for key, bot in zip(("COMPOSE_REPO_OPENER_TOKEN", "COMPOSE_REPO_TOKEN"), self.bots, strict=True):
                scope = {"environment_scope": "gate", "protected": True, "masked": True}
                project.variables.create({"key": key, "value": bot.token, **scope})
            [schedule] = project.pipelineschedules.list(get_all=True)
            schedule.take_ownership()
            schedule.active = True
            schedule.save()
            schedule.play()
        assert self.server.wait_for_pipelines()
        store = self.server.site.store  # there is no runner here
        for row in store.all("SELECT id FROM pipelines"):
            store.update("pipelines", row["id"], status="success")

    def decisions(self) -> dict[str, str]:
        """Give the decision on every open compose, as JSON."""
        git(self.clone, "fetch", "--quiet", "origin")
        now = ("--now", "2026-12-01T00:00:00Z")
        return {name: self.run(self.owner, "gate", name, "--format", "json", *now)[1] for name in OPEN}

    def doctor(self) -> dict[str, Any]:
        """Give what doctor says of the template, and what it finds."""
        _, out, err = self.run(self.owner, "doctor", "--format", "json")
        assert out, err
        document = json.loads(out)
        found = {row["code"]: row["findings"] for row in document["checks"] if row["state"] == "broken"}
        return {"template": document["template"], "found": found, "aside": err}

    def merge_on_gitlab(self, branch: str) -> None:
        with gitlab.Gitlab(self.server.url, private_token=self.owner.token) as client:
            project = client.projects.get(self.path)
            values = {"source_branch": branch, "target_branch": "main", "title": branch}
            project.mergerequests.create(values).merge()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a repository with this version of the template, with its tag."""
    folder = tmp_path_factory.mktemp("template")
    for name in own_files():
        write(folder, {name: (ROOT / name).read_bytes()})
        (folder / name).chmod((ROOT / name).stat().st_mode)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, f"Release {HERE}")
    git(folder, "tag", "--annotate", "--message", HERE, f"v{HERE}")
    return folder


def manifest_of(folder: Path) -> bytes:
    return Manifest.from_compose(read_compose(compose_root(str(folder), timeout=1), location=None)).to_bytes()


def result(name: str, manifest: bytes, smoke: str, full: str) -> dict[str, str | bytes]:
    """Give RDO's result file on a compose."""
    cells = [("tempest.smoke", smoke, "x86_64"), *(("tempest.full", full, arch) for arch in ("aarch64", "x86_64"))]
    document = {
        "schema": "results/1",
        "compose_id": name,
        "manifest_sha256": hashlib.sha256(manifest).hexdigest(),
        "origin": "rdo",
        "run": {"id": "1", "url": "https://ci.example.org/1", "finished_at": "2026-11-20T01:00:00Z"},
        "results": [{"testcase": case, "outcome": outcome, "arch": arch} for case, outcome, arch in cells],
    }
    return {f"composes/{name}/results/rdo/1.json": json.dumps(document)}


def made(template: Path, folder: Path, web: Path, address: str) -> None:
    """Make an instance's main: fifty composes with results, its own rules, and what it says of itself."""
    git(folder.parent, "clone", "--quiet", str(template), str(folder))
    write(folder, {f"gate/{name}.toml": text.replace("{web}", address) for name, text in GATE.items()})
    write(folder, {"INSTANCE.md": "# Composes of this instance\n"})
    spec = SampleSpec.create(PUBLISHED[0], srpms=2, arches=SampleSpec.create(srpms=1).arches[::3])
    for name in (*PUBLISHED, *OPEN):
        spec = spec.evolve(name)
        root = write_sample(web / "stream-10", spec)
        if name in PUBLISHED:
            manifest = manifest_of(root)
            write(folder, {f"composes/{name}/manifest.json": manifest, **result(name, manifest, "passed", "passed")})
    write(web, {"mirror/COMPOSE_ID": PUBLISHED[-1]})
    commit(folder, "Make the instance")


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Instance]:
    folder = tmp_path_factory.mktemp("instance")
    web, source = folder / "web", folder / "source"
    web.mkdir()
    with serving(web) as address, LocalGitLab.start(folder / "server") as server:
        made(template, source, web, address)
        expires = f"{dt.datetime.now(dt.UTC) + dt.timedelta(200):%Y-%m-%d}"
        people = {
            name: User(id=user.id, username=name, token=server.create_token(user, expires_at=expires))
            for name in ("releng", "compose-bot", "gate-bot", "rdo-ci")
            for user in [server.create_user(name)]
        }
        project = server.create_project("centos/instance", owner=people["releng"], from_repository=source)
        server.site.paid = False
        for name, level in (("compose-bot", 30), ("gate-bot", 40), ("rdo-ci", 30)):
            server.add_member(project, people[name], access_level=level)
        clone = folder / "clone"
        git(folder, "clone", "--quiet", project.clone_url_for(people["releng"]), str(clone))
        bots = (people["compose-bot"], people["gate-bot"])
        made_here = Instance(
            server=server, path=project.path, clone=clone, template=template, owner=people["releng"], bots=bots
        )
        for who in (people["releng"], people["gate-bot"]):
            assert made_here.run(who, "setup")[0] == 0
        made_here.begin()
        code, out, err = made_here.run(people["gate-bot"], "sync")
        assert (code, out.count("→ open ")) == (0, 3), out + err
        for name, outcomes in OUTCOMES.items():
            pushed = folder / name
            url = project.clone_url_for(people["rdo-ci"])
            git(folder, "clone", "--quiet", "--single-branch", "--branch", f"compose/{name}", url, str(pushed))
            manifest = (pushed / "composes" / name / "manifest.json").read_bytes()
            write(pushed, result(name, manifest, *outcomes))
            commit(pushed, "Report")
            git(pushed, "push", "--quiet", "origin", f"HEAD:compose/{name}")
        yield made_here


@pytest.fixture(scope="module")
def story(instance: Instance) -> dict[str, Any]:
    """Make a newer version of the template, have the instance take it, and give what was seen before and after."""
    template, clone = instance.template, instance.clone
    before = {"decisions": instance.decisions(), "doctor": instance.doctor()}
    main = git(clone, "rev-parse", "origin/main")
    release(template)
    behind = instance.doctor()
    git(clone, "checkout", "--quiet", "main")
    follow(TAKE, clone, template)
    instance.merge_on_gitlab(f"template-{NEWER}")
    git(clone, "fetch", "--quiet", "origin")
    git(clone, "checkout", "--quiet", "--detach", "origin/main")
    afterwards = [instance.run(instance.owner, *argv[1:])[0] for argv in block(AFTERWARDS, template)]
    return {
        "before": before,
        "behind": behind,
        "afterwards": afterwards,
        "after": {"decisions": instance.decisions(), "doctor": instance.doctor()},
        "changed": git(clone, "diff", "--name-only", main, "origin/main").splitlines(),
    }


def release(template: Path) -> None:
    """Change code and pages of the template, and release that as docs/releasing.md says."""
    git(template, "checkout", "--quiet", "--detach")
    work = template.parent / f"{template.name}-maintainer"
    git(template, "clone", "--quiet", "--branch", "main", str(template), str(work))
    changed = {
        "pyproject.toml": ((f'version = "{HERE}"', f'version = "{NEWER}"'),),
        "CHANGELOG.md": (("## [Unreleased]\n", f"## [Unreleased]\n\n## [{NEWER}] - 2027-01-01\n\n- Better.\n"),),
        "README.md": (("# Compose Repo\n", "# Compose Repo\n\nA better one.\n"),),
        "scripts/compose_repo/cli.py": (("import argparse\n", "import argparse  # a comment\n"),),
    }
    for path, pairs in changed.items():
        text = (work / path).read_text(encoding="utf-8")
        for old, new in pairs:
            assert text.count(old) == 1, path
            text = text.replace(old, new)
        write(work, {path: text})
    write(work, {"docs/new.md": "# New\n"})
    commit(work, f"Release {NEWER}")
    git(work, "push", "--quiet", "origin", "HEAD:main")
    git(work, "fetch", "--quiet", "origin")
    follow(MAKE, work, template)


def test_a_newer_version_merges_without_a_conflict_and_leaves_alone_what_is_the_instances(
    story: dict[str, Any],
) -> None:
    assert story["changed"] == sorted(
        ["CHANGELOG.md", "README.md", "docs/new.md", "pyproject.toml", "scripts/compose_repo/cli.py"]
    )


def test_every_open_compose_has_the_same_decision_as_before(story: dict[str, Any]) -> None:
    before = story["before"]["decisions"]
    assert {name: json.loads(text)["verdict"] for name, text in before.items()} == VERDICTS
    assert story["after"]["decisions"] == before


def test_doctor_is_clean_after_setup(story: dict[str, Any]) -> None:
    doctor = story["after"]["doctor"]
    assert (story["afterwards"], doctor["found"], doctor["aside"]) == ([0, 0], {}, "")


def test_doctor_says_when_the_instance_is_behind(story: dict[str, Any]) -> None:
    assert story["before"]["doctor"]["found"] == {}
    said = f"main has version {HERE}, the template has {NEWER}"
    assert story["behind"]["found"] == {"template-behind": [said]}
    told = [seen["template"] for seen in (story["behind"], story["after"]["doctor"])]
    assert [(one["version"], one["newest"], one["behind"]) for one in told] == [
        (HERE, NEWER, True),
        (NEWER, NEWER, False),
    ]


# --- instances from before, and without history


BODIES: Final = {
    "gate/origins.toml": 'schema = "origins/1"\n\n[origins.rdo]\n',
    "gate/policy.toml": 'schema = "policy/1"\n\n[[requirement]]\norigin = "rdo"\n',
    "gate/waivers.toml": 'schema = "waivers/1"\n',
}
LONG: Final = "# Long words\n# over two lines.\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Old:
    """A template that has shortened the comments of gate/*.toml since an instance was made, and that instance."""

    template: Path
    instance: Path


@pytest.fixture
def old(tmp_path: Path) -> Old:
    upstream, mine = tmp_path / "template", tmp_path / "instance"
    upstream.mkdir()
    git(upstream, "init", "--quiet", "--initial-branch=main")
    write(upstream, {**{path: LONG + body for path, body in BODIES.items()}, "README.md": "Old\n"})
    commit(upstream, "Old")
    git(tmp_path, "clone", "--quiet", str(upstream), str(mine))
    write(upstream, {**{path: f"# docs/policy.md\n{body}" for path, body in BODIES.items()}, "README.md": "New\n"})
    write(upstream, {"gate/holds.toml": 'schema = "holds/1"\n', "composes/README.md": "Composes.\n"})
    commit(upstream, "New")
    git(upstream, "tag", "v0.2.0")
    return Old(template=upstream, instance=mine)


def test_the_one_conflict_of_an_older_instance_is_solved_by_the_pages_commands(old: Old) -> None:
    mine = old.instance
    write(mine, {"gate/origins.toml": LONG.upper() + BODIES["gate/origins.toml"]})
    write(mine, {"gate/policy.toml": f"# Ours\n{BODIES['gate/policy.toml']}accept = []\n", "gate/own.toml": "a = 1\n"})
    (mine / "gate" / "waivers.toml").unlink()
    commit(mine, "Set our rules")
    before = git(mine, "rev-parse", "HEAD:gate")
    git(mine, "fetch", "--quiet", str(old.template), "tag", "v0.2.0")
    done = subprocess.run(["git", "merge", "v0.2.0"], cwd=mine, env=surroundings(), capture_output=True, check=False)
    assert done.stdout.count(b"CONFLICT") == 3
    git(mine, "merge", "--abort")
    follow(CONFLICT, mine, old.template, may_fail=1)
    assert git(mine, "rev-parse", "HEAD:gate") == before
    assert (mine / "README.md").read_text() + (mine / "composes" / "README.md").read_text() == "New\nComposes.\n"
    assert (git(mine, "status", "--porcelain"), git(mine, "merge-base", "HEAD", "v0.2.0")) == (
        "",
        git(mine, "rev-parse", "v0.2.0"),
    )


def test_a_project_of_copied_files_gets_the_templates_history_and_keeps_its_files(old: Old, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    copied.mkdir()
    git(copied, "init", "--quiet", "--initial-branch=main")
    write(copied, {path: (old.template / path).read_bytes() for path in git(old.template, "ls-files").split()})
    write(copied, {"gate/policy.toml": "mine = 1\n", "INSTANCE.md": "Us.\n"})
    commit(copied, "Start from copied files")
    before = git(copied, "rev-parse", "HEAD^{tree}")
    git(copied, "fetch", "--quiet", str(old.template), "tag", "v0.2.0")
    follow(NO_HISTORY, copied, old.template)
    assert git(copied, "rev-parse", "HEAD^{tree}") == before
    write(old.template, {"README.md": "Newer\n"})
    commit(old.template, "Newer")
    git(old.template, "tag", "v0.3.0")
    git(copied, "fetch", "--quiet", str(old.template), "tag", "v0.3.0")
    git(copied, "merge", "--no-edit", "v0.3.0")
    assert ((copied / "README.md").read_text(), (copied / "gate" / "policy.toml").read_text()) == (
        "Newer\n",
        "mine = 1\n",
    )
