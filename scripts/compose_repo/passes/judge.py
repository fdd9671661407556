"""Decides on a merge request's head, by the rules of main."""

import datetime as dt
from collections.abc import Mapping

from msgspec import Struct, field

from compose_repo.core.branch.commit import Content, Version
from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.forge import MergeRequest
from compose_repo.core.forge.merge_requests import MERGED
from compose_repo.core.names import Sha
from compose_repo.core.plan.plan import Judged
from compose_repo.core.verdict.decision import Decision
from compose_repo.passes.world import World
from compose_repo.ports.clock import Clock
from compose_repo.ports.git.objects import GitTree
from compose_repo.reading.judging import judge_branch, judge_files, opened_at
from compose_repo.reading.line import LineReader
from compose_repo.reading.loading import GateFiles
from compose_repo.reading.publications import Publications
from compose_repo.words import wording


class Judgement(Struct, frozen=True, kw_only=True):
    """A decision on one head of a merge request, by the rules of one commit of main.

    `counted` are the files that it was made from, `brings` is what the head changes against main; both are empty where
    main has merged it already. `pushed_at` is when the branch was last pushed to, where that matters. `below` is the
    head that statuses and words are about, where restoring commits of ours stand on top of it.
    """

    head: Sha
    main: Sha
    decision: Decision
    gate_files: GateFiles
    counted: tuple[Version, ...] = ()
    brings: Mapping[str, Content] = field(default_factory=dict)
    pushed_at: dt.datetime | None = None
    below: Sha | None = None

    @property
    def told_of(self) -> Sha:
        """The commit that statuses and words are about."""
        return self.below or self.head

    @property
    def results(self) -> int:
        """How many result files count."""
        return sum(file.origin is not None for file in self.counted)

    @property
    def bars(self) -> bool:
        """Whether a hold keeps it from being approved and merged: it is held, and merging leads to publishing."""
        return self.decision.held is not None and self.gate_files.is_gating(self.decision.compose_id)

    def judged(self, *, published: bool = False, approved: bool = False) -> Judged:
        """What a plan needs of it, with the words of the note: it is published, or merged to be published."""
        return Judged(
            head=self.head,
            told_of=self.told_of,
            verdict=self.decision.verdict,
            summary=self.decision.summary,
            held=self.decision.held,
            bars=self.bars,
            note=wording.note(
                self.decision,
                self.gate_files.origins,
                head=self.told_of,
                published=published,
                approved=approved,
                gating=self.gate_files.is_gating(self.decision.compose_id),
            ),
        )


class Judge:
    """Judges one merge request after the other, and reads what they share only once."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world = world
        self._publications = Publications()
        self._lines = LineReader(world.repository, pushes=world.pushes.of, fetch=world.fetch_commit, clock=clock)

    def __call__(self, compose_id: ComposeId, merge_request: MergeRequest) -> Judgement:
        """Decide on a merge request's head: rules from main, the manifest and the results from the head.

        Raises:
            StaleHead: somebody pushes meanwhile.
            InputError: the rules or the manifest have problems, or the manifest is not the one that was opened.

        """
        main = self._world.main()
        gate_files = self._world.gate_files()
        head = self._world.head(merge_request)
        if merge_request.state in MERGED:
            return self._judge_merged(compose_id, main, head, gate_files)
        reading = self._lines.read(
            compose_id, merge_request.created_at, main=main.commit, head=head, gate_files=gate_files
        )
        decision, counted = judge_branch(
            reading.branch,
            compose_id,
            gate_files=gate_files,
            main=main,
            publications=self._publications,
            now=self._world.now,
        )
        return Judgement(
            head=head,
            main=main.commit,
            decision=decision,
            gate_files=gate_files,
            counted=counted,
            brings=reading.brings,
            pushed_at=reading.pushed_at,
            below=reading.below,
        )

    def _judge_merged(self, compose_id: ComposeId, main: GitTree, head: Sha, gate_files: GateFiles) -> Judgement:
        """Decide on what main holds: only what counted has been merged."""
        opened = opened_at(self._world.repository, compose_id, gate_files, main.commit)
        decision = judge_files(
            main,
            compose_id,
            gate_files=gate_files,
            main=main,
            publications=self._publications,
            opened_at=opened,
            now=self._world.now,
        )
        return Judgement(head=head, main=main.commit, decision=decision, gate_files=gate_files)
