"""From values to the words of a merge request: gathers what each template needs, and renders it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from compose_repo.core.composes.compose import ComposeId, Status
from compose_repo.core.escape import terminal
from compose_repo.core.forge.forge import MergeRequest, Project
from compose_repo.core.hardening import Begun, Check
from compose_repo.core.hardening.administration import ProjectState
from compose_repo.core.manifests.change_report import change_report
from compose_repo.core.manifests.changes import compare
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.core.names import Origin, Sha, Sha256
from compose_repo.core.plan.plan import MARKER, VERDICT_MARKER
from compose_repo.core.result import Contact, ResultFile
from compose_repo.core.rules.holds import HoldEntry
from compose_repo.core.rules.policy import Bots, OriginEntry, Policy, Requirement, format_duration
from compose_repo.core.verdict.decision import Decision, State
from compose_repo.ports.templates import Trusted, link, render
from compose_repo.words.decision_note import decision_markdown

ROWS: Final = 25
"""Most rows that a description shows of one kind of change."""
IMAGES: Final = 60
SUMMARY: Final = 1_000
"""Most characters of a summary in a description's first line."""


class Comparison(Struct, frozen=True, kw_only=True):
    """An older compose and what it is to the new one: `last published`, `previous`."""

    title: str
    manifest: Manifest


class _Expected(Struct, frozen=True, kw_only=True):
    origin: str
    testcase: str
    where: str
    deadline: str
    why: str


class _Reachable(Struct, frozen=True, kw_only=True):
    origin: str
    name: str
    how: Trusted


def description(  # noqa: PLR0913  # what a description tells of
    manifest: Manifest,
    *,
    manifest_sha256: Sha256,
    project: Project,
    policy: Policy,
    origins: Mapping[Origin, OriginEntry],
    comparisons: Sequence[Comparison],
    gating: bool = False,
) -> str:
    """Describe a compose for its merge request; `gating` says that merging leads to publishing."""
    requirements = [line for line in policy.requirements if line.applies_to(manifest.compose_id.stream)]
    return render(
        "merge_request.md.j2",
        manifest=manifest,
        manifest_sha256=manifest_sha256,
        incomplete=manifest.status is Status.FINISHED_INCOMPLETE,
        location=link(manifest.location, str(manifest.compose_id)),
        absent=sorted(name for name, digest in manifest.metadata.items() if digest is None),
        repositories=list(_repositories(manifest)),
        images=list(_images(manifest)),
        comparisons=[
            (line.title, render("changes.md.j2", report=change_report(compare(line.manifest, manifest), ROWS)))
            for line in comparisons
        ],
        expected=[_expected(line) for line in requirements],
        gating=gating,
        contacts=list(_contacts(requirements, origins)),
        compose_id=manifest.compose_id,
        clone_url=project.clone_url,
    )


def verdict_line(decision: Decision, *, page: str, note: int, published: bool = False, approved: bool = False) -> str:
    """Give the first line of a description: a hold, the verdict, what it rests on, a link to our note on a page."""
    summary = terminal(decision.summary)
    return render(
        "verdict_line.md.j2",
        marker=Trusted(VERDICT_MARKER),
        verdict=decision.verdict.value,
        held=decision.held,
        summary=summary if len(summary) <= SUMMARY else f"{summary[: SUMMARY - 1]}…",
        note=link(f"{page}#note_{note}", "Details", host=False),
        published=published,
        approved=approved,
    ).strip()


def unjudged_line() -> str:
    """Give the first line of a description that is not the gate's: what the gate says is not known there."""
    return render("unjudged_line.md.j2", marker=Trusted(VERDICT_MARKER)).strip()


def results_readme(compose_id: ComposeId, manifest_sha256: Sha256, project: Project) -> bytes:
    """Explain the results folder, in the folder itself."""
    text = render(
        "results_readme.md.j2", compose_id=compose_id, manifest_sha256=manifest_sha256, clone_url=project.clone_url
    )
    return text.encode()


def open_commit(compose_id: ComposeId, manifest_sha256: Sha256) -> str:
    """Give the message of the commit that adds a compose."""
    return render("open_commit.txt.j2", compose_id=compose_id, manifest_sha256=manifest_sha256)


def bus_commit(file: ResultFile) -> str:
    """Give the message of the commit that writes a message of the bus down. It quotes nothing of it."""
    return render("bus_commit.txt.j2", origin=file.origin, run_id=file.run.id)


def jenkins_commit(files: Sequence[ResultFile]) -> str:
    """Give the message of the commit that writes builds of a Jenkins down. It quotes nothing of them."""
    return render("jenkins_commit.txt.j2", origins=sorted({file.origin for file in files}), count=len(files))


def merge_commit(decision: Decision, merge_request: MergeRequest, *, gating: bool = False) -> str:
    """Give the message of the merge commit. It quotes no result: GitLab acts on words such as `Closes #1`."""
    return render(
        "merge_commit.txt.j2",
        compose_id=decision.compose_id,
        gating=gating,
        verdict=decision.verdict.value,
        passed=decision.count(State.PASSED),
        required=len(decision.answers),
        web_url=Trusted(terminal(merge_request.web_url)),
    )


def restore_commit(decision: Decision) -> str:
    """Give the message of the commit that brings a branch back to what counts before it is merged."""
    return render("restore_commit.txt.j2", compose_id=decision.compose_id)


def note(  # noqa: PLR0913  # what a note tells of
    decision: Decision,
    origins: Mapping[Origin, OriginEntry],
    *,
    head: Sha,
    published: bool = False,
    approved: bool = False,
    gating: bool = False,
) -> str:
    """Give our one note: the decision, and what it was made from; whether it is published, or approved for that.

    `gating` says that merging leads to publishing: then a hold keeps it from being approved and merged, too.
    """
    return render(
        "note.md.j2",
        marker=Trusted(MARKER),
        decision=decision,
        table=decision_markdown(decision, origins),
        head=head,
        published=published,
        approved=approved,
        gating=gating,
    )


def superseded(newer: ComposeId, iid: int, *, gating: bool = False) -> str:
    """Say which compose has overtaken."""
    return render("superseded.md.j2", newer=newer.text, iid=iid, gating=gating)


def hold_commit(hold: HoldEntry, what: str, *, lifted: bool) -> str:
    """Give the message of the commit that adds a hold, or takes one away."""
    return render("hold_commit.txt.j2", hold=hold, what=what, lifted=lifted)


def hold_description(hold: HoldEntry, what: str, *, lifted: bool) -> str:
    """Describe the merge request that adds a hold, or takes one away."""
    return render("hold.md.j2", hold=hold, what=what, lifted=lifted)


def owner_steps(left: Sequence[Check], *, done: Begun, bots: Bots, home: ProjectState, pair: bool) -> str:
    """Say what people have to do after `setup`; `home` is the project in which the gate's token is used."""
    return render("owner_steps.txt.j2", left=left, done=done, bots=bots, home=home, pair=pair)


def duplicate(compose_id: ComposeId, ours: int | None) -> str:
    """Say why a merge request from a compose's branch is closed; `ours` is the one that counts, if there is one."""
    return render("duplicate.md.j2", compose_id=compose_id.text, ours=ours)


def _repositories(manifest: Manifest) -> Iterator[tuple[str, list[Trusted]]]:
    for variant, arches in sorted(manifest.variants.items()):
        root = f"{manifest.location}/compose/{variant}"
        yield (
            variant,
            [
                link(f"{root}/{arch}/os/", arch, host=False) if arch in arches else Trusted("")
                for arch in manifest.arches
            ],
        )


def _images(manifest: Manifest) -> Iterator[Trusted]:
    for image in manifest.images[:IMAGES]:
        text = f"{image.variant} {image.arch} {image.type}: {image.path.rpartition('/')[2]}"
        path = quote(image.path, errors="replace")
        yield link(f"{manifest.location}/compose/{path}", text, host=False)
    if len(manifest.images) > IMAGES:
        yield Trusted(f"and {len(manifest.images) - IMAGES} more")


def _expected(requirement: Requirement) -> _Expected:
    where = [
        _dimension("arch", requirement.arches),
        _dimension("variant", requirement.variants),
        _dimension("scenario", requirement.scenarios),
    ]
    return _Expected(
        origin=requirement.origin,
        testcase=requirement.testcase,
        where="; ".join(part for part in where if part),
        deadline="" if requirement.deadline is None else format_duration(requirement.deadline),
        why=requirement.why,
    )


def _dimension(name: str, values: tuple[str, ...] | str) -> str:
    match values:
        case "any":
            return f"any {name}" if name == "arch" else ""
        case "all":
            return f"every {name}"
        case _:
            return ", ".join(values)


def _contacts(requirements: Sequence[Requirement], origins: Mapping[Origin, OriginEntry]) -> Iterator[_Reachable]:
    for origin in dict.fromkeys(line.origin for line in requirements):
        entry = origins.get(origin)
        if entry is not None:
            yield _Reachable(origin=origin, name=entry.name, how=_how(entry.contact))


def _how(contact: Contact) -> Trusted:
    return Trusted(render("contact.md.j2", contact=contact).strip())
