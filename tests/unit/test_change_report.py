"""What people read of a comparison, row by row."""

import pytest
from msgspec.structs import replace

from compose_repo.core.composes.compose import ComposeId, Status
from compose_repo.core.manifests.change_report import Row, change_report
from compose_repo.core.manifests.changes import (
    ArchChange,
    Build,
    Changes,
    Difference,
    ImageChange,
    Move,
    SubpackageChange,
    Unsigned,
    Update,
)
from compose_repo.core.names import Arch, Variant
from compose_repo.ports.templates import render

BASE = Variant("BaseOS")
NAMES = ("a", "b", "c", "d", "e", "f", "g")
NOTHING = Changes(
    old=ComposeId.parse("CentOS-Stream-10-20261120.0"),
    new=ComposeId.parse("CentOS-Stream-10-20261121.0"),
    old_status=Status.FINISHED,
    new_status=Status.FINISHED,
    warnings=(),
    downgraded=(),
    unsigned=(),
    arches_of=(),
    moved=(),
    subpackages_of=(),
    removed=(),
    added=(),
    upgraded=(),
    unchanged=2600,
    subpackages=Difference(),
    variants=Difference(),
    arches=Difference(),
    trees=Difference(),
    images_added=(),
    images_dropped=(),
    images_rebuilt=0,
)
UPDATE = Update(name="bash", old="5.2-1", new="5.3-1")
BUILD = Build(name="bash", evr="5.2-1", variants=(BASE,), subpackages=NAMES)
IMAGE = ImageChange(variant=BASE, arch=Arch("x86_64"), path="iso/boot.iso", type="boot")


@pytest.mark.parametrize(
    ("changes", "title", "rows"),
    [
        (
            replace(NOTHING, downgraded=(UPDATE,)),
            "Downgraded packages",
            [("bash", "5.2-1 → 5.3-1")],
        ),
        (
            replace(
                NOTHING,
                unsigned=(
                    Unsigned(name="bash", evr="5.2-1", rpms=1234, newly=True),
                    Unsigned(name="zsh", evr="5.9-1", rpms=1, newly=False),
                ),
            ),
            "Packages with unsigned RPMs",
            [("bash", "5.2-1: 1,234 unsigned RPMs, none before"), ("zsh", "5.9-1: 1 unsigned RPM")],
        ),
        (
            replace(
                NOTHING,
                variants=Difference(gained=("CRB",)),
                arches=Difference(lost=("ppc64le",)),
                trees=Difference(lost=("BaseOS.s390x",)),
            ),
            "Variants and arches of the compose",
            [("CRB", "variant gained"), ("ppc64le", "arch lost"), ("BaseOS.s390x", "tree lost")],
        ),
        (
            replace(
                NOTHING,
                arches_of=(
                    ArchChange(package="bash", subpackages=(), arches=Difference(lost=("i686", "s390x"))),
                    ArchChange(package="zsh", subpackages=NAMES, arches=Difference(gained=("i686",), lost=("s390x",))),
                ),
            ),
            "Arches of packages",
            [("bash", "lost i686, s390x"), ("zsh", "a, b, c, d, e and 2 more: lost s390x; gained i686")],
        ),
        (
            replace(
                NOTHING,
                moved=(
                    Move(package="bash", subpackages=(), old=(BASE,), new=(Variant("AppStream"), BASE)),
                    Move(package="zsh", subpackages=("zsh-doc",), old=(BASE,), new=(Variant("CRB"),)),
                ),
            ),
            "Packages in other variants",
            [("bash", "BaseOS → AppStream, BaseOS"), ("zsh", "zsh-doc: BaseOS → CRB")],
        ),
        (
            replace(NOTHING, images_dropped=(IMAGE,)),
            "Dropped images",
            [("iso/boot.iso", "boot (BaseOS, x86_64)")],
        ),
        (
            replace(NOTHING, removed=(BUILD, replace(BUILD, variants=(), subpackages=()))),
            "Removed packages",
            [("bash", "5.2-1 (BaseOS): a, b, c, d, e and 2 more"), ("bash", "5.2-1 (none): none")],
        ),
        (
            replace(
                NOTHING,
                subpackages_of=(SubpackageChange(package="bash", subpackages=Difference(gained=("x",), lost=NAMES)),),
            ),
            "Sub-packages gained or lost",
            [("bash", "lost a, b, c, d, e and 2 more; gained x")],
        ),
        (
            replace(NOTHING, added=(BUILD,)),
            "Added packages",
            [("bash", "5.2-1 (BaseOS): a, b, c, d, e and 2 more")],
        ),
        (
            replace(NOTHING, upgraded=(UPDATE,)),
            "Upgraded packages",
            [("bash", "5.2-1 → 5.3-1")],
        ),
        (
            replace(NOTHING, images_added=(IMAGE,)),
            "Added images",
            [("iso/boot.iso", "boot (BaseOS, x86_64)")],
        ),
    ],
)
def test_each_kind_of_change_has_a_section(changes: Changes, title: str, rows: list[tuple[str, str]]) -> None:
    (section,) = change_report(changes, most=25).sections
    assert (section.title, section.rows) == (title, tuple(Row(name=name, text=text) for name, text in rows))


def test_the_sections_stand_in_the_order_of_alarm_downgrades_first() -> None:
    changes = replace(
        NOTHING,
        upgraded=(UPDATE,),
        added=(BUILD,),
        removed=(BUILD,),
        images_dropped=(IMAGE,),
        unsigned=(Unsigned(name="a", evr="1-1", rpms=1, newly=True),),
        downgraded=(UPDATE,),
    )
    assert [section.title for section in change_report(changes, most=25).sections] == [
        "Downgraded packages",
        "Packages with unsigned RPMs",
        "Dropped images",
        "Removed packages",
        "Added packages",
        "Upgraded packages",
    ]


def test_what_is_left_out_of_a_long_section_is_counted() -> None:
    (section,) = change_report(replace(NOTHING, upgraded=(UPDATE,) * 30), most=25).sections
    assert (len(section.rows), section.more, section.count) == (25, 5, 30)


def test_nothing_is_left_out_when_everything_is_asked_for() -> None:
    (section,) = change_report(replace(NOTHING, added=(BUILD,) * 30), most=None).sections
    assert (len(section.rows), section.more, section.rows[0].text) == (30, 0, "5.2-1 (BaseOS): a, b, c, d, e, f, g")


def test_the_headline_says_when_nothing_changed() -> None:
    assert change_report(NOTHING, most=25).headline == "nothing changed; 2,600 packages unchanged"


def test_the_headline_counts_each_kind() -> None:
    changes = replace(
        NOTHING,
        new_status=Status.FINISHED_INCOMPLETE,
        downgraded=(UPDATE,),
        unsigned=(
            Unsigned(name="a", evr="1-1", rpms=1000, newly=True),
            Unsigned(name="b", evr="1-1", rpms=234, newly=False),
        ),
        variants=Difference(gained=("CRB",), lost=("RT",)),
        images_rebuilt=8,
        unchanged=1,
    )
    assert change_report(changes, most=25).headline == (
        "1 downgraded package, 1,234 unsigned RPMs (1,000 newly), 1 change of status, "
        "2 changes of the compose's variants and arches, 8 rebuilt images; 1 package unchanged"
    )


def test_hostile_names_do_nothing_in_markdown() -> None:
    changes = replace(
        NOTHING,
        warnings=("the streams differ: @all and ![x](http://evil.example)",),
        added=(
            Build(
                name="`@all`|</details>",
                evr="1-1",
                variants=(BASE,),
                subpackages=("@group/sub", "[x](//evil)", "</li>"),
            ),
        ),
    )
    assert render("changes.md.j2", report=change_report(changes, most=25)) == (
        "`CentOS-Stream-10-20261120.0` (FINISHED) to `CentOS-Stream-10-20261121.0` (FINISHED): "
        "1 added package; 2,600 packages unchanged.\n"
        "\n"
        "> **Warning:** the streams differ: \\@\N{WORD JOINER}all and "
        "\\!\\[\N{WORD JOINER}x\\](http\\:\N{WORD JOINER}//evil.example).\n"
        "\n"
        "<details><summary>Added packages (1)</summary>\n"
        "\n"
        "- `\N{MODIFIER LETTER GRAVE ACCENT}@all\N{MODIFIER LETTER GRAVE ACCENT}\N{BROKEN BAR}</details>` "
        "1-1 (BaseOS): \\@\N{WORD JOINER}group/sub, \\[\N{WORD JOINER}x\\](//evil), \\</li\N{WORD JOINER}\\>\n"
        "\n"
        "</details>\n"
        "\n"
    )


def test_a_long_alarming_section_is_folded_and_a_short_one_is_not() -> None:
    short = render("changes.md.j2", report=change_report(replace(NOTHING, downgraded=(UPDATE,) * 10), most=25))
    long = render("changes.md.j2", report=change_report(replace(NOTHING, downgraded=(UPDATE,) * 11), most=25))
    assert ("<details>" in short, "<details>" in long) == (False, True)


def test_markdown_of_a_whole_stream_stays_far_below_what_gitlab_takes() -> None:
    many = tuple(replace(BUILD, name=f"{'long-name-' * 6}{number}", subpackages=NAMES * 100) for number in range(3000))
    updates = tuple(replace(UPDATE, name=build.name) for build in many)
    changes = replace(NOTHING, added=many, removed=many, upgraded=updates, downgraded=updates)
    assert len(render("changes.md.j2", report=change_report(changes, most=50))) < 50_000
