"""What a rule of the hardened state is made of, and what it looks at."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from compose_repo.core.hardening.administration import ProjectState, Token
from compose_repo.core.hardening.release import Template
from compose_repo.core.names import Origin, Stream
from compose_repo.core.plan.labels import USUAL, Labels
from compose_repo.core.problems.problem import Problem
from compose_repo.core.rules.holds import HoldEntry
from compose_repo.core.rules.policy import Bots, Mode, OriginEntry, StreamEntry, Waiver

SETUP = "compose-repo setup does it"
"""How to fix what setup fixes."""


class Severity(StrEnum):
    """What breaking a rule means.

    UNSAFE: somebody can move a decision, a merge or a secret who should not. STOPPED: the project does not run. ADVICE:
    something works badly, will stop to work, or a second line of defence is missing.
    """

    UNSAFE = "unsafe"
    STOPPED = "stopped"
    ADVICE = "advice"


class Where(StrEnum):
    """Which project a rule is about, where there are two; a single project is both."""

    COMPOSES = "composes"
    """The one with the composes: third parties push to it."""
    TOKEN = "token"  # noqa: S105  # no secret
    """The one in whose pipelines the gate's token is used."""
    EVERY = "every"


class GateState(Struct, frozen=True, kw_only=True):
    """What `gate/*.toml` says on the default branch; with problems, what it would say is unknown and left empty."""

    bots: Bots
    origins: Mapping[Origin, OriginEntry]
    streams: Mapping[Stream, StreamEntry]
    waivers: tuple[Waiver, ...]
    holds: tuple[HoldEntry, ...] = ()
    labels: Labels = USUAL
    problems: tuple[Problem, ...] = ()

    @property
    def gating(self) -> bool:
        """Whether publishing follows approval, in every stream."""
        return bool(self.streams) and all(entry.mode is Mode.GATING for entry in self.streams.values())


class Look(Struct, frozen=True, kw_only=True):
    """What came of looking at an address of a stream; `failure` is None if it was read."""

    stream: Stream
    field: str
    url: str
    failure: str | None


class Seen(Struct, frozen=True, kw_only=True):
    """One project and all that is known around it.

    `composes` and `uses_token` say what it is for, `ci_config` is where its pipelines should come from. `looks` is
    None where nobody has looked at the streams' addresses. `home` is the project in whose pipelines the token is used,
    None if it is this one. Without `webhook`, pushes are to be seen by the schedule alone. `template` is None where
    nobody has asked for its version.
    """

    project: ProjectState
    composes: bool
    uses_token: bool
    ci_config: str
    gate: GateState
    token: Token | None
    now: dt.datetime
    looks: tuple[Look, ...] | None = None
    home: ProjectState | None = None
    webhook: bool = True
    template: Template | None = None

    @property
    def pipelines(self) -> ProjectState:
        """The project in whose pipelines the token is used."""
        return self.home or self.project

    @property
    def today(self) -> dt.date:
        """The day, UTC."""
        return self.now.astimezone(dt.UTC).date()

    def is_at(self, where: Where) -> bool:
        """Tell whether rules of some place are about this project."""
        return {Where.COMPOSES: self.composes, Where.TOKEN: self.uses_token, Where.EVERY: True}[where]


Test: TypeAlias = Callable[[Seen], Iterable[str]]
"""Gives what is wrong, in particular, a sentence each; nothing where all is well."""
Absence: TypeAlias = Callable[[Seen], str | None]
"""Says why something cannot be checked here, if so."""
NOT_HERE = "not on this GitLab, or not on its tier"


def always_there(_seen: Seen) -> str | None:
    """It can be checked everywhere."""
    return None


def needs_gate_files(seen: Seen) -> str | None:
    """It can be checked where gate/*.toml can be read."""
    return "gate/*.toml cannot be read" if seen.gate.problems else None


def applies_if(there: Callable[[Seen], object], otherwise: str, *, absent: Absence = needs_gate_files) -> Absence:
    """Say what is missing where a rule has nothing to be about; `absent` says first why that cannot be known."""

    def why(seen: Seen) -> str | None:
        return absent(seen) or (None if there(seen) else otherwise)

    return why


def is_pair(seen: Seen) -> bool:
    """Tell whether the composes and the token are in two projects."""
    return not (seen.composes and seen.uses_token)


NO_PAIR = "one project holds both the composes and the token"


class Rule(Struct, frozen=True, kw_only=True):
    """One law of the hardened state: its code, why it matters, how to fix what breaks it, whether setup does so.

    `absent` tells where it cannot be checked.
    """

    code: str
    severity: Severity
    law: str
    why: str
    fix: str
    test: Test
    where: Where = Where.EVERY
    by_setup: bool = False
    absent: Absence = always_there


def rule(  # noqa: PLR0913  # what a rule is made of
    code: str,
    severity: Severity,
    *,
    why: str,
    fix: str,
    where: Where = Where.EVERY,
    by_setup: bool = False,
    absent: Absence = always_there,
) -> Callable[[Test], Rule]:
    """Make a rule of a test, whose docstring is the law."""

    def make(test: Test) -> Rule:
        return Rule(
            code=code,
            severity=severity,
            law=(test.__doc__ or "").strip(),
            why=why,
            fix=f"{SETUP}; by hand: {fix}" if by_setup else fix,
            test=test,
            where=where,
            by_setup=by_setup,
            absent=absent,
        )

    return make
