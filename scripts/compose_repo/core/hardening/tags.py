"""Who may make the tags that record what was promoted: they say whether a hook is called."""

from collections.abc import Iterator
from typing import Final

from compose_repo.core.administration import (
    MAINTAINER,
    NO_ONE,
    Access,
    Plan,
    ProtectTags,
    TagRule,
    UnprotectTags,
)
from compose_repo.core.hardening.branches import overlaps
from compose_repo.core.hardening.rule import Rule, Seen, Severity, Where, rule
from compose_repo.core.promotion import PATTERN

PAGE: Final = "Settings > Repository > Protected tags"


def plan_tags(seen: Seen) -> Plan:
    """Plan the rule where a stream promotes, and take those away that open what it closes."""
    if not seen.composes or not _promotes(seen):
        return ()
    path, found = seen.project.path, _ours(seen)
    opening = [
        UnprotectTags(project=path, pattern=one.name)
        for one in seen.project.tag_rules
        if one.name != PATTERN and _opened(seen, one)
    ]
    protect = ProtectTags(project=path, pattern=PATTERN, create=MAINTAINER)
    if found is None:
        return (*opening, protect)
    if _opened(seen, found) or not _lets_the_gate_bot(seen, found):
        return (*opening, UnprotectTags(project=path, pattern=PATTERN), protect)
    return tuple(opening)


def _promotes(seen: Seen) -> bool:
    return any(entry.promote is not None for entry in seen.gate.streams.values())


def _ours(seen: Seen) -> TagRule | None:
    return next((one for one in seen.project.tag_rules if one.name == PATTERN), None)


def _is_gate_bot(seen: Seen, access: Access) -> bool:
    bot = seen.project.member(seen.gate.bots.gate)
    return bot is not None and access.user_id == bot.id


def _opened(seen: Seen, found: TagRule) -> list[str]:
    """Name whom a rule lets make records who may not: whoever is below a Maintainer, and no gate bot."""
    if not overlaps(found.name, PATTERN):
        return []
    within = [
        one.level == NO_ONE or _is_gate_bot(seen, one) or (one.holder is None and one.level >= MAINTAINER)
        for one in found.create
    ]
    return [one.name for one, good in zip(found.create, within, strict=True) if not good]


def _lets_the_gate_bot(seen: Seen, found: TagRule) -> bool:
    return any(
        _is_gate_bot(seen, one) or (one.holder is None and NO_ONE < one.level <= MAINTAINER) for one in found.create
    )


@rule(
    "promotion-tags-unprotected",
    Severity.UNSAFE,
    why="Whoever makes these tags says that a compose was promoted, so that nobody is called; whoever deletes them has "
    "somebody called twice.",
    mend=f"{PAGE}: {PATTERN}, Maintainers",
    where=Where.COMPOSES,
    by_setup=True,
)
def records_are_protected(seen: Seen) -> Iterator[str]:
    """Where a stream promotes, a rule protects the tags that record it."""
    if _promotes(seen) and _ours(seen) is None:
        yield f"no rule protects the tags {PATTERN}"


@rule(
    "promotion-tags-open",
    Severity.UNSAFE,
    why="Of several rules that match a tag the most permissive wins; third parties are Developers.",
    mend=f"{PAGE} > Allowed to create: Maintainers; another rule that fits is taken away",
    where=Where.COMPOSES,
    by_setup=True,
)
def only_maintainers_record(seen: Seen) -> Iterator[str]:
    """Nobody below a Maintainer makes the tags that record a promotion."""
    for found in seen.project.tag_rules if _promotes(seen) else ():
        for name in _opened(seen, found):
            yield f"{name} may create tags {found.name}"


@rule(
    "promotion-tags-closed",
    Severity.ADVICE,
    why="The gate bot claims each call by a tag; it is a Maintainer.",
    mend=f"{PAGE} > Allowed to create: Maintainers",
    where=Where.COMPOSES,
    by_setup=True,
)
def the_gate_bot_records(seen: Seen) -> Iterator[str]:
    """Where a stream promotes, the gate bot may make the tags that record it."""
    found = _ours(seen)
    if _promotes(seen) and found is not None and not _lets_the_gate_bot(seen, found):
        yield f"the gate bot may not create tags {PATTERN}"


TAG_RULES: Final[tuple[Rule, ...]] = (records_are_protected, only_maintainers_record, the_gate_bot_records)
