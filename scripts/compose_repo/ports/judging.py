"""From trees of files to the gate's decision; the same for a look at the tree and for an approval."""

import datetime as dt

from compose_repo.core.compose import ComposeId
from compose_repo.core.decision import Decision
from compose_repo.core.gate import decide
from compose_repo.ports.git import GitError, Repository
from compose_repo.ports.loading import GateFiles, load_baseline, load_compose
from compose_repo.ports.tree import Tree


def judge(  # noqa: PLR0913  # where each input comes from is for the caller to say
    compose_id: ComposeId,
    *,
    gate_files: GateFiles,
    branch: Tree,
    merged: Tree,
    opened_at: dt.datetime | None,
    now: dt.datetime,
) -> Decision:
    """Decide on a compose whose folder is in `branch`; `merged` is the tree in which every compose is published.

    Raises:
        InputError: the compose's manifest, or that of the compose it is compared with, is absent or has a problem.

    """
    loaded = load_compose(branch, compose_id, gate_files, now)
    return decide(
        manifest=loaded.manifest,
        manifest_sha256=loaded.manifest_sha256,
        policy=gate_files.policy,
        policy_sha256=gate_files.policy_sha256,
        files=loaded.files,
        waivers=gate_files.waivers,
        refused=loaded.refused,
        baseline=load_baseline(merged, compose_id, gate_files, now),
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
