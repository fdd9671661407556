"""What GitLab writes down of a push: one event for each ref, or one for many.

The rows are those of GitLab's `PushEventPayloadService` and `BulkPushEventPayloadService`. A push is taken apart by
kind of ref and by what happened to it (created, pushed, removed); more than three refs of one such group make one
event without a ref and without shas (`Git::ProcessRefChangesService`, and the documentation of the "Push event
activities limit"). GitLab writes them in a background job (`PostReceive`): a client can look before they are there.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local_gitlab.clock import now
from local_gitlab.git import ZERO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local_gitlab.site import Site
    from local_gitlab.store import Row, Store

LIMIT = 3
TITLE_MAX = 70
ACTION_NAMES = {"created": "pushed new", "removed": "deleted", "pushed": "pushed to"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """A branch or tag that a push made, moved or removed."""

    ref: str
    old: str
    new: str

    @property
    def kind(self) -> str:
        """Whether it is a branch or a tag."""
        return "tag" if self.ref.startswith("refs/tags/") else "branch"

    @property
    def name(self) -> str:
        """The name without the folder that its kind lives in."""
        return self.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")

    @property
    def action(self) -> str:
        """What happened to it."""
        return "created" if self.old == ZERO else "removed" if self.new == ZERO else "pushed"


@dataclass(kw_only=True)
class EventQueue:
    """Where push events wait while they are held back."""

    _waiting: list[dict[str, Any]] | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def add(self, store: Store, row: dict[str, Any]) -> None:
        """Write an event, now or when it is released; its time is that of writing, as in GitLab."""
        with self._guard:
            if self._waiting is not None:
                self._waiting.append(row)
                return
        store.insert("events", **row, created_at=now())

    def hold(self) -> None:
        """Let events wait from now on."""
        with self._guard:
            self._waiting = self._waiting or []

    def release(self, store: Store) -> int:
        """Write what waits, in order, and hold nothing back any more; return how many there were."""
        with self._guard:
            rows, self._waiting = self._waiting or [], None
        with store.transaction():
            for row in rows:
                store.insert("events", **row, created_at=now())
        return len(rows)


def record(site: Site, project: Row, user: Row, move: Move) -> None:
    """Write the event of one ref."""
    count, title = _commits(site, project, move)
    push = {
        "commit_count": count,
        "action": move.action,
        "ref_type": move.kind,
        "commit_from": None if move.old == ZERO else move.old,
        "commit_to": None if move.new == ZERO else move.new,
        "ref": move.name,
        "commit_title": title,
        "ref_count": None,
    }
    _write(site, project, user, push)


def record_bulk(site: Site, project: Row, user: Row, moves: Sequence[Move]) -> None:
    """Write one event for many refs of one kind to which the same happened: it names none of them."""
    push = {
        "commit_count": 0,
        "action": moves[0].action,
        "ref_type": moves[0].kind,
        "commit_from": None,
        "commit_to": None,
        "ref": None,
        "commit_title": None,
        "ref_count": len(moves),
    }
    _write(site, project, user, push)


def _write(site: Site, project: Row, user: Row, push: dict[str, Any]) -> None:
    row = {
        "project_id": project["id"],
        "author_id": user["id"],
        "action_name": ACTION_NAMES[push["action"]],
        "push_data": json.dumps(push),
    }
    site.push_events.add(site.store, row)
    site.store.update("projects", project["id"], last_activity_at=now())


def _commits(site: Site, project: Row, move: Move) -> tuple[int, str | None]:
    """Count the commits that came, and return the title of the newest.

    Of a new branch those count that the default branch does not have; of a tag, the commit it names.
    """
    if move.new == ZERO:
        return 0, None
    repository = site.repository(project)
    span = [move.new, f"^{move.old}"] if move.old != ZERO else [move.new]
    if move.kind == "tag":
        found = repository.commit(move.new)
        return (1, _shortened(found.title)) if found else (0, None)
    default = repository.branch(project["default_branch"])
    if move.old == ZERO and default and move.name != project["default_branch"]:
        span = [move.new, f"^{default}"]
    newest, count = repository.commit(move.new), repository.count(*span)
    return (count, _shortened(newest.title)) if newest and count else (0, None)


def _shortened(title: str) -> str:
    text = title.strip()
    return text if len(text) <= TITLE_MAX else f"{text[: TITLE_MAX - 3]}..."
