"""One pass of a writing verb: GitLab and a local repository, what is judged, what is printed and applied."""

import argparse
import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from compose_repo.cli import moment
from compose_repo.core.branch.commit import Content, Version
from compose_repo.core.branch.history import is_clean
from compose_repo.core.composes.compose import ComposeId, ComposeIdError
from compose_repo.core.escape import json_text, terminal
from compose_repo.core.forge.action import (
    Action,
    Approve,
    CloseMergeRequest,
    CreateTag,
    Merge,
    Plan,
    Promote,
    RestoreBranch,
    to_dict,
)
from compose_repo.core.forge.bots import Bot, not_the_bot
from compose_repo.core.forge.forge import Forge, ForgeError, MergeRequest, Project, StaleHead
from compose_repo.core.forge.merge_requests import MERGED, compose_of, open_of
from compose_repo.core.names import Sha
from compose_repo.core.plan.plan import Judged, plan_second_notes
from compose_repo.core.problems.problem import InputError
from compose_repo.core.result import utc
from compose_repo.core.streams.promotion import Record, below, outcome, refused, unknown
from compose_repo.core.verdict.decision import Decision
from compose_repo.ports import promoting
from compose_repo.ports.console import Console, Paint
from compose_repo.ports.environment import environment, nonce, now
from compose_repo.ports.git.branch import BranchMoved, commit_files, push
from compose_repo.ports.git.history import fork_of
from compose_repo.ports.git.objects import GitTree
from compose_repo.ports.git.repository import Repository, scratch
from compose_repo.ports.git.tags import TagTaken, create_tag
from compose_repo.ports.gitlab.forge import connect
from compose_repo.ports.gitlab.pace import Paces
from compose_repo.reading.bots import read_bots
from compose_repo.reading.judging import judge_branch, judge_files, opened_at
from compose_repo.reading.line import LineReader, PushLog, since_of
from compose_repo.reading.loading import GateFiles, load_gate
from compose_repo.reading.publications import Publications
from compose_repo.words import wording

T = TypeVar("T")

SCHEMA: Final = "plan/1"
ATTEMPTS: Final = 4
"""How often a pass starts over because somebody has pushed meanwhile."""
MAIN_REF: Final = "refs/compose-repo/main"
HEAD_SECONDS: Final = 60
"""How long GitLab may take to see a commit of ours as the head of its merge request."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
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

    def judged(self, *, published: bool) -> Judged:
        """Give what a plan needs of it, with the words of the note."""
        return Judged(
            head=self.head,
            told_of=self.told_of,
            verdict=self.decision.verdict,
            summary=self.decision.summary,
            note=wording.note(self.decision, self.gate_files.origins, head=self.told_of, published=published),
        )


@dataclass(kw_only=True, slots=True)
class _View:
    """What has been read and need not be read again until `Session.anew`.

    `opened` are all open merge requests, `branches` the branches that they come from and `promotions` the records of
    their promotion, where all were read at once. `now` stays what it is for as long as the session lasts.
    """

    main: GitTree | None = None
    gate_files: GateFiles | None = None
    opened: Sequence[MergeRequest] | None = None
    branches: frozenset[str] = frozenset()
    promotions: frozenset[str] = frozenset()
    now: dt.datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """What is to be written for a compose: nothing if all is as it should be, which `idle` says.

    `judged` is the merge request as it was judged, to be looked at again before anything is written on it.
    """

    compose_id: ComposeId
    plan: Plan
    idle: str
    merge_request: MergeRequest | None = None
    judged: MergeRequest | None = None


class Session:
    """What a writing verb works with. `repository` is bare: what is fetched into it is read, never checked out."""

    def __init__(  # noqa: PLR0913  # what a verb is told
        self,
        *,
        forge: Forge,
        repository: Repository,
        token: str | None,
        console: Console,
        now: dt.datetime | None = None,
        dry_run: bool = False,
        as_json: bool = False,
        paces: Paces | None = None,
    ) -> None:
        self.forge = forge
        self.paces = paces or Paces()
        self.repository = repository
        self.console = console
        self._asked_now = now
        self.dry_run = dry_run
        self.as_json = as_json
        self.done: list[Action] = []
        self.applied: list[Action] = []
        self._token = token
        self._variable = "COMPOSE_REPO_TOKEN"
        self._view = _View()
        self._publications = Publications()
        self._pushes = PushLog(lambda since: forge.pushes(None, since))
        self._lines = LineReader(repository, pushes=self._pushes.of, fetch=self._fetch_commit)

    def acting_as(self, forge: Forge, token: str | None) -> "Session":
        """Give a session that has read the same and writes with another account's token."""
        other = Session(
            forge=forge,
            repository=self.repository,
            token=token,
            console=self.console,
            now=self._asked_now,
            dry_run=self.dry_run,
            as_json=self.as_json,
            paces=self.paces,
        )
        other._variable = "COMPOSE_REPO_OPENER_TOKEN"
        other._view = self._view
        other._publications = self._publications
        return other

    @property
    def now(self) -> dt.datetime:
        """The time by which is judged: the one that was asked for, else GitLab's.

        It is GitLab that says when a merge request was opened; a clock of ours that is wrong must move no deadline.
        """
        if self._view.now is None:
            self._view.now = self._asked_now or self.forge.told_time() or now()
        return self._view.now

    @property
    def project(self) -> Project:
        """The GitLab project."""
        return self.forge.project()

    def anew(self) -> None:
        """Forget what has been read: it is read again when it is needed."""
        self._view.main = self._view.gate_files = self._view.opened = None

    def look(self, only: ComposeId | None = None) -> None:
        """List the open merge requests, then fetch main and the composes' heads at once: how a pass over many begins.

        With `only`, the heads of those alone that bear its name. Main is fetched after they are listed: what they say
        is merged has to be there.
        """
        self.anew()
        listed = self.forge.open_merge_requests()
        opened = [
            line
            for line in (listed if only is None else open_of(only, listed))
            if compose_of(line) is not None and not line.from_fork
        ]
        main = f"refs/heads/{self.project.default_branch}"
        heads = {line.iid: f"refs/merge-requests/{line.iid}/head" for line in opened}
        branches = {f"refs/heads/{line.source_branch}" for line in opened}
        with self.console.progress(f"fetching {len(heads)} heads"):
            composes = {compose_id for line in opened if (compose_id := compose_of(line)) is not None}
            records = sorted(below(compose_id) for compose_id in composes)
            names = sorted({main, *heads.values(), *branches})
            there = self.repository.remote_refs(self.project.clone_url, names, below=records, token=self._token)
            refspecs = [f"+{ref}:{_head_ref(iid)}" for iid, ref in heads.items() if ref in there]
            self.repository.fetch(self.project.clone_url, [f"+{main}:{MAIN_REF}", *refspecs], token=self._token)
        self._view.main = GitTree(self.repository, MAIN_REF)
        self._view.opened = listed
        self._view.branches = frozenset(ref.removeprefix("refs/heads/") for ref in branches & there.keys())
        self._view.promotions = frozenset(ref for ref in there if ref.startswith(tuple(records)))
        self._pushes.expect(since_of(opened))

    @property
    def promotions(self) -> frozenset[str]:
        """The refs that record what of the open composes was promoted, as `look` found them."""
        return self._view.promotions

    def main(self) -> GitTree:
        """Give the default branch as it was fetched: the rules, and every compose that has been published."""
        if self._view.main is None:
            self._fetch(f"refs/heads/{self.project.default_branch}", MAIN_REF)
            self._view.main = GitTree(self.repository, MAIN_REF)
        return self._view.main

    def gate_files(self) -> GateFiles:
        """Give the rules on main.

        Raises:
            InputError: they have problems.

        """
        main = self.main()
        if self._view.gate_files is None:
            self._view.gate_files = load_gate(main, self.now)
        return self._view.gate_files

    def require(self, bot: Bot) -> None:
        """Refuse any account but the one that main names as this bot: before anything is planned or written.

        Where gate/streams.toml has problems, nobody knows who the bots are. Then `gate_files` is refused right after,
        and all that is written is that this account takes back its own approvals.

        Raises:
            UsageError: the token belongs to another account.

        """
        known = self._view.gate_files
        bots = read_bots(self.main(), self.now) if known is None else known.bots
        refusal = None if bots is None else not_the_bot(self.forge.me(), bot, bots, variable=self._variable)
        if refusal is not None:
            raise refusal

    def named(self, compose_id: ComposeId) -> Sequence[MergeRequest]:
        """Give what could be taken for a compose's merge request: all from its branch, and open ones with its name.

        Where all open ones have been listed, and one is from the branch of a compose that main has not got, closed ones
        do not matter (`choose`) and are not asked for.
        """
        if self._view.opened is None:
            titled = self.forge.titled_merge_requests(str(compose_id))
            return [*self.forge.merge_requests(source_branch=compose_id.branch), *titled]
        opened = open_of(compose_id, self._view.opened)
        own = any(line.source_branch == compose_id.branch and not line.from_fork for line in opened)
        if own and self.main().read(compose_id.manifest_path) is None:
            return opened
        return [*self.forge.merge_requests(source_branch=compose_id.branch), *opened]

    def open_merge_requests(self) -> Sequence[MergeRequest]:
        """Give every open merge request."""
        return self.forge.open_merge_requests() if self._view.opened is None else self._view.opened

    def branch_is_there(self, branch: str) -> bool:
        """Tell whether there is a branch."""
        return branch in self._view.branches or self.forge.branch_head(branch) is not None

    def head(self, merge_request: MergeRequest) -> Sha:
        """Fetch a merge request's head.

        Raises:
            StaleHead: it is another by now than the merge request said.

        """
        ref = _head_ref(merge_request.iid)
        fetched = self.repository.find(ref)
        if fetched is None or fetched != merge_request.head:
            self._fetch(f"refs/merge-requests/{merge_request.iid}/head", ref)
            fetched = self.repository.commit(ref)
        if fetched != merge_request.head:
            raise StaleHead(f"the head of !{merge_request.iid} is moving; run again")
        return fetched

    def _fetch(self, source: str, destination: str) -> None:
        with self.console.progress(f"fetching {source}"):
            self.repository.fetch(self.project.clone_url, [f"+{source}:{destination}"], token=self._token)

    def _fetch_commit(self, sha: Sha) -> None:
        self._fetch(sha, f"refs/compose-repo/commits/{sha}")

    def judge(self, compose_id: ComposeId, merge_request: MergeRequest) -> Judgement:
        """Decide on a merge request's head: rules from main, the manifest and the results from the head.

        Raises:
            StaleHead: somebody pushes meanwhile.
            InputError: the rules or the manifest have problems, or the manifest is not the one that was opened.

        """
        main = self.main()
        gate_files = self.gate_files()
        head = self.head(merge_request)
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
            now=self.now,
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
        opened = opened_at(self.repository, compose_id, gate_files, main.commit)
        decision = judge_files(
            main,
            compose_id,
            gate_files=gate_files,
            main=main,
            publications=self._publications,
            opened_at=opened,
            now=self.now,
        )
        return Judgement(head=head, main=main.commit, decision=decision, gate_files=gate_files)

    def restoration(
        self, merge_request: MergeRequest, judgement: Judgement, *, in_line: bool = False
    ) -> RestoreBranch | None:
        """Make the commit that brings a branch back to what counts, on top of main; None if its head brings just that.

        The commit is only pushed when the plan is applied. Whatever conflicts with main is gone with it. One that is
        to be `in_line` stands on where the head has left main, if that is one place, and merges nothing: so it is
        nothing that a pipeline finds fault with.
        """
        if is_clean(judgement.counted, judgement.brings):
            return None
        fork = fork_of(self.repository, judgement.main, judgement.head) if in_line else None
        commit = commit_files(
            self.repository,
            base=judgement.main if fork is None else fork,
            parents=(judgement.head, judgement.main) if fork is None else (judgement.head,),
            files=judgement.counted,
            message=wording.restore_commit(judgement.decision),
            author=self.forge.me().username,
        )
        return RestoreBranch(
            iid=merge_request.iid, branch=merge_request.source_branch, head=judgement.head, commit=commit
        )

    def unmoved(self, merge_request: MergeRequest) -> None:
        """Look once more before anything is written.

        Raises:
            StaleHead: by now its head is another, or it is closed, retargeted or renamed (which makes a draft).

        """
        seen, now = map(_judged_of, (merge_request, self.forge.merge_request(merge_request.iid)))
        if seen != now:
            what = next(name for name in seen if seen[name] != now[name])
            raise StaleHead(f"the {what} of !{merge_request.iid} is moving; run again")

    def show(self, prepared: Prepared) -> None:
        """Print a plan, or that there is nothing to do. JSON is one document: what is done already comes first."""
        if self.as_json:
            actions = [*self.done, *prepared.plan]
            answer = {"schema": SCHEMA, "compose_id": str(prepared.compose_id), "actions": list(map(to_dict, actions))}
            self.console.out(json_text(answer))
            return
        self.show_actions(prepared.plan)
        if not prepared.plan:
            self.console.out(prepared.idle)

    def show_actions(self, plan: Iterable[Action]) -> None:
        """Print what is to be done."""
        for action in plan:
            self.console.out(f"{self.console.paint(Paint.STRONG, '→')} {terminal(action.sentence)}")

    def carry_out(self, prepared: Prepared) -> None:
        """Write what is prepared, unless it is a dry run.

        Raises:
            StaleHead: the merge request is not as it was judged any more.
            ForgeError: GitLab refuses.

        """
        if not prepared.plan or self.dry_run:
            return
        if prepared.judged is not None:
            self.unmoved(prepared.judged)
        self.apply(prepared.plan, prepared.judged)

    def apply(self, plan: Plan, judged: MergeRequest | None = None) -> None:
        """Write a plan, one action after the other; look again right before `judged` is approved or merged.

        GitLab itself compares the head, but not the target. What it refuses because of what somebody has done in
        between is no error: the pass starts over.

        Raises:
            StaleHead: the merge request is not as it was judged any more.
            ForgeError: GitLab refuses, and it is.

        """
        for action in plan:
            with self.console.progress(action.sentence):
                match action:
                    case RestoreBranch():
                        self._restore(action)
                    case CloseMergeRequest():
                        self.apply(plan_second_notes(action.iid, self.forge.notes(action.iid), self.forge.me()))
                        self.forge.apply(action)
                    case CreateTag():
                        self._create_tag(action)
                    case Promote():
                        self._promote(action)
                    case Approve() | Merge() if judged is not None:
                        self._conclude(action, judged)
                    case _:
                        self.forge.apply(action)
            self.applied.append(action)

    def _restore(self, action: RestoreBranch) -> None:
        """Push, and wait until GitLab has seen it: it looks at a push a moment later.

        Raises:
            StaleHead: somebody has pushed meanwhile, or GitLab does not see the push.

        """
        try:
            push(self.repository, self.project.clone_url, action.commit, action.branch, token=self._token)
        except BranchMoved as moved:
            raise StaleHead(str(moved)) from moved
        for _ in range(HEAD_SECONDS):
            if self.forge.merge_request(action.iid).head == action.commit:
                return
            time.sleep(1)
        raise StaleHead(f"GitLab does not yet see {action.commit[:12]} as the head of !{action.iid}; run again")

    def _create_tag(self, action: CreateTag) -> None:
        """Make a tag that is not there.

        Raises:
            StaleHead: somebody else has made it meanwhile.

        """
        try:
            create_tag(
                self.repository,
                self.project.clone_url,
                tag=action.tag,
                target=action.target,
                message=action.message,
                author=self.forge.me().username,
                at=int(self.now.timestamp()),
                token=self._token,
            )
        except TagTaken as taken:
            raise StaleHead(str(taken)) from taken

    def _promote(self, action: Promote) -> None:
        """Call a hook and record what came of it, where that is known.

        Raises:
            InputError: it was not to be reached, has refused, or nobody knows.

        """
        told = promoting.call(action)
        if told.done is None:
            raise InputError(unknown(action, told.said))
        what = Record.CALLED if told.done else Record.FAILED
        self._create_tag(outcome(action, what, said=told.said, at=utc(self.now), nonce=nonce()))
        if not told.done:
            raise InputError(refused(action, told.said))

    def _conclude(self, action: Approve | Merge, judged: MergeRequest) -> None:
        self.unmoved(replace(judged, head=action.sha))
        try:
            self.forge.apply(action)
        except StaleHead:
            raise
        except ForgeError:
            self.unmoved(replace(judged, head=action.sha))
            raise


def _head_ref(iid: int) -> str:
    return f"refs/compose-repo/merge-requests/{iid}"


def _judged_of(merge_request: MergeRequest) -> dict[str, object]:
    """Give what of a merge request nobody may change between judging and writing."""
    return {
        "head": merge_request.head,
        "target": merge_request.target_branch,
        "title": merge_request.title,
        "state": merge_request.state,
    }


@contextmanager
def start(arguments: argparse.Namespace, console: Console, paces: Paces | None = None) -> Iterator[Session]:
    """Begin a pass with what the environment and the command line say; its connections are closed at the end.

    Whoever makes many passes gives the same `paces` to each.
    """
    settings = environment()
    paces = paces or Paces()
    with (
        closing(connect(settings, console.trace, paces)) as forge,
        scratch(arguments.repo, console.trace) as repository,
    ):
        yield Session(
            forge=forge,
            repository=repository,
            token=settings.token,
            console=console,
            now=arguments.now,
            dry_run=getattr(arguments, "dry_run", False),
            as_json=getattr(arguments, "format", "text") == "json",
            paces=paces,
        )


@contextmanager
def opener_of(work: Session) -> Iterator[Session | None]:
    """Give a session that has read what another has, and acts as the compose bot; None if its token is not given."""
    settings = environment()
    if not settings.opener_token:
        yield None
        return
    opener = replace(settings, token=settings.opener_token)
    with closing(connect(opener, work.console.trace, work.paces)) as forge:
        yield work.acting_as(forge, settings.opener_token)


def until_unmoved(attempt: Callable[[], T], console: Console) -> T:
    """Start over when somebody has pushed meanwhile, a few times.

    Raises:
        StaleHead: they push faster than we judge.

    """
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt()
        except StaleHead as moved:
            console.info(f"{moved}: starting over")
    return attempt()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what every writing verb understands."""
    parser.add_argument("--dry-run", action="store_true", help="print the plan and write nothing")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how the plan is printed")
    parser.add_argument("--now", type=moment, metavar="TIME", help="judge as of this time (RFC 3339)")


def compose_id(text: str) -> ComposeId:
    """Read a compose id from the command line."""
    try:
        return ComposeId.parse(text)
    except ComposeIdError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
