"""Plans the merging of a published compose, and the closing of what it supersedes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from compose_repo.core.branch.history import is_clean
from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.action import Plan, RestoreBranch, Stages, StartPipeline
from compose_repo.core.forge.forge import Holder, Lock, MergeRequest
from compose_repo.core.forge.merge_requests import MERGED, superseded_by
from compose_repo.core.plan.plan import plan_merge, plan_supersede, stages, with_description
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem, UsageError
from compose_repo.core.rules.policy import Mode, StreamEntry
from compose_repo.core.verdict.decision import Hold, Verdict
from compose_repo.core.verdict.decision_text import hold_words
from compose_repo.passes.describe import described_again
from compose_repo.passes.judge import Judgement
from compose_repo.passes.loop import Stage, first_of
from compose_repo.passes.refused import see_that_no_refused_report_is_lost
from compose_repo.passes.upkeep import Settled, brought_back, second_notes, settle, to_bring_back
from compose_repo.passes.work import Work
from compose_repo.ports.git.branch import commit_files
from compose_repo.ports.git.history import fork_of
from compose_repo.words import wording

TOLD: Final = 3
"""How many of those that hold a pipeline are named."""


class NotPublished(Exception):  # noqa: N818  # nobody is at fault: it is told and waited for
    """The mirrors do not carry the compose; the message says what they do."""


class Held(Exception):  # noqa: N818  # nobody is at fault: it is told and waited for
    """The stream is gated, and a hold keeps the compose from being merged."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(hold_words(hold))
        self.hold: Final = hold


class PipelineDue(Exception):  # noqa: N818  # nobody is at fault: it is told and waited for
    """GitLab merges nothing before its pipeline has succeeded, and that is not over yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Merging:
    """Judges a compose for the record and merges it; `why_not` says why it is not published, None if it is."""

    work: Work
    compose_id: ComposeId
    why_not: Callable[[StreamEntry], str | None] = lambda _: None
    noted: set[int] = field(default_factory=set)
    noted_older: set[int] = field(default_factory=set)

    def next_stage(self) -> Stage:
        """Plan what comes next.

        Raises:
            NotPublished: it is not.
            Held: its stream is gated, and a hold is on it.
            PipelineDue: its stream is gated, and so is the merge by a pipeline that is not over.
            InputError: it cannot be judged, or that pipeline has failed, or is held by others for a second time.
            UsageError: it has no merge request, or its stream is gated and the gate has not let it through.
            StaleHead: somebody pushes meanwhile.

        """
        settled = settle(self.work, self.compose_id, closely=True)
        if settled.merge_request.state in MERGED:
            return self._stage(settled, (), self._supersede(settled))
        return brought_back(self.work, self.compose_id, settled, self.noted, self._judge)

    def _judge(self, settled: Settled) -> Stage:
        judgement = self.work.judge(self.compose_id, settled.merge_request)
        stream = _stream(judgement, self.compose_id)
        reason = self.why_not(stream)
        if reason is not None:
            raise NotPublished(reason)
        if settled.stays_closed is None:
            return self._restore(settled, judgement, stream)
        opened_again = self._opened_again(settled, stream)
        return brought_back(
            self.work,
            self.compose_id,
            opened_again,
            self.noted,
            lambda again: self._restore(again, judgement, stream),
        )

    def _opened_again(self, settled: Settled, stream: StreamEntry) -> Settled:
        """Open again what was to stay closed: the mirrors carry it, or may go back to what was superseded.

        Where merging leads to publishing, what stays closed is not published.
        """
        if stream.mode is Mode.GATING:
            raise UsageError(
                f"!{settled.merge_request.iid} of {self.compose_id} stays closed: {settled.stays_closed}; "
                "to publish it, a Maintainer opens it again"
            )
        return to_bring_back(self.work, self.compose_id, settled)

    def _restore(self, settled: Settled, judgement: Judgement, stream: StreamEntry) -> Stage:
        """Look whether the pipeline lets it through, before label and note say that it is merged.

        What is to be restored is restored first: a refused file fails the pipeline, and the commit without it has its
        own.
        """
        if judgement.bars and judgement.decision.held is not None:
            raise Held(judgement.decision.held)
        if stream.mode is Mode.GATING and judgement.decision.verdict is Verdict.SATISFIED:
            see_that_no_refused_report_is_lost(judgement)
            if self.work.world.project.pipelines_must_succeed:
                restore = restoration(self.work, settled.merge_request, judgement, in_line=True)
                if restore is not None:
                    return Stage(
                        compose_id=self.compose_id,
                        plan=(restore,),
                        merge_request=settled.merge_request,
                        judged=settled.merge_request,
                        more=True,
                    )
                started = _started(self.work, settled.merge_request, judgement)
                if started is not None:
                    return Stage(
                        compose_id=self.compose_id,
                        plan=(started,),
                        merge_request=settled.merge_request,
                        judged=settled.merge_request,
                        more=True,
                    )
        return self._merge(settled, judgement, stream)

    def _merge(self, settled: Settled, judgement: Judgement, stream: StreamEntry) -> Stage:
        forge, merge_request = self.work.world.forge, settled.merge_request
        gating = stream.mode is Mode.GATING
        thread = forge.thread(merge_request.iid)
        described = described_again(self.work, merge_request, judgement, thread, published=not gating, approved=gating)
        merging = plan_merge(
            self.compose_id,
            merge_request=merge_request,
            judged=judgement.judged(published=not gating, approved=gating),
            me=forge.me(),
            notes=thread.notes,
            mode=stream.mode,
            commit_message=wording.merge_commit(judgement.decision, merge_request, gating=gating),
            restore=restoration(self.work, merge_request, judgement),
            names=judgement.gate_files.labels,
        )
        merging = with_description(merging, described) if merging else ()
        return self._stage(settled, merging, self._supersede(settled))

    def _stage(self, settled: Settled, merging: Plan, superseding: Stages) -> Stage:
        merge_request = settled.merge_request
        needs = f"!{merge_request.iid} of {self.compose_id} ({merge_request.state}) needs nothing"
        stage = Stage(
            compose_id=self.compose_id,
            idle=f"{needs}: {merge_request.web_url}",
            merge_request=merge_request,
            judged=merge_request,
        )
        first, *later = superseding or ((),)
        return first_of(stages((*merging, *first), *later), stage)

    def _supersede(self, settled: Settled) -> Stages:
        world = self.work.world
        older = superseded_by(
            self.compose_id,
            world.open_merge_requests(),
            bots=settled.bots,
            target_branch=world.project.default_branch,
        )
        left = second_notes(self.work, self.noted_older, older)
        superseding = plan_supersede(
            [(line, world.forge.notes(line.iid)) for line in older],
            me=world.forge.me(),
            words=wording.superseded(
                self.compose_id, settled.merge_request.iid, gating=world.gate_files().is_gating(self.compose_id)
            ),
            names=world.gate_files().labels,
        )
        first, *later = superseding or ((),)
        return stages((*left, *first), *later)


def restoration(
    work: Work, merge_request: MergeRequest, judgement: Judgement, *, in_line: bool = False
) -> RestoreBranch | None:
    """Make the commit that brings a branch back to what counts, on top of main; None if its head brings just that.

    The commit is only pushed when the plan is applied. Whatever conflicts with main is gone with it. One that is to be
    `in_line` stands on where the head has left main, if that is one place, and merges nothing: so it is nothing that a
    pipeline finds fault with.
    """
    if is_clean(judgement.counted, judgement.brings):
        return None
    repository = work.world.repository
    fork = fork_of(repository, judgement.main, judgement.head) if in_line else None
    commit = commit_files(
        repository,
        base=judgement.main if fork is None else fork,
        parents=(judgement.head, judgement.main) if fork is None else (judgement.head,),
        files=judgement.counted,
        message=wording.restore_commit(judgement.decision),
        author=work.world.forge.me().username,
    )
    return RestoreBranch(iid=merge_request.iid, branch=merge_request.source_branch, head=judgement.head, commit=commit)


def _started(work: Work, merge_request: MergeRequest, judgement: Judgement) -> StartPipeline | None:
    """See that the pipeline lets it through; where only others keep it from that, start another, but once for a head.

    Any Developer may set statuses in a pipeline, or cancel its jobs. What our own jobs say is never gone around.

    Raises:
        PipelineDue: it is not over.
        InputError: it has failed, or others hold the second one, too.

    """
    forge, iid = work.world.forge, merge_request.iid
    lock = forge.lock(iid)
    if lock is None:
        return None
    holders = forge.holders(iid)
    jobs = [holder for holder in holders if not holder.is_others]
    failed = [job for job in jobs if job.state == "failed"]
    if len(jobs) > len(failed) or (lock is Lock.DUE and not holders):
        raise PipelineDue(f"the pipeline of !{iid} is not over")
    if failed:
        raise InputError(
            Problem(
                path=f"!{iid}",
                code=Code.PIPELINE_FAILED,
                message="it is satisfied, but its pipeline has not succeeded, and GitLab merges only after that",
                fix="look at the pipeline; retry it if what failed in it is waived now",
            )
        )
    told = _told(holders)
    me, pushes = forge.me(), work.world.pushes.of(merge_request.source_branch, merge_request.created_at.date())
    made = forge.pipelines_by(judgement.head, me.username)
    pushed_by_us = any((push.after, push.user.id) == (judgement.head, me.id) for push in pushes)
    if made > pushed_by_us:  # a push has started one, too
        raise InputError(
            Problem(
                path=f"!{iid}",
                code=Code.PIPELINE_HELD,
                message=f"it is satisfied, but {told} in its pipeline, and was in the one before that",
                fix="ask the account that is named to stop, or remove its membership; then run the pipeline again",
            )
        )
    return StartPipeline(iid=iid, sha=judgement.head, made=made, reason=told)


def _told(holders: Sequence[Holder]) -> str:
    """Say who holds a pipeline, and by what."""
    said = [
        f"job {one.name!r} is {one.state}" if one.is_job else f"the status {one.name!r} by {one.author} is {one.state}"
        for one in holders[:TOLD]
    ]
    more = [f"{len(holders) - TOLD} more"] if len(holders) > TOLD else []
    return ", ".join((*said, *more)) if said else "no job was run"


def _stream(judgement: Judgement, compose_id: ComposeId) -> StreamEntry:
    stream = judgement.gate_files.streams.get(compose_id.stream)
    if stream is None:
        raise UsageError(
            f"gate/streams.toml does not say where {compose_id.stream} is published; add [streams.{compose_id.stream}]"
        )
    return stream
