"""What a pass has to do, as laws over values: nothing here reads a server or GitLab."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from compose_repo.core.composes.compose import ComposeId, ComposeType, Status
from compose_repo.core.names import Stream
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import Problem
from compose_repo.core.rules.policy import Mode, StreamEntry
from compose_repo.core.streams.sync import (
    NOT_YET,
    Carried,
    Do,
    Readiness,
    Step,
    StreamView,
    Why,
    candidates,
    followed,
    has_vanished,
    is_not_yet,
    is_overtaken,
    newest_published,
    plan_gated,
    plan_judging,
    plan_opening,
    plan_publishing,
    unseen,
)
from compose_repo.core.verdict.decision import Verdict

ENTRY = StreamEntry(
    stream=Stream("CentOS-Stream-10"), composes=("https://c.example/",), published="https://m.example/COMPOSE_ID"
)
GATING = replace(ENTRY, mode=Mode.GATING)
KNOWN_TO_BE_NOTHING = Carried()
A, B, C, D = (ComposeId.parse(f"CentOS-Stream-10-202611{day}.0") for day in (19, 20, 21, 22))


def problem(code: Code = Code.STATUS_MISSING) -> Problem:
    return Problem(path="STATUS", code=code, message="STATUS is missing", fix="wait")


def view(  # noqa: PLR0913  # a value with every field
    server: str | None = "",
    *,
    merged: str = "",
    opened: str = "",
    closed: str = "",
    carried: Carried | ComposeId = KNOWN_TO_BE_NOTHING,
    entry: StreamEntry = ENTRY,
) -> StreamView:
    """Give a view in which composes are named by letters, A the oldest."""
    return StreamView(
        entry=entry,
        on_server=None if server is None else named(server),
        merged=named(merged),
        opened=named(opened),
        closed=named(closed),
        carried=Carried(compose_id=carried) if isinstance(carried, ComposeId) else carried,
    )


def named(letters: str) -> frozenset[ComposeId]:
    return frozenset({"A": A, "B": B, "C": C, "D": D}[letter] for letter in letters)


def steps(*planned: Step) -> list[tuple[Do, ComposeId, Why]]:
    return [(step.do, step.compose_id, step.why) for step in planned]


def finished(*ids: ComposeId) -> Readiness:
    return dict.fromkeys(ids, Status.FINISHED)


class TestFollowed:
    def test_other_streams_and_other_types_are_left(self) -> None:
        others = [ComposeId.parse(f"CentOS-Stream-{rest}") for rest in ("9-20261120.0", "10-20261120.d.0")]
        assert followed([A, *others], ENTRY) == {A}

    def test_types_are_those_of_the_stream(self) -> None:
        development = ComposeId.parse("CentOS-Stream-10-20261120.d.0")
        assert followed([A, development], replace(ENTRY, types=(ComposeType.DEVELOPMENT,))) == {development}


class TestPublished:
    def test_nothing_is_published_where_nothing_was(self) -> None:
        assert newest_published(view()) is None
        assert not is_overtaken(A, view())

    def test_what_the_mirrors_carry_is_published_before_it_is_merged(self) -> None:
        assert newest_published(view(merged="A", carried=C)) == C

    def test_going_back_does_not_make_a_newer_compose_unpublished(self) -> None:
        assert newest_published(view(merged="C", carried=A)) == C


class TestUnseen:
    def test_every_unseen_compose_counts_not_only_the_newest(self) -> None:
        assert unseen(view("ABCD", opened="B")) == (A, C, D)

    def test_what_is_older_than_what_is_published_is_not_opened(self) -> None:
        assert unseen(view("ABCD", merged="B")) == (C, D)
        assert unseen(view("ABCD", carried=C)) == (D,)

    def test_what_was_closed_was_seen(self) -> None:
        seen = view("AB", closed="A")
        assert (candidates(seen), unseen(seen)) == ((A, B), (B,))

    def test_an_index_that_could_not_be_read_names_nothing(self) -> None:
        assert unseen(view(None)) == ()

    def test_nothing_is_opened_while_nobody_knows_what_is_old(self) -> None:
        moving = Carried(why_not="a push is under way")
        assert unseen(view("AB", carried=moving)) == ()
        assert unseen(view("AB", carried=moving, merged="A")) == (B,)


class TestPublishing:
    def test_nothing_is_due_where_the_mirrors_carry_nothing(self) -> None:
        assert plan_publishing(view(opened="AB")) == ()

    def test_what_the_mirrors_carry_is_merged(self) -> None:
        assert steps(*plan_publishing(view(opened="AB", carried=B))) == [(Do.MERGE, B, Why.CARRIED)]

    @pytest.mark.parametrize("carried", [B, D])
    def test_what_was_never_seen_is_opened_first(self, carried: ComposeId) -> None:
        assert steps(*plan_publishing(view(opened="A", merged="", carried=carried))) == [
            (Do.OPEN, carried, Why.CARRIED),
            (Do.MERGE, carried, Why.CARRIED),
        ]

    def test_what_was_closed_is_not_opened_but_merged(self) -> None:
        assert steps(*plan_publishing(view(closed="B", carried=B))) == [(Do.MERGE, B, Why.CARRIED)]

    def test_what_is_merged_already_needs_nothing(self) -> None:
        assert plan_publishing(view(opened="C", merged="B", carried=B)) == ()

    def test_what_main_has_overtaken_is_closed_though_nothing_is_merged_now(self) -> None:
        assert steps(*plan_publishing(view(opened="AC", merged="B", carried=B))) == [(Do.CLOSE, B, Why.OVERTAKEN)]

    def test_jumping_leaves_to_the_merging_what_is_jumped_over(self) -> None:
        assert steps(*plan_publishing(view(opened="BCD", merged="A", carried=D))) == [(Do.MERGE, D, Why.CARRIED)]

    def test_going_back_merges_the_older_and_closes_what_the_newer_has_overtaken(self) -> None:
        assert steps(*plan_publishing(view(closed="A", opened="BD", merged="C", carried=A))) == [
            (Do.MERGE, A, Why.CARRIED),
            (Do.CLOSE, C, Why.OVERTAKEN),
        ]

    def test_newer_ones_are_never_touched(self) -> None:
        assert steps(*plan_publishing(view(opened="CD", merged="A", carried=B, closed="B"))) == [
            (Do.MERGE, B, Why.CARRIED)
        ]

    def test_where_merging_leads_the_mirrors_are_behind_main(self) -> None:
        assert plan_publishing(view(closed="A", merged="B", carried=A, entry=GATING)) == ()
        assert steps(*plan_publishing(view(opened="C", merged="B", carried=C, entry=GATING))) == [
            (Do.MERGE, C, Why.CARRIED)
        ]


class TestOpening:
    def test_what_is_finished_is_opened_oldest_first(self) -> None:
        assert steps(*plan_opening(view("CBA"), finished(A, B, C), may_open=True)) == [
            (Do.OPEN, one, Why.FIRST_SEEN) for one in (A, B, C)
        ]

    def test_more_than_the_limit_wait_and_need_not_have_been_looked_at(self) -> None:
        seen = view("ABC", entry=replace(ENTRY, open_at_most=1))
        assert steps(*plan_opening(seen, finished(A), may_open=True)) == [
            (Do.OPEN, A, Why.FIRST_SEEN),
            (Do.LEAVE, B, Why.LIMIT),
            (Do.LEAVE, C, Why.LIMIT),
        ]

    def test_what_is_not_ready_counts_nothing_against_the_limit(self) -> None:
        seen = view("ABC", entry=replace(ENTRY, open_at_most=1))
        planned = plan_opening(seen, {A: (problem(),), B: Status.FINISHED}, may_open=True)
        assert steps(*planned[:2]) == [(Do.LEAVE, A, Why.NOT_READY), (Do.OPEN, B, Why.FIRST_SEEN)]
        assert planned[0].reason == "it is not ready: STATUS is missing"
        assert planned[1].reason == "it is finished and was never seen"

    def test_a_status_that_the_stream_does_not_accept_is_left(self) -> None:
        seen = view("A", entry=replace(ENTRY, statuses=(Status.FINISHED,)))
        planned = plan_opening(seen, {A: Status.FINISHED_INCOMPLETE}, may_open=True)
        assert steps(*planned) == [(Do.LEAVE, A, Why.NOT_ACCEPTED)]

    def test_without_the_compose_bots_token_nothing_is_opened(self) -> None:
        assert steps(*plan_opening(view("AB"), {}, may_open=False)) == [
            (Do.LEAVE, A, Why.NO_OPENER),
            (Do.LEAVE, B, Why.NO_OPENER),
        ]


class TestJudging:
    def test_everything_open_is_judged_oldest_first(self) -> None:
        assert steps(*plan_judging(view(opened="CA"))) == [(Do.JUDGE, A, Why.IS_OPEN), (Do.JUDGE, C, Why.IS_OPEN)]

    def test_what_is_closed_and_not_overtaken_is_looked_after(self) -> None:
        assert steps(*plan_judging(view(closed="ACD", merged="B", opened="D"))) == [
            (Do.JUDGE, D, Why.IS_OPEN),
            (Do.JUDGE, C, Why.IS_CLOSED),
        ]


class TestGated:
    SATISFIED = dict.fromkeys((A, B, C), Verdict.SATISFIED)

    def test_where_merging_follows_publishing_nothing_is_merged_for_being_satisfied(self) -> None:
        assert plan_gated(view(opened="A"), self.SATISFIED) == ()

    def test_what_is_satisfied_is_merged_oldest_first(self) -> None:
        verdicts = {A: Verdict.SATISFIED, B: Verdict.BLOCKED, C: Verdict.SATISFIED}
        assert steps(*plan_gated(view(opened="ABCD", entry=GATING), verdicts)) == [
            (Do.MERGE, A, Why.SATISFIED),
            (Do.MERGE, C, Why.SATISFIED),
        ]

    def test_nothing_is_merged_past_a_newer_published_one(self) -> None:
        assert steps(*plan_gated(view(opened="AC", merged="B", entry=GATING), self.SATISFIED)) == [
            (Do.MERGE, C, Why.SATISFIED)
        ]


class TestVanished:
    def test_what_is_gone_before_any_result_came_has_vanished(self) -> None:
        assert has_vanished(A, view("B"), results=0) is True

    def test_what_has_results_or_is_there_has_not(self) -> None:
        assert has_vanished(A, view("B"), results=1) is False
        assert has_vanished(B, view("B"), results=0) is False

    @pytest.mark.parametrize("server", [None, ""])
    def test_an_index_that_names_nothing_proves_nothing(self, server: str | None) -> None:
        assert has_vanished(A, view(server), results=0) is None


def test_only_what_may_be_gone_in_the_next_pass_is_not_yet() -> None:
    assert is_not_yet([problem(code) for code in NOT_YET])
    assert not is_not_yet([problem(), problem(Code.METADATA_INVALID)])


letters = st.sets(st.sampled_from("ABCD")).map("".join)
views = st.builds(
    view,
    letters,
    merged=letters,
    opened=letters,
    closed=letters,
    carried=st.sampled_from([KNOWN_TO_BE_NOTHING, Carried(why_not="moving"), A, B, C, D]),
    entry=st.sampled_from([ENTRY, GATING]),
)


@given(seen=views)
def test_once_all_is_done_there_is_nothing_left_to_publish_or_to_open(seen: StreamView) -> None:
    merged, opened, closed = set(seen.merged), set(seen.opened) - seen.merged, set(seen.closed)
    for step in plan_publishing(replace(seen, opened=frozenset(opened))):
        match step.do:
            case Do.OPEN:
                opened.add(step.compose_id)
            case Do.MERGE | Do.CLOSE:
                merged.add(step.compose_id)
                older = {one for one in opened if one < step.compose_id}
                opened, closed = opened - older - {step.compose_id}, (closed | older) - {step.compose_id}
    after = replace(seen, merged=frozenset(merged), opened=frozenset(opened), closed=frozenset(closed))
    for step in plan_opening(after, finished(*unseen(after)), may_open=True):
        opened.add(step.compose_id)
    done = replace(after, opened=frozenset(opened))
    assert plan_publishing(done) == ()
    assert unseen(done) == ()


@given(seen=views)
def test_nothing_newer_than_what_is_published_is_ever_closed_or_merged_by_the_mirrors(seen: StreamView) -> None:
    newest = newest_published(seen)
    for step in plan_publishing(seen):
        assert newest is not None
        assert not newest < step.compose_id
