"""setup and doctor, as people run them: real commands against a GitLab on loopback."""

import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gitlab
import jsonschema
import pytest
from gitlab.v4.objects import Project as ApiProject

from compose_repo import cli
from compose_repo.core.hardening import RULES
from compose_repo.ports.resources import version
from compose_repo.verbs import parsers
from local_gitlab.faults import Kind
from local_gitlab.server import LocalGitLab, Project, User
from skipping_clock import RunningClock

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = ("compose-bot", "gate-bot", "rdo-ci", "idm-ci", "someone")
PROJECTS = ("centos/compose-repo", "centos/compose-gate")
DEVELOPER, MAINTAINER, OWNER = 30, 40, 50
NOW = "2096-11-20T12:00:00Z"
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
keys = [{{key = "{KEY} rdo-ci", valid_before = 2098-01-01}}]
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
composes = "URL"
published = "URL"
""",
    "gate/waivers.toml": """\
schema = "waivers/1"
[[waiver]]
origin = "rdo"
testcase = "tempest.smoke"
reason = "A bug."
issue = "https://issues.example.org/1"
by = "jdoe"
expires = 2097-01-01
""",
    "gate/holds.toml": """\
schema = "holds/1"
[[hold]]
composes = ["CentOS-Stream-10-2096*"]
reason = "It eats discs."
issue = "https://issues.example.org/1"
by = "jdoe"
until = 2096-12-01
""",
    ".gitlab-ci.yml": "job: {script: [true]}\n",
}


STREAM_9 = """\
[streams.CentOS-Stream-9]
composes = "URL"
published = "URL"
"""


def git(where: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgSign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=where, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@dataclass(kw_only=True)
class Stage:
    """A GitLab with a hardened project, another one for the pair, and its people; what a test does is taken back."""

    folder: Path
    server: LocalGitLab
    owner: User
    people: dict[str, User]
    project: Project
    gate_project: Project
    snapshots: dict[str, sqlite3.Connection] = field(default_factory=dict)

    def keep(self, name: str) -> None:
        """Remember everything that GitLab knows, but the repositories."""
        self.snapshots[name] = sqlite3.connect(":memory:", check_same_thread=False)
        self.server.site.store.connection.backup(self.snapshots[name])

    def restore(self, name: str) -> None:
        """Bring it all back."""
        self.snapshots[name].backup(self.server.site.store.connection)

    @property
    def url(self) -> str:
        """An address for a stream to be read from: a page of GitLab itself does as well as any other."""
        return f"{self.server.url}/{self.project.path}"

    def commit(self, files: dict[str, str | None], project: Project) -> None:
        """Bring files to main, past all protection."""
        work = self.folder / "source"
        for path, content in files.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                (work / path).unlink()
            else:
                (work / path).write_text(content.replace("URL", self.url))
        git(work, "add", "--all")
        git(work, "commit", "--quiet", "--message", "Change files")
        self.server.push(project, work, by=self.owner, pipeline=False)
        assert self.server.wait_for_pipelines()  # a push to main calls our webhook


@dataclass(kw_only=True)
class World(Stage):
    """The stage during one test."""

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
        code = cli._run(
            [*arguments, "--now", NOW, "--repo", str(self.folder / "local.git")], parsers.load, RunningClock()
        )
        out, err = self.capsys.readouterr()
        assert token not in out + err
        return code, out, err

    def examine(self, *more: str, token: str = "") -> dict[str, Any]:
        """Give what doctor answers, held to its schema and its exit code."""
        code, out, err = self.run("doctor", "--format", "json", *more, token=token)
        assert out, err
        document: dict[str, Any] = json.loads(out)
        jsonschema.validate(document, json.loads((ROOT / "schemas" / "doctor.schema.json").read_text()))
        assert code == (0 if document["safe"] and document["runs"] else 1), err
        return document

    def findings(self, *more: str, token: str = "") -> dict[str, list[str]]:
        """Give what doctor finds, by code."""
        rows = self.examine(*more, token=token)["checks"]
        return {row["code"]: row["findings"] for row in rows if row["state"] == "broken"}

    def faults(self, *more: str, token: str = "") -> dict[str, list[str]]:
        """Give what doctor finds besides what people have not done yet to begin."""
        return {
            code: findings
            for code, findings in self.findings(*more, token=token).items()
            if code not in {"schedule-off", "token-missing"}
        }

    def writes(self) -> list[str]:
        """Give what was asked of the API since the log was cleared that could change something."""
        writes = [one.path for one in self.server.requests.writes if one.path.startswith("/api/")]
        return [path for path in writes if "/trigger/pipeline" not in path]  # GitLab's own, by our webhook

    def setup(self, *more: str) -> tuple[int, str, str]:
        return self.run("setup", *more)

    @property
    def gate_token(self) -> str:
        return self.people["gate-bot"].token

    def change(self, **settings: object) -> None:
        project = self.api()
        for name, value in settings.items():
            setattr(project, name, value)
        project.save()

    def protect(self, name: str, push: int, merge: int, *, force: bool = False) -> None:
        """Protect a branch in place of whatever protects it now."""
        rules = self.api().protectedbranches
        if any(rule.name == name for rule in rules.list(get_all=True)):
            rules.delete(name)
        levels = {"push_access_level": push, "merge_access_level": merge, "allow_force_push": force}
        rules.create({"name": name, **levels})

    def role(self, username: str, level: int, **more: str) -> None:
        """Give somebody a role, or change it."""
        members, user = self.api().members, self.people[username].id
        if any(one.id == user for one in members.list(get_all=True)):
            member = members.get(user)
            member.access_level = level
            for name, value in more.items():
                setattr(member, name, value)
            member.save()
        else:
            members.create({"user_id": user, "access_level": level, **more})

    def variable(self, key: str, **more: object) -> None:
        self.api().variables.create({"key": key, "value": "not-so-hidden-123", **more})

    def gate(self, name: str, old: str, new: str) -> None:
        """Change a file of gate/ on main."""
        path = f"gate/{name}.toml"
        assert old in FILES[path]
        self.commit({path: FILES[path].replace(old, new)}, self.project)

    def promote(self, create: int | None = None) -> None:
        """Give a stream a hook, and the tags that record its calls a rule of some level, or none."""
        self.gate("streams", 'published = "URL"', 'published = "URL"\npromote = {command = ["publish"]}')
        self.api().protectedtags.delete("promotion/*")
        if create is not None:
            self.api().protectedtags.create({"name": "promotion/*", "create_access_level": create})

    def begin(self) -> None:
        """Do what people do once: the tokens, the schedule; and see a run succeed."""
        home = self.api(
            next(path for path in reversed(PROJECTS) if self.api(path).pipelineschedules.list(get_all=True))
        )
        for key in ("COMPOSE_REPO_TOKEN", "COMPOSE_REPO_OPENER_TOKEN"):
            secret = {"protected": True, "masked": True, "environment_scope": "gate"}
            home.variables.create({"key": key, "value": "not-so-hidden-123", **secret})
        schedules = (
            gitlab.Gitlab(self.server.url, private_token=self.gate_token).projects.get(home.id).pipelineschedules
        )
        ours = schedules.get(schedules.list(get_all=True)[0].id)
        ours.take_ownership()
        ours.active = True
        ours.save()
        ours.play()
        assert self.server.wait_for_pipelines()
        self.ran("2096-11-20T08:00:00Z")

    def ran(self, when: str, status: str = "success") -> None:
        """Let every run so far have ended at a time."""
        store = self.server.site.store
        for row in store.all("SELECT * FROM pipelines"):
            store.update("pipelines", row["id"], status=status, updated_at=when)

    def schedule(self, description: str, ref: str, *, active: bool = True) -> None:
        values = {"description": description, "ref": ref, "cron": "1 1 * * *", "active": active}
        self.api().pipelineschedules.create(values)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    source = folder / "source"
    source.mkdir()
    git(source, "init", "--quiet", "--initial-branch=main")
    git(folder, "init", "--quiet", "--bare", "local.git")
    with LocalGitLab.start(folder / "server") as server:
        server.site.paid = False
        owner = server.create_user("releng")
        people = {name: server.create_user(name) for name in PEOPLE}
        project, gate_project = (server.create_project(path, owner=owner) for path in PROJECTS)
        token = server.create_token(owner, expires_at="2097-06-01")
        owner = User(id=owner.id, username=owner.username, token=token)
        made = Stage(
            folder=folder, server=server, owner=owner, people=people, project=project, gate_project=gate_project
        )
        ours = [ROOT / ".gitattributes", *(file for file in (ROOT / ".gitlab").rglob("*") if file.is_file())]
        made.commit({**FILES, **{str(file.relative_to(ROOT)): file.read_text() for file in ours}}, project)
        server.push(gate_project, source, by=owner, pipeline=False)
        for name in ("compose-bot", "rdo-ci", "idm-ci"):
            server.add_member(project, people[name], access_level=DEVELOPER)
        for one in (project, gate_project):
            server.add_member(one, people["gate-bot"], access_level=MAINTAINER)
        yield made


@pytest.fixture
def fresh(stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    """Give the project as GitLab makes it; afterwards it is so again."""
    source = stage.folder / "source"
    head = git(source, "rev-parse", "HEAD")
    if "fresh" not in stage.snapshots:
        stage.keep("fresh")
    yield World(**vars(stage), monkeypatch=monkeypatch, capsys=capsys)
    stage.restore("fresh")
    stage.server.site.paid = False
    stage.server.site.may_call_itself = True
    stage.server.faults.clear()
    git(source, "reset", "--quiet", "--hard", head)
    for project in (stage.project, stage.gate_project):
        git(stage.folder / "server" / "repositories" / f"{project.id}.git", "update-ref", "refs/heads/main", head)


@pytest.fixture
def hardened(fresh: World) -> World:
    return made_by_setup(fresh, "hardened")


def made_by_setup(world: World, name: str, *arguments: str) -> World:
    """Run setup the first time, once more as the gate bot, and afterwards bring back what came of it."""
    if name in world.snapshots:
        world.restore(name)
        return world
    code, _, err = world.setup(*arguments)
    assert code == 0, err
    code, out, err = world.run("setup", *arguments, token=world.gate_token)
    assert code == 0, err
    assert [line.split("create ")[-1].split(" '")[0] for line in out.splitlines()] == ["the webhook"]
    world.begin()
    world.keep(name)
    return world


@pytest.mark.smoke
def test_doctor_is_clean_on_a_project_made_by_setup(hardened: World) -> None:
    assert hardened.findings() == {}


@pytest.mark.smoke
def test_doctor_is_not_clean_before_setup(fresh: World) -> None:
    assert {"ci-file-not-pinned", "main-pushable", "compose-branches-unprotected"} <= fresh.findings().keys()


@pytest.mark.smoke
def test_setup_has_nothing_to_do_twice(hardened: World) -> None:
    hardened.server.requests.clear()
    code, out, _ = hardened.setup()
    assert (code, out) == (0, "centos/compose-repo: already set up, nothing to do\n")
    assert hardened.writes() == []


def test_setup_has_the_records_protected_before_any_stream_promotes(fresh: World) -> None:
    assert fresh.findings()["promotion-tags-unprotected"] == ["no rule protects the tags promotion/*"]
    code, out, _ = fresh.setup()
    assert code == 0
    assert "centos/compose-repo: protect tags promotion/*: create Maintainers" in out
    [rule] = fresh.api().protectedtags.list(get_all=True)
    assert (rule.name, rule.create_access_levels[0]["access_level"]) == ("promotion/*", MAINTAINER)


def test_setup_writes_nothing_on_a_dry_run(fresh: World) -> None:
    fresh.server.requests.clear()
    code, out, _ = fresh.setup("--dry-run")
    assert code == 0
    assert "→ centos/compose-repo: protect main: push no one, merge Maintainers, no force push" in out.splitlines()
    assert fresh.writes() == []


def test_a_dry_run_plans_what_setup_then_does(fresh: World) -> None:
    planned = fresh.setup("--dry-run")[1]
    assert fresh.setup()[1] == planned


def test_the_plan_as_json_is_held_to_its_schema(fresh: World) -> None:
    _, out, _ = fresh.setup("--dry-run", "--format", "json")
    document = json.loads(out)
    jsonschema.validate(document, json.loads((ROOT / "schemas" / "setup.schema.json").read_text()))
    assert {"ChangeSettings", "Protect", "Unprotect", "ProtectTags", "CreateLabel", "CreateSchedule"} == {
        row["action"] for row in document["actions"]
    }


Break = Callable[[World], object]
SETUP: dict[str, tuple[Break, str]] = {
    # What setup fixes: how it comes about, and the codes by which it is named.
    "no pinned CI file": (lambda w: w.change(ci_config_path=""), "ci-file-not-pinned"),
    "CI file of another project": (
        lambda w: w.change(ci_config_path=".gitlab-ci.yml@evil/x:main"),
        "ci-file-not-pinned",
    ),
    "pipelines of forks": (
        lambda w: w.change(ci_allow_fork_pipelines_to_run_in_parent_project=True),
        "fork-pipelines",
    ),
    "variables of Developers": (
        lambda w: w.change(ci_pipeline_variables_minimum_override_role="developer"),
        "pipeline-variables",
    ),
    "variables of everybody": (lambda w: w.change(restrict_user_defined_variables=False), "pipeline-variables"),
    "rebasing": (lambda w: w.change(merge_method="rebase_merge"), "merge-method"),
    "squashing": (lambda w: w.change(squash_option="always"), "squash"),
    "branches that vanish": (lambda w: w.change(remove_source_branch_after_merge=True), "source-branch-removed"),
    "a lock in mirror mode": (
        lambda w: w.change(only_allow_merge_if_pipeline_succeeds=True),
        "pipeline-before-merge",
    ),
    "skipped pipelines": (lambda w: w.change(allow_merge_on_skipped_pipeline=True), "skipped-pipeline"),
    "threads that block": (
        lambda w: w.change(only_allow_merge_if_all_discussions_are_resolved=True),
        "threads-block-merge",
    ),
    "commits that close": (lambda w: w.change(autoclose_referenced_issues=True), "commits-close-issues"),
    "no merge requests": (lambda w: w.change(merge_requests_access_level="disabled"), "features-missing"),
    "LFS": (lambda w: w.change(lfs_enabled=True), "lfs"),
    "a wiki": (lambda w: w.change(wiki_access_level="enabled"), "features-unneeded"),
    "Auto DevOps": (lambda w: w.change(auto_devops_enabled=True), "auto-devops"),
    "one cache": (lambda w: w.change(ci_separated_caches=False), "caches-shared"),
    "working copies used again": (lambda w: w.change(build_git_strategy="fetch"), "git-strategy"),
    "job tokens that push": (lambda w: w.change(ci_push_repository_for_job_token_allowed=True), "job-token-pushes"),
    "reports that expire": (lambda w: w.change(keep_latest_artifact=False), "artifacts-expire"),
    "no warning": (lambda w: w.change(warn_about_potentially_unwanted_characters=False), "hidden-characters"),
    "main not protected": (lambda w: w.api().protectedbranches.delete("main"), "main-unprotected"),
    "main pushed to": (lambda w: w.protect("main", MAINTAINER, MAINTAINER), "main-pushable"),
    "main merged to by Developers": (lambda w: w.protect("main", 0, DEVELOPER), "main-mergeable"),
    "main merged to by nobody": (lambda w: w.protect("main", 0, 0), "main-closed"),
    "main force-pushed": (lambda w: w.protect("main", 0, MAINTAINER, force=True), "main-force-push"),
    "a wildcard over main": (lambda w: w.protect("m*", DEVELOPER, MAINTAINER), "rule-opens-main"),
    "composes not protected": (
        lambda w: w.api().protectedbranches.delete("compose/*"),
        "compose-branches-unprotected",
    ),
    "composes force-pushed": (
        lambda w: w.protect("compose/*", DEVELOPER, MAINTAINER, force=True),
        "compose-branches-force-push",
    ),
    "composes closed": (lambda w: w.protect("compose/*", MAINTAINER, MAINTAINER), "compose-branches-closed"),
    "composes merged into": (lambda w: w.protect("compose/*", DEVELOPER, DEVELOPER), "compose-branches-mergeable"),
    "a wildcard over composes": (
        lambda w: w.protect("comp*10*", DEVELOPER, MAINTAINER, force=True),
        "rule-opens-compose-branches",
    ),
    "a wildcard over all": (
        lambda w: w.protect("*", DEVELOPER, DEVELOPER, force=True),
        "rule-opens-main rule-opens-compose-branches",
    ),
    "job tokens of others": (lambda w: w.api().job_token_scope.update(new_data={"enabled": False}), "job-token-open"),
    "a label gone": (lambda w: w.api().labels.delete("gate::blocked"), "label-missing"),
    "a label recoloured": (
        lambda w: w.api().labels.update("gate::blocked", {"color": "#108548"}),
        "label-differs",
    ),
    "no schedule": (
        lambda w: w.api().pipelineschedules.delete(w.api().pipelineschedules.list(get_all=True)[0].id),
        "schedule-missing",
    ),
    "our schedule moved": (
        lambda w: w.api().pipelineschedules.update(
            w.api().pipelineschedules.list(get_all=True)[0].id, {"ref": "compose/CentOS-Stream-10-20261120.0"}
        ),
        "schedule-moved",
    ),
    "a new stream": (
        lambda w: w.gate("streams", "[streams.CentOS-Stream-10]", STREAM_9 + "[streams.CentOS-Stream-10]"),
        "label-missing",
    ),
    "gating mode": (
        lambda w: w.gate("streams", 'published = "URL"', 'published = "URL"\nmode = "gating"'),
        "label-missing pipeline-before-merge",
    ),
    "records that anybody makes before promotions": (
        lambda w: w.api().protectedtags.delete("promotion/*"),
        "promotion-tags-unprotected",
    ),
    "promotions that anybody records": (lambda w: w.promote(), "promotion-tags-unprotected"),
    "promotions that Developers record": (lambda w: w.promote(DEVELOPER), "promotion-tags-open"),
    "promotions that nobody records": (lambda w: w.promote(0), "promotion-tags-closed"),
}
PEOPLES: dict[str, tuple[Break, str]] = {
    # What people fix.
    "one bot for both": (lambda w: w.gate("streams", '"compose-bot"', '"gate-bot"'), "bots-are-one bot-too-strong"),
    "no compose bot": (lambda w: w.api().members.delete(w.people["compose-bot"].id), "bot-missing"),
    "a compose bot that merges": (lambda w: w.role("compose-bot", MAINTAINER), "bot-too-strong"),
    "a gate bot that owns": (lambda w: w.role("gate-bot", OWNER), "bot-too-strong"),
    "a gate bot that cannot merge": (lambda w: w.role("gate-bot", DEVELOPER), "bot-too-weak"),
    "a bot that leaves": (lambda w: w.role("gate-bot", MAINTAINER, expires_at="2096-12-01"), "bot-membership-ends"),
    "no account of an origin": (lambda w: w.api().members.delete(w.people["rdo-ci"].id), "origin-user-missing"),
    "an origin that merges": (lambda w: w.role("rdo-ci", MAINTAINER), "origin-user-too-strong"),
    "an origin that cannot push": (lambda w: w.role("rdo-ci", 20), "origin-user-too-weak"),
    "a bot that reports": (lambda w: w.gate("origins", '"rdo-ci"]', '"rdo-ci", "gate-bot"]'), "origin-user-is-bot"),
    "two origins, one account": (lambda w: w.gate("origins", '"idm-ci"]', '"rdo-ci"]'), "origin-user-shared"),
    "one more Maintainer": (lambda w: w.role("someone", MAINTAINER), "maintainer-unexpected"),
    "an unprotected secret": (
        lambda w: w.variable("DEPLOY_TOKEN", masked=True, environment_scope="gate"),
        "secret-unprotected",
    ),
    "a secret in the log": (
        lambda w: w.variable("DEPLOY_TOKEN", protected=True, environment_scope="gate"),
        "secret-unmasked",
    ),
    "a schedule that is off": (
        lambda w: w.api().pipelineschedules.update(
            w.api().pipelineschedules.list(get_all=True)[0].id, {"active": False}
        ),
        "schedule-off",
    ),
    "no run for a day": (lambda w: w.ran("2096-11-19T12:00:00Z"), "no-run"),
    "runs that fail": (lambda w: w.ran("2096-11-20T11:00:00Z", "failed"), "runs-fail"),
    "a secret for all jobs": (
        lambda w: w.variable("DEPLOY_TOKEN", protected=True, masked=True),
        "secret-everywhere",
    ),
    "a secret by its value": (
        lambda w: w.api().variables.create(
            {"key": "X", "value": "glpat-abcdefghij0123456789", "environment_scope": "e"}
        ),
        "secret-unprotected secret-unmasked",
    ),
    "a deploy key": (
        lambda w: w.api().keys.create({"title": "server", "key": KEY, "can_push": True}),
        "deploy-key-pushes",
    ),
    "a webhook in the clear": (
        lambda w: w.api().hooks.create({"url": "http://example.org/s3cret"}),
        "webhook-insecure",
    ),
    "a webhook to anybody": (
        lambda w: w.api().hooks.create({"url": "https://example.org/", "enable_ssl_verification": False}),
        "webhook-insecure",
    ),
    "a trigger": (lambda w: w.api().triggers.create({"description": "from chat"}), "trigger-unknown"),
    "a schedule elsewhere": (lambda w: w.schedule("nightly", "devel"), "schedule-elsewhere"),
    "our schedule, of another": (lambda w: w.schedule("compose-repo sync", "main"), "schedule-of-another"),
    "a broken gate file": (lambda w: w.gate("waivers", "waivers/1", "waivers/9"), "gate-files-invalid"),
    "an origin without users": (lambda w: w.gate("origins", '["idm-ci"]', "[]"), "origin-unattributable"),
    "a key that is over": (lambda w: w.gate("origins", "2098-01-01", "2026-01-01"), "key-expired"),
    "a key that ends": (lambda w: w.gate("origins", "2098-01-01", "2096-12-01"), "key-expires-soon"),
    "the only key is revoked": (
        lambda w: w.gate("origins", "valid_before = 2098-01-01}]", 'revoked = true}]\nattribution = "signature"'),
        "origin-unattributable",
    ),
    "a waiver that is over": (lambda w: w.gate("waivers", "2097-01-01", "2096-11-19"), "waiver-expired"),
    "a waiver that ends": (lambda w: w.gate("waivers", "2097-01-01", "2096-11-20"), "waiver-expires-soon"),
    "a hold that is over": (lambda w: w.gate("holds", "2096-12-01", "2096-11-19"), "hold-without-force"),
    "a hold that is too long": (lambda w: w.gate("holds", "2096-12-01", "2096-12-05"), "hold-without-force"),
    "a hold that ends": (lambda w: w.gate("holds", "2096-12-01", "2096-11-20"), "hold-ends-soon"),
    "mirrors that are gone": (
        lambda w: w.gate("streams", 'published = "URL"', 'published = "URL/-/nothing"'),
        "stream-unreachable",
    ),
    "mirrors on a disk that are gone": (
        lambda w: w.gate("streams", 'published = "URL"', 'published = "file:///nowhere/COMPOSE_ID"'),
        "stream-unreachable",
    ),
    "mirrors in the clear": (
        lambda w: w.gate("streams", 'published = "URL"', 'published = "http://mirror.invalid/x"'),
        "stream-unencrypted stream-unreachable",
    ),
    "no CI file": (lambda w: w.commit({".gitlab-ci.yml": None}, w.project), "ci-file-missing"),
    "no code owners": (lambda w: w.commit({".gitlab/CODEOWNERS": None}, w.project), "project-file-missing"),
}


@pytest.mark.parametrize("name", [*SETUP, *PEOPLES])
def test_doctor_names_each_misconfiguration_by_its_code(hardened: World, name: str) -> None:
    make, codes = {**SETUP, **PEOPLES}[name]
    make(hardened)
    assert set(hardened.findings()) == set(codes.split())


@pytest.mark.parametrize("name", SETUP)
def test_setup_fixes_what_it_can_fix(hardened: World, name: str) -> None:
    SETUP[name][0](hardened)
    code, _, err = hardened.setup()
    assert code == 0, err
    assert hardened.faults() == {}


@pytest.mark.parametrize(
    "name", ["an origin that merges", "a secret in the log", "a deploy key", "a waiver that is over"]
)
def test_setup_leaves_to_people_what_is_theirs(hardened: World, name: str) -> None:
    make, code = PEOPLES[name]
    make(hardened)
    hardened.server.requests.clear()
    done, out, err = hardened.setup()
    assert (done, out, hardened.writes()) == (0, "centos/compose-repo: already set up, nothing to do\n", [])
    assert f"({code})" in err


def test_every_rule_can_be_broken() -> None:
    named = {code for _, codes in {**SETUP, **PEOPLES, **WEBHOOK}.values() for code in codes.split()}
    assert {rule.code for rule in RULES} - named == ELSEWHERE


ELSEWHERE = {
    # Broken in tests of their own: of the token, of a pair, of the webhook, of the paid tiers, of the template.
    "token-of-admin",
    "token-too-strong",
    "token-expires",
    "token-never-expires",
    "variable-beside-composes",
    "outsider-in-gate-project",
    "token-missing",
    "gate-project-private",
    "trigger-of-another",
    "gate-logs-public",
    "author-approves",
    "approval-survives-push",
    "files-unbounded",
    "template-behind",
}


# --- the token in use


@pytest.mark.parametrize(
    ("scopes", "expires", "code"),
    [
        (("api", "admin_mode"), "2097-06-01", "token-too-strong"),
        (("api",), "2096-11-25", "token-expires"),
        (("api",), None, "token-never-expires"),
    ],
)
def test_doctor_names_what_is_wrong_with_the_token(
    hardened: World, scopes: tuple[str, ...], expires: str | None, code: str
) -> None:
    token = hardened.server.create_token(hardened.owner, scopes=scopes, expires_at=expires)
    assert set(hardened.findings(token=token)) == {code}


def test_doctor_names_an_administrators_token(hardened: World) -> None:
    root = hardened.server.create_user("root", admin=True)
    token = hardened.server.create_token(root, expires_at="2097-06-01")
    assert set(hardened.findings(token=token)) == {"token-of-admin"}


@pytest.mark.parametrize("verb", ["setup", "doctor"])
def test_a_developers_token_is_refused_in_a_line(hardened: World, verb: str) -> None:
    code, out, err = hardened.run(verb, token=hardened.people["rdo-ci"].token)
    assert (code, out) == (2, "")
    assert err == (
        f"compose-repo {verb}: {verb} needs the token of a Maintainer: GitLab shows settings, variables and keys "
        "to no lower role; rdo-ci is Developer of centos/compose-repo\n"
    )


def test_the_gate_bots_own_token_is_enough(fresh: World) -> None:
    token = fresh.server.create_token(fresh.people["gate-bot"], expires_at="2097-06-01")
    code, _, err = fresh.run("setup", token=token)
    assert code == 0, err
    assert fresh.faults(token=token) == {}


# --- the pair

PAIR = ("--gate-project", "centos/compose-gate")


@pytest.fixture
def pair(fresh: World) -> World:
    return made_by_setup(fresh, "pair", *PAIR)


@pytest.mark.smoke
def test_doctor_is_clean_on_a_pair_made_by_setup(pair: World) -> None:
    assert pair.findings(*PAIR) == {}


def test_a_pair_takes_its_pipelines_from_the_gate_project(pair: World) -> None:
    wanted = ".gitlab-ci.yml@centos/compose-gate:main"
    assert [pair.api(path).ci_config_path for path in PROJECTS] == [wanted, wanted]


def test_only_the_gate_project_of_a_pair_has_the_schedule(pair: World) -> None:
    schedules = [[one.description for one in pair.api(path).pipelineschedules.list(get_all=True)] for path in PROJECTS]
    assert schedules == [[], ["compose-repo sync"]]


def test_only_the_composes_of_a_pair_have_a_branch_rule_of_their_own(pair: World) -> None:
    rules = [[one.name for one in pair.api(path).protectedbranches.list(get_all=True)] for path in PROJECTS]
    assert rules == [["compose/*", "main"], ["main"]]


def test_a_pair_has_no_variable_beside_the_composes(pair: World) -> None:
    pair.variable("PIP_INDEX_URL")
    assert pair.findings(*PAIR) == {"variable-beside-composes": ["there is PIP_INDEX_URL"]}


def test_a_variable_that_is_no_secret_may_be_in_the_gate_project(pair: World) -> None:
    pair.api("centos/compose-gate").variables.create({"key": "PIP_INDEX_URL", "value": "https://example.org/simple"})
    assert pair.findings(*PAIR) == {}


def test_a_secret_in_the_gate_project_is_protected_and_masked(pair: World) -> None:
    pair.api("centos/compose-gate").variables.create({"key": "COMPOSE_REPO_TOKEN", "value": "not-so-secret-123"})
    assert set(pair.findings(*PAIR)) == {"secret-unprotected", "secret-unmasked"}


def test_nobody_who_reports_may_push_to_the_gate_project(pair: World) -> None:
    pair.server.add_member(pair.gate_project, pair.people["rdo-ci"], access_level=DEVELOPER)
    assert pair.findings(*PAIR) == {"outsider-in-gate-project": ["rdo-ci is Developer"]}


def test_a_gate_project_that_third_parties_cannot_read_is_unsafe(pair: World) -> None:
    project = pair.api("centos/compose-gate")
    project.visibility, project.repository_access_level = "private", "private"
    project.save()
    assert pair.findings(*PAIR) == {
        "gate-project-private": [
            "visibility is private and should be public or internal",
            "repository_access_level is private and should be enabled",
        ]
    }
    assert not pair.examine(*PAIR)["safe"]


def test_a_gate_project_that_every_account_can_read_is_enough(pair: World) -> None:
    project = pair.api("centos/compose-gate")
    project.visibility = "internal"
    project.save()
    assert pair.findings(*PAIR) == {}


def test_logs_of_the_gate_project_are_for_its_members(pair: World) -> None:
    project = pair.api("centos/compose-gate")
    project.public_jobs = True
    project.save()
    assert set(pair.findings(*PAIR)) == {"gate-logs-public"}
    assert pair.setup(*PAIR)[0] == 0
    assert pair.findings(*PAIR) == {}


def test_one_project_is_no_pair(fresh: World) -> None:
    code, _, err = fresh.run("setup", "--gate-project", "centos/compose-repo")
    assert code == 2
    assert "centos/compose-repo is the project with the composes" in err


def test_a_gate_project_that_is_not_there_is_told(fresh: World) -> None:
    code, _, err = fresh.run("doctor", "--gate-project", "centos/nothing")
    assert (code, "project centos/nothing" in err) == (2, True)


# --- the webhook


def hooks(world: World) -> list[Any]:
    return list(world.api().hooks.list(get_all=True))


def triggers(world: World, path: str = "") -> list[tuple[str, str]]:
    return [(one.description, one.owner["username"]) for one in world.api(path).triggers.list(get_all=True)]


def edit_hook(world: World, **values: object) -> None:
    """Change our webhook."""
    world.api().hooks.update(hooks(world)[0].id, {"url": hooks(world)[0].url, **values})


def fail_hook(world: World) -> None:
    """Let it fail until GitLab no longer calls it: the token that it holds is none any more."""
    [row] = world.server.site.store.all("SELECT * FROM records WHERE kind = 'hook'")
    data = {**json.loads(row["data"]), "alert_status": "temporarily_disabled", "recent_failures": 4}
    world.server.site.store.update("records", row["id"], data=json.dumps(data))


def second_hook(world: World) -> None:
    world.api().hooks.create({"url": hooks(world)[0].url.replace("{", "x").replace("}", "x")})


def trigger_of_another(world: World) -> None:
    world.api().triggers.create({"description": "compose-repo: pushes"})


def without_trigger(world: World) -> None:
    world.api().triggers.delete(world.api().triggers.list(get_all=True)[0].id)


WEBHOOK: dict[str, tuple[Break, str]] = {
    # What setup fixes with the gate bot's token.
    "no webhook": (lambda w: w.api().hooks.delete(hooks(w)[0].id), "webhook-missing"),
    "no trigger": (without_trigger, "webhook-wrong"),
    "a webhook that fails": (fail_hook, "webhook-wrong"),
    "a webhook for comments too": (lambda w: edit_hook(w, note_events=True), "webhook-wrong"),
    "a webhook for every branch": (lambda w: edit_hook(w, branch_filter_strategy="all_branches"), "webhook-wrong"),
    "a webhook that tells too much": (lambda w: edit_hook(w, custom_webhook_template=None), "webhook-wrong"),
    "a webhook to another branch": (
        lambda w: edit_hook(w, url=hooks(w)[0].url.replace("/main/", "/devel/")),
        "webhook-wrong",
    ),
    "a webhook to another project": (
        lambda w: edit_hook(w, url=f"{w.server.url}/api/v4/projects/99/ref/main/trigger/pipeline?token=glptt-1"),
        "webhook-wrong",
    ),
    "two webhooks": (second_hook, "webhook-wrong"),
}


@pytest.mark.parametrize("name", WEBHOOK)
def test_the_gate_bots_setup_fixes_the_webhook(hardened: World, name: str) -> None:
    make, code = WEBHOOK[name]
    make(hardened)
    assert set(hardened.findings()) == {code}
    assert hardened.setup()[1] == "centos/compose-repo: already set up, nothing to do\n"
    done, _, err = hardened.run("setup", token=hardened.gate_token)
    assert done == 0, err
    assert hardened.findings() == {}
    assert (len(hooks(hardened)), triggers(hardened)) == (1, [("compose-repo: pushes", "gate-bot")])


def test_a_webhook_that_starts_an_origins_own_project_is_left_alone(hardened: World) -> None:
    address = f"{hardened.server.url}/api/v4/projects/99/ref/main/trigger/pipeline?token=glptt-1"
    theirs = hardened.api().hooks.create({"url": address, "name": "rdo: pushes", "push_events": True})
    assert hardened.findings() == {}
    code, out, _ = hardened.run("setup", token=hardened.gate_token)
    assert (code, out) == (0, "centos/compose-repo: already set up, nothing to do\n")
    assert theirs.id in [hook.id for hook in hooks(hardened)]


def test_the_gate_bots_setup_has_nothing_to_do_twice(hardened: World) -> None:
    hardened.server.requests.clear()
    code, out, _ = hardened.run("setup", token=hardened.gate_token)
    assert (code, out) == (0, "centos/compose-repo: already set up, nothing to do\n")
    assert hardened.writes() == []


def test_the_webhook_calls_main_for_pushes_alone_and_shows_no_token(hardened: World) -> None:
    [hook] = hooks(hardened)
    [trigger] = hardened.api().triggers.list(get_all=True)
    where = f"{hardened.server.url}/api/v4/projects/{hardened.project.id}/ref/main/trigger/pipeline"
    assert hook.url == f"{where}?token={{trigger{trigger.id}}}"
    assert {name for name, value in hook.attributes.items() if name.endswith("_events") and value} == {"push_events"}
    assert "glptt" not in json.dumps(hook.attributes)


def test_a_trigger_of_anothers_is_named_and_left_to_people(hardened: World) -> None:
    trigger_of_another(hardened)
    assert set(hardened.findings()) == {"trigger-of-another"}
    code, out, err = hardened.run("setup", token=hardened.gate_token)
    assert (code, out) == (0, "centos/compose-repo: already set up, nothing to do\n")
    assert "the pipeline trigger 'compose-repo: pushes' belongs to releng (trigger-of-another)" in err


def test_setup_of_anybody_else_makes_no_webhook_and_says_who_does(fresh: World) -> None:
    code, out, err = fresh.setup()
    assert (code, "webhook" in out, hooks(fresh), triggers(fresh)) == (0, False, [], [])
    assert "[ ] 5. Run compose-repo setup once with the gate bot's token" in err
    assert set(fresh.faults()) == {"webhook-missing"}


def test_where_no_webhook_may_be_set_the_schedule_is_left_and_no_trigger(fresh: World) -> None:
    fresh.setup()
    fresh.server.site.may_call_itself = False
    code, _, err = fresh.run("setup", token=fresh.gate_token)
    assert code == 0, err
    assert "only the schedule sees pushes" in err
    assert (hooks(fresh), triggers(fresh)) == ([], [])
    assert fresh.examine()["safe"] is True


def test_without_webhook_none_is_made_and_none_is_missed(fresh: World) -> None:
    fresh.setup()
    code, out, _ = fresh.run("setup", "--no-webhook", token=fresh.gate_token)
    assert (code, out) == (0, "centos/compose-repo: already set up, nothing to do\n")
    assert fresh.faults("--no-webhook") == {}


@pytest.mark.parametrize("kind", ["500", "apply-then-drop", "429"])
def test_the_webhook_is_made_once_by_a_gitlab_that_stumbles(fresh: World, kind: Kind) -> None:
    fresh.setup()
    for path in ("/triggers", "/hooks"):
        fresh.server.faults.add(kind, method="POST", path=path, times=1)
    code, _, err = fresh.run("setup", token=fresh.gate_token)
    assert code == 0, err
    assert (len(hooks(fresh)), len(triggers(fresh))) == (1, 1)


def test_of_a_pair_the_webhook_is_with_the_composes_and_the_trigger_with_the_token(pair: World) -> None:
    [hook] = hooks(pair)
    assert f"/api/v4/projects/{pair.gate_project.id}/ref/main/trigger/pipeline?token=" in hook.url
    assert [triggers(pair, path) for path in PROJECTS] == [[], [("compose-repo: pushes", "gate-bot")]]


# --- tiers


def test_what_is_not_on_the_tier_is_said_to_be_so(hardened: World) -> None:
    rows = {row["code"]: row for row in hardened.examine()["checks"]}
    assert rows["author-approves"]["absent"] == "not on this GitLab, or not on its tier"


def test_the_paid_tiers_settings_are_set_where_they_are(fresh: World) -> None:
    fresh.server.site.paid = True
    assert {"approval-survives-push", "files-unbounded"} <= fresh.findings().keys()
    assert fresh.setup()[0] == 0
    assert fresh.faults("--no-webhook") == {}
    fresh.api().approvals.update(new_data={"merge_requests_author_approval": True})
    rule = fresh.api().pushrules.get()
    rule.max_file_size = 500
    rule.save()
    assert set(fresh.faults("--no-webhook")) == {"author-approves", "files-unbounded"}
    assert fresh.setup()[0] == 0
    assert fresh.faults("--no-webhook") == {}


# --- what is told


def test_every_check_has_its_line_when_all_are_asked_for(hardened: World) -> None:
    _, out, _ = hardened.run("doctor", "--all")
    told = [line.split()[1].rstrip(":") for line in out.splitlines()[:-1]]
    assert told == [rule.code for rule in RULES]


def test_doctor_says_what_why_and_how_to_fix(hardened: World) -> None:
    hardened.protect("main", MAINTAINER, MAINTAINER)
    code, out, _ = hardened.run("doctor")
    lines = out.splitlines()
    assert code == 1
    assert lines[0] == "unsafe main-pushable: centos/compose-repo: Maintainers may push to main"
    assert lines[1].startswith("    why:  A direct push puts code")
    assert lines[2].startswith("    fix: compose-repo setup does it; by hand: Settings > Repository")
    assert lines[3] == (
        f"{len(RULES)} checks: {len(RULES) - 12} fine, 1 unsafe, 0 to look at, "
        "11 do not apply or cannot be made here (--all says why); the project runs"
    )


def test_doctor_tells_a_project_that_has_not_begun_from_one_that_runs(fresh: World) -> None:
    fresh.setup()
    code, out, _ = fresh.run("doctor", "--no-webhook")
    assert code == 1
    assert [line for line in out.splitlines() if not line.startswith("    ")] == [
        "stopped schedule-off: centos/compose-repo: the pipeline schedule 'compose-repo sync' is off",
        "stopped token-missing: centos/compose-repo: there is no variable COMPOSE_REPO_TOKEN, for the gate bot's token",
        (
            "stopped token-missing: centos/compose-repo: there is no variable COMPOSE_REPO_OPENER_TOKEN, "
            "for the compose bot's token"
        ),
        out.splitlines()[-1],
    ]
    assert out.endswith("; the project does not run\n")


def test_doctor_does_not_miss_tokens_that_runs_evidently_have(hardened: World) -> None:
    for key in ("COMPOSE_REPO_TOKEN", "COMPOSE_REPO_OPENER_TOKEN"):
        hardened.api().variables.delete(key)
    assert hardened.findings() == {}
    hardened.ran("2096-11-19T12:00:00Z")
    assert set(hardened.findings()) == {"token-missing", "no-run"}


def test_doctor_says_what_a_check_would_be_about(hardened: World) -> None:
    _, out, _ = hardened.run("doctor", "--all")
    assert "skip deploy-key-pushes: centos/compose-repo: there is no deploy key" in out.splitlines()


def test_advice_alone_is_no_failure(hardened: World) -> None:
    hardened.change(wiki_access_level="enabled")
    assert hardened.run("doctor")[0] == 0


def test_setup_says_what_people_do_in_plain_words(fresh: World) -> None:
    _, _, err = fresh.setup()
    assert "[x] 1. Make two accounts, compose-bot (Developer) and gate-bot (Maintainer)" in err


def steps(err: str) -> dict[str, bool]:
    """Give the number of each step, and whether it is ticked off."""
    return {line[4]: line.startswith("[x]") for line in err.splitlines() if line.startswith(("[x]", "[ ]"))}


def test_setup_ticks_off_what_is_done(fresh: World) -> None:
    fresh.api().members.delete(fresh.people["compose-bot"].id)
    assert steps(fresh.setup()[2]) == dict.fromkeys("12345", False)


def test_setup_ticks_off_all_of_a_project_that_runs(hardened: World) -> None:
    _, _, err = hardened.setup()
    assert steps(err) == dict.fromkeys("12345", True)
    assert "Only people" not in err


def test_what_the_steps_say_is_not_said_twice(fresh: World) -> None:
    _, _, err = fresh.setup()
    assert steps(err) == {"1": True, "2": False, "3": False, "4": False, "5": False}
    assert "(schedule-off)" not in err
    assert "(token-missing)" not in err


@pytest.mark.parametrize("more", [["--dry-run"], []])
def test_setup_says_that_direct_pushes_to_main_end(fresh: World, more: list[str]) -> None:
    _, _, err = fresh.setup(*more)
    assert "centos/compose-repo: direct pushes to main end with this, yours too" in err


def test_where_they_have_ended_setup_does_not_say_it_again(hardened: World) -> None:
    assert "direct pushes" not in hardened.setup()[2]


def test_setup_does_nothing_by_gate_files_that_are_broken(hardened: World) -> None:
    hardened.gate("waivers", "waivers/1", "waivers/9")
    code, _, err = hardened.setup()
    assert (code, "gate/waivers.toml:1:" in err) == (1, True)


def test_a_path_that_is_a_secret_is_not_told(hardened: World) -> None:
    hardened.api().hooks.create({"url": "http://example.org/s3cret"})
    assert hardened.findings() == {"webhook-insecure": ["the webhook to example.org is not encrypted"]}


def test_text_from_gitlab_cannot_forge_a_line(hardened: World) -> None:
    hardened.api().keys.create({"title": "a\nfine main-pushable: \x1b[2K", "key": KEY, "can_push": True})
    _, out, _ = hardened.run("doctor")
    assert out.count("\n") == 4
    assert "\x1b" not in out


# --- the template's version


PYPROJECT = '[project]\nname = "compose-repo"\nversion = "{}"\n'


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Give a repository with two releases of the template, and tags that are none."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "Release")
    for tag in ("v0.2.0", "v0.10.0", "v0.9.0"):
        git(tmp_path, "tag", "--annotate", "--message", tag, tag)
    for tag in ("v9.9.9-rc1", "v9", "9.9.9", "v09.9.9", "vv9.9.9", "v9.9.9\u2028", "x/v9.9.9", "v8/9.9.9"):
        git(tmp_path, "tag", tag)
    return tmp_path


def run_version(world: World, version: str, *arguments: str) -> tuple[int, list[str], str]:
    """Run doctor where main has a version of the template; give the exit code, the lines, and what is said aside."""
    world.commit({"pyproject.toml": PYPROJECT.format(version)}, world.project)
    code, out, err = world.run("doctor", *arguments)
    return code, out.splitlines(), err


def test_doctor_tells_the_version_of_the_template_on_main(hardened: World) -> None:
    code, lines, err = run_version(hardened, version() or "")
    assert (code, lines[0], err) == (0, f"template: version {version()}", "")


def test_doctor_tells_that_the_program_is_another_version(hardened: World) -> None:
    assert run_version(hardened, "0.0.1")[1][0] == f"template: version 0.0.1; this program is version {version()}"


def test_doctor_says_that_the_instance_is_behind(hardened: World, template: Path) -> None:
    code, lines, err = run_version(hardened, "0.9.0", "--template", str(template))
    assert (code, err) == (0, "")
    assert lines[0] == "advice template-behind: centos/compose-repo: main has version 0.9.0, the template has 0.10.0"
    assert lines[3] == f"template: version 0.9.0; this program is version {version()}; the newest is 0.10.0"


@pytest.mark.parametrize("here", ["0.10.0", "0.11.0"])
def test_who_has_the_newest_version_is_not_behind(hardened: World, template: Path, here: str) -> None:
    hardened.commit({"pyproject.toml": PYPROJECT.format(here)}, hardened.project)
    assert hardened.findings("--template", str(template)) == {}


def test_the_environment_says_where_the_template_is_and_json_tells_all_of_it(hardened: World, template: Path) -> None:
    hardened.commit({"pyproject.toml": PYPROJECT.format("0.2.0")}, hardened.project)
    hardened.monkeypatch.setenv("COMPOSE_REPO_TEMPLATE", f"file://{template}")
    assert hardened.examine()["template"] == {
        "version": "0.2.0", "program": version(), "newest": "0.10.0", "behind": True, "unknown": None,
    }  # fmt: skip


@pytest.mark.parametrize("address", ["https://127.0.0.1:1/template.git", "nowhere", "ext::touch taken", "-o"])
def test_a_template_that_cannot_be_read_is_a_warning(hardened: World, address: str) -> None:
    hardened.commit({"pyproject.toml": PYPROJECT.format("0.2.0")}, hardened.project)
    code, out, err = hardened.run("doctor", f"--template={address}")
    assert (code, err.startswith(f"warning: {address} cannot be read: "), err.count("\n")) == (0, True, 1)
    assert out.startswith("template: version 0.2.0")
    row = next(row for row in hardened.examine(f"--template={address}")["checks"] if row["code"] == "template-behind")
    assert (row["state"], row["absent"].startswith(f"{address} cannot be read: ")) == ("absent", True)


def test_a_template_without_releases_is_a_warning(hardened: World, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    _, _, err = hardened.run("doctor", "--template", str(tmp_path))
    assert err == f"warning: {tmp_path} has no tag of the form vX.Y.Z\n"


def test_thousands_of_tags_with_any_names_are_harmless(hardened: World, template: Path) -> None:
    head = git(template, "rev-parse", "HEAD")
    names = [f"v{number}.0.0\u202e{number}" for number in range(5_000)] + ["v\x9b2K", f"v{'9' * 200}.0.0"]
    (template / ".git" / "packed-refs").write_text("".join(f"{head} refs/tags/{name}\n" for name in sorted(names)))
    hardened.commit({"pyproject.toml": PYPROJECT.format("0.10.0")}, hardened.project)
    assert hardened.findings("--template", str(template)) == {}


def test_a_version_that_steers_a_terminal_is_marked(hardened: World) -> None:
    _, lines, _ = run_version(hardened, "1\\u001b[2K\\n9")
    assert lines[0].startswith("template: version 1\N{REPLACEMENT CHARACTER}[2K 9")


@pytest.mark.parametrize("address", ["https://me:s3cret@gitlab.com/t.git", "https://s3cret@gitlab.com/t.git"])
def test_an_address_with_a_secret_is_refused_and_not_told(hardened: World, address: str) -> None:
    code, out, err = hardened.run("doctor", "--template", address)
    assert (code, out) == (2, "")
    assert err == (
        "compose-repo doctor: the template's address has a user name or a password in it; leave it out: "
        "it would be shown\n"
    )


# --- a GitLab that refuses, and one that stumbles


def test_what_gitlab_refuses_keeps_nothing_else_back(fresh: World) -> None:
    for number in range(10):
        fresh.schedule(f"nightly {number}", "main")
    code, _, err = fresh.setup()
    assert code == 1
    assert "could not create the pipeline schedule 'compose-repo sync' on main" in err
    assert "Maximum number of pipeline schedules (10) exceeded" in err
    assert err.count("compose-repo sync' on main") == 1
    assert set(fresh.faults("--no-webhook")) == {"schedule-missing"}


@pytest.mark.parametrize("kind", ["500", "apply-then-drop", "429"])
def test_setup_bears_a_gitlab_that_stumbles(fresh: World, kind: Kind) -> None:
    for path in ("/protected_branches", "/labels", "/pipeline_schedules"):
        fresh.server.faults.add(kind, method="POST", path=path, times=1)
    code, _, err = fresh.setup()
    assert code == 0, err
    assert fresh.faults("--no-webhook") == {}
    schedules = fresh.api().pipelineschedules.list(get_all=True)
    assert [one.description for one in schedules] == ["compose-repo sync"]
