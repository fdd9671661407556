"""From trees of files to the gate's decision; the same for a look at the tree and for an approval."""

import datetime as dt

from msgspec import Struct

from compose_repo.core.branch.commit import Version
from compose_repo.core.branch.history import still_true
from compose_repo.core.branch.touch import Touched, refused_reports, taken_back
from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.problems.problem import Problem
from compose_repo.core.verdict.decision import Decision
from compose_repo.core.verdict.gate import decide
from compose_repo.ports.git.repository import GitError, Repository
from compose_repo.ports.tree import Tree
from compose_repo.reading.loading import GateFiles, load_compose
from compose_repo.reading.publications import Publications


class Branch(Struct, frozen=True, kw_only=True):
    """What counts of a compose's branch before its files are looked into, and what else was done to it.

    `files` are the versions that count so far, `tree` holds them. `opened_at` is when the branch was opened, None if
    that is not known.
    """

    tree: Tree
    files: tuple[Version, ...]
    problems: tuple[Problem, ...]
    touched: Touched
    opened_at: dt.datetime | None


def judge_branch(  # noqa: PLR0913  # where each input comes from is for the caller to say
    branch: Branch,
    compose_id: ComposeId,
    *,
    gate_files: GateFiles,
    main: Tree,
    publications: Publications,
    now: dt.datetime,
) -> tuple[Decision, tuple[Version, ...]]:
    """Decide on a compose's branch; give the versions that count after every check, too.

    Of a refused file that its origin has taken back, nothing is told.

    Raises:
        InputError: the manifest has a problem, or that of a compose it is compared with.

    """
    loaded = load_compose(branch.tree, compose_id, gate_files, now)
    unsound = {problem.path for problem in loaded.refused}
    counted = tuple(file for file in branch.files if file.path not in unsound)
    back = taken_back(branch.touched)
    problems = [
        *still_true(branch.problems, unsound, back),
        *(problem for problem in loaded.refused if problem.path not in back),
    ]
    decision = decide(
        manifest=loaded.manifest,
        manifest_sha256=loaded.manifest_sha256,
        policy=gate_files.policy,
        policy_sha256=gate_files.policy_sha256,
        files=loaded.files,
        waivers=gate_files.waivers,
        holds=gate_files.holds,
        refused=problems,
        refused_reports=refused_reports(branch.touched, counted, problems),
        came={file.path: file.came for file in counted},
        unasked=loaded.unasked,
        published=publications.before(compose_id, main, gate_files),
        advice=gate_files.advice,
        opened_at=branch.opened_at,
        now=now,
    )
    return decision, counted


def judge_files(  # noqa: PLR0913  # where each input comes from is for the caller to say
    tree: Tree,
    compose_id: ComposeId,
    *,
    gate_files: GateFiles,
    main: Tree,
    publications: Publications,
    opened_at: dt.datetime | None,
    now: dt.datetime,
) -> Decision:
    """Decide on the files of a tree as they lie there: of main, which has only what counted, or checked out.

    Raises:
        InputError: the manifest has a problem, or that of a compose it is compared with.

    """
    branch = Branch(tree=tree, files=(), problems=(), touched={}, opened_at=opened_at)
    return judge_branch(branch, compose_id, gate_files=gate_files, main=main, publications=publications, now=now)[0]


def opened_at(
    repository: Repository, compose_id: ComposeId, gate_files: GateFiles, revision: str = "HEAD"
) -> dt.datetime | None:
    """Give the moment from which a compose's deadlines run: when its manifest was committed.

    None where no deadline runs, outside a git checkout, and before that commit.
    """
    if not has_deadline(compose_id, gate_files):
        return None
    try:
        commit = repository.find(revision)
    except GitError:  # a copy of the files without their history
        return None
    return None if commit is None else repository.commit_time(compose_id.manifest_path, commit)


def has_deadline(compose_id: ComposeId, gate_files: GateFiles) -> bool:
    """Return whether any requirement of a compose's stream has a deadline."""
    lines = gate_files.policy.requirements
    return any(line.deadline is not None and line.applies_to(compose_id.stream) for line in lines)
