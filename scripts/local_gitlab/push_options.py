"""What `git push -o …` asks of GitLab, as its `Gitlab::PushOptions` reads it; unknown options are passed over."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

KNOWN = {
    "merge_request": frozenset(
        {
            "assign",
            "create",
            "description",
            "draft",
            "label",
            "merge_when_pipeline_succeeds",
            "milestone",
            "remove_source_branch",
            "target",
            "target_project",
            "title",
            "unassign",
            "unlabel",
        }
    ),
    "ci": frozenset({"skip", "variable", "input"}),
    "integrations": frozenset({"skip_ci"}),
    "secret_detection": frozenset({"skip_all"}),
}
ALIASES = {"mr": "merge_request"}
_OPTION = re.compile(r"(?P<namespace>[^.]+)\.(?P<key>[^=]+)=?(?P<value>.*)", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class PushOptions:
    """The options of one push."""

    raw: tuple[str, ...] = ()
    skip_ci: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    merge_request: dict[str, list[str]] = field(default_factory=dict)


NONE = PushOptions()


def parse(raw: Sequence[str]) -> PushOptions:
    """Read the options of a push; of `ci.variable` each counts that has a name and a value."""
    found: dict[str, dict[str, list[str]]] = {}
    for text in raw:
        match = _OPTION.fullmatch(text)
        if match is None:
            continue
        namespace, key = match["namespace"].strip(), match["key"].strip()
        namespace = ALIASES.get(namespace, namespace)
        if key in KNOWN.get(namespace, ()):
            found.setdefault(namespace, {}).setdefault(key, []).append(match["value"].strip())
    ci = found.get("ci", {})
    pairs = (text.split("=", 1) for text in ci.get("variable", []) if "=" in text)
    return PushOptions(
        raw=tuple(raw),
        skip_ci="skip" in ci,
        variables={name: value for name, value in pairs if name},
        merge_request=found.get("merge_request", {}),
    )
