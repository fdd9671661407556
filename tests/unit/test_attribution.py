"""Which push brought a commit, and whether that makes its results an origin's own."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from compose_repo.core.branch.attribution import attribute, in_order, is_carried, is_listed, refusal, wants_signature
from compose_repo.core.forge.forge import Push, User
from compose_repo.core.names import Arch, Origin, Sha
from compose_repo.core.result import Contact
from compose_repo.core.rules.policy import Attribution, BusMapping, JenkinsJob, OriginEntry

START: Final = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
BRANCH: Final = "compose/CentOS-Stream-10-20261120.0"


def sha(name: str) -> Sha:
    return Sha(name.encode().hex().rjust(40, "0"))


def line(text: str) -> list[tuple[Sha, tuple[Sha, ...]]]:
    """Read commits such as `a b<a c<a,b`."""
    commits = []
    for word in text.split():
        name, _, parents = word.partition("<")
        commits.append((sha(name), tuple(map(sha, parents.split(","))) if parents else ()))
    return commits


def pushes(text: str) -> list[Push]:
    """Read pushes such as `bot:-a rdo:ab`: who, before, after; `-` is no commit."""
    found = []
    for index, word in enumerate(text.split()):
        who, _, ends = word.partition(":")
        before, after = ends[0], ends[1]
        found.append(
            Push(
                user=User(id=sum(who.encode()), username=who),
                branch=BRANCH,
                before=None if before == "-" else sha(before),
                after=None if after == "-" else sha(after),
                at=START + dt.timedelta(minutes=index),
            )
        )
    return found


def brought(commits: str, events: str) -> str:
    """Say who brought which commits, as `bot:a rdo:bc`."""
    names = {sha(letter): letter for letter in "abcdefghxyz"}
    by_user: dict[str, str] = {}
    for commit, push in attribute(line(commits), pushes(events)).items():
        by_user[push.user.username] = "".join(sorted(by_user.get(push.user.username, "") + names[commit]))
    return " ".join(f"{user}:{letters}" for user, letters in by_user.items())


@pytest.mark.parametrize(
    ("commits", "events", "expected"),
    [
        ("a b<a c<b", "bot:-a rdo:ac", "bot:a rdo:bc"),
        ("a b<a c<b", "bot:-a rdo:ab idm:bc", "bot:a rdo:b idm:c"),
        ("a b<a c<b", "bot:xa rdo:ac", "bot:a rdo:bc"),
        ("a b<a c<a d<b,c", "bot:-a rdo:ab idm:bd", "bot:a rdo:b idm:cd"),
        ("", "bot:-a", ""),
        ("a", "", ""),
    ],
    ids=["one push", "two pushes", "a parent on main", "a merge", "nothing in between", "no push"],
)
def test_a_commit_belongs_to_the_first_push_that_has_it(commits: str, events: str, expected: str) -> None:
    assert brought(commits, events) == expected


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("bot:-a rdo:ab mallory:ba mallory:ab", "bot:a rdo:b"),
        ("bot:-a mallory:ab rdo:ba rdo:ab", "bot:a mallory:b"),
        ("bot:-a mallory:ab mallory:b- rdo:-b", "bot:a mallory:b"),
    ],
    ids=["taken away and put back", "put back by the victim", "deleted and made anew"],
)
def test_who_pushes_it_again_did_not_bring_it(events: str, expected: str) -> None:
    assert brought("a b<a", events) == expected


@pytest.mark.parametrize(
    "events",
    [
        "bot:-a rdo:bc",
        "bot:-a mallory:b- rdo:-c",
        "bot:-a mallory:ba rdo:ac",
    ],
    ids=["pushed on top", "deleted, then pushed", "thrown away, then pushed"],
)
def test_what_came_with_a_push_of_many_branches_is_not_who_pushes_on_top(events: str) -> None:
    assert brought("a b<a c<b", events) == "bot:a rdo:c"


def test_what_was_thrown_away_belongs_to_who_pushed_it() -> None:
    assert brought("a b<a c<a", "bot:-a rdo:ab mallory:bc") == "bot:a rdo:b mallory:c"


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("rdo:ab bot:-a", "bot:a rdo:b"),
        ("bot:-a idm:bc rdo:ab", "bot:a rdo:b idm:c"),
    ],
    ids=["the first two", "the last two"],
)
def test_two_events_in_the_wrong_order_are_put_right(events: str, expected: str) -> None:
    assert brought("a b<a c<b", events) == expected


@pytest.mark.parametrize(
    "events",
    [
        "bot:-a rdo:ab idm:bc",
        "bot:-a rdo:bc idm:ad",
        "bot:-a rdo:bc idm:xb",
        "bot:-a rdo:ab rdo:ba rdo:ab",
        "bot:-a",
        "",
    ],
)
def test_events_that_may_be_in_order_stay_so(events: str) -> None:
    assert in_order(pushes(events)) == pushes(events)


@given(st.data())
def test_each_commit_of_a_plain_history_belongs_to_its_push(data: st.DataObject) -> None:
    names = [f"{number:040x}" for number in range(data.draw(st.integers(1, 30)))]
    commits = [(Sha(name), (Sha(names[index - 1]),) if index else ()) for index, name in enumerate(names)]
    heads = sorted(data.draw(st.sets(st.integers(0, len(names) - 1))) | {len(names) - 1})
    events = [
        Push(
            user=User(id=index, username="u"),
            branch=BRANCH,
            before=Sha(names[heads[index - 1]]) if index else None,
            after=Sha(names[head]),
            at=START,
        )
        for index, head in enumerate(heads)
    ]
    expected = {Sha(name): events[sum(head < index for head in heads)] for index, name in enumerate(names)}
    assert attribute(commits, events) == expected


class Parents(tuple[Sha, ...]):
    """Parents that count how often anybody looks through them."""

    __slots__ = ()
    looks = 0

    def __iter__(self) -> Iterator[Sha]:
        Parents.looks += 1
        return super().__iter__()


def test_each_commit_is_looked_at_once_however_many_pushes_there_are() -> None:
    names = [Sha(f"{number:040x}") for number in range(10_000)]
    commits = [(name, Parents([names[index - 1]] if index else [])) for index, name in enumerate(names)]
    events = []
    before = None
    for index in range(1_000):
        after = names[(index + 1) * 10 - 1] if index % 3 else names[-1]  # every third is a force push to the end
        user = User(id=index, username="u")
        events.append(Push(user=user, branch=BRANCH, before=before, after=after, at=START))
        before = after
    assert len(attribute(commits, events)) == len(names)
    assert Parents.looks == len(names)


def entry(
    attribution: Attribution = Attribution.PUSHER, users: tuple[str, ...] = ("rdo-ci", "Rdo-Admin")
) -> OriginEntry:
    contact = Contact(email="rdo-ci@example.org")
    return OriginEntry(origin=Origin("rdo"), name="RDO", contact=contact, users=users, attribution=attribution)


def by(username: str) -> Push:
    return Push(user=User(id=1, username=username), branch=BRANCH, before=None, after=None, at=START)


@pytest.mark.parametrize(
    ("username", "answer"),
    [("rdo-ci", True), ("RDO-CI", True), ("rdo-admin", True), ("rdo", False), ("rdo-ci2", False), ("", False)],
)
def test_a_user_is_told_by_the_whole_name_whatever_its_case(username: str, answer: bool) -> None:  # noqa: FBT001
    assert is_listed(entry(), by(username)) is answer


FOREIGN: Final = "pushed by mallory, who may not report for rdo; gate/origins.toml lists rdo-ci, Rdo-Admin"


@pytest.mark.parametrize(
    ("attribution", "username", "signature", "expected"),
    [
        (Attribution.PUSHER, "rdo-ci", None, None),
        (Attribution.PUSHER, "rdo-ci", "not signed", None),
        (Attribution.PUSHER, "mallory", None, FOREIGN),
        (Attribution.SIGNATURE, "rdo-ci", "not signed", "not signed"),
        (Attribution.SIGNATURE, "mallory", None, None),
        (Attribution.EITHER, "rdo-ci", "not signed", None),
        (Attribution.EITHER, "mallory", None, None),
        (Attribution.EITHER, "mallory", "not signed", f"{FOREIGN}; not signed"),
    ],
)
def test_a_result_is_its_origins_as_the_entry_demands(
    attribution: Attribution, username: str, signature: str | None, expected: str | None
) -> None:
    assert refusal(entry(attribution), by(username), signature) == expected


@pytest.mark.parametrize("attribution", Attribution)
def test_what_no_push_brought_is_nobodys_even_if_it_is_signed(attribution: Attribution) -> None:
    reason = refusal(entry(attribution), None, None)
    assert reason is not None
    assert reason.startswith("GitLab does not name the user who pushed it; ")
    assert not is_listed(entry(), None)


def test_an_origin_without_users_says_so() -> None:
    reason = refusal(entry(users=()), by("mallory"), None)
    assert reason == "pushed by mallory, who may not report for rdo; gate/origins.toml lists nobody"


@pytest.mark.parametrize(
    ("attribution", "push", "answer"),
    [
        (Attribution.PUSHER, by("mallory"), False),
        (Attribution.SIGNATURE, by("rdo-ci"), True),
        (Attribution.SIGNATURE, None, False),
        (Attribution.EITHER, by("rdo-ci"), False),
        (Attribution.EITHER, by("mallory"), True),
        (Attribution.EITHER, None, False),
    ],
)
def test_a_signature_is_looked_at_only_where_it_decides(
    attribution: Attribution,
    push: Push | None,
    answer: bool,  # noqa: FBT001
) -> None:
    assert wants_signature(entry(attribution), push) is answer


MAPPED: Final = (BusMapping(topic="org.centos.prod.ci", ci="RDO CI"),)


@pytest.mark.parametrize("attribution", Attribution)
@pytest.mark.parametrize(
    ("bus", "pusher", "carrier", "carried"),
    [
        (MAPPED, "compose-bot", "compose-bot", True),
        (MAPPED, "Compose-Bot", "compose-bot", True),
        (MAPPED, "compose-bot2", "compose-bot", False),
        (MAPPED, "compose-bot", None, False),
        ((), "compose-bot", "compose-bot", False),
    ],
)
def test_the_bot_that_writes_messages_down_reports_for_origins_that_have_mappings(
    attribution: Attribution, bus: tuple[BusMapping, ...], pusher: str, carrier: str | None, *, carried: bool
) -> None:
    entry = OriginEntry(
        origin=Origin("rdo"), name="RDO", contact=Contact(email="a@b"), attribution=attribution, bus=bus
    )
    push = pushes(f"{pusher}:ab")[0]
    assert is_carried(entry, push, carrier) == carried
    assert (refusal(entry, push, "unsigned", carrier) is None) == carried
    assert not (carried and wants_signature(entry, push, carrier))


def test_the_bot_reports_for_origins_whose_jobs_it_polls() -> None:
    job = JenkinsJob(job="https://ci.example.org/job/smoke", arch=Arch("x86_64"))
    entry = OriginEntry(origin=Origin("rdo"), name="RDO", contact=Contact(email="a@b"), jenkins=(job,))
    assert is_carried(entry, pushes("compose-bot:ab")[0], "compose-bot")


def test_nobody_is_carried_where_nobody_is_known_to_have_pushed() -> None:
    entry = OriginEntry(origin=Origin("rdo"), name="RDO", contact=Contact(email="a@b"), bus=MAPPED)
    assert not is_carried(entry, None, "compose-bot")
    assert refusal(entry, None, None, "compose-bot") is not None


def test_a_branch_that_the_carrier_has_made_anew_carries_nothing() -> None:
    entry = OriginEntry(origin=Origin("rdo"), name="RDO", contact=Contact(email="a@b"), bus=MAPPED)
    push = replace(pushes("compose-bot:ab")[0], before=None)
    assert not is_carried(entry, push, "compose-bot")
    assert refusal(entry, push, None, "compose-bot") is not None
