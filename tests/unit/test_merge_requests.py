"""Which merge request counts: what everybody may change about one is never asked."""

import datetime as dt
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.forge.forge import MergeRequest, MergeRequestState, Push, User
from compose_repo.core.forge.merge_requests import (
    Found,
    choose,
    compose_of,
    newer_published,
    open_of,
    opener_of,
    superseded_by,
    why_it_stays_closed,
)
from compose_repo.core.names import Sha
from compose_repo.core.rules.policy import Bots

ID = ComposeId.parse("CentOS-Stream-10-20261120.0")
OPENER, GATE, OTHER = (User(id=n, username=name) for n, name in enumerate(("compose-bot", "gate-bot", "mallory"), 1))
OPENED, CLOSED, MERGED, LOCKED = (MergeRequestState(word) for word in ("opened", "closed", "merged", "locked"))
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


def line(  # noqa: PLR0913  # a value with every field
    iid: int,
    state: MergeRequestState = OPENED,
    *,
    author: User = OPENER,
    compose_id: str = str(ID),
    target: str = "main",
    from_fork: bool = False,
    closed_by: User | None = None,
) -> MergeRequest:
    return MergeRequest(
        iid=iid,
        state=state,
        title=str(ID),
        description="",
        source_branch=f"compose/{compose_id}",
        target_branch=target,
        head=Sha("a" * 40),
        author=author,
        labels=frozenset(),
        created_at=NOON,
        web_url="https://gitlab.example/composes/-/merge_requests/7",
        closed_by=closed_by,
        from_fork=from_fork,
    )


def test_what_bears_a_composes_name_bears_all_of_it() -> None:
    beside = replace(line(2, compose_id=f"{ID}0"), title=f"{ID}0")
    named = replace(line(3), source_branch="mine", title=f"Draft: {ID}, please")
    assert open_of(ID, [line(1), beside, named]) == (line(1), named)


def chosen(*lines: MergeRequest, is_on_main: bool = False) -> Found:
    return choose(ID, lines, bots=Bots(), target_branch="main", is_on_main=is_on_main)


class TestChoose:
    def test_there_may_be_none(self) -> None:
        assert chosen() == Found(ours=None)

    @pytest.mark.parametrize("state", [MERGED, LOCKED])
    def test_the_merged_one_counts_before_an_open_one(self, state: MergeRequestState) -> None:
        assert chosen(line(3), line(4, state), is_on_main=True).ours == line(4, state)

    def test_the_open_one_counts_before_closed_ones(self) -> None:
        assert chosen(line(1, CLOSED), line(2), line(3, CLOSED)).ours == line(2)

    def test_of_closed_ones_the_newest_counts(self) -> None:
        assert chosen(line(1, CLOSED), line(3, CLOSED), line(2, CLOSED)).ours == line(3, CLOSED)

    def test_a_retargeted_one_counts(self) -> None:
        assert chosen(line(1, target="evil")).ours == line(1, target="evil")

    def test_of_open_ones_that_to_main_counts_and_else_the_oldest(self) -> None:
        assert chosen(line(1, target="evil"), line(2)).ours == line(2)
        assert chosen(line(2, target="a"), line(1, target="b")).ours == line(1, target="b")

    def test_a_user_name_in_other_case_is_the_same(self) -> None:
        bot = User(id=1, username="Compose-Bot")
        assert chosen(line(1, author=bot)).ours == line(1, author=bot)

    def test_one_by_anybody_else_is_a_duplicate_whatever_it_says(self) -> None:
        theirs = line(9, author=OTHER)
        assert chosen(theirs, line(7)) == Found(ours=line(7), duplicates=(theirs,))
        assert chosen(theirs) == Found(ours=None, duplicates=(theirs,))

    def test_merged_by_anybody_else_it_is_none(self) -> None:
        assert chosen(line(9, MERGED, author=OTHER), is_on_main=True) == Found(ours=None)

    def test_the_gate_bots_own_is_none_either(self) -> None:
        assert chosen(line(9, author=GATE)).ours is None

    def test_other_open_ones_of_the_compose_bots_are_duplicates(self) -> None:
        assert chosen(line(7), line(8, target="evil")).duplicates == (line(8, target="evil"),)

    @pytest.mark.parametrize("state", [CLOSED, MERGED])
    def test_what_is_not_open_needs_no_closing(self, state: MergeRequestState) -> None:
        assert chosen(line(7), line(8, state, author=OTHER)).duplicates == ()

    def test_one_from_a_fork_is_a_stranger_even_of_the_bots_name(self) -> None:
        fork = line(5, from_fork=True)
        assert chosen(fork) == Found(ours=None, strangers=(fork,))

    def test_one_that_bears_the_name_only_is_a_stranger(self) -> None:
        titled = replace(line(5), source_branch="feature")
        assert chosen(titled, line(7)) == Found(ours=line(7), strangers=(titled,))

    def test_one_that_is_found_twice_is_one(self) -> None:
        assert chosen(line(7), line(7)) == Found(ours=line(7))

    def test_one_merged_elsewhere_is_astray_and_the_next_counts(self) -> None:
        lost = line(7, MERGED, target="evil")
        assert chosen(lost) == Found(ours=None, astray=lost)
        assert chosen(lost, line(8)) == Found(ours=line(8), astray=lost)

    def test_what_main_does_not_hold_was_not_merged_there_whatever_the_target_says_now(self) -> None:
        assert chosen(line(7, MERGED)).ours is None

    def test_two_that_are_merged_are_told_apart_by_target(self) -> None:
        assert chosen(line(7, MERGED, target="evil"), line(8, MERGED), is_on_main=True).ours == line(8, MERGED)

    @given(st.permutations([line(1, CLOSED), line(2), line(3, author=OTHER), line(4, from_fork=True)]))
    def test_the_order_they_come_in_does_not_matter(self, lines: Sequence[MergeRequest]) -> None:
        assert chosen(*lines) == Found(
            ours=line(2), duplicates=(line(3, author=OTHER),), strangers=(line(4, from_fork=True),)
        )


class TestComposeOf:
    @pytest.mark.parametrize("branch", ["main", "compose/x", "other/CentOS-Stream-10-20261120.0"])
    def test_other_branches_are_about_no_compose(self, branch: str) -> None:
        assert compose_of(replace(line(1), source_branch=branch)) is None

    def test_a_composes_branch_names_it(self) -> None:
        assert compose_of(line(1)) == ID


class TestOpener:
    BEFORE, AFTER = Sha("b" * 40), Sha("c" * 40)

    def push(self, user: User, before: Sha | None, after: Sha | None) -> Push:
        return Push(user=user, branch=ID.branch, before=before, after=after, at=NOON)

    def test_who_created_the_branch_is_its_opener(self) -> None:
        pushes = [self.push(OPENER, None, self.BEFORE), self.push(OTHER, self.BEFORE, self.AFTER)]
        assert opener_of(pushes) == OPENER

    def test_a_branch_that_was_deleted_has_a_new_opener(self) -> None:
        pushes = [
            self.push(OTHER, None, self.BEFORE),
            self.push(GATE, self.BEFORE, None),
            self.push(OPENER, None, self.AFTER),
        ]
        assert opener_of(pushes) == OPENER

    def test_a_branch_that_is_there_though_last_deleted_is_nobodys(self) -> None:
        assert opener_of([self.push(OPENER, None, self.BEFORE), self.push(OTHER, self.BEFORE, None)]) is None

    def test_where_nobody_is_known_to_have_created_it_it_is_nobodys(self) -> None:
        assert opener_of([]) is None
        assert opener_of([self.push(OPENER, self.BEFORE, self.AFTER)]) is None


class TestSupersededBy:
    def test_only_older_open_ones_of_the_same_stream_are_superseded_oldest_first(self) -> None:
        ids = {
            1: "CentOS-Stream-10-20261119.10",
            2: "CentOS-Stream-10-20261119.9",
            3: "CentOS-Stream-10-20261121.0",
            4: "CentOS-Stream-9-20261101.0",
            5: str(ID),
            6: "not-a-compose",
        }
        found = [line(iid, compose_id=name) for iid, name in ids.items()]
        found.append(line(8, CLOSED, compose_id="CentOS-Stream-10-20261101.0"))
        older = superseded_by(ID, found, bots=Bots(), target_branch="main")
        assert [one.iid for one in older] == [2, 1]

    @pytest.mark.parametrize(
        "other", [{"author": OTHER}, {"target": "evil"}, {"from_fork": True}], ids=["author", "target", "fork"]
    )
    def test_what_is_no_composes_is_not_touched(self, other: dict[str, object]) -> None:
        found = line(1, compose_id="CentOS-Stream-10-20261119.0", **other)  # type: ignore[arg-type]  # one of three
        assert superseded_by(ID, [found], bots=Bots(), target_branch="main") == ()


class TestStaysClosed:
    def why(self, closed_by: User | None, access_level: int = 30, overtaken_by: ComposeId | None = None) -> str | None:
        found = line(7, CLOSED, closed_by=closed_by)
        return why_it_stays_closed(found, overtaken_by=overtaken_by, access_level=access_level, bots=Bots())

    @pytest.mark.parametrize("level", [0, 10, 30, 39])
    def test_what_anybody_has_closed_is_opened_again(self, level: int) -> None:
        assert self.why(OTHER, level) is None

    def test_what_nobody_known_has_closed_is_opened_again(self) -> None:
        assert self.why(None, 0) is None

    @pytest.mark.parametrize("level", [40, 50])
    def test_a_maintainers_word_holds(self, level: int) -> None:
        assert self.why(OTHER, level) == "mallory, a Maintainer, closed it"

    @pytest.mark.parametrize("bot", [OPENER, GATE])
    def test_what_our_bots_have_closed_stays_closed(self, bot: User) -> None:
        assert self.why(bot) == f"{bot.username}, one of the two bots, closed it"

    def test_what_is_superseded_stays_closed_whoever_closed_it(self) -> None:
        newer = ComposeId.parse("CentOS-Stream-10-20261121.0")
        assert self.why(OTHER, overtaken_by=newer) == f"{newer}, which is newer, was merged since"

    @pytest.mark.parametrize(
        ("published", "newer"),
        [
            ([], None),
            ([str(ID)], None),
            (["CentOS-Stream-10-20261119.3"], None),
            (["CentOS-Stream-9-20261125.0"], None),
            (["CentOS-Stream-10-20261120.1", "CentOS-Stream-10-20261119.0"], "CentOS-Stream-10-20261120.1"),
            (["CentOS-Stream-10-20261121.0", "CentOS-Stream-10-20261123.0"], "CentOS-Stream-10-20261123.0"),
        ],
    )
    def test_only_newer_ones_of_the_same_stream_overtake(self, published: list[str], newer: str | None) -> None:
        found = newer_published(ID, map(ComposeId.parse, published))
        assert (None if found is None else str(found)) == newer
