import datetime as dt
from collections.abc import Sequence
from typing import get_args

import pytest
from msgspec.structs import fields, replace
from strategies import schema

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.action import (
    Action,
    AddFiles,
    Approve,
    CloseMergeRequest,
    CommitState,
    CreateBranch,
    CreateCommit,
    DeleteNote,
    EditNote,
    File,
    Merge,
    OpenMergeRequest,
    Plan,
    PutNote,
    RestoreBranch,
    SetStatus,
    Stages,
    UpdateMergeRequest,
    to_dict,
)
from compose_repo.core.forge.forge import CommitStatus, MergeRequest, MergeRequestState, Note, User
from compose_repo.core.names import Sha
from compose_repo.core.plan.labels import USUAL, Labels
from compose_repo.core.plan.plan import (
    DUPLICATE_MARKER,
    MARKER,
    STATUS_LENGTH,
    STATUS_NAME,
    SUPERSEDED_MARKER,
    Branch,
    Duplicate,
    Judged,
    plan_add,
    plan_approve,
    plan_merge,
    plan_open,
    plan_restore,
    plan_second_notes,
    plan_supersede,
    plan_withdraw,
    restored,
)
from compose_repo.core.problems.problem import InputError, UsageError
from compose_repo.core.rules.policy import Bots, Mode
from compose_repo.core.verdict.decision import Hold, Verdict

ID = ComposeId.parse("CentOS-Stream-10-20261120.0")
OPENER = User(id=1, username="compose-bot")
GATE = User(id=2, username="gate-bot")
OTHER = User(id=3, username="mallory")
HEAD, MAIN = Sha("a" * 40), Sha("b" * 40)
FILES = (
    File(path="composes/CentOS-Stream-10-20261120.0/manifest.json", content=b"{}"),
    File(path="composes/CentOS-Stream-10-20261120.0/results/README.md", content=b"# Results"),
)
OPENED, CLOSED, MERGED, LOCKED = (
    MergeRequestState.OPENED,
    MergeRequestState.CLOSED,
    MergeRequestState.MERGED,
    MergeRequestState.LOCKED,
)
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
NOTE = f"{MARKER}\nOf 3 required, 1 missing"


def merge_request(  # noqa: PLR0913  # a value with every field
    *,
    iid: int = 7,
    compose_id: str = str(ID),
    state: MergeRequestState = OPENED,
    labels: Sequence[str] = ("stream::CentOS-Stream-10",),
    title: str | None = None,
    description: str = "words",
    author: User = OPENER,
    target_branch: str = "main",
) -> MergeRequest:
    return MergeRequest(
        iid=iid,
        state=state,
        title=compose_id if title is None else title,
        description=description,
        source_branch=f"compose/{compose_id}",
        target_branch=target_branch,
        head=HEAD,
        author=author,
        labels=frozenset(labels),
        created_at=dt.datetime(2026, 11, 20, tzinfo=dt.UTC),
        web_url="https://gitlab.example/composes/-/merge_requests/7",
    )


def in_all(plans: Stages) -> Plan:
    return tuple(action for plan in plans for action in plan)


def opening(  # noqa: PLR0913  # what a plan is made from
    *, merged: bytes | None = None, branch: bytes | None = None, branch_is_there: bool = True,
    found: MergeRequest | None = None, opener: User | None = OPENER, me: User = OPENER,
    duplicates: Sequence[Duplicate] = (), lost: MergeRequest | None = None,
) -> Plan:  # fmt: skip
    return in_all(
        plan_open(
            ID,
            files=FILES,
            description="words",
            commit_message="Add it",
            target_branch="main",
            target_head=MAIN,
            merged=merged,
            branch=Branch(head=HEAD, manifest=branch, opener=opener) if branch_is_there else None,
            merge_request=found,
            duplicates=duplicates,
            lost=lost,
            me=me,
            bots=Bots(),
            names=USUAL,
        )
    )


HELD = Hold(reason="It eats discs.", issue="https://i.example.org/1", by="jdoe", until=dt.date(2026, 12, 5))


def judged(
    verdict: Verdict, summary: str = "Of 3 required, 1 missing", *, held: Hold | None = None, bars: bool = False
) -> Judged:
    return Judged(head=HEAD, told_of=HEAD, verdict=verdict, summary=summary, note=NOTE, held=held, bars=bars)


def status(
    state: CommitState | None,
    author: User = GATE,
    name: str = STATUS_NAME,
    description: str = "Of 3 required, 1 missing",
    set_at: dt.datetime | None = None,
) -> CommitStatus:
    return CommitStatus(name=name, author_id=author.id, state=state, description=description, set_at=set_at)


def approving(  # noqa: PLR0913  # what a plan is made from
    verdict: Verdict,
    *,
    found: MergeRequest | None = None,
    approved_by: Sequence[User] = (),
    statuses: Sequence[CommitStatus] = (),
    notes: Sequence[Note] = (),
    me: User = GATE,
    summary: str = "Of 3 required, 1 missing",
    pushed_at: dt.datetime | None = None,
    vanished: bool | None = None,
    names: Labels = USUAL,
    held: Hold | None = None,
    bars: bool = False,
    given_since: bool = False,
) -> Plan:
    return plan_approve(
        ID,
        merge_request=found or merge_request(),
        judged=judged(verdict, summary, held=held, bars=bars),
        given_since=given_since,
        me=me,
        approved_by=frozenset(user.id for user in approved_by),
        statuses=statuses,
        notes=notes,
        pushed_at=pushed_at,
        vanished=vanished,
        names=names,
    )


def merging(
    verdict: Verdict, *, found: MergeRequest | None = None, mode: Mode = Mode.MIRROR, held: Hold | None = None
) -> Plan:
    return plan_merge(
        ID,
        merge_request=found or merge_request(),
        judged=judged(verdict, held=held),
        me=GATE,
        notes=(),
        mode=mode,
        commit_message="It is published",
        names=USUAL,
    )


def sentences(plan: Plan) -> list[str]:
    return [action.sentence for action in plan]


OURS = [Note(id=10, author_id=GATE.id, body=NOTE)]


def settled(verdict: Verdict) -> MergeRequest:
    return merge_request(labels=("stream::CentOS-Stream-10", f"gate::{verdict}"))


class TestOpen:
    def test_a_new_compose_gets_a_branch_and_a_merge_request(self) -> None:
        assert sentences(opening(branch_is_there=False)) == [
            f"create branch {ID.branch} from bbbbbbbbbbbb with {FILES[0].path} and {FILES[1].path}",
            "open merge request 'CentOS-Stream-10-20261120.0' from compose/CentOS-Stream-10-20261120.0 to main",
        ]

    def test_the_merge_request_carries_title_description_and_the_streams_label(self) -> None:
        assert opening(branch_is_there=False)[1] == OpenMergeRequest(
            source_branch="compose/CentOS-Stream-10-20261120.0",
            target_branch="main",
            title="CentOS-Stream-10-20261120.0",
            description="words",
            labels=("stream::CentOS-Stream-10",),
        )

    def test_a_branch_left_behind_without_a_merge_request_gets_one(self) -> None:
        assert [type(action) for action in opening(branch=b"{}")] == [OpenMergeRequest]

    def test_an_open_merge_request_that_is_up_to_date_needs_nothing(self) -> None:
        assert opening(branch=b"{}", found=merge_request()) == ()

    def test_white_space_around_a_description_is_no_difference(self) -> None:
        assert opening(branch=b"{}", found=merge_request(description="words\n")) == ()

    def test_an_open_merge_request_gets_new_words(self) -> None:
        old = merge_request(title="x", description="old", labels=("stream::CentOS-Stream-9", "mine"))
        assert opening(branch=b"{}", found=old)[0].sentence == (
            "give !7 title 'CentOS-Stream-10-20261120.0', a new description, label stream::CentOS-Stream-10, "
            "no label stream::CentOS-Stream-9"
        )

    @pytest.mark.parametrize("state", [CLOSED, MERGED, LOCKED])
    def test_a_merge_request_that_is_not_open_stays_as_it_is(self, state: MergeRequestState) -> None:
        assert opening(branch=b"{}", found=merge_request(state=state, description="old")) == ()

    def test_a_compose_that_is_merged_needs_nothing_even_if_its_branch_is_gone(self) -> None:
        assert opening(merged=b"{}", branch_is_there=False) == ()

    @pytest.mark.parametrize(
        ("branch", "message"),
        [
            (b"{ }", "branch compose/CentOS-Stream-10-20261120.0 has another manifest than the compose"),
            (None, "branch compose/CentOS-Stream-10-20261120.0 has no manifest"),
        ],
    )
    def test_a_branch_with_another_manifest_is_a_named_problem(self, branch: bytes | None, message: str) -> None:
        with pytest.raises(InputError) as refused:
            opening(branch=branch)
        problem = refused.value.problems[0]
        assert (problem.code, problem.path, problem.message) == ("manifest-differs", FILES[0].path, message)

    def test_a_published_compose_with_another_manifest_is_a_named_problem(self) -> None:
        with pytest.raises(InputError, match="branch main has another manifest"):
            opening(merged=b"{ }")

    def test_an_open_merge_request_that_was_retargeted_goes_back(self) -> None:
        found = merge_request(target_branch="evil")
        assert sentences(opening(branch=b"{}", found=found)) == ["give !7 target branch main"]

    @pytest.mark.parametrize("opener", [OPENER, GATE, User(id=9, username="Compose-Bot")])
    def test_a_branch_of_our_bots_is_built_upon(self, opener: User) -> None:
        assert len(opening(branch=b"{}", opener=opener)) == 1

    @pytest.mark.parametrize(
        ("opener", "who"),
        [(OTHER, "mallory"), (None, "a user whom no GitLab event names since 2026-11-20 (or just now)")],
    )
    def test_a_branch_of_somebody_elses_is_never_built_upon(self, opener: User | None, who: str) -> None:
        with pytest.raises(InputError) as refused:
            opening(branch=b"{}", opener=opener)
        problem = refused.value.problems[0]
        assert (problem.code, problem.message) == (
            "foreign-branch",
            f"branch compose/CentOS-Stream-10-20261120.0 was created by {who}, not by compose-bot",
        )

    def test_whose_branch_it_is_does_not_matter_once_there_is_a_merge_request(self) -> None:
        assert opening(branch=b"{}", opener=OTHER, found=merge_request()) == ()

    def test_nobody_but_the_compose_bot_opens_composes(self) -> None:
        with pytest.raises(UsageError, match="the token belongs to mallory, but compose-bot opens composes"):
            opening(me=OTHER)

    def test_duplicates_are_closed_before_the_first_one_of_ours_is_opened(self) -> None:
        assert sentences(opening(branch=b"{}", duplicates=[duplicate()])) == [
            "write a note on !9",
            "close !9",
            "open merge request 'CentOS-Stream-10-20261120.0' from compose/CentOS-Stream-10-20261120.0 to main",
        ]

    def test_a_branch_that_went_with_a_merge_request_that_was_lost_comes_back(self) -> None:
        plan = opening(branch_is_there=False, lost=merge_request(state=MERGED, target_branch="evil"))
        assert plan[0] == CreateBranch(branch=ID.branch, sha=HEAD)

    def test_a_branch_whose_commits_are_unknown_is_begun_anew(self) -> None:
        plan = opening(branch_is_there=False, lost=replace(merge_request(state=MERGED), head=None))
        assert isinstance(plan[0], CreateCommit)


def duplicate(*notes: Note) -> Duplicate:
    return Duplicate(merge_request=merge_request(iid=9, author=OTHER), notes=notes, words="Not ours.")


def restoring(found: MergeRequest, *duplicates: Duplicate, branch_is_there: bool = True) -> Plan:
    return in_all(
        plan_restore(
            ID,
            merge_request=found,
            duplicates=duplicates,
            target_branch="main",
            branch_is_there=branch_is_there,
            me=GATE,
        )
    )


class TestRestore:
    def test_what_is_as_it_should_be_needs_nothing(self) -> None:
        assert restoring(merge_request()) == ()

    @pytest.mark.parametrize("title", ["Nothing to see here", f"Draft: {ID}", f"WIP: {ID}", f"{ID} "])
    def test_a_title_is_the_compose_id_again(self, title: str) -> None:
        assert restoring(merge_request(title=title)) == (UpdateMergeRequest(iid=7, title=str(ID)),)

    def test_a_target_is_the_default_branch_again(self) -> None:
        assert restoring(merge_request(target_branch="evil")) == (UpdateMergeRequest(iid=7, target_branch="main"),)

    def test_labels_and_words_are_nobodys_business_here(self) -> None:
        assert restoring(merge_request(labels=["gate::satisfied"], description="other words")) == ()

    def test_it_is_opened_last_after_everything_that_would_keep_gitlab_from_it(self) -> None:
        found = merge_request(state=CLOSED, title="x", target_branch="evil")
        assert sentences(restoring(found, duplicate(), branch_is_there=False)) == [
            "write a note on !9",
            "close !9",
            "create branch compose/CentOS-Stream-10-20261120.0 again at aaaaaaaaaaaa",
            "give !7 title 'CentOS-Stream-10-20261120.0', target branch main",
            "reopen !7",
        ]

    @pytest.mark.parametrize("state", [MERGED, LOCKED])
    def test_what_is_merged_is_left_alone(self, state: MergeRequestState) -> None:
        assert restoring(merge_request(state=state, title="x"), duplicate(), branch_is_there=False) == ()

    def test_a_duplicate_is_told_why_once_only(self) -> None:
        told = Note(id=1, author_id=GATE.id, body=f"{DUPLICATE_MARKER}\nNot ours.")
        assert restoring(merge_request(), duplicate(told)) == (CloseMergeRequest(iid=9),)

    def test_a_note_that_somebody_else_wrote_tells_nothing(self) -> None:
        told = Note(id=1, author_id=OTHER.id, body=f"{DUPLICATE_MARKER}\nNot ours.")
        assert restoring(merge_request(), duplicate(told))[0] == PutNote(
            iid=9, marker=DUPLICATE_MARKER, body=f"{DUPLICATE_MARKER}\nNot ours."
        )

    def test_a_branch_that_is_gone_without_a_trace_is_told_of(self) -> None:
        with pytest.raises(UsageError, match="is gone, and its last commit is not known; an Owner deletes"):
            restoring(replace(merge_request(), head=None), branch_is_there=False)

    def test_a_dry_run_goes_on_with_what_it_would_be(self) -> None:
        found = merge_request(state=CLOSED, title="x", target_branch="evil")
        assert restored(found, ID, "main") == merge_request()


class TestApprove:
    def test_pending_writes_status_label_and_note(self) -> None:
        assert sentences(approving(Verdict.PENDING)) == [
            "set status compose-gate of aaaaaaaaaaaa to pending: Of 3 required, 1 missing",
            "give !7 label gate::pending",
            "write a note on !7",
        ]

    def test_satisfied_approves_the_judged_head_last(self) -> None:
        assert sentences(approving(Verdict.SATISFIED)) == [
            "set status compose-gate of aaaaaaaaaaaa to success: Of 3 required, 1 missing",
            "give !7 label gate::satisfied",
            "write a note on !7",
            "approve !7 at aaaaaaaaaaaa",
        ]

    def test_blocked_withdraws_approval_first(self) -> None:
        plan = approving(
            Verdict.BLOCKED,
            found=settled(Verdict.SATISFIED),
            approved_by=[GATE],
            statuses=[status(CommitState.SUCCESS)],
            notes=[Note(id=10, author_id=GATE.id, body=f"{MARKER} old")],
        )
        assert sentences(plan) == [
            "withdraw approval of !7: the gate is blocked",
            "set status compose-gate of aaaaaaaaaaaa to failed: Of 3 required, 1 missing",
            "give !7 label gate::blocked, no label gate::satisfied",
            "edit the note on !7",
        ]

    @pytest.mark.parametrize(
        ("verdict", "state", "approved"),
        [
            (Verdict.SATISFIED, CommitState.SUCCESS, [GATE]),
            (Verdict.PENDING, CommitState.PENDING, []),
            (Verdict.BLOCKED, CommitState.FAILED, []),
        ],
    )
    def test_a_verdict_that_is_mirrored_already_needs_nothing(
        self, verdict: Verdict, state: CommitState, approved: list[User]
    ) -> None:
        plan = approving(verdict, found=settled(verdict), approved_by=approved, statuses=[status(state)], notes=OURS)
        assert plan == ()

    def test_an_approval_from_before_the_head_moved_is_withdrawn_and_given_anew(self) -> None:
        plan = approving(Verdict.SATISFIED, found=settled(Verdict.SATISFIED), approved_by=[GATE], notes=OURS)
        assert sentences(plan) == [
            "withdraw approval of !7: it was given for a head other than aaaaaaaaaaaa",
            "set status compose-gate of aaaaaaaaaaaa to success: Of 3 required, 1 missing",
            "approve !7 at aaaaaaaaaaaa",
        ]

    def test_a_run_that_was_killed_before_approving_is_completed(self) -> None:
        plan = approving(
            Verdict.SATISFIED, found=settled(Verdict.SATISFIED), statuses=[status(CommitState.SUCCESS)], notes=OURS
        )
        assert plan == (Approve(iid=7, sha=HEAD),)

    def test_somebody_elses_approval_is_neither_ours_nor_our_business(self) -> None:
        plan = approving(
            Verdict.BLOCKED,
            found=settled(Verdict.BLOCKED),
            approved_by=[OTHER],
            statuses=[status(CommitState.FAILED)],
            notes=OURS,
        )
        assert plan == ()

    @pytest.mark.parametrize(
        "forged", [status(CommitState.SUCCESS, author=OTHER), status(CommitState.SUCCESS, name="x"), status(None)]
    )
    def test_a_status_that_is_not_ours_proves_nothing(self, forged: CommitStatus) -> None:
        plan = approving(
            Verdict.SATISFIED, found=settled(Verdict.SATISFIED), approved_by=[GATE], statuses=[forged], notes=OURS
        )
        assert [type(action).__name__ for action in plan] == ["Unapprove", "SetStatus", "Approve"]

    def test_a_note_with_our_marker_by_somebody_else_is_not_ours(self) -> None:
        plan = approving(Verdict.PENDING, notes=[Note(id=1, author_id=OTHER.id, body=NOTE)])
        assert PutNote(iid=7, marker=MARKER, body=NOTE) in plan

    def test_a_note_of_ours_without_the_marker_is_left_alone(self) -> None:
        plan = approving(Verdict.PENDING, notes=[Note(id=1, author_id=GATE.id, body="hello")])
        assert PutNote(iid=7, marker=MARKER, body=NOTE) in plan

    def test_of_two_notes_of_ours_the_older_is_kept(self) -> None:
        notes = [Note(id=12, author_id=GATE.id, body=NOTE), Note(id=11, author_id=GATE.id, body=f"{MARKER} old")]
        plan = approving(
            Verdict.PENDING, found=settled(Verdict.PENDING), statuses=[status(CommitState.PENDING)], notes=notes
        )
        assert sentences(plan) == ["edit the note on !7", "delete the second note 12 on !7"]
        assert plan[0] == EditNote(iid=7, note_id=11, body=NOTE)

    @pytest.mark.parametrize("state", [CLOSED, MERGED, LOCKED])
    def test_a_merge_request_that_is_not_open_is_left_alone(self, state: MergeRequestState) -> None:
        assert approving(Verdict.SATISFIED, found=merge_request(state=state)) == ()

    def test_the_author_cannot_approve(self) -> None:
        with pytest.raises(UsageError, match="compose-bot opened !7 and may not approve it"):
            approving(Verdict.SATISFIED, me=OPENER)

    def test_the_author_may_still_say_that_it_is_blocked(self) -> None:
        assert approving(Verdict.BLOCKED, me=OPENER) != ()

    def test_labels_of_other_scopes_stay(self) -> None:
        found = merge_request(labels=("stream::CentOS-Stream-10", "gate", "gate::blocked", "prio::1"))
        assert UpdateMergeRequest(iid=7, add_labels=("gate::pending",), remove_labels=("gate::blocked",)) in approving(
            Verdict.PENDING, found=found
        )

    @pytest.mark.parametrize(("length", "shown"), [(STATUS_LENGTH, STATUS_LENGTH), (STATUS_LENGTH + 1, STATUS_LENGTH)])
    def test_a_summary_is_cut_to_what_a_status_can_hold(self, length: int, shown: int) -> None:
        plan = approving(Verdict.PENDING, summary="x" * length)
        assert isinstance(plan[0], SetStatus)
        assert len(plan[0].description) == shown
        assert plan[0].description.endswith("…") == (length > STATUS_LENGTH)

    def test_a_status_is_one_line_of_what_can_be_seen(self) -> None:
        plan = approving(Verdict.PENDING, summary="Of 1 required,\n1 \x1bmissing")
        assert isinstance(plan[0], SetStatus)
        assert plan[0].description == "Of 1 required, 1 \N{REPLACEMENT CHARACTER}missing"

    @pytest.mark.parametrize(("verdict", "state"), [(Verdict.SATISFIED, "success"), (Verdict.BLOCKED, "failed")])
    def test_a_final_status_gets_new_words(self, verdict: Verdict, state: str) -> None:
        old = status(CommitState(state), description="Of 3 required, 2 missing")
        plan = approving(verdict, found=settled(verdict), statuses=[old], notes=OURS)
        assert isinstance(plan[0], SetStatus)

    def test_a_pending_status_keeps_its_words_for_gitlab_refuses_new_ones(self) -> None:
        old = status(CommitState.PENDING, description="Of 3 required, 2 missing")
        assert approving(Verdict.PENDING, found=settled(Verdict.PENDING), statuses=[old], notes=OURS) == ()

    @pytest.mark.parametrize(
        ("set_at", "words"),
        [
            (NOON, []),
            (NOON + dt.timedelta(seconds=1), []),
            (None, []),
            (
                NOON - dt.timedelta(seconds=1),
                [
                    "withdraw approval of !7: the branch was pushed to since",
                    "set status compose-gate of aaaaaaaaaaaa to success: Of 3 required, 1 missing",
                    "approve !7 at aaaaaaaaaaaa",
                ],
            ),
        ],
    )
    def test_a_head_that_was_pushed_away_and_back_is_approved_anew(
        self, set_at: dt.datetime | None, words: list[str]
    ) -> None:
        plan = approving(
            Verdict.SATISFIED,
            found=settled(Verdict.SATISFIED),
            approved_by=[GATE],
            statuses=[status(CommitState.SUCCESS, set_at=set_at)],
            notes=OURS,
            pushed_at=NOON,
        )
        assert sentences(plan) == words

    def test_a_run_that_was_killed_before_approving_and_a_push_later_is_begun_anew(self) -> None:
        plan = approving(
            Verdict.SATISFIED,
            found=settled(Verdict.SATISFIED),
            statuses=[status(CommitState.SUCCESS, set_at=NOON)],
            notes=OURS,
            pushed_at=NOON + dt.timedelta(seconds=1),
        )
        assert [type(action) for action in plan] == [SetStatus, Approve]

    def test_an_approval_from_before_a_push_and_a_no_is_withdrawn_because_of_the_no(self) -> None:
        plan = approving(
            Verdict.BLOCKED,
            approved_by=[GATE],
            statuses=[status(CommitState.SUCCESS, set_at=NOON)],
            pushed_at=NOON + dt.timedelta(hours=1),
        )
        assert sentences(plan)[0] == "withdraw approval of !7: the gate is blocked"


class TestHold:
    HELD_LABELS = ("stream::CentOS-Stream-10", "gate::satisfied", "hold::active")

    @pytest.mark.parametrize("verdict", Verdict)
    def test_whatever_the_verdict_the_status_is_pending_and_begins_with_the_hold(self, verdict: Verdict) -> None:
        plan = approving(verdict, held=HELD, bars=True)
        said = "held until 2026-12-05: It eats discs.; Of 3 required, 1 missing"
        assert sentences(plan) == [
            f"set status compose-gate of aaaaaaaaaaaa to pending: {said}",
            f"give !7 label gate::{verdict}, label hold::active",
            "write a note on !7",
        ]

    def test_where_merging_leads_to_publishing_the_approval_is_withdrawn_first(self) -> None:
        plan = approving(
            Verdict.SATISFIED,
            found=settled(Verdict.SATISFIED),
            approved_by=[GATE],
            statuses=[status(CommitState.SUCCESS)],
            notes=OURS,
            held=HELD,
            bars=True,
        )
        assert [sentence.split(": ")[0] for sentence in sentences(plan)] == [
            "withdraw approval of !7",
            "set status compose-gate of aaaaaaaaaaaa to pending",
            "give !7 label hold::active",
        ]
        assert sentences(plan)[0].endswith(": it is held until 2026-12-05")

    def test_under_a_hold_that_bars_nothing_the_author_may_not_approve_either(self) -> None:
        with pytest.raises(UsageError):
            approving(Verdict.SATISFIED, me=OPENER, held=HELD)
        assert approving(Verdict.SATISFIED, me=OPENER, held=HELD, bars=True) != ()

    @pytest.mark.parametrize(
        ("given_since", "kinds"), [(True, []), (False, ["Unapprove", "Approve"])], ids=["since", "before"]
    )
    def test_where_the_mirrors_lead_an_approval_since_the_last_push_stays(
        self, *, given_since: bool, kinds: list[str]
    ) -> None:
        plan = approving(
            Verdict.SATISFIED,
            found=merge_request(labels=self.HELD_LABELS),
            approved_by=[GATE],
            statuses=[status(CommitState.PENDING, set_at=NOON - dt.timedelta(hours=1))],
            notes=OURS,
            pushed_at=NOON,
            held=HELD,
            given_since=given_since,
        )
        assert [type(action).__name__ for action in plan] == kinds

    def test_when_it_is_lifted_status_and_label_change_and_the_approval_stays(self) -> None:
        plan = approving(
            Verdict.SATISFIED,
            found=merge_request(labels=self.HELD_LABELS),
            approved_by=[GATE],
            statuses=[status(CommitState.PENDING)],
            notes=OURS,
            given_since=True,
        )
        assert sentences(plan) == [
            "set status compose-gate of aaaaaaaaaaaa to success: Of 3 required, 1 missing",
            "give !7 no label hold::active",
        ]

    def test_a_label_that_says_approved_for_publishing_goes_where_a_hold_bars_it(self) -> None:
        found = merge_request(labels=("stream::CentOS-Stream-10", "gate::satisfied", "compose::approved"))
        plan = approving(Verdict.SATISFIED, found=found, held=HELD, bars=True)
        assert "give !7 label hold::active, no label compose::approved" in sentences(plan)

    def test_what_is_published_under_a_hold_is_merged_and_labelled(self) -> None:
        assert sentences(merging(Verdict.SATISFIED, held=HELD)) == [
            "give !7 label gate::satisfied, label hold::active, label compose::published",
            "write a note on !7",
            "merge !7 at aaaaaaaaaaaa",
        ]

    def test_a_gated_stream_merges_nothing_that_is_held(self) -> None:
        with pytest.raises(UsageError, match=r"is held until 2026-12-05: It eats discs\. https://i\.example\.org/1"):
            merging(Verdict.SATISFIED, mode=Mode.GATING, held=HELD)

    def test_what_is_superseded_is_not_called_held(self) -> None:
        found = merge_request(labels=self.HELD_LABELS)
        told, _ = plan_supersede([(found, OURS)], me=GATE, words="Overtaken.", names=USUAL)
        assert sentences(told)[0] == "give !7 label compose::superseded, no label hold::active"


class TestWithdraw:
    def test_what_cannot_be_judged_keeps_no_approval_of_ours(self) -> None:
        plan = plan_withdraw(merge_request(), me=GATE, approved_by=frozenset({GATE.id, OTHER.id}), reason="because")
        assert sentences(plan) == ["withdraw approval of !7: because"]

    @pytest.mark.parametrize(("state", "approver"), [(OPENED, OTHER), (CLOSED, GATE), (MERGED, GATE)])
    def test_there_may_be_nothing_to_withdraw(self, state: MergeRequestState, approver: User) -> None:
        found = merge_request(state=state)
        assert plan_withdraw(found, me=GATE, approved_by=frozenset({approver.id}), reason="because") == ()


class TestMerge:
    def test_a_published_compose_is_labelled_noted_and_merged_at_the_judged_head(self) -> None:
        plan = merging(Verdict.SATISFIED)
        assert sentences(plan) == [
            "give !7 label gate::satisfied, label compose::published",
            "write a note on !7",
            "merge !7 at aaaaaaaaaaaa",
        ]
        assert plan[-1] == Merge(iid=7, sha=HEAD, message="It is published")

    @pytest.mark.parametrize("verdict", [Verdict.BLOCKED, Verdict.PENDING])
    def test_publishing_beats_the_gate(self, verdict: Verdict) -> None:
        assert merging(verdict)[-1] == Merge(iid=7, sha=HEAD, message="It is published")

    @pytest.mark.parametrize("verdict", [Verdict.BLOCKED, Verdict.PENDING])
    def test_a_gated_stream_merges_nothing_that_is_not_satisfied(self, verdict: Verdict) -> None:
        with pytest.raises(UsageError, match=f"is {verdict} and CentOS-Stream-10 is gated: Of 3 required, 1 missing"):
            merging(verdict, mode=Mode.GATING)

    def test_a_gated_stream_merges_what_is_satisfied(self) -> None:
        assert isinstance(merging(Verdict.SATISFIED, mode=Mode.GATING)[-1], Merge)

    @pytest.mark.parametrize("state", [MERGED, LOCKED, CLOSED])
    def test_what_is_not_open_needs_nothing(self, state: MergeRequestState) -> None:
        assert merging(Verdict.BLOCKED, found=merge_request(state=state)) == ()


class TestSupersede:
    def test_it_is_labelled_noted_and_closed_last_and_the_old_note_is_kept_below(self) -> None:
        told, closing = plan_supersede([(merge_request(), OURS)], me=GATE, words="Overtaken.", names=USUAL)
        assert sentences(told) == ["give !7 label compose::superseded", "edit the note on !7"]
        assert sentences(closing) == ["close !7"]
        assert told[1] == EditNote(iid=7, note_id=10, body=f"{SUPERSEDED_MARKER}\nOvertaken.\n\n{NOTE}")

    def test_without_a_note_of_ours_one_is_written(self) -> None:
        told, _ = plan_supersede([(merge_request(), ())], me=GATE, words="Overtaken.", names=USUAL)
        assert told[1] == PutNote(iid=7, marker=MARKER, body=f"{SUPERSEDED_MARKER}\nOvertaken.\n\n{MARKER}")

    def test_a_run_that_was_killed_before_closing_is_completed(self) -> None:
        found = merge_request(labels=("compose::superseded",))
        notes = [Note(id=10, author_id=GATE.id, body=f"{SUPERSEDED_MARKER}\nOvertaken.\n\n{NOTE}")]
        assert plan_supersede([(found, notes)], me=GATE, words="Overtaken.", names=USUAL) == (
            (CloseMergeRequest(iid=7),),
        )

    def test_second_notes_are_deleted_before_the_closing_and_not_before_the_first_has_its_words(self) -> None:
        found = merge_request(labels=("compose::superseded",))
        said = Note(id=10, author_id=GATE.id, body=f"{SUPERSEDED_MARKER}\nOvertaken.\n\n{NOTE}")
        again = [said, replace(said, id=11)]
        told, closing = plan_supersede([(found, again)], me=GATE, words="Overtaken.", names=USUAL)
        assert (sentences(told), sentences(closing)) == (["delete the second note 11 on !7"], ["close !7"])

    def test_nothing_overtaken_needs_nothing(self) -> None:
        assert plan_supersede([], me=GATE, words="Overtaken.", names=USUAL) == ()


class TestActionAsJson:
    def test_files_are_given_by_name_and_size(self) -> None:
        action = CreateCommit(branch="compose/x", start=MAIN, message="m", files=FILES[:1])
        assert to_dict(action) == {
            "action": "CreateCommit",
            "sentence": f"create branch compose/x from bbbbbbbbbbbb with {FILES[0].path}",
            "branch": "compose/x",
            "start": MAIN,
            "message": "m",
            "files": [{"path": FILES[0].path, "size": 2}],
        }

    def test_every_kind_and_every_field_is_in_the_schema(self) -> None:
        described = schema("plan")["$defs"]["action"]["properties"]
        assert set(described["action"]["enum"]) == {kind.__name__ for kind in get_args(Action)}
        names = {field.name for kind in get_args(Action) for field in fields(kind)}
        assert described.keys() == names | {"action", "sentence"}

    def test_labels_are_a_list(self) -> None:
        assert to_dict(UpdateMergeRequest(iid=1, add_labels=("a",)))["add_labels"] == ["a"]


ADDED = File(path=f"composes/{ID}/results/rdo/1.json", content=b"{}")


def test_files_are_added_where_they_are_not_there() -> None:
    plan = plan_add(ID.branch, [ADDED, FILES[1]], {FILES[1].path: FILES[1].content}, message="Report")
    assert plan == (AddFiles(branch=ID.branch, message="Report", files=(ADDED,)),)
    assert plan[0].sentence == f"add {ADDED.path} to {ID.branch}"
    assert to_dict(plan[0])["files"] == [{"path": ADDED.path, "size": 2}]


def test_files_that_are_there_as_they_should_be_need_nothing() -> None:
    assert plan_add(ID.branch, [ADDED], {ADDED.path: b"{}"}, message="Report") == ()


def test_files_are_never_overwritten() -> None:
    with pytest.raises(InputError) as caught:
        plan_add(ID.branch, [FILES[1], ADDED], {ADDED.path: b"[]"}, message="Report")
    assert [(problem.path, problem.code) for problem in caught.value.problems] == [(ADDED.path, "changed-result")]


@pytest.mark.parametrize(("words", "edits"), [(NOTE, 0), (f"{NOTE}; 1 failed", 1)])
def test_what_was_told_to_the_bus_stays_in_the_note(words: str, edits: int) -> None:
    told = "<!-- compose-repo: announced 1 pending -->"
    notes = [Note(id=5, author_id=GATE.id, body=f"{SUPERSEDED_MARKER}\n{words}\n{told}")]
    found = merge_request(labels=["compose::superseded"])
    plan = in_all(plan_supersede([(found, notes)], me=GATE, words="Superseded", names=USUAL))
    assert [action for action in plan if isinstance(action, EditNote)] == []
    plan = plan_merge(
        ID,
        merge_request=merge_request(),
        judged=Judged(head=HEAD, told_of=HEAD, verdict=Verdict.PENDING, summary="1 missing", note=words),
        me=GATE,
        notes=[Note(id=5, author_id=GATE.id, body=f"{NOTE}\n{told}")],
        mode=Mode.MIRROR,
        commit_message="Merge",
        names=USUAL,
    )
    bodies = [action.body for action in plan if isinstance(action, EditNote)]
    assert bodies == [f"{words}\n{told}"] * edits


def test_of_notes_that_two_runs_have_written_the_older_one_stays() -> None:
    def note(number: int, body: str, author: User = GATE) -> Note:
        return Note(id=number, author_id=author.id, body=body)

    notes = [
        note(9, f"{DUPLICATE_MARKER}\nClosed"),
        note(4, f"{DUPLICATE_MARKER}\nClosed"),
        note(2, NOTE),
        note(5, f"{SUPERSEDED_MARKER}\nOvertaken.\n\n{NOTE}"),
        note(1, DUPLICATE_MARKER, OTHER),
        note(3, "mine"),
    ]
    assert plan_second_notes(7, notes, GATE) == (DeleteNote(iid=7, note_id=5), DeleteNote(iid=7, note_id=9))
    assert plan_second_notes(7, notes[1:3], GATE) == ()


def test_restoring_a_branch_says_by_which_commit_on_top_of_which() -> None:
    action = RestoreBranch(iid=7, branch=ID.branch, head=Sha("a" * 40), commit=Sha("b" * 40))
    assert action.sentence == f"restore what counts on {ID.branch}: bbbbbbbbbbbb on top of aaaaaaaaaaaa"
