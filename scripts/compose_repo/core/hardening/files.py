"""What stands in the repository: `gate/*.toml` and what expires in it, streams' addresses, our files; and labels."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from compose_repo.core.escape import terminal
from compose_repo.core.hardening.administration import ChangeLabel, CreateLabel, Label, Plan
from compose_repo.core.hardening.rule import Rule, Seen, Severity, Where, applies_if, needs_gate_files, rule
from compose_repo.core.links import is_plain_http
from compose_repo.core.rules.policy import Attribution, Mode, SigningKey
from compose_repo.core.rules.waivers import EXPIRES_SOON

MOST: Final = 20
"""Most problems of gate/*.toml that are told here; `validate` tells all."""
KEY_SOON: Final = dt.timedelta(days=30)

CI_FILE: Final = ".gitlab-ci.yml"
PROJECT_FILES: Final = (
    ".gitattributes",
    ".gitlab/CODEOWNERS",
    ".gitlab/issue_templates/Origin.md",
    ".gitlab/issue_templates/Waiver.md",
    ".gitlab/merge_request_templates/Default.md",
)
"""What git and GitLab read of the template; each folder by one of its files."""

_GREEN, _AMBER, _RED, _BLUE, _GREY, _VIOLET = "#108548", "#ab6100", "#c91c00", "#1068bf", "#737278", "#694cc0"


@rule(
    "gate-files-invalid",
    Severity.UNSAFE,
    why="Nothing can be judged, approved or merged by rules that cannot be read.",
    fix="compose-repo validate gate lists every problem; fix them by merge request",
    where=Where.COMPOSES,
)
def gate_files_are_valid(seen: Seen) -> Iterator[str]:
    """The files gate/*.toml of the default branch exist and are valid."""
    for problem in seen.gate.problems[:MOST]:
        yield f"{problem.path}:{problem.line}: {problem.code}: {terminal(problem.message)}"


@rule(
    "origin-unattributable",
    Severity.ADVICE,
    why="Everything that it reports is refused.",
    fix="gate/origins.toml: add `users`, or a key that is valid, or another `attribution`",
    where=Where.COMPOSES,
    absent=applies_if(lambda seen: seen.gate.origins, "there is no origin"),
)
def every_origin_can_report(seen: Seen) -> Iterator[str]:
    """Every origin has somebody who may push for it, or a valid key, as its attribution asks."""
    for name, entry in seen.gate.origins.items():
        pusher = bool(entry.users) and entry.attribution is not Attribution.SIGNATURE
        signer = entry.attribution is not Attribution.PUSHER and any(_is_valid(seen, key) for key in entry.keys)
        if not pusher and not signer:
            yield f"{name} has {_LACKS[entry.attribution]}"


_LACKS: Final = {
    Attribution.PUSHER: "no users",
    Attribution.SIGNATURE: "no key that is valid",
    Attribution.EITHER: "neither users nor a key that is valid",
}


def _is_valid(seen: Seen, key: SigningKey) -> bool:
    begun = key.valid_after is None or key.valid_after <= seen.today
    return begun and not key.revoked and not _is_over(seen, key)


def _is_over(seen: Seen, key: SigningKey) -> bool:
    return key.valid_before is not None and key.valid_before <= seen.today


def _shown(key: SigningKey) -> str:
    """Name a key by its comment, or else by its end."""
    words = key.key.split()
    return terminal(" ".join(words[2:]) if len(words) > 2 else f"…{words[-1][-12:]}")  # noqa: PLR2004  # kind, key, comment


_with_keys = applies_if(
    lambda seen: any(entry.keys for entry in seen.gate.origins.values()), "no origin has a signing key"
)
_with_waivers = applies_if(lambda seen: seen.gate.waivers, "there is no waiver")
_with_holds = applies_if(lambda seen: seen.gate.holds, "there is no hold")
_with_streams = applies_if(lambda seen: seen.gate.streams, "no stream is followed")


@rule(
    "key-expired",
    Severity.ADVICE,
    why="What it signs no longer counts.",
    fix="gate/origins.toml: add the origin's new key; leave this one while open composes were signed with it",
    where=Where.COMPOSES,
    absent=_with_keys,
)
def no_key_has_expired(seen: Seen) -> Iterator[str]:
    """No signing key has expired."""
    for name, entry in seen.gate.origins.items():
        for key in entry.keys:
            if not key.revoked and _is_over(seen, key):
                yield f"the key {_shown(key)} of {name} has expired on {key.valid_before}"


@rule(
    "key-expires-soon",
    Severity.ADVICE,
    why="From that day on, what it signs does not count.",
    fix="gate/origins.toml: add the origin's new key beside it",
    where=Where.COMPOSES,
    absent=_with_keys,
)
def no_key_expires_soon(seen: Seen) -> Iterator[str]:
    """No signing key expires within a month."""
    for name, entry in seen.gate.origins.items():
        for key in entry.keys:
            end = key.valid_before
            if end is not None and not key.revoked and not _is_over(seen, key) and end - seen.today <= KEY_SOON:
                yield f"the key {_shown(key)} of {name} expires on {end}"


@rule(
    "waiver-expired",
    Severity.ADVICE,
    why="It no longer covers anything, and hides which exceptions hold.",
    fix="gate/waivers.toml: remove it, or give it a new last day, by merge request",
    where=Where.COMPOSES,
    absent=_with_waivers,
)
def no_waiver_has_expired(seen: Seen) -> Iterator[str]:
    """No waiver has expired."""
    for waiver in seen.gate.waivers:
        if not waiver.holds(seen.now):
            yield f"the waiver for {waiver.title} has expired on {waiver.expires}"


@rule(
    "waiver-expires-soon",
    Severity.ADVICE,
    why="After that day what it covers blocks again.",
    fix="check whether the bug is fixed; otherwise give it a new last day, by merge request",
    where=Where.COMPOSES,
    absent=_with_waivers,
)
def no_waiver_expires_soon(seen: Seen) -> Iterator[str]:
    """No waiver expires within two weeks."""
    for waiver in seen.gate.waivers:
        if waiver.holds(seen.now) and not waiver.holds(seen.now + EXPIRES_SOON):
            yield f"the waiver for {waiver.title} expires on {waiver.expires}"


@rule(
    "hold-without-force",
    Severity.ADVICE,
    why="It holds nothing, and hides which composes are held.",
    fix="gate/holds.toml: remove it (compose-repo hold --lift), or give it a last day at most 14 days ahead",
    where=Where.COMPOSES,
    absent=_with_holds,
)
def every_hold_has_force(seen: Seen) -> Iterator[str]:
    """No hold has ended, and none ends more than 14 days ahead."""
    for hold in seen.gate.holds:
        if hold.is_over(seen.now):
            yield f"the hold on {hold.title} has ended on {hold.until}"
        elif hold.is_too_long(seen.now):
            yield f"the hold on {hold.title} ends on {hold.until}, and has no force before {hold.first_day}"


@rule(
    "hold-ends-soon",
    Severity.ADVICE,
    why="After that its composes may be promoted and merged.",
    fix="check whether the cause is gone; otherwise give it a new last day, by merge request",
    where=Where.COMPOSES,
    absent=_with_holds,
)
def no_hold_ends_soon(seen: Seen) -> Iterator[str]:
    """No hold ends within a day."""
    for hold in seen.gate.holds:
        if hold.ends_soon(seen.now):
            yield f"the hold on {hold.title} ends with {hold.until}"


@rule(
    "stream-unencrypted",
    Severity.UNSAFE,
    why="Anybody on the network path can say which compose is published, or what a compose contains.",
    fix="gate/streams.toml: give the https address",
    where=Where.COMPOSES,
    absent=_with_streams,
)
def streams_are_read_encrypted(seen: Seen) -> Iterator[str]:
    """The streams' addresses are https."""
    for name, entry in seen.gate.streams.items():
        for field, url in entry.addresses:
            if is_plain_http(url):
                yield f"{field} of {name} is {terminal(url)}"


def _nobody_has_looked(seen: Seen) -> str | None:
    return "it was not checked" if seen.looks is None else needs_gate_files(seen)


@rule(
    "stream-unreachable",
    Severity.ADVICE,
    why="A compose that cannot be read is never opened, or never merged.",
    fix="gate/streams.toml: fix the address, or check the network, the proxy and the server",
    where=Where.COMPOSES,
    absent=applies_if(lambda seen: seen.looks, "no stream is followed", absent=_nobody_has_looked),
)
def streams_are_reachable(seen: Seen) -> Iterator[str]:
    """The streams' addresses can be read from here."""
    for look in seen.looks or ():
        if look.failure is not None:
            yield f"{look.field} of {look.stream}, {terminal(look.url)}: {terminal(look.failure)}"


@rule(
    "ci-file-missing",
    Severity.UNSAFE,
    why="Pipelines are pinned to it: without it nothing is validated.",
    fix="restore it from the template, by merge request",
    where=Where.TOKEN,
)
def the_ci_file_is_there(seen: Seen) -> Iterator[str]:
    """The CI file to which pipelines are pinned is on the default branch."""
    if CI_FILE not in seen.project.files:
        yield f"{seen.project.default_branch} has no {CI_FILE}"


@rule(
    "project-file-missing",
    Severity.ADVICE,
    why="They say what to write in an issue or a merge request, on the paid tiers whose approval a file needs, and "
    "keep git from converting files on their way to a checkout, which gives them another digest.",
    fix="restore them from the template, by merge request",
    where=Where.COMPOSES,
)
def our_files_are_there(seen: Seen) -> Iterator[str]:
    """The files of .gitlab/, and .gitattributes, are on the default branch."""
    for path in PROJECT_FILES:
        if path not in seen.project.files:
            yield f"{seen.project.default_branch} has no {path}"


def wanted_labels(seen: Seen) -> tuple[Label, ...]:
    """Give the labels that merge requests of composes carry."""
    names = seen.gate.labels
    gating = any(entry.mode is Mode.GATING for entry in seen.gate.streams.values())
    looks = (
        (names.satisfied, _GREEN, "The gate: all that is required has passed or is waived."),
        (names.pending, _AMBER, "The gate: something that is required has not come in yet."),
        (names.blocked, _RED, "The gate: something that is required failed or is overdue."),
        (names.published, _BLUE, "The compose is on the mirrors."),
        *([(names.approved, _BLUE, "The gate has let the compose through to be published.")] if gating else []),
        (names.superseded, _GREY, "A newer compose of the stream was published."),
        (names.held, _RED, "Must not go out for now: gate/holds.toml."),
        (names.vanished, _GREY, "Gone from its server before any result came."),
        *((names.of_stream(name), _VIOLET, f"A compose of {name}.") for name in seen.gate.streams),
    )
    return tuple(Label(name=name, color=color, description=words) for name, color, words in looks)


@rule(
    "label-missing",
    Severity.ADVICE,
    why="GitLab creates it at its first use, without the colour that shows a blocked compose at a glance.",
    fix="Manage > Labels > New label",
    where=Where.COMPOSES,
    by_setup=True,
)
def labels_are_there(seen: Seen) -> Iterator[str]:
    """The labels of merge requests exist."""
    there = {label.name for label in seen.project.labels}
    for label in wanted_labels(seen):
        if label.name not in there:
            yield f"there is no label {label.name}"


@rule(
    "label-differs",
    Severity.ADVICE,
    why="The colours show a blocked compose at a glance.",
    fix="Manage > Labels > Edit",
    where=Where.COMPOSES,
    by_setup=True,
)
def labels_look_right(seen: Seen) -> Iterator[str]:
    """The labels of merge requests have their colours and descriptions."""
    for action in plan_labels(seen):
        if isinstance(action, ChangeLabel):
            yield f"the label {action.label.name} has another colour or description"


def plan_labels(seen: Seen) -> Plan:
    """Plan the labels that are missing or look otherwise."""
    if not seen.composes:
        return ()
    there, path = {label.name: label for label in seen.project.labels}, seen.project.path
    wanted = wanted_labels(seen)
    missing = [CreateLabel(project=path, label=label) for label in wanted if label.name not in there]
    other = [
        ChangeLabel(project=path, label=label)
        for label in wanted
        if label.name in there and _looks(there[label.name]) != _looks(label)
    ]
    return (*missing, *other)


def _looks(label: Label) -> tuple[str, str]:
    return label.color.casefold(), label.description


FILE_RULES: Final[tuple[Rule, ...]] = (
    gate_files_are_valid,
    every_origin_can_report,
    no_key_has_expired,
    no_key_expires_soon,
    no_waiver_has_expired,
    no_waiver_expires_soon,
    every_hold_has_force,
    no_hold_ends_soon,
    streams_are_read_encrypted,
    streams_are_reachable,
    the_ci_file_is_there,
    our_files_are_there,
    labels_are_there,
    labels_look_right,
)
