"""The messages that we publish, as fedora-messaging finds them by their entry points."""

from typing import Any, ClassVar, Final
from uuid import NAMESPACE_URL, uuid5

from fedora_messaging import message as fedora

from compose_repo.core.bus.announcement import DecisionChanged
from compose_repo.core.bus.event import Message
from compose_repo.core.problems.problem import Problem

_DRAFT: Final = "http://json-schema.org/draft-07/schema#"
_VERDICTS: Final = ["satisfied", "pending", "blocked"]


def _text(description: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # the rest of a schema
    return {"type": "string", "description": description, **more}


class DecisionChangedV2(fedora.Message):
    """A compose's verdict has changed, or the hold on it."""

    topic = "compose-repo.decision.changed"
    body_schema: ClassVar[dict[str, Any]] = {
        "$schema": _DRAFT,
        "$id": "urn:compose-repo:message:decision-changed/2",
        "description": "The verdict of the gate on a compose has changed, or the hold on it.",
        "type": "object",
        "properties": {
            "compose_id": _text("The compose."),
            "stream": _text("Its stream: release short name and version."),
            "old": {
                "description": "The verdict that was published before; null the first time.",
                "enum": [*_VERDICTS, None],
            },
            "new": {"description": "The verdict.", "enum": _VERDICTS},
            "held": {
                "description": "The hold that keeps the compose from being published; null where there is none.",
                "type": ["object", "null"],
                "properties": {
                    "reason": _text("Why, in one line."),
                    "issue": _text("Where the cause is being followed."),
                    "by": _text("The GitLab user who answers for it."),
                    "until": _text("The last day on which it holds, UTC."),
                },
                "additionalProperties": False,
                "required": ["reason", "issue", "by", "until"],
            },
            "summary": _text("Why, in one sentence."),
            "decision_sha256": {
                "type": ["string", "null"],
                "description": "The digest of the decision's canonical form.",
                "pattern": "^[0-9a-f]{64}$",
            },
            "url": _text("The merge request."),
        },
        "additionalProperties": False,
        "required": ["compose_id", "stream", "old", "new", "held", "summary", "decision_sha256", "url"],
    }

    @property
    def app_name(self) -> str:
        """The name of the application."""
        return "compose-repo"

    @property
    def url(self) -> str:
        """The merge request."""
        return str(self.body["url"])

    @property
    def summary(self) -> str:
        """What has happened, in one line."""
        body = self.body
        before = "" if body["old"] is None else f" (it was {body['old']})"
        held = "" if body["held"] is None else f", held until {body['held']['until']}"
        return f"{body['compose_id']} is {body['new']}{before}{held}: {body['summary']}"

    def __str__(self) -> str:
        return f"{self.summary}\n\n{self.url}\n"


class MessageRefusedV1(fedora.Message):
    """A message that reached us could not be used, and why."""

    topic = "compose-repo.message.refused"
    severity = fedora.WARNING
    body_schema: ClassVar[dict[str, Any]] = {
        "$schema": _DRAFT,
        "$id": "urn:compose-repo:message:message-refused/1",
        "description": "A message has been dead-lettered, and why.",
        "type": "object",
        "properties": {
            "id": {"type": ["string", "null"], "description": "The id of the message."},
            "topic": _text("The topic of the message."),
            "problems": {
                "type": "array",
                "description": "What is wrong with it.",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {
                        "code": _text("The stable code of the problem."),
                        "pointer": _text("Where in its body, as a JSON pointer."),
                        "message": _text("What is wrong."),
                        "fix": _text("How to fix it."),
                    },
                    "additionalProperties": False,
                    "required": ["code", "pointer", "message", "fix"],
                },
            },
        },
        "additionalProperties": False,
        "required": ["id", "topic", "problems"],
    }

    @property
    def app_name(self) -> str:
        """The name of the application."""
        return "compose-repo"

    @property
    def summary(self) -> str:
        """What has happened, in one line."""
        codes = ", ".join(dict.fromkeys(problem["code"] for problem in self.body["problems"]))
        return f"message {self.body['id']} on {self.body['topic']} cannot be used: {codes}"


def decision_changed(change: DecisionChanged) -> DecisionChangedV2:
    """Make the message of a change; the same change always has the same id."""
    made = DecisionChangedV2(body=change.to_dict())
    made.id = str(uuid5(NAMESPACE_URL, change.key))
    return made


def message_refused(message: Message, problems: tuple[Problem, ...]) -> MessageRefusedV1:
    """Make the message that says why another one cannot be used; the same one always has the same id."""
    rows = [
        {"code": one.code, "pointer": one.pointer, "message": one.message, "fix": one.fix} for one in sorted(problems)
    ]
    made = MessageRefusedV1(body={"id": message.id, "topic": message.topic, "problems": rows})
    made.id = str(uuid5(NAMESPACE_URL, f"compose-repo refused {message.topic} {message.id}"))
    return made
