"""Who has which role: the two bots, the accounts of the origins, and everybody above them."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Final

from compose_repo.core.hardening.administration import DEVELOPER, MAINTAINER, OWNER, Member, role
from compose_repo.core.hardening.rule import (
    NO_PAIR,
    Rule,
    Seen,
    Severity,
    Where,
    always_there,
    applies_if,
    is_pair,
    needs_gate_files,
    rule,
)
from compose_repo.core.names import is_same_user, user_key

PAGE: Final = "Manage > Members"
OWNERS: Final = 3
"""More Owners than these are worth a look."""
SOON: Final = dt.timedelta(days=30)


def _bots(seen: Seen) -> dict[str, tuple[str, int]]:
    """Give what our accounts are called and which role they should have in this project."""
    gate = {"gate bot": (seen.gate.bots.gate, MAINTAINER)}
    return {"compose bot": (seen.gate.bots.compose, DEVELOPER), **gate} if seen.composes else gate


def _users(seen: Seen) -> dict[str, list[str]]:
    """Give the origins of each account that may report."""
    users: dict[str, list[str]] = {}
    for name, entry in seen.gate.origins.items():
        for user in entry.users:
            users.setdefault(user_key(user), []).append(name)
    return users


_reported = applies_if(_users, "no account reports for an origin")


def _is_a_member(member: Member | None) -> bool:
    return member is not None and not member.blocked


@rule(
    "bots-are-one",
    Severity.UNSAFE,
    why="GitLab lets nobody approve their own merge request, and one stolen token could both open and merge.",
    fix="create a second account, and name both in [bots] of gate/streams.toml",
    where=Where.COMPOSES,
    absent=needs_gate_files,
)
def two_bots(seen: Seen) -> Iterator[str]:
    """The compose bot, who opens, and the gate bot, who approves and merges, are two accounts."""
    if is_same_user(seen.gate.bots.compose, seen.gate.bots.gate):
        yield f"{seen.gate.bots.gate} is both"


@rule(
    "bot-missing",
    Severity.UNSAFE,
    why="Nothing is opened or merged, and anybody who takes the free name of a bot is taken for the bot.",
    fix=f"create the account, then {PAGE} > Invite members; or fix [bots] in gate/streams.toml",
    absent=needs_gate_files,
)
def bots_are_members(seen: Seen) -> Iterator[str]:
    """The bots that gate/streams.toml names are members."""
    for what, (username, level) in _bots(seen).items():
        if not _is_a_member(seen.project.member(username)):
            yield f"the {what}, {username}, is not a member; it should be a {role(level)}"


@rule(
    "bot-too-strong",
    Severity.UNSAFE,
    why="A stolen token can do all that its account may do; the compose bot only pushes, the gate bot only merges.",
    fix=f"{PAGE} > Max role; in the group, if the role comes from there",
    absent=needs_gate_files,
)
def bots_may_no_more_than_they_need(seen: Seen) -> Iterator[str]:
    """The compose bot is at most a Developer, the gate bot at most a Maintainer."""
    for what, (username, level) in _bots(seen).items():
        member = seen.project.member(username)
        if member is not None and member.level > level:
            yield f"the {what}, {username}, is {role(member.level)} and should be {role(level)}"


@rule(
    "bot-too-weak",
    Severity.ADVICE,
    why="The compose bot cannot push, or the gate bot cannot merge.",
    fix=f"{PAGE} > Max role",
    absent=needs_gate_files,
)
def bots_may_what_they_need(seen: Seen) -> Iterator[str]:
    """The compose bot is at least a Developer, the gate bot at least a Maintainer."""
    for what, (username, level) in _bots(seen).items():
        member = seen.project.member(username)
        if member is not None and not member.blocked and member.level < level:
            yield f"the {what}, {username}, is {role(member.level)} and should be {role(level)}"


@rule(
    "bot-membership-ends",
    Severity.ADVICE,
    why="From that day on, nothing is opened, approved or merged.",
    fix=f"{PAGE} > Expiration date",
    absent=needs_gate_files,
)
def bots_stay(seen: Seen) -> Iterator[str]:
    """The bots' memberships last for at least another month."""
    for what, (username, _) in _bots(seen).items():
        member = seen.project.member(username)
        if member is not None and member.expires is not None and member.expires - seen.today <= SOON:
            yield f"the membership of the {what}, {username}, ends on {member.expires}"


@rule(
    "origin-user-missing",
    Severity.ADVICE,
    why="The origin cannot push its results, and anybody who takes the free account name is taken for the origin.",
    fix=f"{PAGE} > Invite members, as Developer; or fix `users` in gate/origins.toml",
    where=Where.COMPOSES,
    absent=_reported,
)
def origin_users_are_members(seen: Seen) -> Iterator[str]:
    """Every account that may report for an origin is a member."""
    for username, origins in _users(seen).items():
        if not _is_a_member(seen.project.member(username)):
            yield f"{username}, who reports for {', '.join(origins)}, is not a member"


@rule(
    "origin-user-too-strong",
    Severity.UNSAFE,
    why="A Maintainer can merge, and change every setting that is checked here.",
    fix=f"{PAGE} > Max role: Developer; in the group, if the role comes from there",
    where=Where.COMPOSES,
    absent=_reported,
)
def origin_users_are_only_developers(seen: Seen) -> Iterator[str]:
    """An account that reports for an origin is at most a Developer."""
    for username, origins in _users(seen).items():
        member = seen.project.member(username)
        if member is not None and member.level > DEVELOPER and not _is_a_bot(seen, username):
            yield f"{member.username}, who reports for {', '.join(origins)}, is {role(member.level)}"


@rule(
    "origin-user-too-weak",
    Severity.ADVICE,
    why="An account below Developer cannot push results.",
    fix=f"{PAGE} > Max role: Developer",
    where=Where.COMPOSES,
    absent=_reported,
)
def origin_users_can_push(seen: Seen) -> Iterator[str]:
    """An account that reports for an origin is at least a Developer."""
    for username, origins in _users(seen).items():
        member = seen.project.member(username)
        if member is not None and not member.blocked and member.level < DEVELOPER:
            yield f"{member.username}, who reports for {', '.join(origins)}, is {role(member.level)}"


@rule(
    "origin-user-is-bot",
    Severity.UNSAFE,
    why="The bots' pushes would count as that origin's results.",
    fix="give the origin an account of its own: `users` in gate/origins.toml",
    where=Where.COMPOSES,
    absent=_reported,
)
def bots_report_for_nobody(seen: Seen) -> Iterator[str]:
    """Neither bot may report for an origin."""
    for username, origins in _users(seen).items():
        if _is_a_bot(seen, username):
            yield f"{username} may report for {', '.join(origins)}"


def _is_a_bot(seen: Seen, username: str) -> bool:
    return any(is_same_user(username, bot) for bot in (seen.gate.bots.compose, seen.gate.bots.gate))


@rule(
    "origin-user-shared",
    Severity.ADVICE,
    why="One stolen account would speak for both.",
    fix="give each origin an account of its own: `users` in gate/origins.toml",
    where=Where.COMPOSES,
    absent=_reported,
)
def each_origin_has_its_own_users(seen: Seen) -> Iterator[str]:
    """An account reports for one origin only."""
    for username, origins in _users(seen).items():
        if len(origins) > 1:
            yield f"{username} may report for {', '.join(origins)}"


@rule(
    "maintainer-unexpected",
    Severity.ADVICE,
    why="Each of them can merge, change every setting that is checked here, and read the variables.",
    fix=f"{PAGE} > Max role: Developer, where no more is needed",
    absent=needs_gate_files,
)
def the_gate_bot_alone_is_maintainer(seen: Seen) -> Iterator[str]:
    """The gate bot is the only Maintainer, and there are at most three Owners."""
    levels = Counter(member.level for member in seen.project.members)
    known = {user_key(seen.gate.bots.gate), *_users(seen), *(user_key(bot) for bot, _ in _bots(seen).values())}
    for member in seen.project.members:
        if member.level == MAINTAINER and user_key(member.username) not in known:
            yield f"{member.username} is {role(member.level)}"
    if levels[OWNER] > OWNERS:
        yield f"there are {levels[OWNER]} Owners"


@rule(
    "outsider-in-gate-project",
    Severity.UNSAFE,
    why="Everybody who may push to the gate project can change the code and the pipelines that use the token.",
    fix=f"{PAGE} > Remove member, in the gate project or its group",
    where=Where.TOKEN,
    absent=applies_if(is_pair, NO_PAIR),
)
def the_gate_project_is_for_its_keepers(seen: Seen) -> Iterator[str]:
    """Neither the compose bot nor anybody who reports for an origin may push to the gate project of a pair."""
    for username in sorted({*_users(seen), user_key(seen.gate.bots.compose)}):
        member = seen.project.member(username)
        if member is not None and member.level >= DEVELOPER and not is_same_user(username, seen.gate.bots.gate):
            yield f"{member.username} is {role(member.level)}"


@rule(
    "gate-project-private",
    Severity.UNSAFE,
    why="GitLab reads the CI file with the rights of the user who pushed: where the gate project is closed to third "
    "parties, each of their pipelines fails ('not found or access denied'), and nobody's files are checked.",
    fix="Settings > General > Visibility, project features, permissions: Project visibility Public or Internal, and "
    "Repository for everyone with access",
    where=Where.TOKEN,
    absent=applies_if(is_pair, NO_PAIR, absent=always_there),
)
def the_gate_project_can_be_read(seen: Seen) -> Iterator[str]:
    """Everybody who may push to the composes can read the repository of the gate project of a pair."""
    visibility = seen.project.settings.get("visibility", "public")
    repository = seen.project.settings.get("repository_access_level", "enabled")
    if visibility not in {"public", "internal"}:
        yield f"visibility is {visibility} and should be public or internal"
    if repository != "enabled":
        yield f"repository_access_level is {repository} and should be enabled"


PEOPLE_RULES: Final[tuple[Rule, ...]] = (
    two_bots,
    bots_are_members,
    bots_may_no_more_than_they_need,
    bots_may_what_they_need,
    bots_stay,
    origin_users_are_members,
    origin_users_are_only_developers,
    origin_users_can_push,
    bots_report_for_nobody,
    each_origin_has_its_own_users,
    the_gate_bot_alone_is_maintainer,
    the_gate_project_is_for_its_keepers,
    the_gate_project_can_be_read,
)
