"""From trees of files to the gate's decision; the same for a look at the tree and for an approval."""

import datetime as dt
from collections.abc import Sequence

from compose_repo.core.compose import ComposeId
from compose_repo.core.decision import Decision
from compose_repo.core.gate import decide
from compose_repo.core.problem import Problem
from compose_repo.ports.git.repository import GitError, Repository
from compose_repo.ports.loading import GateFiles, LoadedCompose, load_baseline
from compose_repo.ports.tree import Tree


def judge(  # noqa: PLR0913  # where each input comes from is for the caller to say
    loaded: LoadedCompose,
    *,
    gate_files: GateFiles,
    merged: Tree,
    opened_at: dt.datetime | None,
    now: dt.datetime,
    problems: Sequence[Problem] = (),
) -> Decision:
    """Decide on a compose; `merged` is the tree in which every compose is published.

    `problems` are those of the commits that the tree was made from.

    Raises:
        InputError: the manifest of the compose it is compared with has a problem.

    """
    return decide(
        manifest=loaded.manifest,
        manifest_sha256=loaded.manifest_sha256,
        policy=gate_files.policy,
        policy_sha256=gate_files.policy_sha256,
        files=loaded.files,
        waivers=gate_files.waivers,
        refused=(*problems, *loaded.refused),
        baseline=load_baseline(merged, loaded.manifest.compose_id, gate_files, now),
        opened_at=opened_at,
        now=now,
    )


def opened_at(
    repository: Repository, compose_id: ComposeId, gate_files: GateFiles, revision: str = "HEAD"
) -> dt.datetime | None:
    """Give the moment from which a compose's deadlines run: when its manifest was committed.

    None where no deadline runs, outside a git checkout, and before that commit.
    """
    lines = gate_files.policy.requirements
    if not any(line.deadline is not None and line.applies_to(compose_id.stream) for line in lines):
        return None
    try:
        commit = repository.find(revision)
    except GitError:  # a copy of the files without their history
        return None
    return None if commit is None else repository.commit_time(f"{compose_id.folder}/manifest.json", commit)
