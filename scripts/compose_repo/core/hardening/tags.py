"""Who may make the tags that record what was promoted: they say whether a hook is called.

Their names are believed, and can be made long before the compose: so the rule has to be there from the beginning,
before any stream promotes.
"""

from collections.abc import Iterator
from typing import Final

from compose_repo.core.hardening.administration import (
    MAINTAINER,
    NO_ONE,
    Access,
    Plan,
    ProtectTags,
    TagRule,
    UnprotectTags,
)
from compose_repo.core.hardening.branches import overlaps
from compose_repo.core.hardening.rule import Rule, Seen, Severity, Where, applies_if, rule
from compose_repo.core.streams.promotion import PATTERN

PAGE: Final = "Settings > Repository > Protected tags"
DOUBT: Final = "a stream promotes, and anybody may have made the existing records: see who pushed them"


def plan_tags(seen: Seen) -> Plan:
    """Plan the rule, and take those away that open what it closes; a stricter one is good until a stream promotes."""
    if not seen.composes:
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
    if _opened(seen, found) or _keeps_the_gate_bot_out(seen, found):
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
    """Name those whom a rule wrongly allows to make records: all below Maintainer but the gate bot."""
    if not overlaps(found.name, PATTERN):
        return []
    within = [
        one.level == NO_ONE or _is_gate_bot(seen, one) or (one.holder is None and one.level >= MAINTAINER)
        for one in found.create
    ]
    return [one.name for one, good in zip(found.create, within, strict=True) if not good]


def _keeps_the_gate_bot_out(seen: Seen, found: TagRule) -> bool:
    """Tell whether a stream promotes whose calls the gate bot may not record."""
    return _promotes(seen) and not any(
        _is_gate_bot(seen, one) or (one.holder is None and NO_ONE < one.level <= MAINTAINER) for one in found.create
    )


def _doubts(seen: Seen) -> Iterator[str]:
    """Say that records which anybody could make cannot be trusted, where they count."""
    if _promotes(seen):
        yield DOUBT


@rule(
    "promotion-tags-unprotected",
    Severity.UNSAFE,
    why="Anybody who can make these tags, even long before, can say that a compose was promoted: then no hook is "
    "called, and a gated stream merges it. Anybody who can delete them can have a hook called twice. So set the rule "
    "before anybody else may push, and before a stream promotes.",
    fix=f"{PAGE}: {PATTERN}, Maintainers",
    where=Where.COMPOSES,
    by_setup=True,
)
def records_are_protected(seen: Seen) -> Iterator[str]:
    """A rule protects the tags that record promotions, even while no stream promotes."""
    if _ours(seen) is None:
        yield f"no rule protects the tags {PATTERN}"
        yield from _doubts(seen)


@rule(
    "promotion-tags-open",
    Severity.UNSAFE,
    why="Of several rules that match a tag the most permissive wins; third parties are Developers.",
    fix=f"{PAGE} > Allowed to create: Maintainers; another rule that fits is removed",
    where=Where.COMPOSES,
    by_setup=True,
)
def only_maintainers_record(seen: Seen) -> Iterator[str]:
    """Nobody below a Maintainer may make the tags that record a promotion."""
    opened = [(name, found.name) for found in seen.project.tag_rules for name in _opened(seen, found)]
    for name, pattern in opened:
        yield f"{name} may create tags {pattern}"
    if opened:
        yield from _doubts(seen)


@rule(
    "promotion-tags-closed",
    Severity.ADVICE,
    why="The gate bot claims each call by a tag; it is a Maintainer.",
    fix=f"{PAGE} > Allowed to create: Maintainers",
    where=Where.COMPOSES,
    by_setup=True,
    absent=applies_if(_promotes, "no stream promotes"),
)
def the_gate_bot_records(seen: Seen) -> Iterator[str]:
    """Where a stream promotes, the gate bot may make the tags that record it."""
    found = _ours(seen)
    if found is not None and _keeps_the_gate_bot_out(seen, found):
        yield f"the gate bot may not create tags {PATTERN}"


TAG_RULES: Final[tuple[Rule, ...]] = (records_are_protected, only_maintainers_record, the_gate_bot_records)
