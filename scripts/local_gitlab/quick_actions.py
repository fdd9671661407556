"""Quick actions: commands such as `/approve` in the text of notes and descriptions, and what they do."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_gitlab import entities
from local_gitlab.activity import again
from local_gitlab.approvals import approve, unapprove
from local_gitlab.drafts import is_draft, without_draft
from local_gitlab.edits import change_state, change_target, set_title, valid_title
from local_gitlab.errors import ApiError
from local_gitlab.labels import find_label, set_labels
from local_gitlab.merging import merge
from local_gitlab.site import DEVELOPER, access_level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local_gitlab.site import Site
    from local_gitlab.store import Row

COMMANDS = frozenset(
    {
        "approve",
        "unapprove",
        "merge",
        "label",
        "labels",
        "unlabel",
        "remove_label",
        "relabel",
        "close",
        "reopen",
        "title",
        "draft",
        "ready",
        "target_branch",
        "assign",
        "unassign",
        "assign_reviewer",
        "request_review",
        "reviewer",
        "subscribe",
        "unsubscribe",
        "todo",
        "done",
        "lock",
        "unlock",
        "rebase",
        "shrug",
        "tableflip",
        "estimate",
        "spend",
        "milestone",
        "copy_metadata",
    },
)
_LINE = re.compile(r"^/(?P<name>[a-z_]+)(?:[ \t]+(?P<value>.*))?$", re.IGNORECASE)
_FENCE = re.compile(r"^ {0,3}(```+|~~~+|>>>)")
_LABEL = re.compile(r'~"([^"]+)"|~([^\s~]+)')


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """One quick action."""

    name: str
    value: str


def extract(text: str) -> tuple[str, list[Command]]:
    """Take the quick actions out of a text; those in code or quotations are only text."""
    kept: list[str] = []
    found: list[Command] = []
    fence = ""
    for line in text.replace("\r\n", "\n").split("\n"):
        mark = _FENCE.match(line)
        if mark and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else mark[1]
            kept.append(line)
            continue
        command = None if fence else _LINE.match(line.rstrip())
        if command and command["name"].lower() in COMMANDS:
            found.append(Command(name=command["name"].lower(), value=(command["value"] or "").strip()))
        else:
            kept.append(line)
    return ("\n".join(kept).strip() if found else text), found


def labels_in(value: str) -> list[str]:
    """Return the labels that a command names, with or without quotation marks."""
    marked = [quoted or plain for quoted, plain in _LABEL.findall(value)]
    return marked or [word.strip('"') for word in value.split() if word]


def apply_commands(
    site: Site,
    project: Row,
    merge_request: Row,
    user: Row,
    commands: Sequence[Command],
    *,
    created: bool = False,
    merge_sha: object = None,
) -> None:
    """Carry out quick actions with the rights of whoever wrote them; what is not allowed does nothing."""
    for command in commands:
        try:
            _apply(site, project, again(site, merge_request), user, command, created=created, merge_sha=merge_sha)
        except (ApiError, sqlite3.IntegrityError):
            continue  # GitLab says so in the answer at most; the note stands


def _apply(  # noqa: C901  # one case for each command
    site: Site,
    project: Row,
    merge_request: Row,
    user: Row,
    command: Command,
    *,
    created: bool,
    merge_sha: object,
) -> None:
    may_sort = access_level(site, project, user) >= DEVELOPER
    may_edit = may_sort or merge_request["author_id"] == user["id"]
    title = merge_request["title"]
    match command.name:
        case "approve":
            approve(site, project, merge_request, user)
        case "unapprove":
            unapprove(site, project, merge_request, user)
        case "merge" if not created and merge_sha:
            merge(site, project, merge_request, user, {"sha": merge_sha})
        case "label" | "labels" | "relabel" if may_sort:
            # A quick action gives labels that exist; it makes none.
            found = [name for name in labels_in(command.value) if find_label(site, project, name)]
            replace = found if command.name == "relabel" else None
            set_labels(site, project, merge_request, user, replace=replace, add=found)
        case "unlabel" | "remove_label" if may_sort:
            gone = labels_in(command.value) or entities.label_names(site, merge_request)
            set_labels(site, project, merge_request, user, remove=gone)
        case "close" | "reopen" if may_edit:
            change_state(site, project, merge_request, user, command.name)
        case "title" if may_edit and command.value:
            set_title(site, merge_request, user, valid_title(command.value))
        case "draft" if may_edit and not is_draft(title):
            set_title(site, merge_request, user, f"Draft: {title}")
        case "ready" if may_edit and is_draft(title):
            set_title(site, merge_request, user, without_draft(title) or title)
        case "target_branch" if may_edit and command.value:
            change_target(site, project, merge_request, user, command.value)
        case _:
            pass  # the other commands change nothing that this server keeps
