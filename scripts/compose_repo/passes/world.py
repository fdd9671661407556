"""What a pass reads of GitLab and of git: each thing once, until it is read anew. Nothing is written here."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.bots import Bot, not_the_bot
from compose_repo.core.forge.forge import Forge, MergeRequest, Project, StaleHead
from compose_repo.core.forge.merge_requests import compose_of, open_of
from compose_repo.core.names import Sha
from compose_repo.core.streams.promotion import below
from compose_repo.ports.console import Console
from compose_repo.ports.git.objects import GitTree
from compose_repo.ports.git.repository import GitError, Repository
from compose_repo.reading.bots import read_bots
from compose_repo.reading.line import PushLog, since_of
from compose_repo.reading.loading import GateFiles, load_gate

MAIN_REF: Final = "refs/compose-repo/main"
NEWER_MAIN_REF: Final = "refs/compose-repo/main-now"
"""Main as it is right before something is published; what was judged by stays in its own ref."""
GATE: Final = "gate"


@dataclass(kw_only=True, slots=True)
class _View:
    """What has been read and need not be read again until `World.anew`.

    `opened` are all open merge requests, `branches` the branches that they come from and `promotions` the records of
    their promotion, where all were read at once. `now` stays what it is for as long as the world lasts.
    """

    main: GitTree | None = None
    gate_files: GateFiles | None = None
    opened: Sequence[MergeRequest] | None = None
    branches: frozenset[str] = frozenset()
    promotions: frozenset[str] = frozenset()
    now: dt.datetime | None = None


class World:
    """A project as one account sees it. `repository` is bare: what is fetched into it is read, never checked out.

    `variable` is the name of the environment variable that holds the account's token.
    """

    def __init__(  # noqa: PLR0913  # what a verb is told
        self,
        *,
        forge: Forge,
        repository: Repository,
        token: str | None,
        console: Console,
        now: dt.datetime | None = None,
        variable: str = "COMPOSE_REPO_TOKEN",
    ) -> None:
        self.forge = forge
        self.repository = repository
        self.token = token
        self.pushes = PushLog(lambda since: forge.pushes(None, since))
        self._console = console
        self._asked_now = now
        self._variable = variable
        self._view = _View()

    def seen_by(self, forge: Forge, token: str | None, *, variable: str) -> "World":
        """The same world, of which what has been read need not be read again, as another account sees it."""
        other = World(
            forge=forge,
            repository=self.repository,
            token=token,
            console=self._console,
            now=self._asked_now,
            variable=variable,
        )
        other._view = self._view
        return other

    @property
    def now(self) -> dt.datetime:
        """The time by which is judged: the one that was asked for, else GitLab's.

        It is GitLab that says when a merge request was opened; a clock of ours that is wrong must move no deadline.
        """
        if self._view.now is None:
            self._view.now = self._asked_now or self.forge.told_time() or self._console.clock.now()
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
        with self._console.progress(f"fetching {len(heads)} heads"):
            composes = {compose_id for line in opened if (compose_id := compose_of(line)) is not None}
            records = sorted(below(compose_id) for compose_id in composes)
            names = sorted({main, *heads.values(), *branches})
            there = self.repository.remote_refs(self.project.remote, names, below=records, token=self.token)
            refspecs = [f"+{ref}:{_head_ref(iid)}" for iid, ref in heads.items() if ref in there]
            self.repository.fetch(self.project.remote, [f"+{main}:{MAIN_REF}", *refspecs], token=self.token)
        self._view.main = GitTree(self.repository, MAIN_REF)
        self._view.opened = listed
        self._view.branches = frozenset(ref.removeprefix("refs/heads/") for ref in branches & there.keys())
        self._view.promotions = frozenset(ref for ref in there if ref.startswith(tuple(records)))
        self.pushes.expect(since_of(opened))

    @property
    def promotions(self) -> frozenset[str]:
        """The refs that record what of the open composes was promoted, as `look` found them."""
        return self._view.promotions

    def main(self) -> GitTree:
        """The default branch as it was fetched: the rules, and every compose that has been published."""
        if self._view.main is None:
            self._fetch(f"refs/heads/{self.project.default_branch}", MAIN_REF)
            self._view.main = GitTree(self.repository, MAIN_REF)
        return self._view.main

    def gate_files(self) -> GateFiles:
        """The rules on main.

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
        """What could be taken for a compose's merge request: all from its branch, and open ones with its name.

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
        """Every open merge request."""
        return self.forge.open_merge_requests() if self._view.opened is None else self._view.opened

    def branch_is_there(self, branch: str) -> bool:
        """Tell whether there is a branch."""
        return branch in self._view.branches or self.forge.branch_head(branch) is not None

    def head(self, merge_request: MergeRequest) -> Sha:
        """Fetch a merge request's head.

        GitLab removes the ref two weeks after a merge request was closed or merged, and keeps the commit: then the one
        that the merge request names is fetched.

        Raises:
            StaleHead: it is another by now than the merge request said.
            GitError: the commit is gone, or the server cannot be reached or refuses.

        """
        ref = _head_ref(merge_request.iid)
        fetched = self.repository.find(ref)
        if fetched is None or fetched != merge_request.head:
            source = f"refs/merge-requests/{merge_request.iid}/head"
            try:
                self._fetch(source, ref)
            except GitError:
                if merge_request.head is None or self._is_at_the_project(source):
                    raise
                self._fetch(merge_request.head, ref)
            fetched = self.repository.commit(ref)
        if fetched != merge_request.head:
            raise StaleHead(f"the head of !{merge_request.iid} has changed meanwhile")
        return fetched

    def _is_at_the_project(self, ref: str) -> bool:
        return ref in self.repository.remote_refs(self.project.remote, [ref], token=self.token)

    def fetch_commit(self, sha: Sha) -> None:
        """Fetch a commit by its name, wherever it stands."""
        self._fetch(sha, f"refs/compose-repo/commits/{sha}")

    def require_unmoved(self, merge_request: MergeRequest) -> None:
        """Look once more, right before something is written on what was read.

        Raises:
            StaleHead: by now its head is another, or it is closed, retargeted, held up, or renamed, perhaps to a draft.

        """
        seen, now = map(_judged_of, (merge_request, self.forge.merge_request(merge_request.iid)))
        if seen != now:
            what = next(name for name in seen if seen[name] != now[name])
            raise StaleHead(f"the {what} of !{merge_request.iid} has changed meanwhile")

    def require_same_rules(self) -> None:
        """Look at main once more, right before something is published: a hold may have come, or a waiver gone.

        Raises:
            StaleHead: gate/ is another by now than what was judged by.

        """
        judged_by, ref = self.main(), f"refs/heads/{self.project.default_branch}"
        there = self.repository.remote_refs(self.project.remote, [ref], token=self.token)
        if there.get(ref) == judged_by.commit:
            return
        self._fetch(ref, NEWER_MAIN_REF)
        if GitTree(self.repository, NEWER_MAIN_REF).folder_id(GATE) != judged_by.folder_id(GATE):
            raise StaleHead("the rules on main have changed meanwhile")

    def _fetch(self, source: str, destination: str) -> None:
        with self._console.progress(f"fetching {source}"):
            self.repository.fetch(self.project.remote, [f"+{source}:{destination}"], token=self.token)


def _head_ref(iid: int) -> str:
    return f"refs/compose-repo/merge-requests/{iid}"


def _judged_of(merge_request: MergeRequest) -> dict[str, object]:
    """What of a merge request nobody may change between judging and writing."""
    return {
        "head": merge_request.head,
        "target": merge_request.target_branch,
        "title": merge_request.title,
        "state": merge_request.state,
        "date of merging": merge_request.merge_after,
        "squashing": merge_request.squash,
    }
