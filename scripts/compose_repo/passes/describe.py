"""Describes a compose for its merge request, the verdict first, and puts back what somebody else has rewritten."""

from collections.abc import Iterator

from compose_repo.core.composes.compose import ComposeId, ComposeIdError
from compose_repo.core.composes.paths import COMPOSES
from compose_repo.core.forge.action import Plan
from compose_repo.core.forge.forge import ForgeError, MergeRequest, Thread
from compose_repo.core.forge.merge_requests import compose_of, is_bots
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.core.names import Sha256
from compose_repo.core.plan.plan import NOTE_TO_COME, first_line, is_rewritten, our_notes, plan_description
from compose_repo.passes.judge import Judgement
from compose_repo.passes.work import Work
from compose_repo.ports.git.objects import GitTree
from compose_repo.reading.loading import load_manifest
from compose_repo.words import wording


def description_of(work: Work, manifest: Manifest, digest: Sha256) -> str:
    """Describe a compose, by the rules on main and what has been opened and published before it."""
    gate_files = work.world.gate_files()
    return wording.description(
        manifest,
        manifest_sha256=digest,
        project=work.world.project,
        policy=gate_files.policy,
        origins=gate_files.origins,
        comparisons=list(_comparisons(work, manifest.compose_id)),
        gating=gate_files.is_gating(manifest.compose_id),
    )


def described_again(  # noqa: PLR0913  # what a description tells of
    work: Work,
    merge_request: MergeRequest,
    judgement: Judgement,
    thread: Thread,
    *,
    published: bool = False,
    approved: bool = False,
) -> Plan:
    """Plan to write the description where its first line is not the verdict, or the last to write it was another.

    It is the manifest that counted which is described. Only then is it worth the time: composes are compared for it.
    All of it is written anew, never what is there with another first line: GitLab shows a description a moment before
    it says who has changed it, and carries out what a description asks for with the rights of the account that writes.
    """
    me = work.world.forge.me()
    ours = our_notes(thread.notes, me)
    note = ours[0].id if ours else None
    line = wording.verdict_line(
        judgement.decision,
        page=merge_request.web_url,
        note=note or NOTE_TO_COME,
        published=published,
        approved=approved,
    )
    if first_line(merge_request.description) == line and not is_rewritten(merge_request, thread, me):
        return ()
    compose_id = judgement.decision.compose_id
    brought = [file.commit for file in judgement.counted if file.path == compose_id.manifest_path]
    manifest = load_manifest(GitTree(work.world.repository, brought[0]), compose_id) if brought else None
    if manifest is None:
        return ()
    body = description_of(work, manifest, judgement.decision.manifest_sha256)
    return plan_description(merge_request, f"{line}\n\n{body}", note=note)


def published(main: GitTree) -> Iterator[ComposeId]:
    """Every compose that main holds: it has been published."""
    for folder in main.folders(COMPOSES):
        try:
            yield ComposeId.parse(folder)
        except ComposeIdError:
            continue


def _comparisons(work: Work, compose_id: ComposeId) -> Iterator[wording.Comparison]:
    """Choose what to compare with: the last published compose, and the previous one where that is newer.

    The previous one is looked for among the hundred newest merge requests of the project only; where these are all of
    other streams, or of other people, nothing is compared with it.
    """
    main, bots = work.world.main(), work.world.gate_files().bots
    on_main = [other for other in published(main) if other.stream == compose_id.stream and other < compose_id]
    last = max(on_main, default=None)
    if last is not None:
        yield from _comparison("last published", main, last)
    opened = {
        other: line
        for line in work.world.forge.recent_merge_requests()
        if is_bots(line, bots)
        and (other := compose_of(line)) is not None
        and other.stream == compose_id.stream
        and other < compose_id
    }
    previous = max(opened, default=None)
    if previous is not None and previous not in on_main and (last is None or previous > last):
        try:
            head = work.world.head(opened[previous])
        except ForgeError as error:
            work.console.info(f"not compared with {previous}: {error}")
            return
        yield from _comparison("previous", GitTree(work.world.repository, head), previous)


def _comparison(title: str, tree: GitTree, compose_id: ComposeId) -> Iterator[wording.Comparison]:
    """Read an older manifest; one that is damaged or missing is left out, for the new compose is not to blame."""
    manifest = load_manifest(tree, compose_id)
    if manifest is not None:
        yield wording.Comparison(title=title, manifest=manifest)
