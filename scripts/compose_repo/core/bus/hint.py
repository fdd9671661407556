"""What an event that GitLab has posted to the pipeline trigger means for a pass: one compose, all of them, or nothing.

The event is a hint: it says where to look first and nothing else, for whoever has the trigger's token can make one up.
So an event can bring a pass forward or narrow it, and the next one by the schedule looks at everything again.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from msgspec import Struct

from compose_repo.core.composes.compose_id import ComposeId, ComposeIdError
from compose_repo.core.documents.strict import parse_json

HINT_BYTES: Final = 1 << 20
"""What is longer is no hint of ours: that which our webhook sends has some hundred bytes."""

TEMPLATE: Final = '{"object_kind": "{{object_kind}}", "project_id": {{project_id}}, "branch": "{{ref}}"}'
"""What our webhook sends of a push: no text of whoever pushes, and the branch under a name of its own.

The trigger's answer to `ref` is the branch that its pipeline runs on: what the event says there is lost.
"""

_HEADS: Final = "refs/heads/"
_QUIET: Final = frozenset({"tag_push", "note"})
"""Events that change nothing of what is judged."""
_UNMOVED: Final = "it changes nothing that is judged"


class One(Struct, frozen=True, kw_only=True):
    """The pass for this compose alone is due."""

    compose_id: ComposeId


class Everything(Struct, frozen=True, kw_only=True):
    """The whole pass is due: what is hinted at concerns every compose, or cannot be understood."""

    why: str


class Nothing(Struct, frozen=True, kw_only=True):
    """Nothing is due: what has happened is none of ours."""

    why: str


Hint: TypeAlias = One | Everything | Nothing


def read_hint(data: bytes, *, project_id: int, default_branch: str) -> Hint:
    """Read an event; whatever it holds, a hint comes of it."""
    if len(data) > HINT_BYTES:
        return Everything(why=f"it has more than {HINT_BYTES:,} bytes")
    try:
        event = parse_json(data)
    except ValueError:
        return Everything(why="it is no JSON")
    kind = event.get("object_kind") if isinstance(event, Mapping) else None
    project = _project_of(event) if isinstance(event, Mapping) else None
    if not isinstance(kind, str) or project is None:
        return Everything(why="it is no event")
    if project != project_id:
        return Nothing(why="it is about another project")
    return _of_branch(_branch_of(kind, event), default_branch) if kind not in _QUIET else Nothing(why=_UNMOVED)


def _project_of(event: Mapping[str, Any]) -> int | None:
    """Give the project's id, which events of different kinds have in different places."""
    project = event.get("project")
    found = event.get("project_id", project.get("id") if isinstance(project, Mapping) else None)
    return found if type(found) is int else None


def _branch_of(kind: str, event: Mapping[str, Any]) -> str | None:
    """Give the branch that was pushed to, or that a merge request wants to have merged; None if it is not said."""
    if kind == "push":
        branch = event.get("branch")
        return branch.removeprefix(_HEADS) if isinstance(branch, str) and branch.startswith(_HEADS) else None
    attributes = event.get("object_attributes")
    if kind == "merge_request" and isinstance(attributes, Mapping):
        branch = attributes.get("source_branch")
        return branch if isinstance(branch, str) else None
    return None


def _of_branch(branch: str | None, default_branch: str) -> Hint:
    if branch is None:
        return Everything(why="it names no branch")
    if branch == default_branch:
        return Everything(why=f"{default_branch} has changed")
    try:
        return One(compose_id=ComposeId.of_branch(branch))
    except ComposeIdError:
        return Nothing(why="it is about no compose")
