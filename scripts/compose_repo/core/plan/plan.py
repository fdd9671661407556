"""From what is and what should be to what must be written. A plan that has been applied is followed by an empty one."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from compose_repo.core.bus.announcement import announced_in, marked
from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.escape import terminal
from compose_repo.core.forge.action import (
    Action,
    AddFiles,
    Approve,
    CloseMergeRequest,
    CommitState,
    CreateBranch,
    CreateCommit,
    DeleteNote,
    Describe,
    EditNote,
    File,
    Merge,
    OpenMergeRequest,
    Plan,
    PutNote,
    ReopenMergeRequest,
    RestoreBranch,
    SetStatus,
    Stages,
    Unapprove,
    Unlock,
    UpdateMergeRequest,
)
from compose_repo.core.forge.bots import Bot, not_the_bot
from compose_repo.core.forge.forge import CommitStatus, FileLock, MergeRequest, MergeRequestState, Note, Thread, User
from compose_repo.core.forge.merge_requests import MERGED
from compose_repo.core.names import Sha
from compose_repo.core.plan.labels import USUAL, Labels
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem, UsageError
from compose_repo.core.rules.policy import Bots, Mode
from compose_repo.core.verdict.decision import Hold, Verdict

STATUS_NAME: Final = "compose-gate"
STATUS_LENGTH: Final = 255
"""Most characters of a commit status' description (GitLab's limit)."""
MARKER: Final = "<!-- compose-repo: gate -->"
"""Hidden in the gate bot's one note."""
SUPERSEDED_MARKER: Final = "<!-- compose-repo: superseded -->"
VERDICT_MARKER: Final = "<!-- compose-repo: verdict -->"
"""Hidden at the end of the first line of a merge request's description, which gives the verdict."""
DUPLICATE_MARKER: Final = "<!-- compose-repo: duplicate -->"
"""Hidden in the note on a merge request that is closed as a duplicate."""

NOTE_TO_COME: Final = 0
"""Stands in links for the id of our note while there is none."""

_APPROVAL: Final = "approv"
"""In whatever GitLab tells below a merge request of approvals: given, withdrawn, reset."""
_DESCRIBED: Final = ("changed the description", "marked the checklist item", "marked the task")
"""How GitLab begins what it tells below a merge request of a new description."""
_APPROVED: Final = "approved this merge request"
_WITHDRAWN: Final = "unapproved this merge request"

_STATES: Final = {
    Verdict.SATISFIED: CommitState.SUCCESS,
    Verdict.PENDING: CommitState.PENDING,
    Verdict.BLOCKED: CommitState.FAILED,
}


class Branch(Struct, frozen=True, kw_only=True):
    """A compose's branch as it is: its head, the manifest on it, and who has created it, where GitLab says so."""

    head: Sha
    manifest: bytes | None
    opener: User | None


class Duplicate(Struct, frozen=True, kw_only=True):
    """A merge request from a compose's branch that is not the compose's: the notes on it, and the words to close it."""

    merge_request: MergeRequest
    notes: Sequence[Note]
    words: str


class Judged(Struct, frozen=True, kw_only=True):
    """What the gate said of a merge request's head, and the words for it.

    `told_of` is the commit that carries our status: the head, or what stands below restoring commits of ours. `held` is
    the hold on it; it `bars` approval where merging leads to publishing.
    """

    head: Sha
    told_of: Sha
    verdict: Verdict
    summary: str
    note: str
    held: Hold | None = None
    bars: bool = False

    @property
    def is_let_through(self) -> bool:
        """Whether it is to be approved."""
        return self.verdict is Verdict.SATISFIED and not self.bars

    @property
    def told(self) -> str:
        """What the commit status says of it, before it is cut: a hold first."""
        return (
            self.summary if self.held is None else f"held until {self.held.until}: {self.held.reason}; {self.summary}"
        )


def restored(merge_request: MergeRequest, compose_id: ComposeId, target_branch: str) -> MergeRequest:
    """The merge request as it is once `plan_restore` has been applied."""
    return replace(
        merge_request,
        state=MergeRequestState.OPENED,
        title=str(compose_id),
        target_branch=target_branch,
        merge_after=None,
        squash=False,
        is_locked=False,
    )


def plan_restore(  # noqa: PLR0913  # what is, and what should be
    compose_id: ComposeId,
    *,
    merge_request: MergeRequest,
    duplicates: Sequence[Duplicate],
    target_branch: str,
    branch_is_there: bool,
    me: User,
    locks: Sequence[FileLock] = (),
) -> Stages:
    """Undo what anybody may do to a compose's merge request: before anything of it is judged or written.

    Its title is the compose id again (which ends being a draft, too), its target the default branch; no date holds it
    up, and its commits are not squashed; `locks` on files are taken off; closed it is
    opened again; others from its branch are closed, before that: GitLab refuses two open ones between the same
    branches. A branch that has been deleted comes back at the last head: GitLab closes merge requests whose branch
    goes, keeps their commits, and opens none again without a branch. What is merged is left alone; whether a closed
    one is to stay closed is asked before (`why_it_stays_closed`).

    Raises:
        UsageError: the branch is gone, and GitLab does not say at which commit it was.

    """
    if merge_request.state in MERGED:
        return ()
    if not branch_is_there and merge_request.head is None:
        raise UsageError(
            f"branch {compose_id.branch} of !{merge_request.iid} is gone, and its last commit is not known; "
            "an Owner deletes the merge request, then open the compose again: compose-repo open"
        )
    again = [] if branch_is_there or merge_request.head is None else [merge_request.head]
    reopen = merge_request.state is MergeRequestState.CLOSED
    then = (
        *(CreateBranch(branch=compose_id.branch, sha=head) for head in again),
        *_update(merge_request, title=str(compose_id), target_branch=target_branch, as_it_is=True),
        *(Unlock(lock_id=lock.id, path=lock.path, owner=lock.owner) for lock in locks),
        *([ReopenMergeRequest(iid=merge_request.iid)] if reopen else []),
    )
    return plan_close_duplicates(duplicates, me=me, then=then)


def plan_close_duplicates(duplicates: Sequence[Duplicate], *, me: User, then: Plan = ()) -> Stages:
    """Close what stands beside a compose's merge request, then do what could not be done beside it.

    One note of ours says why, however often it is opened. Notes come first, in a stage of their own: what is closed
    afterwards is read again before that.
    """
    notes = tuple(
        PutNote(iid=one.merge_request.iid, marker=DUPLICATE_MARKER, body=f"{DUPLICATE_MARKER}\n{one.words}")
        for one in duplicates
        if not any(note.author_id == me.id and DUPLICATE_MARKER in note.body for note in one.notes)
    )
    closing = (action for one in duplicates for action in _close(one.merge_request.iid, one.notes, me))
    return stages(notes, (*closing, *then))


def stages(*plans: Plan) -> Stages:
    """The plans that hold anything."""
    return tuple(plan for plan in plans if plan)


def _close(iid: int, notes: Sequence[Note], me: User) -> Plan:
    return (*plan_second_notes(iid, notes, me), CloseMergeRequest(iid=iid))


def plan_second_notes(iid: int, notes: Sequence[Note], me: User) -> Plan:
    """Delete what runs side by side have both written below a merge request that nobody looks at once it is closed."""
    ours = sorted(note for note in notes if note.author_id == me.id)
    said = [[note for note in ours if marker in note.body] for marker in (MARKER, DUPLICATE_MARKER)]
    return tuple(DeleteNote(iid=iid, note_id=note.id) for same in said for note in same[1:])


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
    duplicates: Sequence[Duplicate] = (),
    lost: MergeRequest | None = None,
    me: User,
    bots: Bots,
    names: Labels,
) -> Stages:
    """Create what is missing of branch, commit and merge request; bring an open merge request's words up to date.

    `merged` is the manifest on the target branch. A compose that is merged there needs nothing. A merge request that
    somebody has closed stays closed here: whether it is opened again is for approving to say. A manifest that is there
    already is never overwritten, and nothing is built upon a branch that somebody else has created. Without a merge
    request of the compose bot's, those of others from the branch are closed: GitLab would refuse ours beside them. One
    that was `lost`, merged elsewhere, leaves its commits: a branch that has gone with it comes back as it was.

    Raises:
        UsageError: the token is not the compose bot's, whose merge requests alone count.
        InputError: the compose's manifest stands there with other bytes, or the branch is not the compose bot's.

    """
    refusal = not_the_bot(me, Bot.COMPOSE, bots)
    if refusal is not None:
        raise refusal
    manifest = next(file.content for file in files if file.path == compose_id.manifest_path)
    if merged is not None:
        _same_manifest(compose_id, merged, manifest, target_branch)
        return ()
    if branch is not None:
        if merge_request is None:
            _of_our_bots(compose_id, branch, bots)
        _same_manifest(compose_id, branch.manifest, manifest, compose_id.branch)
    if merge_request is not None and merge_request.state is not MergeRequestState.OPENED:
        return ()
    label = names.of_stream(compose_id.stream)
    if merge_request is not None:
        update = _update(
            merge_request,
            title=str(compose_id),
            target_branch=target_branch,
            description=description,
            labels=(label,),
            names=names,
            as_it_is=True,
        )
        return stages(update)
    actions: list[Action] = []
    if branch is None and lost is not None and lost.head is not None:
        actions.append(CreateBranch(branch=compose_id.branch, sha=lost.head))
    elif branch is None:
        commit = CreateCommit(branch=compose_id.branch, start=target_head, message=commit_message, files=tuple(files))
        actions.append(commit)
    opened = OpenMergeRequest(
        source_branch=compose_id.branch,
        target_branch=target_branch,
        title=str(compose_id),
        description=description,
        labels=(label,),
    )
    return plan_close_duplicates(duplicates, me=me, then=(*actions, opened))


def plan_add(branch: str, files: Sequence[File], there: Mapping[str, bytes], *, message: str) -> Plan:
    """Add files to a compose's branch; what is there with the same bytes is left, whatever else is there too.

    Raises:
        InputError: a file is there with other bytes: results are written once.

    """
    other = [file.path for file in files if there.get(file.path, file.content) != file.content]
    if other:
        raise InputError(
            *(
                Problem(
                    path=path,
                    code=Code.CHANGED_RESULT,
                    message=f"{branch} already has another file there",
                    fix="a result is written once: report a rerun in a new file",
                )
                for path in other
            )
        )
    new = tuple(file for file in files if file.path not in there)
    return (AddFiles(branch=branch, message=message, files=new),) if new else ()


def plan_approve(  # noqa: PLR0913  # what is, and what should be
    compose_id: ComposeId,
    *,
    merge_request: MergeRequest,
    judged: Judged,
    me: User,
    approved_by: frozenset[int],
    statuses: Sequence[CommitStatus],
    notes: Sequence[Note],
    pushed_at: dt.datetime | None = None,
    given_since: bool = False,
    vanished: bool | None = None,
    names: Labels,
) -> Plan:
    """Mirror a verdict: status, labels, note and approval, for exactly the head that was judged.

    Fails closed: an approval that does not hold any more is withdrawn before anything else, a new one is given after
    everything else. That our approval was given for this very head is known by our status on it, which is set between
    the two, and since the last push to the branch (`pushed_at`): a head that has been away and is back again is
    approved anew. While a hold keeps the status pending, it is known by GitLab's own word that the approval was
    `given_since` that push. Nothing is written on a merge request that is not open. Whether the compose has `vanished`
    from its server is told by a label, which stays as it is where nobody knows.

    Raises:
        UsageError: the approver is the merge request's author, whom GitLab does not let approve.

    """
    if merge_request.state is not MergeRequestState.OPENED:
        return ()
    let_through = judged.is_let_through
    if let_through and me.id == merge_request.author.id:
        raise UsageError(
            f"{me.username} opened !{merge_request.iid} and may not approve it; "
            "use the token of another account for approving"
        )
    status = next((line for line in statuses if line.author_id == me.id and line.name == STATUS_NAME), None)
    approved = me.id in approved_by
    given_here = status is not None and status.state is CommitState.SUCCESS
    moved_since = given_here and _is_older(status, pushed_at)
    if status is not None and status.state is CommitState.PENDING:
        given_here = given_since
    holds = let_through and given_here and not moved_since
    actions: list[Action] = []
    if approved and not holds:
        reason = _why_withdrawn(judged, moved_since=moved_since)
        actions.append(Unapprove(iid=merge_request.iid, reason=reason))
    actions.extend(_status(merge_request, judged, None if moved_since else status))
    actions.extend(_label_update(compose_id, merge_request, judged, names, vanished=vanished))
    actions.extend(_note(merge_request, notes, me, judged.note))
    if let_through and not (approved and holds):
        actions.append(Approve(iid=merge_request.iid, sha=judged.head))
    return tuple(actions)


def is_settled(  # noqa: PLR0913  # what is, and what should be
    compose_id: ComposeId,
    *,
    merge_request: MergeRequest,
    judged: Judged,
    me: User,
    thread: Thread,
    pushed_at: dt.datetime | None,
    vanished: bool | None = None,
    names: Labels,
) -> bool:
    """Tell from what is below a merge request that nothing is to be written, as far as it says so.

    Our note is written after the status and after an approval that does not hold is withdrawn, an approval is given
    after the note. So where our one note has its words since the last push to the branch, the status was set on this
    head; and GitLab tells below who has approved, and mostly what became of that. Whatever does not fit is asked for;
    so is the approval of what is satisfied, for GitLab can reset approvals without a word. That is how a pass over many
    needs one or two requests for each.
    """
    ours = our_notes(thread.notes, me)
    if len(ours) != 1 or not _has_words(ours[0], judged.note) or not _is_since(ours[0], pushed_at):
        return False
    if _label_update(compose_id, merge_request, judged, names, vanished=vanished):
        return False
    if judged.is_let_through:
        return is_given_since(thread, me, pushed_at)
    mine = [note.body for note in _approvals(thread) if note.author_id == me.id]
    return not mine or mine[-1] == _WITHDRAWN


def is_given_since(thread: Thread, me: User, pushed_at: dt.datetime | None) -> bool:
    """Tell whether our approval is the last word on approvals, by GitLab, and was given since the last push."""
    last = next(iter(_approvals(thread)[-1:]), None)
    return last is not None and (last.author_id, last.body) == (me.id, _APPROVED) and _is_since(last, pushed_at)


def _approvals(thread: Thread) -> Sequence[Note]:
    return [note for note in thread.told if _APPROVAL in note.body.lower()]


def is_rewritten(merge_request: MergeRequest, thread: Thread, me: User) -> bool:
    """Tell whether anybody but our bots was the last to change the description, by GitLab's own word below it.

    `me` is the gate bot; the compose bot has opened it. Ticking a task in a description changes it, too.
    """
    by = [note.author_id for note in thread.told if note.body.startswith(_DESCRIBED)]
    return bool(by) and by[-1] not in {me.id, merge_request.author.id}


def plan_description(merge_request: MergeRequest, description: str, *, note: int | None = None) -> Plan:
    """Write a description that is not as it should be; without its `note` it is written once the note is there."""
    if note is None:
        return (Describe(iid=merge_request.iid, description=description),)
    return _update(merge_request, description=description)


def linked_to(note: int, description: str) -> str:
    """Let the link in the first line lead to our note, which is there now."""
    line = first_line(description)
    return description.replace(line, line.replace(f"#note_{NOTE_TO_COME}>)", f"#note_{note}>)"), 1)


def with_description(plan: Plan, described: Plan) -> Plan:
    """Put a description where it belongs: below our note, and before what it foretells is approved or merged."""
    last = (Approve, RestoreBranch, Merge)
    before = (action for action in plan if not isinstance(action, last))
    after = (action for action in plan if isinstance(action, last))
    return (*before, *described, *after)


def first_line(description: str) -> str:
    """Give the line of a description in which the verdict stands."""
    return description.strip().partition("\n")[0].rstrip()


def kept_or_opened(merge_request: MergeRequest | None, opening: str, body: str) -> str:
    """Give the description with which a compose is opened.

    What the gate said in the first line is for the gate alone to change: it is left where all below it is as it should
    be, and never copied, for anybody may have written it.
    """
    there = "" if merge_request is None else merge_request.description
    below = there.strip().removeprefix(first_line(there)).strip()
    is_kept = first_line(there).endswith(VERDICT_MARKER) and below == body.strip()
    return there if is_kept else f"{opening}\n\n{body}"


def _is_since(note: Note | None, moment: dt.datetime | None) -> bool:
    if note is None or note.edited_at is None or moment is None:
        return False
    return note.edited_at > moment


def _label_update(
    compose_id: ComposeId, merge_request: MergeRequest, judged: Judged, names: Labels, *, vanished: bool | None
) -> Plan:
    gone = (names.vanished,) if vanished else ()
    held, free = _hold_labels(judged, names)
    labels = (names.of_stream(compose_id.stream), names.of_verdict(judged.verdict), *held, *gone)
    # What is let through is approved for publishing as soon as it is merged: the label of a run that was killed stays.
    early = () if judged.is_let_through else (names.approved,)
    without = (*early, *free, *((names.vanished,) if vanished is False else ()))
    return _update(merge_request, labels=labels, names=names, without=without)


def _hold_labels(judged: Judged, names: Labels) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the label of a hold, among those that are to be there, or among those that are not."""
    return ((), (names.held,)) if judged.held is None else ((names.held,), ())


def _is_older(status: CommitStatus | None, pushed_at: dt.datetime | None) -> bool:
    if status is None or status.set_at is None or pushed_at is None:
        return False
    return status.set_at < pushed_at


def _why_withdrawn(judged: Judged, *, moved_since: bool) -> str:
    if judged.verdict is not Verdict.SATISFIED:
        return f"the gate is {judged.verdict}"
    if judged.held is not None and judged.bars:
        return f"it is held until {judged.held.until}"
    if moved_since:
        return "the branch was pushed to since"
    return f"it was given for a head other than {judged.head[:12]}"


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
    names: Labels,
) -> Plan:
    """Merge a published compose at exactly the head that was judged, or at the commit that restores it first.

    Where merging follows publishing it is merged whatever the gate says, and under a hold, too: the mirrors already
    carry it, and labels and note tell. Where merging leads to publishing, only a satisfied gate lets it through, and no
    hold, and they say that it is approved for publishing. One that is not open needs
    nothing: whether it is opened again is decided before (`plan_restore`).

    Raises:
        UsageError: the stream's mode is gating, and the gate is not satisfied, or it is held.

    """
    if merge_request.state is not MergeRequestState.OPENED:
        return ()
    if mode is Mode.GATING and judged.verdict is not Verdict.SATISFIED:
        raise UsageError(
            f"{compose_id} is {judged.verdict} and {compose_id.stream} is gated: {judged.summary}; "
            "fix it, or waive it in gate/waivers.toml"
        )
    if mode is Mode.GATING and judged.held is not None:
        raise UsageError(f"{compose_id} is held until {judged.held.until}: {judged.held.reason} {judged.held.issue}")
    stream = names.of_stream(compose_id.stream)
    merged = names.approved if mode is Mode.GATING else names.published
    held, free = _hold_labels(judged, names)
    labels = (stream, names.of_verdict(judged.verdict), *held, merged)
    return (
        *_update(merge_request, labels=labels, names=names, without=free),
        *_note(merge_request, notes, me, judged.note),
        *(() if restore is None else (restore,)),
        Merge(iid=merge_request.iid, sha=judged.head if restore is None else restore.commit, message=commit_message),
    )


def plan_supersede(
    older: Sequence[tuple[MergeRequest, Sequence[Note]]], *, me: User, words: str, names: Labels
) -> Stages:
    """Close what a published compose has overtaken: label and note first, then, on what is there then, the closing.

    Where only a label is missing, all of it is one stage: whoever takes the label off again must not keep it open.
    """
    told = tuple(action for line, notes in older for action in _overtaken(line, me, notes, words, names))
    apart = any(not isinstance(action, UpdateMergeRequest) for action in told)
    closing = tuple(action for line, notes in older for action in _close(line.iid, () if apart else notes, me))
    return stages(told, closing) if apart else stages((*told, *closing))


def _overtaken(merge_request: MergeRequest, me: User, notes: Sequence[Note], words: str, names: Labels) -> Plan:
    """Say that a published compose has overtaken a merge request; what our note has said so far is kept below."""
    ours = our_notes(notes, me)
    before = ours[0].body if ours else ""
    text = before if SUPERSEDED_MARKER in before else f"{SUPERSEDED_MARKER}\n{words}\n\n{before or MARKER}"
    return (
        *_update(merge_request, labels=(names.superseded,), names=names, without=(names.held,)),
        *_note(merge_request, notes, me, text),
    )


def _of_our_bots(compose_id: ComposeId, branch: Branch, bots: Bots) -> None:
    """Refuse a branch that was there before the compose bot came; what the gate bot has brought back is ours, too."""
    opener = branch.opener
    if opener is not None and (opener.is_called(bots.compose) or opener.is_called(bots.gate)):
        return
    who = f"a user whom no GitLab event names since {compose_id.date} (or just now)"
    raise InputError(
        Problem(
            path=compose_id.manifest_path,
            code=Code.FOREIGN_BRANCH,
            message=f"branch {compose_id.branch} was created by {opener.username if opener else who}, "
            f"not by {bots.compose}",
            fix="nothing is added to it: a Maintainer looks at what is there and deletes it; then open again",
        )
    )


def _same_manifest(compose_id: ComposeId, there: bytes | None, made: bytes, where: str) -> None:
    if there == made:
        return
    what = "has no manifest" if there is None else "has another manifest than the compose"
    raise InputError(
        Problem(
            path=compose_id.manifest_path,
            code=Code.MANIFEST_DIFFERS,
            message=f"branch {where} {what}",
            fix="a manifest is written once; find out who changed the compose or the branch, "
            "and delete the branch only if nobody has reported on it",
        )
    )


def _update(  # noqa: PLR0913  # each part may differ
    merge_request: MergeRequest,
    *,
    labels: Sequence[str] = (),
    names: Labels = USUAL,
    title: str | None = None,
    target_branch: str | None = None,
    description: str | None = None,
    without: Sequence[str] = (),
    as_it_is: bool = False,
) -> Plan:
    """Change only what differs. A label's siblings go in the same call: GitLab sees to that only in paid tiers.

    With `as_it_is`, it is merged as it is and at any time.
    """
    update = UpdateMergeRequest(
        iid=merge_request.iid,
        title=None if title == merge_request.title else title,
        target_branch=None if target_branch == merge_request.target_branch else target_branch,
        description=None if (description or "").strip() == merge_request.description.strip() else description,
        add_labels=tuple(label for label in labels if label not in merge_request.labels),
        remove_labels=tuple(
            label
            for label in sorted(merge_request.labels)
            if label in without or (label not in labels and any(names.excludes(one, label) for one in labels))
        ),
        any_time=as_it_is and merge_request.merge_after is not None,
        keep_commits=as_it_is and merge_request.squash,
    )
    return () if update == UpdateMergeRequest(iid=merge_request.iid) else (update,)


def _status(merge_request: MergeRequest, judged: Judged, status: CommitStatus | None) -> Plan:
    """Set our status where it differs.

    GitLab makes a new status where the last one is final, but refuses to set a pending one to pending again, whatever
    its words are, and changes nothing of it. So a pending status keeps its first words until the verdict changes;
    setting it to something else in between would, for a moment, say what is not so. The note is always current.

    It is set on the branch, not on the merge request's own pipeline: that one belongs to the checks of the files, is
    not always there yet when the gate decides, and would fail with every compose that is blocked.
    """
    state = _STATES[judged.verdict] if judged.held is None else CommitState.PENDING
    told = terminal(judged.told)
    description = told[: STATUS_LENGTH - 1] + "…" if len(told) > STATUS_LENGTH else told
    if status is not None and status.state is state and status.description in {description, _words_kept(status)}:
        return ()
    return (
        SetStatus(
            sha=judged.told_of,
            branch=merge_request.source_branch,
            name=STATUS_NAME,
            state=state,
            description=description,
        ),
    )


def _words_kept(status: CommitStatus) -> str | None:
    """Give the words of a status that GitLab does not let go of while it stays as it is."""
    return status.description if status.state is CommitState.PENDING else None


def _note(merge_request: MergeRequest, notes: Sequence[Note], me: User, body: str) -> Plan:
    """Write the note, or edit the oldest one and delete the others, which parallel runs have written.

    What it says was told to the bus stays there.
    """
    ours = our_notes(notes, me)
    if not ours:
        return (PutNote(iid=merge_request.iid, marker=MARKER, body=body),)
    first, *others = ours
    body = marked(body, announced_in(first.body))
    edit = [] if _has_words(first, body) else [EditNote(iid=merge_request.iid, note_id=first.id, body=body)]
    return (*edit, *(DeleteNote(iid=merge_request.iid, note_id=note.id) for note in others))


def _has_words(note: Note, words: str) -> bool:
    """Return whether a note says something, apart from its record for the bus."""
    return note.body.strip() == marked(words, announced_in(note.body)).strip()


def our_notes(notes: Sequence[Note], me: User) -> list[Note]:
    """Recognise our notes by author and marker: anybody can write the marker."""
    return sorted(note for note in notes if note.author_id == me.id and MARKER in note.body)
