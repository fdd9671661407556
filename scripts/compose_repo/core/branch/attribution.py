"""Whose a result is: which push brought its commit, and whether that, or a signature, is enough for its origin.

What a commit says of itself (author, committer, their addresses and times) is a claim and is never looked at.

An origin that has mappings of the message bus, or jobs of a Jenkins, is reported for by the compose bot too, which
writes messages and builds down as results. It is believed whatever its file says it was made from: who pushes is known
before anything is read, and whoever holds that account says what a compose is anyway. An origin without either is
reported for by itself alone.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from compose_repo.core.forge.forge import Push
from compose_repo.core.names import Sha
from compose_repo.core.rules.policy import Attribution, OriginEntry

UNSIGNED: Final = "its signature was not looked at"
"""What to say where nobody has looked, lest it pass for good."""

Commits: TypeAlias = Sequence[tuple[Sha, tuple[Sha, ...]]]
"""Commits with their parents."""


def attribute(commits: Commits, pushes: Sequence[Push]) -> dict[Sha, Push]:
    """Tell for each commit the push that brought it to the branch: the first that has it.

    Both come oldest first. A commit that was on the branch before any push that is known has it (a push of many
    branches at once, of which GitLab says nothing) belongs to nobody: whoever pushes on top of it did not bring it.
    """
    parents = dict(commits)
    brought: dict[Sha, Push] = {}
    seen: set[Sha] = set()
    for push in in_order(pushes):
        _take(push.before, parents, seen)
        brought |= dict.fromkeys(_take(push.after, parents, seen), push)
    return brought


def _take(head: Sha | None, parents: dict[Sha, tuple[Sha, ...]], seen: set[Sha]) -> list[Sha]:
    """Give the commits that a head has and that were not seen yet; from now on they are.

    What is behind a commit that was seen has been seen too, so no commit is looked at twice.
    """
    taken: list[Sha] = []
    waiting = [] if head is None else [head]
    while waiting:
        sha = waiting.pop()
        if sha in parents and sha not in seen:
            seen.add(sha)
            taken.append(sha)
            waiting.extend(parents[sha])
    return taken


def in_order(pushes: Iterable[Push]) -> list[Push]:
    """Put two pushes right that stand in the wrong order beyond doubt.

    GitLab writes its events down in the background, so of two pushes within a moment the second may come first. They
    change places only if the one continues where the other ends, and that one where the branch was.
    """
    ordered = list(pushes)
    tip: Sha | None = None
    for index in range(len(ordered) - 1):
        push, following = ordered[index : index + 2]
        if (following.before, following.after) == (tip, push.before):
            ordered[index : index + 2] = [following, push]
        tip = ordered[index].after
    return ordered


def is_listed(entry: OriginEntry, push: Push | None) -> bool:
    """Tell whether an account that may report for an origin has pushed."""
    return push is not None and any(push.user.is_called(user) for user in entry.users)


def is_carried(entry: OriginEntry, push: Push | None, carrier: str | None) -> bool:
    """Tell whether the account that writes messages and builds down, the `carrier`, has pushed for an origin with any.

    It writes them on top of a branch. A branch that it has made anew holds what anybody may have pushed before.
    """
    if push is None or push.before is None or carrier is None:
        return False
    return bool(entry.bus or entry.jenkins) and push.user.is_called(carrier)


def wants_signature(entry: OriginEntry, push: Push | None, carrier: str | None = None) -> bool:
    """Tell whether it hangs on its signature whether a commit's results count.

    Without a push nobody knows when it was signed, and so whether its key was valid: then nothing can help it.
    """
    if push is None or entry.attribution is Attribution.PUSHER or is_carried(entry, push, carrier):
        return False
    return entry.attribution is Attribution.SIGNATURE or not is_listed(entry, push)


def refusal(entry: OriginEntry, push: Push | None, unsigned: str | None, carrier: str | None = None) -> str | None:
    """Say why nobody believes that an origin has reported by a commit; None if it is believed.

    `pusher`: one of the origin's users has pushed it. `signature`: it has a good signature. `either`: one of the two.
    `unsigned` says what is wrong with the signature, None if nothing is; it is looked at only where `wants_signature`.
    Whatever is asked of the origin, the `carrier` of the messages and builds mapped to it is believed (`is_carried`).
    """
    if push is None:
        return "GitLab names nobody who has pushed it; push it in a commit of its own, to this branch alone"
    if is_carried(entry, push, carrier):
        return None
    if wants_signature(entry, push):
        reasons = [] if unsigned is None else [unsigned]
        if reasons and entry.attribution is Attribution.EITHER:
            reasons.insert(0, _pushed(entry, push))
        return "; ".join(reasons) or None
    return None if is_listed(entry, push) else _pushed(entry, push)


def _pushed(entry: OriginEntry, push: Push) -> str:
    listed = ", ".join(entry.users) or "nobody"
    return f"pushed by {push.user.username}, who may not report for {entry.origin}; gate/origins.toml lists {listed}"
