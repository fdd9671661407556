"""Writes a plan: the only place from which anything is changed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from msgspec.structs import replace

from compose_repo.core.forge.action import (
    Action,
    Announce,
    Approve,
    CreateTag,
    Describe,
    Merge,
    Plan,
    Promote,
    RestoreBranch,
    UpdateMergeRequest,
)
from compose_repo.core.forge.forge import ForgeError, MergeRequest, StaleHead
from compose_repo.core.plan.plan import linked_to, our_notes
from compose_repo.core.problems.problem import UsageError
from compose_repo.passes.world import World
from compose_repo.ports import promoting
from compose_repo.ports.console import Console
from compose_repo.ports.git.branch import BranchMoved, push
from compose_repo.ports.git.tags import TagTaken, create_tag
from compose_repo.ports.http.post import Told
from compose_repo.ports.retry import Backoff, Retry

if TYPE_CHECKING:
    from compose_repo.core.bus.announcement import DecisionChanged

UNTIL_HEAD_SHOWS: Final = Backoff(first=1, longest=1, tries=60)
"""How to wait for GitLab to see our commit as the head of its merge request."""


class Writer:
    """Writes as one account. `applied` is what it has done so far, `told` what hooks have said, by the call's name."""

    def __init__(self, world: World, console: Console) -> None:
        self.applied: list[Action] = []
        self._told: dict[str, Told] = {}
        self._world = world
        self._console = console

    @property
    def told(self) -> Mapping[str, Told]:
        """What came of each call of a hook."""
        return self._told

    def apply(self, plan: Plan, judged: MergeRequest | None = None) -> None:
        """Write a plan, one action after the other; look at `judged` before, and right before it is approved or merged.

        What publishes, or may lead to it, is done by the rules that main has at that moment. GitLab itself compares the
        head, but not the target. What it refuses because of what somebody has done in
        between is no error: it is read and planned anew.

        Raises:
            StaleHead: the merge request is not as it was judged any more.
            ForgeError: GitLab refuses, and it is.

        """
        if plan and judged is not None:
            self._world.require_unmoved(judged)
            if any(isinstance(action, Merge | Promote) for action in plan):
                self._world.require_same_rules()
        for action in plan:
            with self._console.progress(action.sentence):
                match action:
                    case Describe():
                        self._describe(action)
                    case RestoreBranch():
                        self._restore(action)
                    case CreateTag():
                        self._create_tag(action)
                    case Promote():
                        self._told[action.call] = self._call(action)
                    case Announce():
                        self._announce(action)
                    case Approve() | Merge() if judged is not None:
                        self._conclude(action, judged)
                    case _:
                        self._world.forge.apply(action)
            self.applied.append(action)

    def _describe(self, action: Describe) -> None:
        """Write a description with a link to our note, which was written just before.

        Raises:
            StaleHead: the note is not there.

        """
        forge = self._world.forge
        ours = our_notes(forge.notes(action.iid), forge.me())
        if not ours:
            raise StaleHead(f"the note on !{action.iid} is not there")
        description = linked_to(ours[0].id, action.description)
        forge.apply(UpdateMergeRequest(iid=action.iid, description=description))

    def _call(self, action: Promote) -> Told:
        """Call a hook, unless the rules have changed since the call was claimed; whatever comes is its outcome."""
        try:
            self._world.require_same_rules()
        except UsageError as error:
            return Told(done=False, said=f"it was not called: {error}")
        return promoting.call(action, self._console.clock)

    def _restore(self, action: RestoreBranch) -> None:
        """Push, and wait until GitLab has seen it: it looks at a push a moment later.

        Raises:
            StaleHead: somebody has pushed meanwhile, or GitLab does not see the push.

        """
        world = self._world
        try:
            push(world.repository, world.project.remote, action.commit, action.branch, token=world.token)
        except BranchMoved as moved:
            raise StaleHead(str(moved)) from moved
        retry = Retry(UNTIL_HEAD_SHOWS, self._console.clock)
        while world.forge.merge_request(action.iid).head != action.commit:
            if not retry.again():
                raise StaleHead(f"GitLab does not yet see {action.commit[:12]} as the head of !{action.iid}")

    def _create_tag(self, action: CreateTag) -> None:
        """Make a tag that is not there.

        Raises:
            StaleHead: somebody else has made it meanwhile.

        """
        world = self._world
        try:
            create_tag(
                world.repository,
                world.project.remote,
                tag=action.tag,
                target=action.target,
                message=action.message,
                author=world.forge.me().username,
                at=int(world.now.timestamp()),
                token=world.token,
            )
        except TagTaken as taken:
            raise StaleHead(str(taken)) from taken

    def _announce(self, action: Announce) -> None:
        """Tell the message bus.

        Raises:
            PublishError: the broker has not confirmed it.

        """
        from compose_repo.ports.bus.consumer import announce  # noqa: PLC0415  # only `listen` has the extra `bus`

        announce(cast("DecisionChanged", action.change))

    def _conclude(self, action: Approve | Merge, judged: MergeRequest) -> None:
        at_its_head = replace(judged, head=action.sha)
        self._world.require_unmoved(at_its_head)
        if isinstance(action, Merge):
            self._world.require_same_rules()
        try:
            self._world.forge.apply(action)
        except StaleHead:
            raise
        except ForgeError:
            self._world.require_unmoved(at_its_head)
            raise
