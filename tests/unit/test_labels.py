"""The names of labels: which of them take each other's place, and which cannot stand together."""

import pytest

from compose_repo.core.names import Stream
from compose_repo.core.plan.labels import Labels, labels_from_dict
from compose_repo.core.verdict.decision import Verdict

OURS = Labels()
PLAIN = Labels(satisfied="ok", pending="waits", blocked="blocks", published="out", superseded="old", stream="release ")


def test_what_is_not_named_has_its_usual_name() -> None:
    labels = labels_from_dict({"labels": {"stream": "release::"}})
    assert labels.of_stream(Stream("CentOS-Stream-10")) == "release::CentOS-Stream-10"
    assert [labels.of_verdict(verdict) for verdict in Verdict] == ["gate::satisfied", "gate::pending", "gate::blocked"]


@pytest.mark.parametrize(
    ("labels", "label", "other", "excluded"),
    [
        (OURS, "gate::satisfied", "gate::blocked", True),
        (OURS, "gate::satisfied", "gate::satisfied", False),
        (OURS, "gate::satisfied", "gate::something", True),
        (OURS, "gate::satisfied", "gate::some::thing", False),
        (OURS, "gate::satisfied", "gate", False),
        (OURS, "gate::satisfied", "compose::published", False),
        (OURS, "compose::published", "compose::vanished", True),
        (OURS, "stream::CentOS-Stream-9", "stream::CentOS-Stream-10", True),
        (OURS, "hold::active", "gate::satisfied", False),
        (OURS, "hold::active", "compose::published", False),
        (OURS, "hold::active", "hold::other", True),
        (PLAIN, "ok", "blocks", True),
        (PLAIN, "ok", "old", False),
        (PLAIN, "out", "old", True),
        (PLAIN, "release 9", "release 10", True),
        (PLAIN, "ok", "theirs", False),
        (PLAIN, "theirs", "ok", False),
        (PLAIN, "theirs", "others", False),
    ],
)
def test_labels_of_one_kind_take_each_others_place(labels: Labels, label: str, other: str, *, excluded: bool) -> None:
    assert labels.excludes(label, other) is excluded


@pytest.mark.parametrize("labels", [OURS, PLAIN, Labels(satisfied="a::b::c", published="a::c", vanished="a::b")])
def test_labels_that_tell_of_different_things_stand_together(labels: Labels) -> None:
    fields = labels.to_dict()
    assert [labels.clash(one, two) for one in fields for two in fields if one != two] == [None] * 72


@pytest.mark.parametrize(
    ("changed", "field", "other", "why"),
    [
        ({"blocked": "gate::pending"}, "blocked", "pending", "labels.pending is the same"),
        (
            {"vanished": "gate::vanished"},
            "vanished",
            "blocked",
            "GitLab keeps one label of a scope, and labels.blocked (gate::blocked) is of the same",
        ),
        (
            {"stream": "gate"},
            "stream",
            "pending",
            "labels.stream and labels.pending begin alike, and what begins with labels.stream is a stream's",
        ),
        (
            {"pending": "stream::pending"},
            "pending",
            "stream",
            "labels.pending and labels.stream begin alike, and what begins with labels.stream is a stream's",
        ),
    ],
)
def test_labels_that_cannot_stand_together_say_why(changed: dict[str, str], field: str, other: str, why: str) -> None:
    assert labels_from_dict({"labels": changed}).clash(field, other) == why
