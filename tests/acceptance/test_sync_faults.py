"""What else goes wrong around a pass: others at work, tokens that end, a GitLab that takes no writes, full disks, wrong
clocks, and compose servers that change, disagree or never end."""

from collections.abc import Callable
from typing import Any, Final

import gitlab
import pytest
from fault_world import FaultWorld, Outcome, Worlds, compose, differences, kept, worlds

from local_gitlab.faults import NO_FETCH, WRITES, Kind
from local_gitlab.server import User

__all__ = ["kept", "worlds"]


def is_told_in_lines(outcome: Outcome) -> bool:
    """Tell whether a pass has failed as it should: in lines for people, none of them our mistake."""
    return outcome.code in {1, 2} and "Traceback" not in outcome.err and "internal-error" not in outcome.err


def is_made_good(world: FaultWorld, *, by_shape: bool = False) -> bool:
    """Let one more pass do the rest, and tell whether everything is as it should be, or at least bears the same."""
    world.undisturbed()
    again = world.run()
    assert again.code == 0, again.err
    compared = outline if by_shape else dict
    found = differences(compared(world.state()), compared(world.wanted))
    assert not found, "\n".join(found)
    return True


def shown(state: dict[str, Any]) -> dict[str, Any]:
    """Leave out what tells how often something was done: two who do it at once may both be told of."""
    return {
        "refs": {ref: name for ref, name in state["refs"].items() if ref == "refs/heads/main"},
        "merge requests": {
            iid: {name: line[name] for name in ("title", "state", "target_branch", "author", "source_branch")}
            for iid, line in state["merge requests"].items()
        },
        "labels": state["labels"],
        "approvals": state["approvals"],
        "notes": {iid: [line for line in lines if not line[1]] for iid, lines in state["notes"].items()},
    }


def outline(state: dict[str, Any]) -> dict[str, Any]:
    """Leave out of what is shown what depends on which commit of main a branch began at."""
    shape = shown(state)
    return {
        **{name: shape[name] for name in ("merge requests", "labels")},
        "notes": {iid: len(lines) for iid, lines in shape["notes"].items()},
        "approvals": [row[:2] for row in shape["approvals"]],
    }


# --- others at work


@pytest.mark.parametrize("name", ["publishing", "judging", "upkeep", "gated"])
def test_two_passes_at_once_leave_what_one_leaves(worlds: Worlds, name: str) -> None:
    world = worlds(name)
    world.again()
    both = [world.start(), world.start()]
    for outcome in [world.end(process) for process in both]:
        assert outcome.code == 0 or is_told_in_lines(outcome), outcome
    assert world.run().code == 0
    assert not differences(shown(world.state()), shown(world.wanted))


def open_by_hand(world: FaultWorld, who: User, name: str) -> None:
    """Open a merge request from a compose's branch as somebody."""
    with gitlab.Gitlab(world.sync.server.url, private_token=who.token) as client:
        values = {"source_branch": f"compose/{name}", "target_branch": "main", "title": name}
        client.projects.get(world.sync.project.id).mergerequests.create(values)


def test_a_developer_who_opens_it_by_hand_meanwhile_is_told_so_and_ours_is_opened(worlds: Worlds) -> None:
    world, name = worlds("opening"), compose(15)
    world.again()
    world.sync.server.faults.before("POST", "/merge_requests$", lambda: open_by_hand(world, world.sync.rdo, name))
    assert is_told_in_lines(world.run())
    assert world.run().code == 0
    found = world.state()["merge requests"].values()
    own = [(line["author"], line["state"]) for line in found if line["source_branch"] == f"compose/{name}"]
    assert sorted(own) == [("compose-bot", "opened"), ("rdo-ci", "closed")]


def test_the_compose_bots_account_that_opens_it_by_hand_meanwhile_opens_it_once(worlds: Worlds) -> None:
    world, name = worlds("opening"), compose(15)
    world.again()
    world.sync.server.faults.before("POST", "/merge_requests$", lambda: open_by_hand(world, world.sync.opener, name))
    assert world.run().code == 0
    assert world.run().code == 0
    found = world.state()["merge requests"].values()
    assert [line["state"] for line in found if line["source_branch"] == f"compose/{name}"] == ["opened"]
    assert not differences(shown(world.state())["notes"], shown(world.wanted)["notes"])


# --- tokens, and a GitLab that takes no writes


@pytest.mark.parametrize("bot", ["compose-bot", "gate-bot"])
@pytest.mark.parametrize("number", [0, 1, 3])
@pytest.mark.parametrize("name", ["opening", "publishing"])
def test_a_token_revoked_in_the_middle_ends_in_lines_and_costs_nothing(
    worlds: Worlds, name: str, number: int, bot: str
) -> None:
    world = worlds(name)
    world.again()
    store = world.sync.server.site.store
    token = {"compose-bot": world.sync.opener, "gate-bot": world.sync.gate}[bot].token

    def revoke() -> None:
        store.run("UPDATE tokens SET revoked = 1 WHERE value = ?", token)

    world.sync.server.faults.before(WRITES, NO_FETCH, revoke, skip=number)
    outcome = world.run()
    assert is_told_in_lines(outcome), outcome
    assert "the token is not valid" in outcome.err or "Authentication failed" in outcome.err
    store.run("UPDATE tokens SET revoked = 0 WHERE value = ?", token)
    # What could not be merged is no part of main yet when the other account opens what is new.
    assert is_made_good(world, by_shape=(name, bot) == ("publishing", "gate-bot"))


@pytest.mark.parametrize("kind", ["403", "503"])
def test_a_gitlab_that_takes_no_writes_is_left_as_it_is_and_the_next_pass_does_everything(
    worlds: Worlds, kind: Kind
) -> None:
    world = worlds("opening" if kind == "503" else "upkeep")
    world.again()
    before = world.state()
    world.sync.server.faults.add(kind, method=WRITES, path=NO_FETCH, times=1000)
    outcome = world.run()
    assert is_told_in_lines(outcome), outcome
    assert "gitlab-failed" in outcome.err
    assert not differences(world.state(), before)
    assert is_made_good(world)


# --- full disks


def test_a_report_that_finds_no_room_is_a_line_and_the_pass_is_done(worlds: Worlds) -> None:
    world = worlds("opening")
    world.again()
    outcome = world.run("--report", "/dev/full")
    assert (outcome.code, outcome.err.splitlines()[-1]) == (
        2,
        "compose-repo sync: cannot write /dev/full: No space left on device",
    )
    assert not differences(world.state(), world.wanted)


SMALL_FILES: Final = """\
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
from compose_repo.__main__ import main
main()
"""


@pytest.mark.parametrize("room", [0, 100, 600])
@pytest.mark.parametrize("name", ["opening", "publishing"])
def test_a_disk_that_is_full_ends_in_lines_and_costs_nothing(worlds: Worlds, name: str, room: int) -> None:
    world = worlds(name)
    world.again()
    outcome = world.end(world.start(program=("-c", SMALL_FILES, str(room))))
    assert is_told_in_lines(outcome), outcome
    assert is_made_good(world)


# --- clocks

WRONG_CLOCK: Final = """\
import sys, datetime
from compose_repo.__main__ import main
from compose_repo.ports.clock import Clock
wrong = datetime.timedelta(hours=float(sys.argv.pop(1)))
class Wrong(Clock):
    def now(self):
        return super().now() + wrong
main(clock=Wrong())
"""


@pytest.mark.parametrize("hours", ["-1", "1"])
@pytest.mark.parametrize("name", ["judging", "gated", "publishing"])
def test_a_clock_that_is_an_hour_off_changes_nothing(worlds: Worlds, name: str, hours: str) -> None:
    world = worlds(name)
    world.again()
    outcome = world.end(world.start(program=("-c", WRONG_CLOCK, hours)))
    assert (outcome.code, outcome.err) == (0, outcome.err)
    found = differences(world.state(), world.wanted)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("hours", ["-1", "1"])
def test_a_deadline_of_an_hour_does_not_pass_because_our_clock_is_an_hour_ahead(worlds: Worlds, hours: str) -> None:
    world = worlds("opening")
    world.again()
    assert world.run().code == 0
    before = world.state()
    project = world.sync.client.projects.get(world.sync.project.id)
    file = project.files.get("gate/policy.toml", ref="main")
    file.content = file.decode().decode().replace('deadline = "3d"', 'deadline = "1h"')
    file.save(branch="main", commit_message="Be strict")
    outcome = world.end(world.start(program=("-c", WRONG_CLOCK, hours)))
    assert outcome.code == 0, outcome.err
    assert world.state()["labels"] == before["labels"]
    assert "overdue" not in outcome.out
    at = "2030-01-01T00:00:00Z"  # the deadline does count
    assert "overdue" in world.run("--now", at).out


# --- compose servers

LARGE: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n{"
PAGE: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 32\r\n\r\n<html>Please log in first</html>"
)
AROUND: Final = b"HTTP/1.1 302 Found\r\nLocation: rpms.json\r\nContent-Length: 0\r\n\r\n"
MEBIBYTES: Final = 400
"""How much a pass may grow by, whatever a server sends: less than what it sends."""


def only(path: str, answer: str | bytes) -> Callable[[str], str | bytes | None]:
    """Answer so for one file."""
    return lambda asked: answer if asked == path else None


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (LARGE, "source-too-large"),
        ("endless", "source-too-large"),
        (PAGE, "metadata-not-json"),
        ("dribble", "source-timeout"),
        (AROUND, "source-redirect"),
        ("truncated", "source-truncated"),
    ],
    ids=["10 GB", "endless", "a page", "dribbling", "in a circle", "truncated"],
)
def test_a_manifest_is_not_made_of_what_is_not_whole_and_the_next_compose_is_opened(
    worlds: Worlds, answer: str | bytes, code: str
) -> None:
    world = worlds("opening")
    world.again()
    world.spoils.how = only(f"/stream-10/{compose(15)}/compose/metadata/rpms.json", answer)
    process = world.start(program=("-c", LITTLE_MEMORY), COMPOSE_REPO_TIMEOUT="0.3" if answer == "dribble" else "5")
    outcome = world.end(process)
    assert code in outcome.err, outcome
    assert "Traceback" not in outcome.err
    titles = [line["title"] for line in world.state()["merge requests"].values()]
    assert titles == [compose(16)]
    world.spoils.how = lambda _path: None
    assert world.run().code == 0
    assert sorted(line["title"] for line in world.state()["merge requests"].values()) == [compose(15), compose(16)]


LITTLE_MEMORY: Final = f"""\
import resource
resource.setrlimit(resource.RLIMIT_DATA, ({MEBIBYTES} << 20, resource.RLIM_INFINITY))
from compose_repo.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("STARTED", "the compose is STARTED"),
        ("DOOMED", "the compose is DOOMED"),
        ("FINISHED_INCOMPLETE", "the compose changed while it was read"),
    ],
)
def test_a_compose_whose_status_changes_while_it_is_read_is_opened_by_a_later_pass(
    worlds: Worlds, status: str, words: str
) -> None:
    world = worlds("opening")
    world.again()
    folder = world.sync.server_folder / compose(15)

    def change(asked: str) -> None:
        if asked.endswith(f"{compose(15)}/compose/metadata/rpms.json"):
            (folder / "STATUS").write_text(f"{status}\n")

    world.spoils.how = change
    outcome = world.run()
    assert (outcome.code, words in outcome.err) == (0, True)
    titles = [line["title"] for line in world.state()["merge requests"].values()]
    assert titles == [compose(16)]
    (folder / "STATUS").write_text("FINISHED\n")
    world.undisturbed()
    assert world.run().code == 0
    assert len(world.state()["merge requests"]) == 2


def test_mirrors_that_disagree_merge_nothing_until_they_agree(worlds: Worlds) -> None:
    world = worlds("publishing")
    world.again()
    names = iter([compose(16), compose(15)] * 10)

    def in_turn(asked: str) -> bytes | None:
        if asked != "/mirror/COMPOSE_ID":
            return None
        name = next(names).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name)

    world.spoils.how = in_turn
    outcome = world.run()
    assert (outcome.code, "the mirrors do not agree yet" in outcome.out) == (0, True)
    assert "merged" not in {line["state"] for line in world.state()["merge requests"].values()}
    world.undisturbed()
    assert world.run().code == 0
    states = {line["title"]: line["state"] for line in world.state()["merge requests"].values()}
    assert (states[compose(15)], states[compose(16)]) == ("closed", "merged")
