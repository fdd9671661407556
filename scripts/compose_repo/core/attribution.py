"""Who has reported: the push that brought a commit, by GitLab's word, and whether the origin's entry believes it."""

from collections.abc import Sequence
from typing import Final

from compose_repo.core.forge import Push
from compose_repo.core.names import Sha
from compose_repo.core.policy import Attribution, OriginEntry

UNSIGNED: Final = "it carries no signature of the origin's keys"


def attribute(commits: Sequence[tuple[Sha, tuple[Sha, ...]]], pushes: Sequence[Push]) -> dict[Sha, Push]:
    """Give the push that introduced each commit: the first one, oldest first, that contains it.

    `commits` are ids and parents; what no push contains has nobody. Linear in both, since no commit is visited twice.
    """
    parents = dict(commits)
    found: dict[Sha, Push] = {}
    for push in pushes:
        waiting = [] if push.after is None else [push.after]
        while waiting:
            sha = waiting.pop()
            if sha in parents and sha not in found:
                found[sha] = push
                waiting.extend(parents[sha])
    return found


def is_listed(entry: OriginEntry, push: Push | None) -> bool:
    """Tell whether an account that may report for an origin has pushed; GitLab's user names do not differ in case."""
    return push is not None and push.user.username.lower() in {user.lower() for user in entry.users}


def wants_signature(entry: OriginEntry, push: Push | None) -> bool:
    """Tell whether a commit's signature decides: the origin asks for one, or nobody it lists has pushed."""
    match entry.attribution:
        case Attribution.PUSHER:
            return False
        case Attribution.SIGNATURE:
            return True
        case Attribution.EITHER:
            return not is_listed(entry, push)


def refusal(entry: OriginEntry, push: Push | None, unsigned: str | None) -> str | None:
    """Say why nobody believes that an origin has reported by a commit; None if it is believed.

    `unsigned` says what is wrong with the commit's signature, None if nothing is; it is looked at only where
    `wants_signature`.
    """
    if entry.attribution is not Attribution.SIGNATURE and is_listed(entry, push):
        return None
    if wants_signature(entry, push) and unsigned is None:
        return None
    reasons = []
    if entry.attribution is not Attribution.SIGNATURE:
        reasons.append(_pushed(entry, push))
    if unsigned is not None:
        reasons.append(unsigned)
    return "; ".join(reasons)


def _pushed(entry: OriginEntry, push: Push | None) -> str:
    listed = ", ".join(entry.users) or "nobody"
    if push is None:
        return f"GitLab names nobody who has pushed it; gate/origins.toml lists {listed} for {entry.origin}"
    return f"pushed by {push.user.username}, who may not report for {entry.origin}; gate/origins.toml lists {listed}"
