"""Quick actions: commands such as `/approve` in the text of notes and descriptions."""

from __future__ import annotations

import re
from dataclasses import dataclass

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
