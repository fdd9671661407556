"""Prepares the opening of a compose's merge request, or what brings it up to date."""

import hashlib
from collections.abc import Iterator

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.action import File
from compose_repo.core.forge.bots import Bot
from compose_repo.core.forge.forge import ForgeError, MergeRequest
from compose_repo.core.forge.merge_requests import Found, compose_of, is_bots, opener_of
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.core.names import Sha256
from compose_repo.core.plan.plan import Branch, plan_open
from compose_repo.core.rules.policy import Bots
from compose_repo.passes.session import Prepared, Session
from compose_repo.passes.upkeep import duplicates, find, published
from compose_repo.ports.git.objects import GitTree
from compose_repo.reading.loading import load_manifest
from compose_repo.words import wording


def prepare_open(work: Session, manifest: Manifest) -> Prepared:
    """Prepare what is missing of branch, manifest and merge request; the session is the compose bot's.

    Raises:
        InputError: the rules on main have problems, or another manifest or another's branch is there already.
        UsageError: the token is not the compose bot's.

    """
    compose_id, raw = manifest.compose_id, manifest.to_bytes()
    digest = Sha256(hashlib.sha256(raw).hexdigest())
    project = work.project
    found, main, bots = find(work, compose_id, Bot.COMPOSE)
    gate_files = work.gate_files()
    plan = plan_open(
        compose_id,
        files=(
            File(path=compose_id.manifest_path, content=raw),
            File(
                path=compose_id.readme_path,
                content=wording.results_readme(compose_id, digest, project),
            ),
        ),
        description=wording.description(
            manifest,
            manifest_sha256=digest,
            project=project,
            policy=gate_files.policy,
            origins=gate_files.origins,
            comparisons=list(_comparisons(work, main, compose_id, bots)),
        ),
        commit_message=wording.open_commit(compose_id, digest),
        target_branch=project.default_branch,
        target_head=main.commit,
        merged=main.read(compose_id.manifest_path),
        branch=_branch(work, compose_id, found),
        merge_request=found.ours,
        duplicates=duplicates(work, compose_id, found),
        lost=found.astray,
        me=work.forge.me(),
        bots=bots,
        names=gate_files.labels,
    )
    return Prepared(compose_id=compose_id, plan=plan, idle=_idle(compose_id, found.ours), merge_request=found.ours)


def _idle(compose_id: ComposeId, merge_request: MergeRequest | None) -> str:
    if merge_request is None:
        return f"{compose_id} is merged already: nothing to do"
    return f"!{merge_request.iid} of {compose_id} ({merge_request.state}) needs nothing: {merge_request.web_url}"


def _branch(work: Session, compose_id: ComposeId, found: Found) -> Branch | None:
    head = work.forge.branch_head(compose_id.branch)
    if head is None:
        return None
    pushes = () if found.ours else work.forge.pushes(compose_id.branch, compose_id.date)
    manifest = work.forge.read_file(compose_id.manifest_path, head)
    return Branch(head=head, manifest=manifest, opener=opener_of(pushes))


def _comparisons(work: Session, main: GitTree, compose_id: ComposeId, bots: Bots) -> Iterator[wording.Comparison]:
    """Choose what to compare with: the last published compose, and the previous one where that is newer.

    The previous one is looked for among the hundred newest merge requests of the project only; where these are all of
    other streams, or of other people, nothing is compared with it.
    """
    on_main = [other for other in published(main) if other.stream == compose_id.stream and other < compose_id]
    last = max(on_main, default=None)
    if last is not None:
        yield from _comparison("last published", main, last)
    opened = {
        other: line
        for line in work.forge.recent_merge_requests()
        if is_bots(line, bots)
        and (other := compose_of(line)) is not None
        and other.stream == compose_id.stream
        and other < compose_id
    }
    previous = max(opened, default=None)
    if previous is not None and previous not in on_main and (last is None or previous > last):
        try:
            head = work.head(opened[previous])
        except ForgeError as error:
            work.console.info(f"not compared with {previous}: {error}")
            return
        yield from _comparison("previous", GitTree(work.repository, head), previous)


def _comparison(title: str, tree: GitTree, compose_id: ComposeId) -> Iterator[wording.Comparison]:
    """Read an older manifest; one that is damaged or missing is left out, for the new compose is not to blame."""
    manifest = load_manifest(tree, compose_id)
    if manifest is not None:
        yield wording.Comparison(title=title, manifest=manifest)
