"""The loop of every verb that writes: read, plan, show, apply."""

from typing import Any, cast

import pytest

from compose_repo.core.composes.compose_id import ComposeId
from compose_repo.core.forge.action import Action, CloseMergeRequest, Plan
from compose_repo.core.forge.forge import ForgeError, MergeRequest, StaleHead
from compose_repo.core.problems.codes import Code
from compose_repo.core.problems.problem import InputError, Problem
from compose_repo.passes.loop import ATTEMPTS, MOST_STAGES, Stage, carry_out, first_of
from compose_repo.passes.work import Work
from compose_repo.ports.console import Console

ID = ComposeId.parse("CentOS-Stream-10-20261120.0")
A, B, C = (CloseMergeRequest(iid=iid) for iid in (1, 2, 3))


class Writer:
    """Remembers what it is told to write; raises what it is told to raise, once each."""

    def __init__(self, *failures: Exception) -> None:
        self.applied: list[Action] = []
        self.failures = list(failures)

    def apply(self, plan: Plan, judged: MergeRequest | None = None) -> None:
        assert judged is None
        if self.failures:
            raise self.failures.pop(0)
        self.applied += plan


class World:
    """Counts how often it is read anew."""

    def __init__(self) -> None:
        self.read = 0

    def anew(self) -> None:
        self.read += 1


class Verb:
    """Plans the stages that it is given, one after the other; raises those that are errors."""

    def __init__(self, *stages: Stage | Exception, writer: Writer | None = None, dry_run: bool = False) -> None:
        self.stages = list(stages)
        self.writer, self.world = writer or Writer(), World()
        self.shown: list[Plan] = []
        self.work = Work(
            world=cast("Any", self.world),
            judge=cast("Any", None),
            writer=cast("Any", self.writer),
            console=Console(),
            paces=cast("Any", None),
            dry_run=dry_run,
        )

    def next_stage(self) -> Stage:
        stage = self.stages.pop(0)
        if isinstance(stage, Exception):
            raise stage
        return stage

    def run(self) -> Stage:
        return carry_out(self.work, self.next_stage, lambda stage: self.shown.append(stage.plan))


def stage(*plan: Action, **more: Any) -> Stage:  # noqa: ANN401  # whatever a stage has
    return Stage(compose_id=ID, plan=plan, **more)


def test_a_plan_is_shown_then_applied() -> None:
    verb = Verb(stage(A, B))
    assert verb.run().plan == (A, B)
    assert (verb.shown, verb.writer.applied, verb.world.read) == ([(A, B)], [A, B], 0)


def test_where_more_follows_the_world_is_read_and_planned_anew() -> None:
    verb = Verb(stage(A, more=True), stage(B))
    assert verb.run().plan == (B,)
    assert (verb.shown, verb.writer.applied, verb.world.read) == ([(A,), (B,)], [A, B], 1)


def test_what_outdates_nothing_is_followed_without_reading() -> None:
    verb = Verb(stage(A, more=True, outdates=False), stage(B))
    verb.run()
    assert (verb.writer.applied, verb.world.read) == ([A, B], 0)


def test_a_dry_run_shows_what_can_be_foreseen_and_applies_nothing() -> None:
    verb = Verb(stage(A, more=True, foreseen=lambda: stage(B, idle="last")), dry_run=True)
    assert verb.run().idle == "last"
    assert (verb.shown, verb.writer.applied, verb.world.read) == ([(A, B)], [], 0)


def test_it_begins_again_when_somebody_has_changed_something_meanwhile(capsys: pytest.CaptureFixture[str]) -> None:
    verb = Verb(StaleHead("the head of !1 has changed meanwhile"), stage(A))
    verb.run()
    assert (verb.writer.applied, verb.world.read) == ([A], 1)
    assert capsys.readouterr().err == "the head of !1 has changed meanwhile: reading it again\n"


def test_what_moves_while_it_is_written_is_planned_anew() -> None:
    verb = Verb(stage(A), stage(B), writer=Writer(StaleHead("the title of !1 has changed meanwhile")))
    verb.run()
    assert (verb.shown, verb.writer.applied, verb.world.read) == ([(A,), (B,)], [B], 1)


def test_it_gives_up_when_they_push_faster_than_it_is_judged() -> None:
    verb = Verb(*[StaleHead("the head of !1 has changed meanwhile")] * ATTEMPTS)
    with pytest.raises(
        StaleHead, match=r"^the head of !1 has changed meanwhile, for the 4th time in this run; run again$"
    ):
        verb.run()
    assert verb.world.read == ATTEMPTS - 1


def test_it_gives_up_when_somebody_undoes_each_stage() -> None:
    verb = Verb(*[stage(A, more=True)] * MOST_STAGES)
    with pytest.raises(StaleHead, match=r"^somebody undoes each write at once; run again$"):
        verb.run()
    assert len(verb.writer.applied) == MOST_STAGES


@pytest.mark.parametrize(("dry_run", "applied"), [(False, [A]), (True, [])])
def test_what_is_to_be_done_when_it_gives_up_is_done_before_it_is_told(dry_run: bool, applied: list[Action]) -> None:  # noqa: FBT001
    verb = Verb(*[StaleHead("the head of !1 has changed meanwhile")] * ATTEMPTS, dry_run=dry_run)
    with pytest.raises(StaleHead, match="for the 4th time"):
        carry_out(verb.work, verb.next_stage, lambda one: verb.shown.append(one.plan), give_up=lambda _: stage(A))
    assert (verb.shown, verb.writer.applied) == ([(A,)], applied)


@pytest.mark.parametrize(("dry_run", "applied"), [(False, [A]), (True, [])])
def test_a_problem_is_told_once_the_plan_has_been_applied(dry_run: bool, applied: list[Action]) -> None:  # noqa: FBT001
    error = InputError(Problem(path="x", code=Code.NOT_JSON, message="it is none", fix="fix it"))
    verb = Verb(stage(A, error=error, more=True), dry_run=dry_run)
    with pytest.raises(InputError):
        verb.run()
    assert (verb.shown, verb.writer.applied) == ([(A,)], applied)


def test_what_may_fail_is_told_and_followed_all_the_same() -> None:
    told: list[str] = []
    failing = Writer(ForgeError("HTTP 503"))
    verb = Verb(stage(A, writer=failing, more=True, or_else=lambda error: told.append(str(error))), stage(B))
    verb.run()
    assert (told, verb.writer.applied) == (["HTTP 503"], [B])


def test_any_other_failure_ends_it() -> None:
    verb = Verb(stage(A), writer=Writer(ForgeError("HTTP 503")))
    with pytest.raises(ForgeError, match="HTTP 503"):
        verb.run()


def test_plans_are_stages_one_after_the_other() -> None:
    first = first_of(((A,), (B,), (C,)), stage(idle="last"))
    assert (first.plan, first.more) == ((A,), True)
    assert first.foreseen is not None
    second = first.foreseen()
    assert second.foreseen is not None
    third = second.foreseen()
    assert (second.plan, third.plan, third.more, third.foreseen) == ((B,), (C,), False, None)


def test_no_plan_is_a_stage_in_which_nothing_is_done() -> None:
    assert first_of((), stage(idle="nothing")).plan == ()
