"""How far the project is behind the template that it was made from."""

from collections.abc import Iterator
from typing import Final

from compose_repo.core.escape import terminal
from compose_repo.core.hardening.release import NOT_ASKED
from compose_repo.core.hardening.rule import Rule, Seen, Severity, Where, rule


def _unknown(seen: Seen) -> str | None:
    template = seen.template
    if template is None:
        return NOT_ASKED
    if template.newest is None:
        return terminal(template.unknown)
    if template.version is None:
        return f"{seen.project.default_branch} has no version of the template"
    if template.is_behind is None:
        return f"the version {terminal(template.version)} on {seen.project.default_branch} is not of the form X.Y.Z"
    return None


@rule(
    "template-behind",
    Severity.ADVICE,
    why="What the template has fixed since then is not fixed here.",
    fix="merge the template's newest tag by merge request, then run setup and doctor (docs/releasing.md)",
    where=Where.COMPOSES,
    absent=_unknown,
)
def the_newest_version_is_here(seen: Seen) -> Iterator[str]:
    """The default branch has the newest version of the template."""
    template = seen.template
    if template is not None and template.is_behind:
        yield f"{seen.project.default_branch} has version {template.version}, the template has {template.newest}"


TEMPLATE_RULES: Final[tuple[Rule, ...]] = (the_newest_version_is_here,)
