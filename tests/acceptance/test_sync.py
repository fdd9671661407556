"""`sync`, as a schedule runs it: whatever is due is done by nothing else, and a second pass has nothing to do."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sync_world import STREAMS, SyncWorld, sync_world

from local_gitlab.server import LocalGitLab

A, B, C, D = (f"CentOS-Stream-10-202611{day}.0" for day in (19, 20, 21, 22))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalGitLab]:
    with LocalGitLab.start(tmp_path_factory.mktemp("gitlab")) as running:
        yield running


@pytest.fixture
def world(
    request: pytest.FixtureRequest,
    server: LocalGitLab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[SyncWorld]:
    with sync_world(server, tmp_path, monkeypatch, capsys, more=getattr(request, "param", "")) as made:
        yield made


def passed(world: SyncWorld, name: str, run: str = "1") -> None:
    world.report(name, "rdo", "passed", run=run)
    world.report(name, "idm", "passed", run=run)


def test_nothing_but_sync_takes_composes_from_first_sight_to_merged_and_superseded(world: SyncWorld) -> None:
    assert world.rows() == []
    world.compose(A)
    world.compose(B, version="5.2.2")
    code, out, err = world.sync()
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "2 opened, 2 brought up to date, 2 pending"
    assert world.states() == {"20261119.0": "opened", "20261120.0": "opened"}
    assert world.api(world.iid(A)).labels == ["gate::pending", "stream::CentOS-Stream-10"]

    passed(world, B)
    assert world.rows() == [
        ("20261119.0", "judge", "is-open", "unchanged"),
        ("20261120.0", "judge", "is-open", "changed"),
    ]
    assert world.approvers(world.iid(B)) == ["gate-bot"]

    world.compose(C, version="5.2.3")
    world.publish(B)
    assert world.rows() == [
        ("20261120.0", "merge", "carried", "changed"),
        ("20261121.0", "open", "first-seen", "changed"),
        ("20261121.0", "judge", "is-open", "changed"),
    ]
    assert world.states() == {"20261119.0": "closed", "20261120.0": "merged", "20261121.0": "opened"}
    assert "compose::superseded" in world.api(world.iid(A)).labels
    assert "compose::published" in world.api(world.iid(B)).labels
    world.server.requests.clear()
    assert world.rows() == [("20261121.0", "judge", "is-open", "unchanged")]
    assert world.writes() == []


def seed(world: SyncWorld, names: list[str]) -> None:
    for name in names:
        world.compose(name)
    world.configure(STREAMS.format(web=world.web, more="open_at_most = 50"))
    assert world.sync()[0] == 0


def test_a_pass_over_thirty_in_which_nothing_changed_asks_once_for_each_and_writes_nothing(world: SyncWorld) -> None:
    names = [f"CentOS-Stream-10-202611{day:02}.0" for day in range(1, 31)]
    seed(world, names)
    passed(world, names[3])
    world.report(names[4], "rdo", "failed")
    world.sync()
    world.server.requests.clear()
    code, out, _ = world.sync()
    assert (code, out.splitlines()[-1]) == (0, "30 unchanged, 1 satisfied, 28 pending, 1 blocked")
    assert world.writes() == []
    asked = Counter(entry.route for entry in world.server.requests.entries)
    notes = "/projects/<project_id>/merge_requests/<iid>/notes"
    assert (asked[notes], asked.total()) == (30, 39), asked  # four of the API beside these, and five of git
