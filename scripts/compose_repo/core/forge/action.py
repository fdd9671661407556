"""What a plan is made of: each action is one write to GitLab, and says in a sentence what it will do."""

from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from msgspec import Struct
from msgspec.structs import fields

from compose_repo.core.names import Sha
from compose_repo.core.rules.hook import Hook


class CommitState(StrEnum):
    """The states of a commit status that the gate uses."""

    SUCCESS = "success"
    FAILED = "failed"
    PENDING = "pending"


class File(Struct, frozen=True, kw_only=True):
    """A file of a commit to be made; `content` is UTF-8. Only where it `replaces` one may there be one already."""

    path: str
    content: bytes
    replaces: bool = False


class CreateCommit(Struct, frozen=True, kw_only=True):
    """Create a branch at `start` with one commit that adds files, or gives some other bytes."""

    branch: str
    start: Sha
    message: str
    files: tuple[File, ...]

    @property
    def sentence(self) -> str:
        """What it will do."""
        names = " and ".join(file.path for file in self.files)
        return f"create branch {self.branch} from {self.start[:12]} with {names}"


class AddFiles(Struct, frozen=True, kw_only=True):
    """Add files to a branch by one commit on top of it; GitLab refuses if one of them is there already."""

    branch: str
    message: str
    files: tuple[File, ...]

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"add {' and '.join(file.path for file in self.files)} to {self.branch}"


class CreateBranch(Struct, frozen=True, kw_only=True):
    """Bring back a branch that somebody has deleted, at the last commit that its merge request had."""

    branch: str
    sha: Sha

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"create branch {self.branch} again at {self.sha[:12]}"


class OpenMergeRequest(Struct, frozen=True, kw_only=True):
    """Open a merge request."""

    source_branch: str
    target_branch: str
    title: str
    description: str
    labels: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"open merge request {self.title!r} from {self.source_branch} to {self.target_branch}"


class UpdateMergeRequest(Struct, frozen=True, kw_only=True):
    """Bring a merge request's words, its target and how it is merged up to date; None and empty leave a part as it is.

    `any_time` takes the date away before which it is not merged, `keep_commits` ends that its commits are squashed.
    """

    iid: int
    title: str | None = None
    target_branch: str | None = None
    description: str | None = None
    add_labels: tuple[str, ...] = ()
    remove_labels: tuple[str, ...] = ()
    any_time: bool = False
    keep_commits: bool = False

    @property
    def sentence(self) -> str:
        """What it will do."""
        parts = [
            *([f"title {self.title!r}"] if self.title is not None else []),
            *([f"target branch {self.target_branch}"] if self.target_branch is not None else []),
            *(["no date before which it is not merged"] if self.any_time else []),
            *(["no squashing of its commits"] if self.keep_commits else []),
            *(["a new description"] if self.description is not None else []),
            *[f"label {label}" for label in self.add_labels],
            *[f"no label {label}" for label in self.remove_labels],
        ]
        return f"give !{self.iid} {', '.join(parts)}"


class Unlock(Struct, frozen=True, kw_only=True):
    """Take a Git LFS lock of somebody's off a file."""

    lock_id: str
    path: str
    owner: str

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"take the lock of {self.owner or 'an account that is gone'} off {self.path}"


class StartPipeline(Struct, frozen=True, kw_only=True):
    """Start another pipeline for a merge request's head, for which our account has started `made` already."""

    iid: int
    sha: Sha
    made: int
    reason: str

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"start a new pipeline for !{self.iid} at {self.sha[:12]}: {self.reason}"


class ReopenMergeRequest(Struct, frozen=True, kw_only=True):
    """Open a closed merge request again."""

    iid: int

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"reopen !{self.iid}"


class CloseMergeRequest(Struct, frozen=True, kw_only=True):
    """Close a merge request without merging it."""

    iid: int

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"close !{self.iid}"


class SetStatus(Struct, frozen=True, kw_only=True):
    """Set the status of one name on a commit; `description` has at most 255 characters."""

    sha: Sha
    branch: str
    name: str
    state: CommitState
    description: str

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"set status {self.name} of {self.sha[:12]} to {self.state}: {self.description}"


class PutNote(Struct, frozen=True, kw_only=True):
    """Write the one note, which carries a hidden `marker`."""

    iid: int
    marker: str
    body: str

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"write a note on !{self.iid}"


class EditNote(Struct, frozen=True, kw_only=True):
    """Replace a note's text."""

    iid: int
    note_id: int
    body: str

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"edit the note on !{self.iid}"


class DeleteNote(Struct, frozen=True, kw_only=True):
    """Delete a second note, which a parallel run has written."""

    iid: int
    note_id: int

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"delete the second note {self.note_id} on !{self.iid}"


class Approve(Struct, frozen=True, kw_only=True):
    """Approve exactly this head."""

    iid: int
    sha: Sha

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"approve !{self.iid} at {self.sha[:12]}"


class Unapprove(Struct, frozen=True, kw_only=True):
    """Withdraw our approval."""

    iid: int
    reason: str

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"withdraw approval of !{self.iid}: {self.reason}"


class Merge(Struct, frozen=True, kw_only=True):
    """Merge exactly this head."""

    iid: int
    sha: Sha
    message: str

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"merge !{self.iid} at {self.sha[:12]}"


class Describe(Struct, frozen=True, kw_only=True):
    """Write a description that links to our note, which has no id before it is written: `#note_0` stands for it."""

    iid: int
    description: str

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"give !{self.iid} a new description"


class RestoreBranch(Struct, frozen=True, kw_only=True):
    """Push a commit that brings a branch back to what counts, on top of its head and of main."""

    iid: int
    branch: str
    head: Sha
    commit: Sha

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"restore what counts on {self.branch}: {self.commit[:12]} on top of {self.head[:12]}"


class CreateTag(Struct, frozen=True, kw_only=True):
    """Push an annotated tag; one that is there already is never moved."""

    tag: str
    target: Sha
    message: str

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"create tag {self.tag}"


class Promote(Struct, frozen=True, kw_only=True):
    """Call a hook once; `target` is what the tags of its records stand on.

    `told` is what the call carries, by name.
    """

    call: str
    hook: Hook
    target: Sha
    told: tuple[tuple[str, str], ...]

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"call {self.hook.name} for {self.call}"


class Change(Protocol):
    """A change that is published on the message bus."""

    @property
    def sentence(self) -> str:
        """What has changed."""
        ...


class Announce(Struct, frozen=True, kw_only=True):
    """Tell the message bus of a change, and wait until it has confirmed that."""

    change: Change

    @property
    def sentence(self) -> str:
        """What it will do."""
        return f"tell the bus that {self.change.sentence}"


ForgeAction: TypeAlias = (
    CreateCommit
    | AddFiles
    | CreateBranch
    | OpenMergeRequest
    | UpdateMergeRequest
    | Unlock
    | StartPipeline
    | ReopenMergeRequest
    | CloseMergeRequest
    | SetStatus
    | PutNote
    | EditNote
    | DeleteNote
    | Approve
    | Unapprove
    | Merge
)
"""What GitLab's API does for us."""
Action: TypeAlias = ForgeAction | Describe | RestoreBranch | CreateTag | Promote | Announce
Plan: TypeAlias = tuple[Action, ...]
Stages: TypeAlias = tuple[Plan, ...]
"""Plans to be applied one after the other; between two of them the world is read anew, and planned for anew."""


def to_dict(action: Action) -> dict[str, Any]:
    """Give an action as the JSON of a printed plan has it; files by their names and sizes only."""
    row: dict[str, Any] = {"action": type(action).__name__, "sentence": action.sentence}
    for field in fields(action):
        value = getattr(action, field.name)
        if field.name == "files":
            row["files"] = [{"path": file.path, "size": len(file.content)} for file in value]
        elif field.name == "hook":
            row["hook"] = value.name
        elif field.name == "told":
            row["told"] = dict(value)
        elif field.name == "change":
            row["change"] = value.sentence
        else:
            row[field.name] = list(value) if isinstance(value, tuple) else value
    return row
