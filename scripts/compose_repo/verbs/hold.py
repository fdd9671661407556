"""`hold`: keeps a stream or composes from going out for a while, or lifts that; by an entry of gate/holds.toml."""

import argparse
import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from compose_repo.core.documents.entries import entry_text, with_entry, without_entries
from compose_repo.core.escape import terminal
from compose_repo.core.names import Stream
from compose_repo.core.problems.problem import InputError, UsageError
from compose_repo.core.rules.holds import FILE, LONGEST, HoldEntry, entries_on, is_stream, row_of
from compose_repo.ports.console import Console, Paint
from compose_repo.ports.tree import Tree, WorkingTree
from compose_repo.reading.gate_edits import see_that_it_would_be_valid
from compose_repo.reading.inspection import Inspector
from compose_repo.verbs.arguments import connected, moment
from compose_repo.verbs.exit_codes import OK

if TYPE_CHECKING:
    from compose_repo.core.plan.proposal import Proposal
    from compose_repo.passes.work import Work

EXAMPLE: Final = """
compose-repo hold CentOS-Stream-10 --reason "The kernel eats discs." --issue https://… --by jdoe --until 2026-12-05
compose-repo hold 'CentOS-Stream-10-2026112*' --except CentOS-Stream-10-20261121.0 --open
compose-repo hold --lift CentOS-Stream-10 --open
"""
QUESTIONS: Final = {
    "reason": "Why must it not go out? (one line) ",
    "issue": "Where is that being followed? (a link) ",
    "by": "Who answers for it? (a GitLab user name) ",
    "until": f"What is its last day? (YYYY-MM-DD, at most {LONGEST} days ahead) ",
}
"""What is asked on a terminal for each option that is not given."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is held, why and until when, and where that is written."""
    parser.add_argument(
        "what", nargs="+", metavar="WHAT", help="a stream, or patterns of compose ids; a compose id is a pattern, too"
    )
    parser.add_argument("--reason", metavar="TEXT", help="why it must not go out, in one line")
    parser.add_argument("--issue", metavar="URL", help="where the cause is being followed")
    parser.add_argument(
        "--by", metavar="USER", help="the GitLab user who answers for it (default with --open: whose token it is)"
    )
    parser.add_argument(
        "--until", type=_day, metavar="DATE", help=f"its last day, UTC, YYYY-MM-DD, at most {LONGEST} days ahead"
    )
    parser.add_argument(
        "--except",
        dest="exceptions",
        action="append",
        default=[],
        metavar="COMPOSE_ID",
        help="a compose that goes out all the same; may be given several times",
    )
    parser.add_argument("--lift", action="store_true", help="take the entry away that holds just WHAT")
    parser.add_argument(
        "--open",
        action="store_true",
        help="propose it in a merge request to main (default: write gate/holds.toml in this checkout)",
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would be written and write nothing")
    parser.add_argument("--now", type=moment, metavar="TIME", help="use this time as now, RFC 3339 (default: now)")
    parser.set_defaults(format="text")


class Change(Struct, frozen=True, kw_only=True):
    """What becomes of gate/holds.toml: a hold that is added, or those that are lifted; `before` is None for no file."""

    what: str
    before: bytes | None
    content: bytes
    holds: tuple[HoldEntry, ...]
    lifted: bool


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print what is added or taken away; write it into this checkout, or propose it."""
    if arguments.open:
        with connected(arguments, console) as work:
            world = work.world
            change = _change(arguments, console, world.main(), world.now, by=lambda: world.forge.me().username)
            _propose(work, change)
        return OK
    root: Path = arguments.repo
    change = _change(arguments, console, WorkingTree(root), arguments.now or console.clock.now(), by=lambda: None)
    _show(console, change)
    if not arguments.dry_run:
        _write(root / FILE.path, change.content)
        console.info("it counts once it is on main: commit it, and open a merge request (--open does both)")
    return OK


def _change(
    arguments: argparse.Namespace, console: Console, tree: Tree, now: dt.datetime, *, by: Callable[[], str | None]
) -> Change:
    """Find what the file is to be.

    Raises:
        InputError: it would have problems.
        UsageError: something is not said, or there is nothing to lift.

    """
    before = tree.read(FILE.path)
    if before is None and any(entry.path == FILE.path for entry in tree.list("gate")):
        raise UsageError(f"{FILE.path} is not a plain file; replace it with one")
    words: Sequence[str] = arguments.what
    if arguments.lift:
        return _lifting(arguments, before, _entries(tree, now))
    hold = _hold(words, arguments.exceptions, _told(arguments, console, by))
    content = with_entry(before, FILE, row_of(hold))
    see_that_it_would_be_valid(tree, FILE.path, content, now)
    return Change(what=hold.title, before=before, content=content, holds=(hold,), lifted=False)


def _hold(words: Sequence[str], exceptions: Sequence[str], told: Mapping[str, Any]) -> HoldEntry:
    streams = [word for word in words if is_stream(word)]
    if streams and len(words) > 1:
        raise UsageError(f"{streams[0]} is a stream: hold one stream at a time, or patterns of compose ids")
    return HoldEntry(
        stream=Stream(streams[0]) if streams else None,
        composes=None if streams else tuple(words),
        exceptions=tuple(exceptions),
        **told,
    )


def _told(arguments: argparse.Namespace, console: Console, by: Callable[[], str | None]) -> dict[str, Any]:
    """Give what is said of the hold: by options, else by whoever sits at the terminal.

    Raises:
        UsageError: something is not said.

    """
    told = {name: getattr(arguments, name) for name in QUESTIONS}
    told["by"] = told["by"] or by()
    for name, question in QUESTIONS.items():
        told[name] = told[name] or console.ask(question)
    missing = [f"--{name}" for name in QUESTIONS if not told[name]]
    if missing:
        raise UsageError(f"a hold needs {', '.join(missing)}")
    if isinstance(told["until"], str):
        try:
            told["until"] = _day(told["until"])
        except argparse.ArgumentTypeError as error:
            raise UsageError(str(error)) from error
    return told


def _day(text: str) -> dt.date:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a day; write it as in 2026-12-05")


def _entries(tree: Tree, now: dt.datetime) -> Sequence[Mapping[str, Any]]:
    """Give the entries that there are.

    Raises:
        InputError: the file has problems.

    """
    entry = next((entry for entry in tree.list("gate") if entry.path == FILE.path), None)
    if entry is None:
        return ()
    found = Inspector(tree, now).inspect(entry)
    if found.problems:
        raise InputError(*found.problems)
    rows: Sequence[Mapping[str, Any]] = found.data.get(FILE.table, ())
    return rows


def _lifting(arguments: argparse.Namespace, before: bytes | None, rows: Sequence[Mapping[str, Any]]) -> Change:
    """Take away each entry that holds just what is named, whether it has force or not."""
    words = arguments.what
    for name in (*QUESTIONS, "exceptions"):
        if getattr(arguments, name):
            raise UsageError("--lift takes an entry away: it needs nothing but what is held")
    indexes = entries_on(rows, words)
    if before is None or not indexes:
        raise UsageError(f"no hold is on {' '.join(words)}; {_there(rows)}")
    return Change(
        what=", ".join(words),
        before=before,
        content=without_entries(before, FILE, indexes),
        holds=tuple(HoldEntry.from_dict(rows[index]) for index in indexes),
        lifted=True,
    )


def _there(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say what there is to lift."""
    titles = [HoldEntry.from_dict(row).title for row in rows]
    return f"these are there: {'; '.join(titles)}" if titles else f"{FILE.path} has none"


def _show(console: Console, change: Change) -> None:
    """Print what is added or taken away, as the file has it."""
    arrow, verb = console.paint(Paint.STRONG, "→"), "remove from" if change.lifted else "add to"
    console.out(f"{arrow} {verb} {FILE.path}:")
    for hold in change.holds:
        for line in entry_text(FILE.table, row_of(hold)).splitlines():
            console.out(f"  {terminal(line)}")


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error


def _propose(work: "Work", change: Change) -> None:
    """Show branch, commit and merge request, and make them."""
    from compose_repo.core.plan.proposal import plan_proposal  # noqa: PLC0415  # only --open needs it

    world, console = work.world, work.console
    _show(console, change)
    proposal = _proposal(change, world.now)
    plan = plan_proposal(proposal, main=world.main().commit, target_branch=world.project.default_branch)
    for action in plan:
        console.out(f"{console.paint(Paint.STRONG, '→')} {terminal(action.sentence)}")
    if work.dry_run:
        return
    work.writer.apply(plan)
    [line, *_] = world.forge.merge_requests(source_branch=proposal.branch)
    console.out(f"!{line.iid}: {line.web_url}")


def _proposal(change: Change, now: dt.datetime) -> "Proposal":
    from compose_repo.core.plan.proposal import Proposal  # noqa: PLC0415  # only --open needs it
    from compose_repo.words import wording  # noqa: PLC0415  # templates are slow to import

    hold, *_ = change.holds
    day = now.astimezone(dt.UTC).date() if change.lifted else hold.until
    name = re.sub(r"[^A-Za-z0-9]+", "-", change.what).strip("-")[:_LONGEST_NAME]
    title = f"Lift the hold on {change.what}" if change.lifted else f"Hold {change.what} until {hold.until}"
    return Proposal(
        path=FILE.path,
        content=change.content,
        is_new=change.before is None,
        branch=f"hold/{'lift-' if change.lifted else ''}{name}-{day}",
        title=title,
        commit_message=wording.hold_commit(hold, change.what, lifted=change.lifted),
        description=wording.hold_description(hold, change.what, lifted=change.lifted),
    )


_LONGEST_NAME: Final = 80
