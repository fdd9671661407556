"""One pass of a writing verb: GitLab and a local repository, what is judged, what is printed and applied."""

import argparse
import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from compose_repo import wording
from compose_repo.cli import moment
from compose_repo.console import Console, Paint
from compose_repo.core.action import Action, Approve, Merge, Plan, RestoreBranch, to_dict
from compose_repo.core.compose import ComposeId, ComposeIdError
from compose_repo.core.decision import Decision
from compose_repo.core.escape import json_text, terminal
from compose_repo.core.forge import Forge, ForgeError, MergeRequest, Project, StaleHead
from compose_repo.core.history import Content, Version, is_clean, still_true
from compose_repo.core.merge_requests import MERGED
from compose_repo.core.names import Sha
from compose_repo.core.plan import Judged
from compose_repo.ports.environment import environment, now
from compose_repo.ports.git.branch import BranchMoved, commit_files, push
from compose_repo.ports.git.objects import GitTree
from compose_repo.ports.git.repository import Repository, scratch
from compose_repo.ports.gitlab.forge import connect
from compose_repo.ports.judging import judge, opened_at
from compose_repo.ports.line import LineReader
from compose_repo.ports.loading import GateFiles, load_compose, load_gate

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
    main has merged it already.
    """

    head: Sha
    main: Sha
    decision: Decision
    gate_files: GateFiles
    counted: tuple[Version, ...] = ()
    brings: Mapping[str, Content] = field(default_factory=dict)

    def judged(self, *, published: bool) -> Judged:
        """Give what a plan needs of it, with the words of the note."""
        return Judged(
            head=self.head,
            verdict=self.decision.verdict,
            summary=self.decision.summary,
            note=wording.note(self.decision, self.gate_files.origins, head=self.head, published=published),
        )


class Session:
    """What a writing verb works with. `repository` is bare: what is fetched into it is read, never checked out."""

    def __init__(
        self, *, forge: Forge, repository: Repository, token: str | None, console: Console, now: dt.datetime
    ) -> None:
        self.forge = forge
        self.repository = repository
        self.console = console
        self.now = now
        self.done: list[Action] = []
        self._token = token
        self._lines = LineReader(repository, pushes=forge.pushes, fetch=self._fetch_commit)

    @property
    def project(self) -> Project:
        """The GitLab project."""
        return self.forge.project()

    def main(self) -> GitTree:
        """Fetch the default branch: its tree holds the rules, and every compose that has been published."""
        self._fetch(f"refs/heads/{self.project.default_branch}", MAIN_REF)
        return GitTree(self.repository, MAIN_REF)

    def head(self, merge_request: MergeRequest) -> Sha:
        """Fetch a merge request's head.

        Raises:
            StaleHead: it is another by now than the merge request said.

        """
        ref = f"refs/compose-repo/merge-requests/{merge_request.iid}"
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
        gate_files = load_gate(main, self.now)
        head = self.head(merge_request)
        if merge_request.state in MERGED:
            return self._judge_merged(compose_id, main, head, gate_files)
        reading = self._lines.read(
            compose_id, merge_request.created_at, main=main.commit, head=head, gate_files=gate_files
        )
        loaded = load_compose(reading.tree, compose_id, gate_files, self.now)
        refused = {problem.path for problem in loaded.refused}
        decision = judge(
            loaded,
            gate_files=gate_files,
            merged=main,
            opened_at=reading.line.opening.at,
            now=self.now,
            problems=still_true(reading.problems, refused),
        )
        return Judgement(
            head=head,
            main=main.commit,
            decision=decision,
            gate_files=gate_files,
            counted=tuple(file for file in reading.files if file.path not in refused),
            brings=reading.brings,
        )

    def _judge_merged(self, compose_id: ComposeId, main: GitTree, head: Sha, gate_files: GateFiles) -> Judgement:
        """Decide on what main holds: only what counted has been merged."""
        opened = opened_at(self.repository, compose_id, gate_files, main.commit)
        loaded = load_compose(main, compose_id, gate_files, self.now)
        decision = judge(loaded, gate_files=gate_files, merged=main, opened_at=opened, now=self.now)
        return Judgement(head=head, main=main.commit, decision=decision, gate_files=gate_files)

    def restoration(self, merge_request: MergeRequest, judgement: Judgement) -> RestoreBranch | None:
        """Make the commit that brings a branch back to what counts, on top of main; None if its head brings just that.

        The commit is only pushed when the plan is applied. Whatever conflicts with main is gone with it.
        """
        if is_clean(judgement.counted, judgement.brings):
            return None
        commit = commit_files(
            self.repository,
            base=judgement.main,
            parents=(judgement.head, judgement.main),
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

    def show(self, compose_id: ComposeId, plan: Plan, idle: str, *, as_json: bool) -> None:
        """Print a plan; `idle` is said of one that is empty. JSON is one document: what is done already comes first."""
        if as_json:
            actions = [*self.done, *plan]
            answer = {"schema": SCHEMA, "compose_id": str(compose_id), "actions": list(map(to_dict, actions))}
            self.console.out(json_text(answer))
            return
        for action in plan:
            self.console.out(f"{self.console.paint(Paint.STRONG, '→')} {terminal(action.sentence)}")
        if not plan:
            self.console.out(idle)

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
                    case Approve() | Merge() if judged is not None:
                        self._conclude(action, judged)
                    case _:
                        self.forge.apply(action)

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

    def _conclude(self, action: Approve | Merge, judged: MergeRequest) -> None:
        self.unmoved(replace(judged, head=action.sha))
        try:
            self.forge.apply(action)
        except StaleHead:
            raise
        except ForgeError:
            self.unmoved(replace(judged, head=action.sha))
            raise


def _judged_of(merge_request: MergeRequest) -> dict[str, object]:
    """Give what of a merge request nobody may change between judging and writing."""
    return {
        "head": merge_request.head,
        "target": merge_request.target_branch,
        "title": merge_request.title,
        "state": merge_request.state,
    }


@contextmanager
def start(arguments: argparse.Namespace, console: Console) -> Iterator[Session]:
    """Begin a pass with what the environment and the command line say; its connections are closed at the end."""
    settings = environment()
    with (
        closing(connect(settings, console.trace)) as forge,
        scratch(arguments.repo, console.trace) as repository,
    ):
        yield Session(
            forge=forge, repository=repository, token=settings.token, console=console, now=arguments.now or now()
        )


def until_unmoved(attempt: Callable[[], int], console: Console) -> int:
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
