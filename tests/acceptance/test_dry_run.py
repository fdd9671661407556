"""Every verb that writes, with `--dry-run`: it shows a plan, and asks GitLab for nothing that could change anything.

What each verb plans is looked at in tests/unit/test_planning_writes_nothing.py.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest
from sync_world import SyncWorld, sync_world

from compose_repo.verbs import parsers
from local_gitlab.server import LocalGitLab

OLD, A, NEW = (f"CentOS-Stream-10-202611{day}.0" for day in (19, 20, 21))
VERBS = {
    "open": ("{web}/stream-10/" + NEW,),
    "approve": (A,),
    "merge": (A, "--published"),
    "sync": (),
    "setup": (),
    "hold": (
        *("CentOS-Stream-10", "--open", "--reason", "It eats discs.", "--issue", "https://issues.example.org/1"),
        *("--now", "2026-11-21T00:00:00Z", "--until", "2026-11-25"),
    ),
}
"""The verbs that write, each with what it is asked to do."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalGitLab]:
    with LocalGitLab.start(tmp_path_factory.mktemp("gitlab")) as running:
        yield running


@pytest.fixture
def world(
    server: LocalGitLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[SyncWorld]:
    """Give a world in which every verb has something to do, bringing back and restoring among it."""
    with sync_world(server, tmp_path, monkeypatch, capsys) as made:
        made.compose(OLD)
        made.compose(A)
        made.sync()
        made.compose(NEW)
        made.report(A, "rdo", "passed")
        made.push_broken(made.rdo, A)
        made.publish(A)
        line = made.api(made.iid(A))
        line.title = f"Draft: {A}"
        line.save()
        yield made


def test_every_verb_that_has_a_dry_run_is_looked_at() -> None:
    """One that is added later has to be added above."""
    found = set()
    for name in parsers.VERBS:
        parser = argparse.ArgumentParser()
        parsers.load(name).add_arguments(parser)
        if "--dry-run" in parser.format_help():
            found.add(name)
    assert found == VERBS.keys()


def test_no_dry_run_asks_gitlab_for_anything_that_could_change_it(world: SyncWorld) -> None:
    for verb, arguments in VERBS.items():
        world.server.requests.clear()
        world.monkeypatch.setenv("COMPOSE_REPO_OPENER_TOKEN", world.opener.token)
        who = world.opener if verb == "open" else world.gate
        _, out, err = world.run(who, verb, *(one.format(web=world.web) for one in arguments), "--dry-run")
        asked = world.server.requests.entries
        assert any(line.startswith("→ ") for line in out.splitlines()), (verb, out, err)
        assert asked, verb
        assert [one.path for one in asked if one.writes and "git-upload-pack" not in one.path] == [], verb
        assert [one.path for one in asked if "git-receive-pack" in one.path] == [], verb
