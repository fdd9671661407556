"""What an event means for a pass, whatever it holds."""

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose_repo.core.bus.hint import HINT_BYTES, TEMPLATE, Everything, Hint, Nothing, One, read_hint
from compose_repo.core.composes.compose_id import ComposeId

COMPOSE: Final = ComposeId.parse("CentOS-Stream-10-20261120.0")
PROJECT: Final = 7


def read(event: Any) -> Hint:  # noqa: ANN401  # JSON holds anything
    data = event if isinstance(event, bytes) else json.dumps(event).encode()
    return read_hint(data, project_id=PROJECT, default_branch="main")


def push(branch: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Give what our webhook sends, with what the trigger adds to it."""
    return {"object_kind": "push", "project_id": PROJECT, "branch": branch, "id": "7", "ref": "main", **more}


def merge_request(branch: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "object_kind": "merge_request",
        "project": {"id": PROJECT},
        "object_attributes": {"source_branch": branch, **more},
    }


@pytest.mark.parametrize("action", ["open", "update", "close", "reopen", "approved", "merge"])
def test_a_merge_request_of_a_compose_is_a_hint_at_it_whatever_happened(action: str) -> None:
    assert read(merge_request(COMPOSE.branch, action=action, target_branch="devel")) == One(compose_id=COMPOSE)


def test_a_push_to_a_composes_branch_is_a_hint_at_it() -> None:
    assert read(push(f"refs/heads/{COMPOSE.branch}")) == One(compose_id=COMPOSE)


def test_a_composes_branch_that_is_deleted_is_looked_at() -> None:
    assert read(push(f"refs/heads/{COMPOSE.branch}", after="0" * 40)) == One(compose_id=COMPOSE)


def test_a_push_to_main_concerns_everything() -> None:
    assert read(push("refs/heads/main")) == Everything(why="main has changed")


NOTHING: Final[dict[str, Any]] = {
    "a branch of somebody's own": push("refs/heads/fix-something"),
    "no compose's name": push("refs/heads/compose/evil"),
    "a name that goes on": push(f"refs/heads/{COMPOSE.branch}\nrefs/heads/main"),
    "a name without its folder": push(f"refs/heads/{COMPOSE.text}"),
    "a name with its folder twice": push(f"refs/heads/compose/{COMPOSE.branch}"),
    "a merge request of another kind": merge_request("fix-something"),
    "another project": push(f"refs/heads/{COMPOSE.branch}", project_id=8),
    "a tag": push("refs/tags/v1", object_kind="tag_push"),
    "a comment": {**merge_request(COMPOSE.branch), "object_kind": "note"},
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_is_none_of_ours_makes_nothing_due(name: str) -> None:
    assert isinstance(read(NOTHING[name]), Nothing)


UNCLEAR: Final[dict[str, Any]] = {
    "nothing": b"",
    "no JSON": b"{",
    "a key twice": b'{"object_kind": "tag_push", "object_kind": "tag_push", "project_id": 7}',
    "no UTF-8": b'"\xff"',
    "too deep": b"[" * 100_000,
    "too long": json.dumps(push("refs/heads/fix", padding="x" * HINT_BYTES)).encode(),
    "a list": [],
    "no kind": {"project_id": PROJECT, "branch": "refs/heads/fix"},
    "a kind that is no word": push("refs/heads/fix", object_kind=["push"]),
    "no project": {"object_kind": "push", "branch": "refs/heads/fix"},
    "a project that is no number": push("refs/heads/fix", project_id="7"),
    "a project that is true": push("refs/heads/fix", project_id=True),
    "a project of another shape": {**merge_request("fix"), "project": 7},
    "a push as GitLab sends it, whose branch the trigger's has replaced": {
        "object_kind": "push",
        "project_id": PROJECT,
        "ref": "main",
    },
    "a branch that is no text": push(7),
    "a branch without its folder": push("fix"),
    "a push to a tag": push("refs/tags/v1"),
    "a merge request without attributes": {**merge_request("fix"), "object_attributes": None},
    "a merge request without a branch": merge_request(None),
    "another kind of event": push("refs/heads/fix", object_kind="deployment"),
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_what_cannot_be_understood_makes_everything_due(name: str) -> None:
    assert isinstance(read(UNCLEAR[name]), Everything)


KEYS: Final = ("object_kind", "project_id", "project", "id", "branch", "object_attributes", "source_branch")
WORDS: Final = ("push", "merge_request", COMPOSE.branch)
JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner),
)


@given(event=JSON)
def test_every_document_is_a_hint(event: Any) -> None:  # noqa: ANN401
    assert isinstance(read(event), (One, Everything, Nothing))


@given(data=st.binary())
def test_all_bytes_are_a_hint(data: bytes) -> None:
    assert isinstance(read(data), (One, Everything, Nothing))


def test_what_our_webhook_sends_is_understood() -> None:
    sent = TEMPLATE.replace("{{object_kind}}", "push").replace("{{project_id}}", str(PROJECT))
    assert read(sent.replace("{{ref}}", f"refs/heads/{COMPOSE.branch}").encode()) == One(compose_id=COMPOSE)
