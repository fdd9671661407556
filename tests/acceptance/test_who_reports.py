"""Whose results count: real pushes and signatures, a GitLab on loopback, and the reader of a line."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from gitlab_world import World, build_world, commit, git, write

from compose_repo.core.composes.compose_id import ComposeId
from compose_repo.core.names import Sha, Sha256
from compose_repo.core.rules.policy import Bots, Policy, origins_from_dict
from compose_repo.ports.git.repository import Repository
from compose_repo.ports.gitlab.forge import GitLab
from compose_repo.reading.line import LineReader, Reading
from compose_repo.reading.loading import GateFiles
from local_gitlab.server import User
from skipping_clock import RunningClock

ID: Final = ComposeId.parse("CentOS-Stream-10-20261120.0")
RESULT: Final = f"{ID.folder}/results/rdo/1.json"
TODAY: Final = dt.datetime.now(tz=dt.UTC).date()


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """A project with a compose that is open, its people, and who may report for rdo."""

    world: World
    mallory: User
    key: Path

    def clone(self, user: User) -> Path:
        """Clone the compose's branch as a user; what is committed there claims to be from RDO."""
        clone = self.world.clone(user, ID.branch)
        git(clone, "config", "user.name", "RDO CI")
        git(clone, "config", "user.email", "rdo-ci@example.org")
        return clone

    def sign(self, clone: Path) -> None:
        """Set a clone up as CONTRIBUTING.md says."""
        git(clone, "config", "gpg.format", "ssh")
        git(clone, "config", "user.signingkey", f"{self.key}.pub")
        git(clone, "config", "commit.gpgsign", "true")

    def read(self, *, attribution: str = "pusher", **key: Any) -> Reading:  # noqa: ANN401  # whatever a key has
        """Read the line with the gate bot's token, as `approve` does."""
        public = self.key.with_suffix(".pub").read_text().strip()
        rdo = {"name": "RDO", "users": ["rdo"], "attribution": attribution, "keys": [{"key": public, **key}]}
        origins = origins_from_dict({"origins": {"rdo": {**rdo, "contact": {"email": "rdo-ci@example.org"}}}})
        policy = Policy.from_dict({"schema": "policy/1"})
        forge = GitLab(
            url=self.world.server.url,
            project=self.world.project.path,
            token=self.world.gate.token,
            trace=lambda _: None,
            clock=RunningClock(),
        )
        bare = self.world.directory / "bare"
        if not bare.exists():
            git(self.world.directory, "init", "--quiet", "--bare", str(bare))
        repository, url = Repository(bare), self.world.project.clone_url_for(self.world.gate)
        repository.fetch(url, ["+refs/heads/main:refs/x/main", f"+refs/heads/{ID.branch}:refs/x/head"])
        reader = LineReader(
            repository,
            pushes=forge.pushes,
            fetch=lambda sha: repository.fetch(url, [f"+{sha}:refs/x/{sha}"]),
            clock=RunningClock(),
        )
        (merge_request,) = forge.merge_requests(source_branch=ID.branch)
        gate_files = GateFiles(
            policy=policy,
            policy_sha256=Sha256("0" * 64),
            origins=origins,
            waivers=(),
            streams={},
            bots=Bots(compose="opener", gate="gate"),
        )
        try:
            head, main = Sha(repository.commit("refs/x/head")), repository.commit("refs/x/main")
            return reader.read(ID, merge_request.created_at, main=main, head=head, gate_files=gate_files)
        finally:
            forge.close()


@pytest.fixture
def stage(tmp_path: Path, require_tool: Callable[[str, str], str]) -> Iterator[Stage]:
    require_tool("ssh-keygen", "install openssh-client")
    world = build_world(tmp_path)
    mallory = world.server.create_user("mallory")
    world.server.add_member(world.project, mallory, access_level=30)
    project = world.as_user(world.opener)
    project.branches.create({"branch": ID.branch, "ref": "main"})
    commit(project, ID.branch, f"{ID.folder}/manifest.json", "{}\n")
    project.mergerequests.create({"source_branch": ID.branch, "target_branch": "main", "title": ID.text})
    run_keygen(tmp_path)
    yield Stage(world=world, mallory=mallory, key=tmp_path / "key")
    world.server.stop()


def run_keygen(folder: Path) -> None:
    git(folder, "-c", f"alias.keygen=!ssh-keygen -q -t ed25519 -N '' -f '{folder}/key'", "keygen")


def counted(reading: Reading) -> list[str]:
    return [version.path for version in reading.branch.files if version.origin is not None]


def refusals(reading: Reading) -> list[str]:
    return [problem.message for problem in reading.branch.problems if problem.code == "not-attributed"]


@pytest.mark.smoke
def test_a_result_counts_for_its_origin_if_its_user_has_pushed_it(stage: Stage) -> None:
    clone = stage.clone(stage.world.rdo)
    write(clone, RESULT, "{}")
    git(clone, "push", "--quiet")
    reading = stage.read()
    assert (counted(reading), refusals(reading)) == ([RESULT], [])


def test_who_claims_to_be_the_origin_in_the_commit_is_told_by_the_push(stage: Stage) -> None:
    clone = stage.clone(stage.mallory)
    sha = write(clone, RESULT, "{}")
    git(clone, "push", "--quiet")
    reading = stage.read()
    assert counted(reading) == []
    assert refusals(reading) == [
        f"commit {sha[:12]}: pushed by mallory, who may not report for rdo; gate/origins.toml lists rdo"
    ]


def test_pushing_on_top_of_a_push_of_many_branches_does_not_make_it_ones_own(stage: Stage) -> None:
    """GitLab names neither branch nor commits of a push of more than three: what it brought would be anybody's."""
    clone = stage.clone(stage.mallory)
    others = [f"other-{number}" for number in range(3)]
    for name in others:
        git(clone, "push", "--quiet", "origin", f"HEAD:refs/heads/{name}")
    sha = write(clone, RESULT, "{}")
    git(clone, "push", "--quiet", "origin", f"HEAD:{ID.branch}", *[f"HEAD:refs/heads/{name}" for name in others])
    victim = stage.clone(stage.world.rdo)
    own = RESULT.replace("1.json", "2.json")
    write(victim, own, "{}")
    git(victim, "push", "--quiet")
    reading = stage.read()
    assert counted(reading) == [own]
    (reason,) = refusals(reading)
    assert reason.startswith(f"commit {sha[:12]}: GitLab does not name the user who pushed it")


@pytest.mark.parametrize("attribution", ["signature", "either"])
def test_a_signed_result_counts_whoever_has_pushed_it(stage: Stage, attribution: str) -> None:
    clone = stage.clone(stage.mallory)
    stage.sign(clone)
    write(clone, RESULT, "{}")
    git(clone, "push", "--quiet")
    reading = stage.read(attribution=attribution)
    assert (counted(reading), refusals(reading)) == ([RESULT], [])


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ({"revoked": True}, "which is revoked"),
        ({"valid_before": str(TODAY)}, f"which is no longer valid from {TODAY}"),
        ({"valid_after": "2999-01-01"}, "which is valid only from 2999-01-01"),
    ],
)
def test_a_key_that_may_not_speak_any_more_is_named(stage: Stage, key: dict[str, Any], reason: str) -> None:
    clone = stage.clone(stage.world.rdo)
    stage.sign(clone)
    write(clone, RESULT, "{}")
    git(clone, "push", "--quiet")
    reading = stage.read(attribution="signature", **key)
    assert counted(reading) == []
    assert reason in refusals(reading)[0]


@pytest.mark.smoke
def test_where_a_signature_is_asked_for_the_right_user_is_not_enough(stage: Stage) -> None:
    clone = stage.clone(stage.world.rdo)
    sha = write(clone, RESULT, "{}")
    git(clone, "push", "--quiet")
    reading = stage.read(attribution="signature")
    assert counted(reading) == []
    assert refusals(reading) == [f"commit {sha[:12]}: not signed; sign with an SSH key: git config gpg.format ssh"]


def test_a_signed_commit_with_an_enormous_message_is_not_read(stage: Stage) -> None:
    clone = stage.clone(stage.world.rdo)
    stage.sign(clone)
    (clone / RESULT).parent.mkdir(parents=True, exist_ok=True)
    (clone / RESULT).write_text("{}")
    message = stage.world.directory / "message"
    message.write_text("x" * 2_000_000)
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--file", str(message))
    git(clone, "push", "--quiet")
    assert "its commit is larger than 1024 KiB" in refusals(stage.read(attribution="signature"))[0]
