"""A decision as Markdown, never longer than a note may be."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from compose_repo.core.names import Origin
from compose_repo.core.rules.policy import OriginEntry
from compose_repo.core.verdict.decision import Decision
from compose_repo.core.verdict.decision_text import decision_view, next_step, place, remarks
from compose_repo.ports.templates import Trusted, render

LONGEST: Final = 900_000
"""Characters; GitLab takes a million in a note, and the note says more than this."""
MOST: Final = 2_000
"""Rows or lines of each kind that a person could be asked to look at; halved until the text is short enough."""


def decision_markdown(
    decision: Decision, origins: Mapping[Origin, OriginEntry], *, longest: int = LONGEST, most: int = MOST
) -> Trusted:
    """Write the verdict, the table and what is worth a look; what does not fit is counted."""
    view = decision_view(decision, origins, most=most)
    text = render(
        "decision.md.j2", view=view, place=place, remarks=remarks, next_step=partial(next_step, origins=origins)
    )
    if len(text) <= longest or most == 0:
        return text
    return decision_markdown(decision, origins, longest=longest, most=most // 2)
