"""A pass in which answers go wrong: it goes well or fails in a line, and one more leaves what an undisturbed one does.

Each answer of GitLab, of its git and of the compose server and mirror is disturbed in each way. Several of one pass are
disturbed, `STRIDE` apart, which are then tried again each by itself; which ones were is counted, so none is left out.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from fault_world import WORLDS, FaultWorld, Outcome, Worlds, differences, kept, worlds

from local_gitlab.faults import Kind

__all__ = ["kept", "worlds"]

KINDS: tuple[Kind, ...] = ("429", "500", "502", "reset", "apply-then-drop", "apply-then-hang", "truncated")
STRIDE = 4
PATIENCE = 0.3
"""Seconds that a disturbed pass waits for who hangs, which is for twice as long."""
Target = tuple[str, int]
"""A request, with its sha left out, and the how manyeth of its kind."""


def key(method: str, path: str) -> str:
    """Name a request in the same way in each pass."""
    plain = re.sub("[0-9a-f]{40}", "<sha>", re.sub("^/api/v4/projects/[^/?]*", "", path))
    return f"{method} {plain}"


def targets(requests: Iterable[str]) -> list[Target]:
    """Number the requests of a pass."""
    count: Counter[str] = Counter()
    found = []
    for request in requests:
        count[request] += 1
        found.append((request, count[request]))
    return found


class Disturbance:
    """Says which requests are disturbed, and knows which are still to come."""

    def __init__(self, left: Iterable[Target]) -> None:
        self.left = set(left)
        self._count: Counter[str] = Counter()

    def hits(self, request: str) -> bool:
        self._count[request] += 1
        target = (request, self._count[request])
        if target not in self.left:
            return False
        self.left.remove(target)
        return True


def walk(
    world: FaultWorld,
    wanted: list[Target],
    disturb: Callable[[Disturbance], None],
    besides: tuple[str, ...] = (),
) -> list[str]:
    """Disturb every request of a pass, a few in each, and say what went wrong in the end, but what may be `besides`."""
    wrong: list[str] = []
    for offset in range(STRIDE):
        left = set(wanted[offset::STRIDE])
        while left:
            world.again()
            disturbance = Disturbance(left)
            disturb(disturbance)
            first = world.run()
            hit = left - disturbance.left
            assert hit, f"{left} are not asked for any more: {first}"
            left = disturbance.left
            world.undisturbed()
            world.sync.monkeypatch.delenv("COMPOSE_REPO_TIMEOUT", raising=False)
            found = [*unclean(first), *(line for line in left_behind(world) if not line.startswith(besides))]
            if found:
                wrong += [f"disturbed: {sorted(hit)}", f"which said {first.code}: {first.err}", *found, ""]
    return wrong


def hurry(world: FaultWorld, kind: Kind, seconds: float) -> None:
    """Let a pass wait so long for who hangs."""
    if kind == "apply-then-hang":
        world.sync.monkeypatch.setenv("COMPOSE_REPO_TIMEOUT", str(seconds))


def unclean(outcome: Outcome) -> list[str]:
    """Say what is wrong with how a pass has ended."""
    code, err = outcome.code, outcome.err
    found = [f"exit code {code}: {err}"] if code not in {0, 1, 2} else []
    odd = re.compile("Traceback|internal-error|unexpected")
    return found + [f"no line for people: {line}" for line in err.splitlines() if odd.search(line)]


def left_behind(world: FaultWorld) -> list[str]:
    """Compare what is left with what an undisturbed pass leaves, after one more pass if need be."""
    if not differences(world.state(), world.wanted):
        return []
    again = world.run()
    found = differences(world.state(), world.wanted)
    return found if again.code == 0 else [f"the next pass fails: {again.err}", *found]


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_gitlab_answers_is_made_good_by_the_next_pass(worlds: Worlds, kind: Kind, name: str) -> None:
    world = worlds(name)

    def disturb(disturbance: Disturbance) -> None:
        hurry(world, kind, PATIENCE)
        world.sync.server.faults.add(
            kind, times=1000, retry_after=0, seconds=2 * PATIENCE, when=lambda *asked: disturbance.hits(key(*asked))
        )

    wrong = walk(world, targets(key(entry.method, entry.path) for entry in world.asked), disturb)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_the_compose_server_answers_is_made_good_by_the_next_pass(worlds: Worlds, kind: Kind) -> None:
    world = worlds("publishing")

    def disturb(disturbance: Disturbance) -> None:
        hurry(world, kind, 2 * PATIENCE)  # one document may cost half of it
        world.spoils.how = lambda path: kind if disturbance.hits(path) else None

    # Who hangs is not asked again in that run. What the mirrors would have told is then judged before it is merged, and
    # the description of what is overtaken says what came of that.
    besides = ("/statuses: too much: ", "/merge requests/3/description: ") if kind == "apply-then-hang" else ()
    wrong = walk(world, targets(world.read), disturb, besides)
    assert not wrong, "\n".join(wrong)
