"""From what is and what should be to what must be written. A plan that has been applied is followed by an empty one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from compose_repo.core.action import (
    Action,
    Approve,
    CloseMergeRequest,
    CommitState,
    CreateCommit,
    DeleteNote,
    EditNote,
    File,
    Merge,
    OpenMergeRequest,
    Plan,
    PutNote,
    ReopenMergeRequest,
    RestoreBranch,
    SetStatus,
    Unapprove,
    UpdateMergeRequest,
)
from compose_repo.core.compose import ComposeId, ComposeIdError
from compose_repo.core.decision import Verdict
from compose_repo.core.escape import terminal
from compose_repo.core.forge import CommitStatus, MergeRequest, MergeRequestState, Note, User
from compose_repo.core.names import Sha
from compose_repo.core.policy import Mode
from compose_repo.core.problem import InputError, Problem, UsageError

STATUS_NAME: Final = "compose-gate"
STATUS_LENGTH: Final = 255
"""Most characters of a commit status' description (GitLab's limit)."""
MARKER: Final = "<!-- compose-repo: gate -->"
"""Hidden in the one note of ours."""
SUPERSEDED_MARKER: Final = "<!-- compose-repo: superseded -->"
PUBLISHED: Final = "compose::published"
SUPERSEDED: Final = "compose::superseded"

_STATES: Final = {
    Verdict.SATISFIED: CommitState.SUCCESS,
    Verdict.PENDING: CommitState.PENDING,
    Verdict.BLOCKED: CommitState.FAILED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """A compose's branch as it is: its head, and the manifest on it."""

    head: Sha
    manifest: bytes | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """What the gate said of a merge request's head, and the words for it."""

    head: Sha
    verdict: Verdict
    summary: str
    note: str


def stream_label(compose_id: ComposeId) -> str:
    """Give the label of a compose's stream."""
    return f"stream::{compose_id.stream}"


def gate_label(verdict: Verdict) -> str:
    """Give the label of a verdict."""
    return f"gate::{verdict}"


def manifest_path(compose_id: ComposeId) -> str:
    """Give where a compose's manifest belongs."""
    return f"{compose_id.folder}/manifest.json"


def compose_of(merge_request: MergeRequest) -> ComposeId | None:
    """Give the compose that a merge request is about, by its branch; None if it is about something else."""
    prefix, _, rest = merge_request.source_branch.partition("/")
    if prefix != "compose":
        return None
    try:
        return ComposeId.parse(rest)
    except ComposeIdError:
        return None


def current(merge_requests: Iterable[MergeRequest], target_branch: str) -> MergeRequest | None:
    """Choose the merge request that counts among those of one branch: the merged one, else the open, else the newest.

    Two cannot be open at once between the same branches.
    """
    order = [MergeRequestState.MERGED, MergeRequestState.LOCKED, MergeRequestState.OPENED, MergeRequestState.CLOSED]
    ours = [line for line in merge_requests if line.target_branch == target_branch]
    return min(ours, key=lambda line: (order.index(line.state), -line.iid), default=None)


def plan_open(  # noqa: PLR0913  # what is, and what should be
    compose_id: ComposeId,
    *,
    files: Sequence[File],
    description: str,
    commit_message: str,
    target_branch: str,
    target_head: Sha,
    merged: bytes | None,
    branch: Branch | None,
    merge_request: MergeRequest | None,
) -> Plan:
    """Create what is missing of branch, commit and merge request; bring an open merge request's words up to date.

    `merged` is the manifest on the target branch. A compose that is merged there needs nothing. A merge request that
    somebody has closed stays closed. A manifest that is there already is never overwritten.

    Raises:
        InputError: the compose's manifest stands there with other bytes.

    """
    manifest = next(file.content for file in files if file.path == manifest_path(compose_id))
    if merged is not None:
        _same_manifest(compose_id, merged, manifest, target_branch)
        return ()
    if branch is not None:
        _same_manifest(compose_id, branch.manifest, manifest, compose_id.branch)
    if merge_request is not None and merge_request.state is not MergeRequestState.OPENED:
        return ()
    label = stream_label(compose_id)
    if merge_request is not None:
        return _update(merge_request, title=str(compose_id), description=description, labels=(label,))
    actions: list[Action] = []
    if branch is None:
        commit = CreateCommit(branch=compose_id.branch, start=target_head, message=commit_message, files=tuple(files))
        actions.append(commit)
    opened = OpenMergeRequest(
        source_branch=compose_id.branch,
        target_branch=target_branch,
        title=str(compose_id),
        description=description,
        labels=(label,),
    )
    return (*actions, opened)


def plan_approve(  # noqa: PLR0913  # what is, and what should be
    compose_id: ComposeId,
    *,
    merge_request: MergeRequest,
    judged: Judged,
    me: User,
    approved_by: frozenset[int],
    statuses: Sequence[CommitStatus],
    notes: Sequence[Note],
) -> Plan:
    """Mirror a verdict: status, labels, note and approval, for exactly the head that was judged.

    Fails closed: an approval that does not hold any more is withdrawn before anything else, a new one is given after
    everything else. That our approval was given for this very head is known by our status on it, which is set between
    the two. Nothing is written on a merge request that is not open.

    Raises:
        UsageError: the approver is the merge request's author, whom GitLab does not let approve.

    """
    if merge_request.state is not MergeRequestState.OPENED:
        return ()
    satisfied = judged.verdict is Verdict.SATISFIED
    if satisfied and me.id == merge_request.author.id:
        raise UsageError(
            f"{me.username} opened !{merge_request.iid} and may not approve it; "
            "use the token of another account for approving"
        )
    status = next((line for line in statuses if line.author_id == me.id and line.name == STATUS_NAME), None)
    approved = me.id in approved_by
    holds = satisfied and status is not None and status.state is CommitState.SUCCESS
    actions: list[Action] = []
    if approved and not holds:
        reason = f"given for another head than {judged.head[:12]}" if satisfied else f"the gate is {judged.verdict}"
        actions.append(Unapprove(iid=merge_request.iid, reason=reason))
    actions.extend(_status(merge_request, judged, status))
    actions.extend(_update(merge_request, labels=(stream_label(compose_id), gate_label(judged.verdict))))
    actions.extend(_note(merge_request, notes, me, judged.note))
    if satisfied and not (approved and holds):
        actions.append(Approve(iid=merge_request.iid, sha=judged.head))
    return tuple(actions)


def plan_withdraw(merge_request: MergeRequest, *, me: User, approved_by: frozenset[int], reason: str) -> Plan:
    """Withdraw our approval of what cannot be judged any more: an approval outlives a push, but not this."""
    if merge_request.state is not MergeRequestState.OPENED or me.id not in approved_by:
        return ()
    return (Unapprove(iid=merge_request.iid, reason=reason),)


def plan_merge(  # noqa: PLR0913  # what is, and what should be
    compose_id: ComposeId,
    *,
    merge_request: MergeRequest,
    judged: Judged,
    me: User,
    notes: Sequence[Note],
    mode: Mode,
    commit_message: str,
    restore: RestoreBranch | None = None,
) -> Plan:
    """Merge a published compose at exactly the head that was judged, or at the commit that restores it first.

    Where merging follows publishing it is merged whatever the gate says: the mirrors already carry it, and label and
    note tell. Where merging leads to publishing, only a satisfied gate lets it through. A closed one is opened again:
    the mirrors may go back to a compose that was superseded.

    Raises:
        UsageError: the stream's mode is gating, and the gate is not satisfied.

    """
    if merge_request.state in {MergeRequestState.MERGED, MergeRequestState.LOCKED}:
        return ()
    if mode is Mode.GATING and judged.verdict is not Verdict.SATISFIED:
        raise UsageError(
            f"{compose_id} is {judged.verdict} and {compose_id.stream} is gated: {judged.summary}; "
            "mend it, or waive it in gate/waivers.toml"
        )
    reopen = merge_request.state is MergeRequestState.CLOSED
    return (
        *([ReopenMergeRequest(iid=merge_request.iid)] if reopen else []),
        *_update(merge_request, labels=(stream_label(compose_id), gate_label(judged.verdict), PUBLISHED)),
        *_note(merge_request, notes, me, judged.note),
        *(() if restore is None else (restore,)),
        Merge(iid=merge_request.iid, sha=judged.head if restore is None else restore.commit, message=commit_message),
    )


def superseded_by(compose_id: ComposeId, merge_requests: Iterable[MergeRequest]) -> tuple[MergeRequest, ...]:
    """Choose the open merge requests of older composes of the same stream, oldest first; newer ones are not touched."""
    older = [
        (other, line)
        for line in merge_requests
        if line.state is MergeRequestState.OPENED
        and (other := compose_of(line)) is not None
        and other.stream == compose_id.stream
        and other < compose_id
    ]
    return tuple(line for _, line in sorted(older, key=lambda pair: pair[0]))


def plan_supersede(merge_request: MergeRequest, *, me: User, notes: Sequence[Note], words: str) -> Plan:
    """Close a merge request that a published compose has overtaken: label and note first, then the closing.

    What our note has said of it so far is kept below.
    """
    ours = _our_notes(notes, me)
    before = ours[0].body if ours else ""
    text = before if SUPERSEDED_MARKER in before else f"{SUPERSEDED_MARKER}\n{words}\n\n{before or MARKER}"
    return (
        *_update(merge_request, labels=(SUPERSEDED,)),
        *_note(merge_request, notes, me, text),
        CloseMergeRequest(iid=merge_request.iid),
    )


def _same_manifest(compose_id: ComposeId, there: bytes | None, made: bytes, where: str) -> None:
    if there == made:
        return
    what = "has no manifest" if there is None else "has another manifest than the compose"
    raise InputError(
        Problem(
            path=manifest_path(compose_id),
            code="manifest-differs",
            message=f"branch {where} {what}",
            fix="a manifest is written once; find out who changed the compose or the branch, "
            "and delete the branch only if nobody has reported on it",
        )
    )


def _update(
    merge_request: MergeRequest, *, labels: Sequence[str], title: str | None = None, description: str | None = None
) -> Plan:
    """Change only what differs. A label's siblings go in the same call: GitLab sees to that only in paid tiers."""
    scopes = tuple(f"{label.partition('::')[0]}::" for label in labels)
    update = UpdateMergeRequest(
        iid=merge_request.iid,
        title=None if title == merge_request.title else title,
        description=None if (description or "").strip() == merge_request.description.strip() else description,
        add_labels=tuple(label for label in labels if label not in merge_request.labels),
        remove_labels=tuple(
            label for label in sorted(merge_request.labels) if label.startswith(scopes) and label not in labels
        ),
    )
    return () if update == UpdateMergeRequest(iid=merge_request.iid) else (update,)


def _status(merge_request: MergeRequest, judged: Judged, status: CommitStatus | None) -> Plan:
    """Set our status where its state changes; GitLab refuses to set the state that a commit is in already."""
    state = _STATES[judged.verdict]
    if status is not None and status.state is state:
        return ()
    summary = terminal(judged.summary)
    description = summary[: STATUS_LENGTH - 1] + "…" if len(summary) > STATUS_LENGTH else summary
    return (
        SetStatus(
            sha=judged.head,
            branch=merge_request.source_branch,
            name=STATUS_NAME,
            state=state,
            description=description,
        ),
    )


def _note(merge_request: MergeRequest, notes: Sequence[Note], me: User, body: str) -> Plan:
    """Write our note, or edit the oldest of ours and delete the others, which runs side by side have written."""
    ours = _our_notes(notes, me)
    if not ours:
        return (PutNote(iid=merge_request.iid, marker=MARKER, body=body),)
    first, *others = ours
    edit = [] if first.body.strip() == body.strip() else [EditNote(iid=merge_request.iid, note_id=first.id, body=body)]
    return (*edit, *(DeleteNote(iid=merge_request.iid, note_id=note.id) for note in others))


def _our_notes(notes: Sequence[Note], me: User) -> list[Note]:
    """Recognise our notes by author and marker: anybody can write the marker."""
    return sorted(note for note in notes if note.author_id == me.id and MARKER in note.body)
