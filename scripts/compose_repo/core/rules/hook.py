"""Whom to call when a compose turns satisfied: `promote` of a stream in `gate/streams.toml`."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from msgspec import Struct


class JenkinsHook(Struct, frozen=True, kw_only=True):
    """A job that is built with parameters."""

    job: str

    @property
    def name(self) -> str:
        """The words for it."""
        return f"the Jenkins job {self.job}"

    def to_dict(self) -> dict[str, Any]:
        """Give the `promote` as JSON has it."""
        return {"jenkins": {"job": self.job}}


class PipelineHook(Struct, frozen=True, kw_only=True):
    """A pipeline of a project on some GitLab, started by its trigger."""

    url: str
    project: str
    ref: str

    @property
    def name(self) -> str:
        """The words for it."""
        return f"the pipeline of {self.project} on {self.ref} at {self.url}"

    def to_dict(self) -> dict[str, Any]:
        """Give the `promote` as JSON has it."""
        return {"gitlab": {"url": self.url, "project": self.project, "ref": self.ref}}


class CommandHook(Struct, frozen=True, kw_only=True):
    """A program and its arguments; no shell looks at them."""

    command: tuple[str, ...]

    @property
    def name(self) -> str:
        """The words for it."""
        return f"the command {self.command[0]}"

    def to_dict(self) -> dict[str, Any]:
        """Give the `promote` as JSON has it."""
        return {"command": list(self.command)}


Hook: TypeAlias = JenkinsHook | PipelineHook | CommandHook


def hook_from_dict(data: Mapping[str, Any]) -> Hook:
    """Read `promote`; the data must satisfy the streams schema, which admits one of the three."""
    if "jenkins" in data:
        return JenkinsHook(**data["jenkins"])
    if "gitlab" in data:
        return PipelineHook(**data["gitlab"])
    return CommandHook(command=tuple(data["command"]))
