"""A decision as people read it: what decides first, then what is worth a look, then whom to ask."""

import datetime as dt
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Final, NamedTuple, TypeAlias

from msgspec import Struct

from compose_repo.core.escape import terminal
from compose_repo.core.names import Origin
from compose_repo.core.problems.report import as_line
from compose_repo.core.result import Contact
from compose_repo.core.rules.policy import OriginEntry
from compose_repo.core.verdict.decision import Answer, Decision, Hold, State, Verdict

WIDTH: Final = 100
"""Columns that a terminal is expected to have."""
ORDER: Final = (
    State.FAILED,
    State.OVERDUE,
    State.ERRORED,
    State.RUNNING,
    State.MISSING,
    State.KNOWN,
    State.WAIVED,
    State.PASSED,
)
"""From what needs a person most to what needs nobody."""
ASK_ABOUT: Final = frozenset({State.FAILED, State.OVERDUE, State.ERRORED, State.MISSING})
"""States about which somebody should be asked."""
INFORMING: Final = "Informing, which moves no verdict"
INFORMING_COUNTED: Final = "informing, which move no verdict"
ENDS_SOON: Final = "; this ends within a day"
"""What is said of a hold that is nearly over."""
_HEADINGS: Final = ("STATE", "ORIGIN", "TEST", "WHERE", "WHY")
_WIDEST: Final = (8, 16, 26, 22)
"""Most columns of each column but the last, which takes what is left."""

Emphasize: TypeAlias = Callable[[State | Verdict, str], str]
"""Makes a text stand out as its state does."""


class Linked(NamedTuple):
    """A line, and the page that it is about."""

    text: str
    url: str


def in_order(answers: Sequence[Answer]) -> list[Answer]:
    """Give the answers as people read them: what decides comes first, then they are sorted by name."""
    return sorted(answers, key=lambda answer: ORDER.index(answer.state))


def passed_by_origin(decision: Decision) -> list[tuple[Origin, int]]:
    """Count what passed of what is required, by origin."""
    passed = (answer.origin for answer in decision.answers if answer.blocking and answer.state is State.PASSED)
    return sorted(Counter(passed).items())


class Basis(Struct, frozen=True, kw_only=True):
    """What a decision was made from where nobody has asked GitLab.

    `where` names the commit or the files that were judged, and by whose rules. `believed` counts the result files that
    somebody has to have pushed for their origin, where that is not known. `opened_at` is from when deadlines run, where
    there are any; `at` is the time by which commits were left out, if there is one.
    """

    where: str
    believed: int = 0
    opened_at: dt.datetime | None = None
    at: dt.datetime | None = None


def minute(moment: dt.datetime) -> str:
    """Write a moment for people: `2026-11-20 06:00 UTC`."""
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def hold_words(hold: Hold) -> str:
    """Say of a hold until when it lasts, whose it is, why, and where that is discussed."""
    return f"held until the end of {hold.until} (UTC) by {hold.by}: {hold.reason} ({hold.issue})"


def heading(decision: Decision, basis: Basis, emphasize: Emphasize) -> Iterator[str]:
    """Write the verdict, on what condition it holds, what hold is on the compose, and what it was made from."""
    verdict = emphasize(decision.verdict, decision.verdict.value.upper())
    if basis.believed:
        files = "1 result file" if basis.believed == 1 else f"{basis.believed:,} result files"
        yield f"{verdict} if the pushers are who they say: {files}, whose pushers only GitLab knows"
    else:
        yield verdict
    if decision.held is not None:
        yield from _wrap(f"It is {hold_words(decision.held)}{ENDS_SOON if decision.hold_ends_soon else ''}")
    yield from _wrap(f"{decision.compose_id}: {basis.where}")
    if basis.at is not None:
        yield f"what was there by {minute(basis.at)}, as of commit dates; they are claims"
    if basis.opened_at is not None:
        yield f"deadlines run from {minute(basis.opened_at)}, the date of the commit that opened the compose"


def decision_text(
    decision: Decision, origins: Mapping[Origin, OriginEntry], *, basis: Basis, every: bool, emphasize: Emphasize
) -> Iterator[str]:
    """Write a decision line by line; without `every`, what passed is only counted."""
    yield from heading(decision, basis, emphasize)
    yield from _wrap(f"{decision.summary}.")
    shown = [answer for answer in decision.answers if every or answer.state is not State.PASSED]
    yield from _table([answer for answer in shown if answer.blocking], emphasize)
    passed = passed_by_origin(decision)
    if passed and not every:
        yield ""
        counts = ", ".join(f"{origin} {count}" for origin, count in passed)
        yield from _wrap(f"{sum(count for _, count in passed)} passed: {counts} (--all lists them)")
    informing = [answer for answer in shown if not answer.blocking]
    if informing:
        yield from ("", f"{INFORMING}:")
        yield from _table(informing, emphasize)
    for title, lines in _lists(decision, origins):
        yield from ("", f"{title}:")
        for line in lines:
            yield from _wrap(line if isinstance(line, str) else f"{line.text}, {line.url}", indent="  ")


def _lists(decision: Decision, origins: Mapping[Origin, OriginEntry]) -> Iterator[tuple[str, Sequence[str | Linked]]]:
    for title, lines in (
        ("Refused files", _refused_lines(decision)),
        ("Attempts that came too late to count", _late_lines(decision)),
        ("Results that answer no requirement", _unmatched_lines(decision)),
        ("Waivers worth a look", _waiver_lines(decision)),
        ("Advice on the rules", _advice_lines(decision)),
        ("Whom to ask", _contact_lines(decision, origins)),
    ):
        if lines:
            yield title, lines


def _table(answers: Sequence[Answer], emphasize: Emphasize) -> Iterator[str]:
    """Write one row an answer; what is too long for its column goes on below, so that nothing is lost."""
    if not answers:
        return
    rows = [(answer, _row(answer)) for answer in in_order(answers)]
    texts = [_HEADINGS, *(row for _, row in rows)]
    widths = [min(most, max(len(row[column]) for row in texts)) for column, most in enumerate(_WIDEST)]
    widths.append(WIDTH - sum(widths) - 2 * len(widths))
    yield ""
    yield "  ".join(heading.ljust(width) for heading, width in zip(_HEADINGS, widths, strict=True)).rstrip()
    for answer, row in rows:
        cells = [textwrap.wrap(text, width) for text, width in zip(row, widths, strict=True)]
        for number, parts in enumerate(zip_longest(*cells, fillvalue="")):
            line = "  ".join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip()
            state = answer.state.value
            yield line if number else emphasize(answer.state, state) + line.removeprefix(state)
        if answer.state is not State.PASSED and answer.url is not None:
            yield f"{'':{widths[0]}}  {terminal(answer.url)}"


def _row(answer: Answer) -> tuple[str, ...]:
    waiver = "" if answer.waiver is None else f"until {answer.waiver.expires}, {answer.waiver.issue}"
    why = "; ".join(part for part in (remarks(answer), waiver) if part)
    return (answer.state.value, *map(terminal, (answer.origin, answer.testcase, place(answer), why)))


def place(answer: Answer) -> str:
    """Name the cell of an answer: `aarch64 AppStream (devstack)`."""
    where = " ".join(part for part in (answer.arch, answer.variant) if part is not None) or "anywhere"
    return where if answer.scenario is None else f"{where} ({answer.scenario})"


def remarks(answer: Answer) -> str:
    """Say what is to be known of an answer beside its state, but for the waiver's own link."""
    return "; ".join(part for part in (answer.reason, "flaky" if answer.flaky else "") if part)


def _waiver_lines(decision: Decision) -> list[str]:
    """Name each waiver worth a look, and why it is."""
    return [
        f"{notice.state}: {notice.waiver.title} (until {notice.waiver.expires}, by {notice.waiver.by},"
        f" {notice.waiver.issue})"
        for notice in decision.notices
    ]


def _refused_lines(decision: Decision) -> list[str]:
    """Name each problem for which a file was refused, and what it keeps from passing; what keeps most comes first.

    Before that comes what is wrong with the branch as a whole: files beyond number shall not crowd it out of a note.
    """
    branch = decision.compose_id.folder
    ordered = sorted(
        decision.refused, key=lambda problem: (problem.path != branch, -decision.bears_on.get(problem.path, 0))
    )
    return [f"{as_line(problem)}{_holding(decision.bears_on.get(problem.path, 0))}" for problem in ordered]


def _holding(answers: int) -> str:
    if not answers:
        return ""
    counted = "1 answer" if answers == 1 else f"{answers:,} answers"
    return f"; this affects {counted} until each is reported again or the file is taken back"


def _late_lines(decision: Decision) -> list[Linked]:
    """Name each attempt that came after the last one that the policy admits, and link it."""
    return [
        Linked(f"{answer.title}: {attempt.outcome} in run {attempt.run_id}", attempt.url)
        for answer in decision.answers
        for attempt in answer.not_counted
    ]


def next_step(answer: Answer, origins: Mapping[Origin, OriginEntry]) -> str:
    """Say in one line what would take a blocking answer further; nothing of one that stands in nobody's way."""
    if not answer.blocking:
        return ""
    entry = origins.get(answer.origin)
    whom = answer.origin if entry is None else _shortest(entry.contact) or entry.name
    if answer.due is not None and answer.state in {State.RUNNING, State.MISSING}:
        return f"wait until {minute(answer.due)}, or ask {whom}"
    return _NEXT.get(answer.state, "").format(whom)


_NEXT: Final = {
    State.FAILED: "ask {}; then rerun the test, or waive the failure",
    State.OVERDUE: "ask {} to report, or waive the test",
    State.ERRORED: "ask {} to run it again",
    State.RUNNING: "wait, or ask {}",
    State.MISSING: "ask {} to report",
}
"""What would take an answer further; whom to ask is put in."""


def _shortest(contact: Contact) -> str | None:
    return contact.email or contact.url or contact.name


def _advice_lines(decision: Decision) -> list[str]:
    """Count what has aged in the rules: who reads about one compose need not read it all."""
    counts = sorted(Counter(row.code for row in decision.advice).items())
    said = ", ".join(f"{count} {code}" for code, count in counts)
    return [f"{said} (compose-repo validate gate lists them)"] if said else []


def _unmatched_lines(decision: Decision) -> list[str]:
    """Name what is close to a missing result, and count the others of each origin."""
    lines = []
    for row in decision.unmatched:
        lines += [f"{row.origin}: {name}" for name in row.named]
        if row.others:
            more = " more" if row.named else ""
            lines.append(f"{row.origin}: {row.others:,}{more} {'result' if row.others == 1 else 'results'}")
    return lines


def _contact_lines(decision: Decision, origins: Mapping[Origin, OriginEntry]) -> list[str]:
    """Give every way to reach each origin whose results failed, errored or are awaited."""
    names = sorted({answer.origin for answer in decision.answers if answer.state in ASK_ABOUT} & origins.keys())
    return [f"{name} ({origins[name].name}): {_reach(origins[name].contact)}" for name in names]


def _reach(contact: Contact) -> str:
    return ", ".join(part for part in (contact.name, contact.email, contact.url, contact.docs) if part is not None)


def _wrap(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        terminal(text),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  " if indent else "",
        break_long_words=False,
        break_on_hyphens=False,
    )


class Rows(Struct, frozen=True, kw_only=True):
    """Some rows of a note; `more` counts those that were cut off."""

    title: str
    count: int
    answers: Sequence[Answer]
    folded: bool

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.count - len(self.answers)


class Lines(Struct, frozen=True, kw_only=True):
    """Some lines of a note; `more` counts those that were cut off."""

    title: str
    lines: Sequence[str | Linked]
    more: int


class DecisionView(Struct, frozen=True, kw_only=True):
    """A decision with at most so many rows and lines of each kind."""

    decision: Decision
    tables: Sequence[Rows]
    lists: Sequence[Lines]


def decision_view(decision: Decision, origins: Mapping[Origin, OriginEntry], *, most: int) -> DecisionView:
    """Lay a decision out for a note: what decides, then what passed, folded, then the lists."""
    required = [answer for answer in decision.answers if answer.blocking]
    deciding = in_order([answer for answer in required if answer.state is not State.PASSED])
    passed = [answer for answer in required if answer.state is State.PASSED]
    informing = in_order([answer for answer in decision.answers if not answer.blocking])
    counts = ", ".join(f"{origin} {count}" for origin, count in passed_by_origin(decision))
    return DecisionView(
        decision=decision,
        tables=[
            Rows(title=title, count=len(answers), answers=answers[:most], folded=folded)
            for title, answers, folded in (
                ("", deciding, False),
                (f"passed: {counts}", passed, True),
                (INFORMING_COUNTED, informing, True),
            )
            if answers
        ],
        lists=[
            Lines(title=title, lines=lines[:most], more=max(0, len(lines) - most))
            for title, lines in _lists(decision, origins)
        ],
    )
