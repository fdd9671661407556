"""Who may push and merge where: the default branch, the composes' branches, and rules that overlap with them."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from compose_repo.core.composes.paths import BRANCHES
from compose_repo.core.hardening.administration import (
    DEVELOPER,
    MAINTAINER,
    NO_ONE,
    Access,
    BranchRule,
    ForbidForcePush,
    Plan,
    Protect,
    Unprotect,
)
from compose_repo.core.hardening.rule import Rule, Seen, Severity, Where, rule

COMPOSES: Final = BRANCHES
"""The branches to which third parties push."""
PAGE: Final = "Settings > Repository > Protected branches"

_ABSENT: Final = BranchRule(name="", push=(), merge=(), force_push=False)


@lru_cache(maxsize=4096)
def overlaps(first: str, second: str) -> bool:
    """Tell whether some branch fits both patterns; `*` stands for anything, slashes too."""
    if not first or not second:
        return not (first + second).strip("*")
    if first[0] == "*":
        return overlaps(first[1:], second) or overlaps(first, second[1:])
    if second[0] == "*":
        return overlaps(second, first)
    return first[0] == second[0] and overlaps(first[1:], second[1:])


def plan_branches(seen: Seen) -> Plan:
    """Plan the rules that should be, and take those away that open what these close.

    Only force pushes can be forbidden in a rule that is there; for the rest GitLab's Free tier wants it made anew.
    """
    path = seen.project.path
    opening = [
        Unprotect(project=path, branch=one.name)
        for one in seen.project.rules
        if _opens(seen, one) and not one.inherited
    ]
    main = _plan_rule(seen, seen.project.default_branch, NO_ONE)
    composes = _plan_rule(seen, COMPOSES, DEVELOPER) if seen.composes else ()
    return (*opening, *main, *composes)


def _plan_rule(seen: Seen, name: str, push: int) -> Plan:
    path, found = seen.project.path, seen.project.rule(name)
    protect = Protect(project=path, branch=name, push=push, merge=MAINTAINER)
    if found is None:
        return (protect,)
    right_push = all(_may(seen, one, NO_ONE) for one in found.push) if push == NO_ONE else _open_to_third_parties(found)
    if not right_push or not _for_maintainers(seen, found) or not _for_the_gate_bot(seen, found):
        return (Unprotect(project=path, branch=name), protect)
    return (ForbidForcePush(project=path, branch=name),) if found.force_push else ()


def _may(seen: Seen, access: Access, level: int) -> bool:
    """Tell whether an access is within what a level grants; the gate bot by name always is."""
    if access.level == NO_ONE or _is_gate_bot(seen, access):
        return True
    return access.holder is None and level != NO_ONE and access.level >= level


def _for_maintainers(seen: Seen, found: BranchRule) -> bool:
    return all(_may(seen, one, MAINTAINER) for one in found.merge)


def _for_the_gate_bot(seen: Seen, found: BranchRule) -> bool:
    """Tell whether the gate bot gets through, as a Maintainer or, on the paid tiers, by name."""
    return any(
        _is_gate_bot(seen, one) or (one.holder is None and NO_ONE < one.level <= MAINTAINER) for one in found.merge
    )


def _open_to_third_parties(found: BranchRule) -> bool:
    """Tell whether third parties may push, as Developers or, on the paid tiers, by name."""
    return any(one.holder is not None or one.level == DEVELOPER for one in found.push)


def _is_gate_bot(seen: Seen, access: Access) -> bool:
    bot = seen.project.member(seen.gate.bots.gate)
    return bot is not None and access.user_id == bot.id


def _opens(seen: Seen, found: BranchRule) -> bool:
    """Tell whether a rule beside ours allows more than ours do: of several that match, the most permissive wins."""
    main = seen.project.default_branch
    if found.name in {main, *([COMPOSES] if seen.composes else [])}:
        return False
    return bool(_opened(seen, found, main, NO_ONE, MAINTAINER)) or (
        seen.composes and bool(_opened(seen, found, COMPOSES, DEVELOPER, DEVELOPER))
    )


def _opened(seen: Seen, found: BranchRule, pattern: str, push: int, merge: int) -> list[str]:
    if not overlaps(found.name, pattern):
        return []
    pushers = [f"push by {one.name}" for one in found.push if not _may(seen, one, push)]
    mergers = [f"merge by {one.name}" for one in found.merge if not _may(seen, one, merge)]
    return [*pushers, *mergers, *(["force push"] if found.force_push else [])]


def _main(seen: Seen) -> BranchRule:
    """Give the rule of the default branch; without one, one that nothing is wrong with: that has a code of its own."""
    return seen.project.rule(seen.project.default_branch) or _ABSENT


@rule(
    "main-unprotected",
    Severity.UNSAFE,
    why="Without a rule every Developer, which third parties are, pushes policy and code to main.",
    fix=PAGE,
    by_setup=True,
)
def main_is_protected(seen: Seen) -> Iterator[str]:
    """The default branch is protected by a rule of its own."""
    name = seen.project.default_branch
    if seen.project.rule(name) is None:
        yield f"no rule protects {name} by its name"


@rule(
    "main-pushable",
    Severity.UNSAFE,
    why="What is pushed to main is code, policy and verdicts that no merge request has shown to anybody.",
    fix=f"{PAGE} > Allowed to push and merge: No one",
    by_setup=True,
)
def nobody_pushes_to_main(seen: Seen) -> Iterator[str]:
    """Nobody pushes to the default branch: what is there came by merge request."""
    for access in _main(seen).push:
        if not _may(seen, access, NO_ONE):
            yield f"{access.name} may push to {seen.project.default_branch}"


@rule(
    "main-mergeable",
    Severity.UNSAFE,
    why="Who may merge decides; third parties are Developers, and the gate bot is a Maintainer for this alone.",
    fix=f"{PAGE} > Allowed to merge: Maintainers",
    by_setup=True,
)
def only_maintainers_merge(seen: Seen) -> Iterator[str]:
    """Maintainers merge to the default branch, nobody below them."""
    for access in _main(seen).merge:
        if not _may(seen, access, MAINTAINER):
            yield f"{access.name} may merge to {seen.project.default_branch}"


@rule(
    "main-closed",
    Severity.ADVICE,
    why="The gate bot merges what is published; it is a Maintainer.",
    fix=f"{PAGE} > Allowed to merge: Maintainers",
    by_setup=True,
)
def the_gate_bot_can_merge(seen: Seen) -> Iterator[str]:
    """The gate bot may merge to the default branch."""
    found = seen.project.rule(seen.project.default_branch)
    if found is not None and not _for_the_gate_bot(seen, found):
        yield f"the gate bot may not merge to {found.name}"


@rule(
    "main-force-push",
    Severity.UNSAFE,
    why="A force push rewrites what has been decided.",
    fix=f"{PAGE} > Allowed to force push: off",
    by_setup=True,
)
def main_keeps_its_history(seen: Seen) -> Iterator[str]:
    """Nobody force-pushes to the default branch."""
    if _main(seen).force_push:
        yield f"force pushes to {seen.project.default_branch} are allowed"


@rule(
    "rule-opens-main",
    Severity.UNSAFE,
    why="Of several rules that match a branch the most permissive wins: this one undoes the branch's own.",
    fix=f"take the rule away: {PAGE}; one that the group has made is changed in the group",
    by_setup=True,
)
def no_rule_opens_main(seen: Seen) -> Iterator[str]:
    """No other rule that fits the default branch allows more than its own."""
    main = seen.project.default_branch
    for found in seen.project.rules:
        allowed = [] if found.name == main else _opened(seen, found, main, NO_ONE, MAINTAINER)
        if allowed:
            yield f"the rule {found.name} fits {main} too and allows {', '.join(allowed)}"


@rule(
    "compose-branches-unprotected",
    Severity.UNSAFE,
    why="Without a rule Developers force-push to composes' branches and delete them: reported failures disappear.",
    fix=PAGE,
    where=Where.COMPOSES,
    by_setup=True,
)
def compose_branches_are_protected(seen: Seen) -> Iterator[str]:
    """The branches of composes are protected."""
    if seen.project.rule(COMPOSES) is None:
        yield f"no rule protects {COMPOSES}"


@rule(
    "compose-branches-force-push",
    Severity.UNSAFE,
    why="A force push takes a reported failure away; what was thrown away cannot always be fetched again.",
    fix=f"{PAGE} > Allowed to force push: off",
    where=Where.COMPOSES,
    by_setup=True,
)
def compose_branches_keep_their_history(seen: Seen) -> Iterator[str]:
    """Nobody force-pushes to the branches of composes."""
    if (seen.project.rule(COMPOSES) or _ABSENT).force_push:
        yield f"force pushes to {COMPOSES} are allowed"


@rule(
    "compose-branches-closed",
    Severity.ADVICE,
    why="Third parties are Developers and push their results there.",
    fix=f"{PAGE} > Allowed to push and merge: Developers and Maintainers",
    where=Where.COMPOSES,
    by_setup=True,
)
def third_parties_can_push(seen: Seen) -> Iterator[str]:
    """Developers may push to the branches of composes."""
    found = seen.project.rule(COMPOSES)
    if found is not None and not _open_to_third_parties(found):
        yield f"Developers may not push to {COMPOSES}"


@rule(
    "compose-branches-mergeable",
    Severity.ADVICE,
    why="Merging into a compose's branch makes merge commits there, which the gate refuses.",
    fix=f"{PAGE} > Allowed to merge: Maintainers",
    where=Where.COMPOSES,
    by_setup=True,
)
def nobody_merges_into_compose_branches(seen: Seen) -> Iterator[str]:
    """Merge requests into the branches of composes are for Maintainers."""
    for access in (seen.project.rule(COMPOSES) or _ABSENT).merge:
        if not _may(seen, access, MAINTAINER):
            yield f"{access.name} may merge to {COMPOSES}"


@rule(
    "rule-opens-compose-branches",
    Severity.UNSAFE,
    why="Of several rules that match a branch the most permissive wins: this one undoes that of the composes.",
    fix=f"take the rule away: {PAGE}; one that the group has made is changed in the group",
    where=Where.COMPOSES,
    by_setup=True,
)
def no_rule_opens_compose_branches(seen: Seen) -> Iterator[str]:
    """No other rule that fits a compose's branch allows more than theirs."""
    for found in seen.project.rules:
        allowed = [] if found.name == COMPOSES else _opened(seen, found, COMPOSES, DEVELOPER, DEVELOPER)
        if allowed:
            yield f"the rule {found.name} fits branches of {COMPOSES} too and allows {', '.join(allowed)}"


BRANCH_RULES: Final[tuple[Rule, ...]] = (
    main_is_protected,
    nobody_pushes_to_main,
    only_maintainers_merge,
    the_gate_bot_can_merge,
    main_keeps_its_history,
    no_rule_opens_main,
    compose_branches_are_protected,
    compose_branches_keep_their_history,
    third_parties_can_push,
    nobody_merges_into_compose_branches,
    no_rule_opens_compose_branches,
)
