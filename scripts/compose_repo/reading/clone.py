"""What a clone knows of a compose, without asking GitLab: where its files stand, and what they come to.

A compose that main has is judged there; any other on its branch, commit by commit since main, as the gate bot judges
it, but for who has pushed what.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypedDict

from msgspec import Struct
from msgspec.structs import replace

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.composes.layout import Kind, place_of
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.core.names import Sha
from compose_repo.core.problems.problem import InputError, UsageError
from compose_repo.core.result import utc
from compose_repo.core.verdict.decision import Decision
from compose_repo.core.verdict.decision_text import Basis
from compose_repo.ports.git import dates
from compose_repo.ports.git.checkout import Checkout
from compose_repo.ports.git.history import require_whole_history
from compose_repo.ports.git.objects import GitTree
from compose_repo.ports.git.refs import LOCAL, REMOTE, Ref, branches_of, commits_ahead, is_repository, main_of
from compose_repo.ports.git.repository import Repository, moment
from compose_repo.ports.tree import Tree, WorkingTree
from compose_repo.reading.inspection import Inspector
from compose_repo.reading.judging import has_deadline, judge_branch, judge_files, opened_at
from compose_repo.reading.line import unattributed
from compose_repo.reading.loading import ANY_TIME, GateFiles
from compose_repo.reading.publications import Publications


class Asked(Struct, frozen=True, kw_only=True):
    """What people may say themselves: the branch's head, main, a time in the past, or that the files here count."""

    rev: str | None = None
    base: str | None = None
    at: dt.datetime | None = None
    working_tree: bool = False


class Commits(NamedTuple):
    """Those that some heads have and a base has not."""

    base: Sha
    heads: Sequence[Sha]


class Standing(Struct, frozen=True, kw_only=True):
    """Where a compose stands: in the commits of its branch, or in a tree of files.

    `main` has the rules and what is published. `where` says for people what is judged, and by whose rules. `merged`
    says that main has the compose: then only what counted is there. `at` is the time by which commits were left out.
    `hint` is for whoever would have expected something else to be judged.
    """

    what: Commits | Tree
    main: Tree
    where: str
    merged: bool = False
    at: dt.datetime | None = None
    hint: str | None = None


class _Rules(TypedDict):
    gate_files: GateFiles
    main: Tree
    publications: Publications
    now: dt.datetime


def standing(repository: Repository, compose_id: ComposeId, asked: Asked, *, tell: Callable[[str], None]) -> Standing:
    """Find where a compose stands; `tell` hears what is odd about the files of a checkout.

    Raises:
        UsageError: it stands nowhere, or main is not known.

    """
    if asked.working_tree:
        return _lying(repository, compose_id, asked, Checkout(repository, tell))
    if asked == Asked() and not is_repository(repository):
        return _copied(repository, compose_id)
    return _committed(repository, compose_id, asked)


def opened_manifest(repository: Repository, compose_id: ComposeId, *, tell: Callable[[str], None]) -> Manifest:
    """Read a compose's manifest where the compose stands: as main has it, or as its branch was opened with.

    Raises:
        InputError: it has a problem.
        UsageError: it stands nowhere, or main is not known.

    """
    place, path = standing(repository, compose_id, Asked(), tell=tell), compose_id.manifest_path
    tree = place.what
    if isinstance(tree, Commits):
        opening = dates.first_with(repository, path, *tree)
        if opening is None:
            raise AssertionError("a branch without a manifest is no compose's")
        tree = GitTree(repository, opening)
    entry = next(entry for entry in tree.list(compose_id.folder) if entry.path == path)
    found = Inspector(tree, ANY_TIME).inspect(entry)
    if found.problems:
        raise InputError(*found.problems)
    return Manifest.from_dict(found.data)


def judged(
    repository: Repository, compose_id: ComposeId, place: Standing, *, gate_files: GateFiles, now: dt.datetime
) -> tuple[Decision, Basis]:
    """Decide on a compose where it stands, and say what that was made from.

    Raises:
        InputError: the manifest has a problem, or that of a compose it is compared with.

    """
    rules: _Rules = {"gate_files": gate_files, "main": place.main, "publications": Publications(), "now": now}
    if isinstance(place.what, Commits):
        decision, believed, opened = _judged_commits(repository, compose_id, place.what, rules)
    else:
        revision = place.what.commit if isinstance(place.what, GitTree) else "HEAD"
        opened = opened_at(repository, compose_id, gate_files, revision)
        decision = judge_files(place.what, compose_id, opened_at=opened, **rules)
        believed = 0 if place.merged else _results(place.what, compose_id, decision)
    return decision, Basis(where=place.where, believed=believed, opened_at=opened, at=place.at)


def _judged_commits(
    repository: Repository, compose_id: ComposeId, commits: Commits, rules: _Rules
) -> tuple[Decision, int, dt.datetime | None]:
    """Judge every commit; give how many files are believed for their folder, and from when deadlines run."""
    gate_files = rules["gate_files"]
    branch = unattributed(repository, compose_id, base=commits.base, heads=commits.heads, origins=gate_files.origins)
    decision, counted = judge_branch(branch, compose_id, **rules)
    reports = {file.path for file in counted if file.origin is not None}
    refusals = {path for path, answers in decision.bears_on.items() if answers}
    return decision, len(reports | refusals), branch.opened_at if has_deadline(compose_id, gate_files) else None


def _results(tree: Tree, compose_id: ComposeId, decision: Decision) -> int:
    """Count the result files of a tree that count."""
    places = [place_of(entry.path) for entry in tree.list(compose_id.folder)]
    paths = {place.path for place in places if place is not None and place.kind is Kind.RESULT}
    return len(paths - {problem.path for problem in decision.refused})


def _copied(repository: Repository, compose_id: ComposeId) -> Standing:
    tree = WorkingTree(repository.path)
    if tree.read(compose_id.manifest_path) is None:
        raise UsageError(
            f"{repository.path.resolve()} is not a git repository and has no {compose_id.manifest_path}; "
            "run this in a clone of the project, or name one with --repo"
        )
    return Standing(what=tree, main=tree, where="from the files of this folder, which is not a git repository")


def _lying(repository: Repository, compose_id: ComposeId, asked: Asked, tree: Checkout) -> Standing:
    """Take the files here for main; a compose that is not among them is judged where it stands, by the rules here."""
    main: Tree = tree
    rules = "the rules of this checkout"
    if asked.base is not None:
        base = _main(repository, compose_id, asked.base)
        main, rules = GitTree(repository, base.commit), _rules(base)
    if tree.read(compose_id.manifest_path) is None:
        return replace(_committed(repository, compose_id, asked, rules if main is tree else None), main=main)
    where = "from the files of this checkout, committed or not"
    return Standing(what=tree, main=main, where=where if main is tree else f"{where}, by {rules}")


def _committed(repository: Repository, compose_id: ComposeId, asked: Asked, rules: str | None = None) -> Standing:
    """Look among commits; `rules` names those that are to judge, where that are not main's."""
    tip = _main(repository, compose_id, asked.base)
    main = tip if asked.at is None else _as_of(repository, tip, asked.at)
    tree = GitTree(repository, main.commit)
    given = None if asked.rev is None else Ref(ref=asked.rev, commit=repository.commit(asked.rev))
    if tree.read(compose_id.manifest_path) is not None:
        where = f"as merged on {_label(main)}" if rules is None else f"as merged on {_label(main)}, by {rules}"
        hint = None if given is None else f"note: {_label(main)} already has the compose, so --rev is ignored"
        return Standing(what=tree, main=tree, where=where, merged=True, at=asked.at, hint=hint)
    branch, hint = (given, None) if given is not None else _branch(repository, compose_id, main=main, tip=tip)
    commits = Commits(main.commit, [branch.commit])
    if asked.at is not None:
        commits = _by(repository, compose_id, main, branch, asked.at)
    elif dates.first_with(repository, compose_id.manifest_path, *commits) is None:
        raise UsageError(
            f"{_label(branch)} has no commit since {_label(main)} that adds {compose_id.manifest_path}; "
            "run: git fetch origin"
        )
    where = f"on {_label(branch, *commits.heads)}, by {rules or _rules(main)}"
    return Standing(what=commits, main=tree, where=where, at=asked.at, hint=hint)


def _main(repository: Repository, compose_id: ComposeId, base: str | None) -> Ref:
    if base is not None:
        return Ref(ref=base, commit=repository.commit(base))
    main = main_of(repository)
    if main is None:
        raise UsageError(
            f"this clone has no main: there is no {REMOTE}HEAD, {REMOTE}main or {LOCAL}main; run: "
            f"git fetch origin +{LOCAL}main:{REMOTE}main"
            f"{_or_here(repository, compose_id)}"
        )
    return main


def _as_of(repository: Repository, tip: Ref, at: dt.datetime) -> Ref:
    require_whole_history(repository)
    commit = dates.newest_by(repository, tip.commit, at)
    if commit is None:
        raise UsageError(f"{tip.name} has no commit of {utc(at)} or before; give a later --at")
    return replace(tip, commit=commit)


def _branch(repository: Repository, compose_id: ComposeId, *, main: Ref, tip: Ref) -> tuple[Ref, str | None]:
    """Find a compose's branch, and what to say to those who expect another; the head that main has merged since is one.

    What the remote has is what the bots judge, so it comes before what was not pushed yet.
    """
    branches = branches_of(repository, compose_id.branch)
    if len(branches) > 1 and (ahead := commits_ahead(repository, branches[1], branches[0])):
        return branches[0], _unpushed(branches[1], branches[0], ahead)
    if branches:
        return branches[0], None
    if main != tip:
        merged = dates.brought_by_merge(repository, compose_id.manifest_path, tip.commit, after=main.commit)
        if merged is not None:
            return Ref(ref=compose_id.branch, commit=merged), None
    raise UsageError(
        f"{compose_id} was not found: there is no {REMOTE}{compose_id.branch}, no {LOCAL}{compose_id.branch}, and no "
        f"{compose_id.manifest_path} on {_label(main)}; run: git fetch origin{_or_here(repository, compose_id)}"
    )


def _by(repository: Repository, compose_id: ComposeId, main: Ref, branch: Ref, at: dt.datetime) -> Commits:
    """Give what can have been on a branch at some time, with the compose's opening among it."""
    dated = dates.since(repository, main.commit, branch.commit)
    heads = dates.heads_by(dated, at)
    if heads and dates.first_with(repository, compose_id.manifest_path, main.commit, heads) is not None:
        return Commits(main.commit, heads)
    opening = dates.first_with(repository, compose_id.manifest_path, main.commit, [branch.commit])
    opened = next((moment(commit.at) for commit in dated if commit.sha == opening), None)
    when = "" if opened is None else f": the commit that opened it is of {utc(opened)} at the earliest"
    raise UsageError(f"{compose_id} was not opened by {utc(at)}, as of commit dates{when}; give a later --at")


def _unpushed(mine: Ref, theirs: Ref, ahead: int) -> str:
    commits = "1 commit" if ahead == 1 else f"{ahead:,} commits"
    return f"note: the local branch {mine.name} has {commits} that {theirs.name} has not; --rev {mine.ref} judges it"


def _or_here(repository: Repository, compose_id: ComposeId) -> str:
    """Name the other way for those who stand among the files that they ask for."""
    found = WorkingTree(repository.path).read(compose_id.manifest_path) is not None
    return "; or add --working-tree: that uses the files of this checkout" if found else ""


def _rules(main: Ref) -> str:
    return f"the rules of {_label(main)}"


def _label(ref: Ref, *heads: Sha) -> str:
    """Name a commit, or several below it, for people: `origin/main (0123456789ab)`."""
    short = ", ".join(sha[:12] for sha in heads or (ref.commit,))
    if ref.commit.startswith(ref.ref):
        return f"commit {short}"
    return f"{'the local branch ' if ref.ref.startswith(LOCAL) else ''}{ref.name} ({short})"
