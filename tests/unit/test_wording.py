"""What people read in a merge request, with the most hostile values that models can hold."""

import datetime as dt
import re
from html import unescape
from typing import Any

import pytest
from gitlab_markdown import acts
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from compose_repo.core.composes.compose import ComposeId, Image, Status
from compose_repo.core.escape import JOINER
from compose_repo.core.forge.forge import Project
from compose_repo.core.manifests.manifest import Manifest, Package, RpmGroup, Unreadable
from compose_repo.core.names import Arch, Origin, Sha256, Testcase, Variant
from compose_repo.core.plan.plan import VERDICT_MARKER
from compose_repo.core.result import Contact
from compose_repo.core.rules.holds import HoldEntry
from compose_repo.core.rules.policy import OriginEntry, Policy, Requirement
from compose_repo.core.verdict.decision import Decision, Hold, Verdict
from compose_repo.words import wording

ID = ComposeId.parse("CentOS-Stream-10-20261120.0")
DIGEST = Sha256("0" * 64)
PROJECT = Project(
    id=1, path="g/p", web_url="https://gitlab.example/g/p", clone_url="https://gitlab.example/g/p.git",
    remote="https://gitlab.example/g/p.git",
    default_branch="main",
)  # fmt: skip
PAGE = "https://gitlab.example/g/p/-/merge_requests/7"
RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OWN_TAGS = {
    "a", "code", "details", "h3", "h4", "li", "p", "pre", "strong", "summary", "table", "tbody", "td", "th", "thead",
    "tr", "ul", "blockquote",
}  # fmt: skip
PIECES = [
    "[TOC]",
    "[ ] ",
    "[epic:1]",
    "GL-1",
    "a/b>",
    "*iteration:1",
    ":boom:",
    "%{project_id}",
    "<!-- compose-repo: gate -->",
]
HOSTILE = st.lists(st.sampled_from(PIECES), max_size=3).map("".join) | st.text(
    st.one_of(st.sampled_from(list("@#!~$%&^*_`[](){}<>|\\/:+-=.\"' \n\r\taw")), st.characters()), max_size=30
)


def manifest(text: str = "CentOS Stream", **change: Any) -> Manifest:  # noqa: ANN401  # any field
    values: dict[str, Any] = {
        "compose_id": ID,
        "status": Status.FINISHED,
        "label": text,
        "release_name": text,
        "location": "https://composes.example/x",
        "variants": {Variant("BaseOS"): (Arch("x86_64"),), Variant("NFV"): (Arch("aarch64"),)},
        "metadata": {"rpms.json": DIGEST, "modules.json": None},
        "images": (
            Image(
                variant=Variant("BaseOS"), arch=Arch("x86_64"), path=f"a/{text}", type=text, format="iso",
                subvariant="", size=1, sha256=None,
            ),
        ),
        "packages": (
            Package(
                nvr=f"{text}-1-1",
                unsigned=1,
                rpms=(RpmGroup(variant=Variant("BaseOS"), arches=(Arch("x86_64"),), names=(text,)),),
            ),
        ),
        **change,
    }  # fmt: skip
    return Manifest(**values)


def described(  # noqa: PLR0913  # what a description tells of
    subject: Manifest, *, why: str = "It boots.", contact: Contact | None = None, previous: Manifest | None = None,
    requirements: tuple[Requirement, ...] | None = None, gating: bool = False,
) -> str:  # fmt: skip
    requirement = Requirement(origin=Origin("rdo"), testcase=Testcase("tempest.smoke"), why=why)
    origins = {
        Origin("rdo"): OriginEntry(origin=Origin("rdo"), name=why, contact=contact or Contact(email="rdo@example.org"))
    }
    return wording.description(
        subject,
        manifest_sha256=DIGEST,
        project=PROJECT,
        policy=Policy(requirements=(requirement,) if requirements is None else requirements),
        origins=origins,
        comparisons=[] if previous is None else [wording.Comparison(title="previous", manifest=previous)],
        gating=gating,
    )


def links(html: str) -> set[str]:
    return {unescape(url) for url in re.findall(r'href="([^"]*)"', html)}


@given(HOSTILE)
def test_no_text_from_outside_adds_markup_links_or_line_starts(text: str) -> None:
    older = manifest(packages=(), compose_id=ComposeId.parse("CentOS-Stream-10-20261119.0"))
    contact = Contact(name=text, url="https://chat.example/")
    description = described(manifest(text), why=text, contact=contact, previous=older)
    html = RENDERER.render(description)
    assert set(re.findall(r"<(\w+)", html)) <= OWN_TAGS
    assert all(url.startswith(("https://composes.example/x", "https://chat.example/")) for url in links(html))
    assert not any(line.lstrip().startswith("/") for line in description.splitlines())
    outside_code = unescape(re.sub(r"<code.*?</code>|<[^>]*>", "", html, flags=re.DOTALL))
    assert not re.search(r"(?<!\w)@\w", outside_code)
    assert list(acts(description)) == []


def first_line(summary: str, *, published: bool = False, held: Hold | None = None) -> str:
    decision = Decision(
        compose_id=ID,
        verdict=Verdict.BLOCKED,
        held=held,
        summary=summary,
        manifest_sha256=DIGEST,
        policy_sha256=DIGEST,
        answers=(),
    )
    return wording.verdict_line(decision, page=PAGE, note=5, published=published)


@given(HOSTILE)
def test_no_text_from_outside_does_anything_in_the_first_line(text: str) -> None:
    line = first_line(text)
    html = RENDERER.render(f"{line}\n\n{described(manifest())}")
    paragraph = html.partition("\n")[0]
    assert set(re.findall(r"<(\w+)", paragraph)) <= {"p", "strong", "a"}
    assert links(paragraph) == {f"{PAGE}#note_5"}
    assert paragraph.endswith(f"{VERDICT_MARKER}</p>")
    assert ("\n" in line, line.startswith("**The gate is blocked.** ")) == (False, True)
    assert list(acts(line.removesuffix(VERDICT_MARKER))) == []


ISSUE = "https://issues.example.org/1"


def hold(reason: str) -> Hold:
    return Hold(reason=reason, issue=ISSUE, by="jdoe", until=dt.date(2026, 12, 5))


@given(HOSTILE)
def test_no_reason_of_a_hold_does_anything_in_the_first_line(text: str) -> None:
    line = first_line("1 failed", held=hold(text))
    paragraph = RENDERER.render(f"{line}\n\n{described(manifest())}").partition("\n")[0]
    assert set(re.findall(r"<(\w+)", paragraph)) <= {"p", "strong", "a"}
    assert links(paragraph) == {f"{PAGE}#note_5", ISSUE}
    assert ("\n" in line, line.startswith("**Held** until the end of 2026-12-05 (UTC) by jdoe: ")) == (False, True)
    assert list(acts(line.removesuffix(VERDICT_MARKER))) == []


@given(HOSTILE)
def test_no_reason_of_a_hold_does_anything_in_its_merge_request(text: str) -> None:
    entry = HoldEntry(reason=text, issue=ISSUE, by="jdoe", until=dt.date(2026, 12, 5), stream=ID.stream)
    for lifted in (False, True):
        words = wording.hold_description(entry, entry.title, lifted=lifted)
        assert links(RENDERER.render(words)) == {ISSUE}
        assert list(acts(words)) == []
        assert list(acts(wording.hold_commit(entry, entry.title, lifted=lifted))) == []


def test_a_hold_is_said_first_also_where_the_compose_is_published() -> None:
    line = first_line("1 failed", published=True, held=hold("It eats discs."))
    assert line.startswith("**Published while held** until the end of 2026-12-05 (UTC) by jdoe: It eats discs. ")
    assert "(issues.example.org). **Published while blocked.** 1 failed." in line.replace("\N{WORD JOINER}", "")


def test_a_very_long_summary_is_cut_in_the_first_line() -> None:
    assert f" {'x' * wording.SUMMARY}. [Details]" in first_line("x" * wording.SUMMARY)
    assert f"{'x' * (wording.SUMMARY - 1)}…. [Details]" in first_line("x" * (wording.SUMMARY + 1))


def test_an_unreadable_compose_says_so_first() -> None:
    why = Unreadable(code="metadata-truncated", message="rpms.json: it ends <too> early")
    empty: dict[str, Any] = {"variants": {}, "images": (), "packages": (), "status": None}
    words = described(manifest(unreadable=why, **empty))
    assert words.startswith("> **It is not known what this compose holds**")
    assert ("| Contents | not known |" in words, "| Status | not known |" in words, "Repositories" in words) == (
        True,
        True,
        False,
    )


def test_an_incomplete_compose_says_so_first() -> None:
    description = described(manifest(status=Status.FINISHED_INCOMPLETE))
    assert description.startswith("> **FINISHED_INCOMPLETE**: parts of this compose failed to build.")


@pytest.mark.parametrize(
    "words",
    [
        "| BaseOS |  | [x86_64](<https://composes.example/x/compose/BaseOS/x86_64/os/>) |",
        "| Not on the server | `modules.json` |",
        "| rdo | `tempest.smoke` | every arch |",
        "- **It boots.** (`rdo`): `rdo@example.org`",
        "git clone --single-branch --branch compose/CentOS-Stream-10-20261120.0 https://gitlab.example/g/p.git",
        f'"manifest_sha256": "{DIGEST}"',
        "There is no older compose of this stream to compare with.",
    ],
)
def test_a_description_tells_what_is_there_and_what_is_expected(words: str) -> None:
    assert words in described(manifest())


def test_a_stream_without_requirements_says_why_it_stays_blocked() -> None:
    assert "stays blocked: add one to `gate/policy.toml`" in described(manifest(), requirements=())


def test_many_images_are_counted_and_not_all_listed() -> None:
    image = manifest().images[0]
    assert "- and 7 more" in described(manifest(images=(image,) * (wording.IMAGES + 7)))


def test_a_local_compose_has_no_links() -> None:
    assert links(RENDERER.render(described(manifest(location="/mnt/compose")))) == set()


def test_the_same_compose_is_described_in_the_same_words() -> None:
    assert described(manifest()) == described(manifest())


def test_nothing_invisible_is_in_what_people_copy() -> None:
    description = described(manifest())
    assert JOINER not in "".join(re.findall(r"```.*?```", description, re.DOTALL))


def test_the_readme_explains_how_to_report() -> None:
    readme = wording.results_readme(ID, DIGEST, PROJECT).decode()
    assert readme.startswith("# Results on CentOS-Stream-10-20261120.0\n")
    assert "git push origin HEAD:compose/CentOS-Stream-10-20261120.0" in readme


def test_the_commit_says_which_manifest_it_adds() -> None:
    assert wording.open_commit(ID, DIGEST) == f"Add {ID}\n\nManifest-SHA256: {DIGEST}\n"


def test_the_description_of_a_gated_compose_says_what_merging_starts() -> None:
    mirrored, gated = described(manifest(), requirements=()), described(manifest(), requirements=(), gating=True)
    assert "is merged when the compose appears on the mirrors" in mirrored
    assert "is merged as soon as the gate is satisfied, which starts publishing" in gated
    assert "mirrors" not in gated


def test_superseding_names_the_newer_compose_and_its_merge_request() -> None:
    assert "`CentOS-Stream-10-20261120.0` (!7) has been published" in wording.superseded(ID, 7)
