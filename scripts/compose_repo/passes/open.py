"""Plans the opening of a compose's merge request, or what brings it up to date."""

import hashlib
from dataclasses import dataclass, field

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.action import File, Stages
from compose_repo.core.forge.bots import Bot
from compose_repo.core.forge.forge import MergeRequest
from compose_repo.core.forge.merge_requests import Found, opener_of
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.core.names import Sha256
from compose_repo.core.plan.plan import Branch, kept_or_opened, plan_open
from compose_repo.core.rules.policy import Bots
from compose_repo.passes.describe import description_of
from compose_repo.passes.loop import Stage, first_of
from compose_repo.passes.upkeep import duplicates, find, second_notes
from compose_repo.passes.work import Work
from compose_repo.ports.git.objects import GitTree
from compose_repo.ports.tree import GivenTree
from compose_repo.reading.loading import load_manifest
from compose_repo.words import wording


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """Opens a compose, as the compose bot."""

    work: Work
    manifest: Manifest
    noted: set[int] = field(default_factory=set)

    def next_stage(self) -> Stage:
        """Plan what is missing of branch, manifest and merge request.

        Raises:
            InputError: the rules on main have problems, or another manifest or another's branch is there already.
            UsageError: the token is not the compose bot's.

        """
        found, main, bots = find(self.work, self.manifest.compose_id, Bot.COMPOSE)
        plans = _plan(self.work, self.manifest, found, main, bots)
        left = second_notes(self.work, self.noted, found.duplicates)
        return first_of((left, *plans) if left else plans, _stage(self.manifest.compose_id, found.ours))


def _plan(work: Work, manifest: Manifest, found: Found, main: GitTree, bots: Bots) -> Stages:
    compose_id, branch = manifest.compose_id, _branch(work, manifest.compose_id, found)
    merged = main.read(compose_id.manifest_path)
    manifest = _recorded(manifest, merged or (None if branch is None else branch.manifest))
    raw = manifest.to_bytes()
    digest = Sha256(hashlib.sha256(raw).hexdigest())
    project, gate_files = work.world.project, work.world.gate_files()
    return plan_open(
        compose_id,
        files=(
            File(path=compose_id.manifest_path, content=raw),
            File(
                path=compose_id.readme_path,
                content=wording.results_readme(compose_id, digest, project),
            ),
        ),
        description=kept_or_opened(found.ours, wording.unjudged_line(), description_of(work, manifest, digest)),
        commit_message=wording.open_commit(compose_id, digest),
        target_branch=project.default_branch,
        target_head=main.commit,
        merged=merged,
        branch=branch,
        merge_request=found.ours,
        duplicates=duplicates(work, compose_id, found),
        lost=found.astray,
        me=work.world.forge.me(),
        bots=bots,
        names=gate_files.labels,
    )


def _recorded(manifest: Manifest, there: bytes | None) -> Manifest:
    """Give the manifest that stands: what is there already, where it or this one could not read the compose.

    A run that is killed before the merge request is open may have read more of the server, or less, than the next.
    """
    tree = GivenTree({} if there is None else {manifest.compose_id.manifest_path: there})
    recorded = load_manifest(tree, manifest.compose_id)
    return manifest if recorded is None or recorded.unreadable == manifest.unreadable else recorded


def _stage(compose_id: ComposeId, merge_request: MergeRequest | None) -> Stage:
    if merge_request is None:
        return Stage(compose_id=compose_id, idle=f"{compose_id} is merged already: nothing to do")
    idle = f"!{merge_request.iid} of {compose_id} ({merge_request.state}) needs nothing: {merge_request.web_url}"
    return Stage(compose_id=compose_id, idle=idle, merge_request=merge_request)


def _branch(work: Work, compose_id: ComposeId, found: Found) -> Branch | None:
    head = work.world.forge.branch_head(compose_id.branch)
    if head is None:
        return None
    pushes = () if found.ours else work.world.forge.pushes(compose_id.branch, compose_id.date)
    manifest = work.world.forge.read_file(compose_id.manifest_path, head)
    return Branch(head=head, manifest=manifest, opener=opener_of(pushes))
