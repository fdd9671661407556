"""Which merge request is a compose's: that of the compose bot, from the compose's own branch.

Everybody may open merge requests, and every Developer may retarget, rename, close, even merge those of others. So only
what cannot be changed later tells which one counts: who opened it, from which branch of which project, and what main
holds. Target, title, labels and statuses tell nothing.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from compose_repo.core.composes.compose import ComposeId, ComposeIdError
from compose_repo.core.forge.forge import MergeRequest, MergeRequestState, Push, User
from compose_repo.core.rules.policy import Bots

MERGED: Final = frozenset({MergeRequestState.MERGED, MergeRequestState.LOCKED})
"""The states of what is merged, or just being merged."""
MAINTAINER: Final = 40
"""The access level from which on closing a merge request is Release Engineering's word."""


class Found(Struct, frozen=True, kw_only=True):
    """The merge requests that could be taken for a compose's.

    `ours` is the one that counts. `duplicates` are open ones from the same branch, `strangers` open ones from forks or
    other branches that bear the compose's name. `astray` is one of the compose bot's that was merged, but whose compose
    is not on the default branch: somebody has merged it elsewhere, and it can never be opened again.
    """

    ours: MergeRequest | None
    duplicates: tuple[MergeRequest, ...] = ()
    strangers: tuple[MergeRequest, ...] = ()
    astray: MergeRequest | None = None


def compose_of(merge_request: MergeRequest) -> ComposeId | None:
    """Give the compose that a merge request is about, by its branch; None if it is about something else."""
    try:
        return ComposeId.of_branch(merge_request.source_branch)
    except ComposeIdError:
        return None


def open_of(compose_id: ComposeId, opened: Iterable[MergeRequest]) -> tuple[MergeRequest, ...]:
    """Choose of the open merge requests those that bear a compose's name: by their branch, or in their title."""
    title = re.compile(rf"{re.escape(compose_id.text)}(?![0-9])")
    return tuple(line for line in opened if line.source_branch == compose_id.branch or title.search(line.title))


def is_bots(merge_request: MergeRequest, bots: Bots) -> bool:
    """Tell whether the compose bot has opened it, from a branch of the project itself."""
    return not merge_request.from_fork and merge_request.author.is_called(bots.compose)


def choose(
    compose_id: ComposeId,
    merge_requests: Iterable[MergeRequest],
    *,
    bots: Bots,
    target_branch: str,
    is_on_main: bool,
) -> Found:
    """Sort out whatever bears a compose's name.

    Of the compose bot's the merged one counts, if the default branch holds the compose (`is_on_main`, which has to be
    read after the merge requests); else the open one, first that to the default branch, first the oldest; else the
    newest closed one.
    """
    lines = {line.iid: line for line in merge_requests}.values()
    ours = [line for line in lines if is_bots(line, bots) and line.source_branch == compose_id.branch]
    merged = [line for line in ours if line.state is MergeRequestState.MERGED]
    counting = [line for line in ours if is_on_main or line not in merged]
    chosen = min(counting, key=lambda line: _rank(line, target_branch), default=None)
    others = [line for line in lines if line.state is MergeRequestState.OPENED and line is not chosen]
    beside = [line for line in others if not line.from_fork and line.source_branch == compose_id.branch]
    return Found(
        ours=chosen,
        duplicates=tuple(sorted(beside, key=lambda line: line.iid)),
        strangers=tuple(sorted((line for line in others if line not in beside), key=lambda line: line.iid)),
        astray=None if is_on_main else max(merged, key=lambda line: line.iid, default=None),
    )


def _rank(line: MergeRequest, target_branch: str) -> tuple[int, bool, int]:
    if line.state in MERGED:
        return (0, line.target_branch != target_branch, line.iid)
    if line.state is MergeRequestState.OPENED:
        return (1, line.target_branch != target_branch, line.iid)
    return (2, False, -line.iid)


def opener_of(pushes: Sequence[Push]) -> User | None:
    """Give who has created a branch as it is now, from its pushes, oldest first; None where GitLab does not say."""
    for push in reversed(pushes):
        if push.after is None:
            return None
        if push.before is None:
            return push.user
    return None


def superseded_by(
    compose_id: ComposeId, merge_requests: Iterable[MergeRequest], *, bots: Bots, target_branch: str
) -> tuple[MergeRequest, ...]:
    """Choose the open merge requests of older composes of the same stream, oldest first; newer ones are not touched.

    One that somebody has retargeted is brought back before it is closed; those of others are none of a compose.
    """
    older = [
        (other, line)
        for line in merge_requests
        if line.state is MergeRequestState.OPENED
        and is_bots(line, bots)
        and line.target_branch == target_branch
        and (other := compose_of(line)) is not None
        and other.stream == compose_id.stream
        and other < compose_id
    ]
    return tuple(line for _, line in sorted(older, key=lambda pair: pair[0]))


def newer_published(compose_id: ComposeId, published: Iterable[ComposeId]) -> ComposeId | None:
    """Give the newest published compose of the stream if it has overtaken this one; None if none has."""
    same = [other for other in published if other.stream == compose_id.stream]
    newest = max(same, default=compose_id)
    return newest if newest > compose_id else None


def why_it_stays_closed(
    merge_request: MergeRequest, *, overtaken_by: ComposeId | None, access_level: int, bots: Bots
) -> str | None:
    """Say why a closed merge request is not opened again; None if it is.

    `access_level` is that of whoever closed it. What a newer published compose has overtaken stays closed, and so
    does what our bots or a Maintainer have closed: that is Release Engineering's word. Anybody else's closing, or that
    of an account that is gone, does not take a compose out of the gate.
    """
    if overtaken_by is not None:
        return f"{overtaken_by}, which is newer, was merged since"
    closer = merge_request.closed_by
    if closer is None:
        return None
    if closer.is_called(bots.compose) or closer.is_called(bots.gate):
        return f"{closer.username}, one of the two bots, closed it"
    if access_level >= MAINTAINER:
        return f"{closer.username}, a Maintainer, closed it"
    return None
