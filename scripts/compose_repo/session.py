"""One pass of a writing verb: GitLab and a local repository, what is judged, what is printed and applied."""

import argparse
import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final

from compose_repo import wording
from compose_repo.cli import moment
from compose_repo.console import Console, Paint
from compose_repo.core.action import Plan, to_dict
from compose_repo.core.compose import ComposeId, ComposeIdError
from compose_repo.core.decision import Decision
from compose_repo.core.forge import Forge, MergeRequest, Project, StaleHead
from compose_repo.core.names import Sha
from compose_repo.core.plan import Judged, current, manifest_path
from compose_repo.core.problem import InputError, Problem, UsageError
from compose_repo.ports.environment import environment, now
from compose_repo.ports.git import GitTree, Repository
from compose_repo.ports.gitlab.forge import connect
from compose_repo.ports.judging import judge, opened_at
from compose_repo.ports.loading import GateFiles, load_gate

SCHEMA: Final = "plan/1"
ATTEMPTS: Final = 4
"""How often a pass starts over because somebody has pushed meanwhile."""
MAIN_REF: Final = "refs/compose-repo/main"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """A decision on one head of a merge request, by the rules of one commit of main."""

    head: Sha
    main: Sha
    decision: Decision
    gate_files: GateFiles

    def judged(self, *, published: bool) -> Judged:
        """Give what a plan needs of it, with the words of the note."""
        return Judged(
            head=self.head,
            verdict=self.decision.verdict,
            summary=self.decision.summary,
            note=wording.note(self.decision, self.gate_files.origins, head=self.head, published=published),
        )


class Session:
    """What a writing verb works with. `repository` gets objects and private refs, and is never checked out."""

    def __init__(
        self, *, forge: Forge, repository: Repository, token: str | None, console: Console, now: dt.datetime
    ) -> None:
        self.forge = forge
        self.repository = repository
        self.console = console
        self.now = now
        self._token = token

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

    def merge_request(self, compose_id: ComposeId) -> MergeRequest:
        """Find the merge request of a compose.

        Raises:
            UsageError: it has none.

        """
        found = current(self.forge.merge_requests(source_branch=compose_id.branch), self.project.default_branch)
        if found is None:
            raise UsageError(f"{compose_id} has no merge request in {self.project.path}; open it: compose-repo open")
        return found

    def judge(self, compose_id: ComposeId, merge_request: MergeRequest) -> Judgement:
        """Decide on a merge request's head: rules from main, the manifest and the results from the head.

        Raises:
            StaleHead: somebody pushes meanwhile.
            InputError: the rules or the manifest have problems, or the manifest is not the one that was opened.

        """
        main = self.main()
        head = GitTree(self.repository, self.head(merge_request))
        if not self._has_its_first_manifest(compose_id, main, head):
            raise InputError(
                Problem(
                    path=manifest_path(compose_id),
                    code="manifest-changed",
                    message=f"the branch {compose_id.branch} changes the manifest that it was opened with",
                    fix="a manifest is written once: close the merge request, delete its branch, open it again",
                )
            )
        gate_files = load_gate(main, self.now)
        decision = judge(
            compose_id,
            gate_files=gate_files,
            branch=head,
            merged=main,
            opened_at=opened_at(self.repository, compose_id, gate_files, head.commit),
            now=self.now,
        )
        return Judgement(head=head.commit, main=main.commit, decision=decision, gate_files=gate_files)

    def _has_its_first_manifest(self, compose_id: ComposeId, main: GitTree, head: GitTree) -> bool:
        """Tell whether one commit alone has written the manifest, and the head still has it so.

        Commits that merge are compared by what they come to: merging main changes no manifest, but a merge can.
        """
        path = manifest_path(compose_id)
        wrote = self.repository.commits_touching(path, main.commit, head.commit)
        if len(wrote) > 1:
            return False
        return all(GitTree(self.repository, commit).read(path) == head.read(path) for commit in wrote)

    def unmoved(self, merge_request: MergeRequest) -> None:
        """Look once more before anything is written.

        Raises:
            StaleHead: the head is another by now.

        """
        if self.forge.merge_request(merge_request.iid).head != merge_request.head:
            raise StaleHead(f"the head of !{merge_request.iid} is moving; run again")

    def show(self, compose_id: ComposeId, plan: Plan, idle: str, *, as_json: bool) -> None:
        """Print a plan; `idle` is said of one that is empty."""
        if as_json:
            answer = {"schema": SCHEMA, "compose_id": str(compose_id), "actions": list(map(to_dict, plan))}
            self.console.out(json.dumps(answer, ensure_ascii=False, indent=2))
            return
        for action in plan:
            self.console.out(f"{self.console.paint(Paint.STRONG, '→')} {action.sentence}")
        if not plan:
            self.console.out(idle)

    def apply(self, plan: Plan) -> None:
        """Write a plan, one action after the other."""
        for action in plan:
            with self.console.progress(action.sentence):
                self.forge.apply(action)


@contextmanager
def start(arguments: argparse.Namespace, console: Console) -> Iterator[Session]:
    """Begin a pass with what the environment and the command line say; its connections are closed at the end."""
    settings = environment()
    repository = Repository(arguments.repo, console.trace)
    with closing(connect(settings, console.trace)) as forge:
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
