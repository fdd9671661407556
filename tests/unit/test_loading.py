"""What the gate works on: only what is sound counts, and everything else is told."""

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any, Final

import pytest

from compose_repo.core.composes.compose_id import ComposeId
from compose_repo.core.problems.problem import InputError
from compose_repo.core.rules.policy import Bots
from compose_repo.ports.tree import Entry, WorkingTree
from compose_repo.reading.loading import GateFiles, LoadedCompose, load_compose, load_gate
from compose_repo.reading.publications import Publications

BASE: Final = Path(__file__).resolve().parents[1] / "examples" / "base"
COMPOSE: Final = ComposeId.parse("CentOS-Stream-10-20261120.0")
NOW: Final = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)


class Watched(WorkingTree):
    """A tree that remembers what was read and listed."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.touched: list[str] = []

    def list(self, folder: str) -> "list[Entry] | tuple[Entry, ...]":
        self.touched.append(folder)
        return [*super().list(folder)]

    def read(self, path: str) -> bytes | None:
        self.touched.append(path)
        return super().read(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BASE, tmp_path / "repo"))


def gate_files(root: Path) -> GateFiles:
    return load_gate(WorkingTree(root))


def load(root: Path, compose_id: ComposeId = COMPOSE) -> LoadedCompose:
    return load_compose(WorkingTree(root), compose_id, gate_files(root), NOW)


def result(root: Path, name: str = "8841", compose_id: ComposeId = COMPOSE) -> Path:
    return root / compose_id.folder / "results" / "rdo" / f"{name}.json"


def add_result(root: Path, name: str, **changes: Any) -> None:  # noqa: ANN401  # any field of a result file
    data = json.loads(result(root).read_text())
    data["run"]["id"] = name
    result(root, name).write_text(json.dumps({**data, **changes}))


def add_compose(root: Path, text: str) -> ComposeId:
    """Copy the sample compose under another id of the same stream."""
    compose_id = ComposeId.parse(text)
    manifest = (root / COMPOSE.folder / "manifest.json").read_text()
    manifest = manifest.replace(COMPOSE.text, text).replace("2026-11-20", compose_id.date.isoformat())
    manifest = manifest.replace('"respin":0', f'"respin":{compose_id.respin}')
    (root / compose_id.folder).mkdir(parents=True)
    (root / compose_id.folder / "manifest.json").write_text(manifest)
    return compose_id


def with_baseline(root: Path) -> None:
    policy = root / "gate" / "policy.toml"
    policy.write_text(policy.read_text() + 'baseline = "published"\n')


def published(root: Path, compose_id: ComposeId = COMPOSE, tree: WorkingTree | None = None) -> list[ComposeId]:
    """Give the composes that one is compared with."""
    found = Publications().before(compose_id, tree or WorkingTree(root), gate_files(root))
    return [one.compose_id for one in found]


def test_gate_files_are_read_whole(root: Path) -> None:
    files = gate_files(root)
    assert (len(files.policy.requirements), set(files.origins), len(files.waivers), set(files.streams)) == (
        1,
        {"rdo", "idm"},
        1,
        {"CentOS-Stream-10"},
    )


def test_waivers_and_streams_may_be_absent(root: Path) -> None:
    (root / "gate" / "waivers.toml").unlink()
    (root / "gate" / "streams.toml").unlink()
    files = gate_files(root)
    assert (files.waivers, files.streams, files.bots) == ((), {}, Bots())


def test_the_bots_are_those_that_streams_names(root: Path) -> None:
    streams = root / "gate" / "streams.toml"
    streams.write_text(streams.read_text() + '[bots]\ncompose = "opener"\n')
    assert gate_files(root).bots == Bots(compose="opener", gate="gate-bot")


def test_what_has_aged_leaves_the_gate_files_readable(root: Path) -> None:
    files = load_gate(WorkingTree(root), dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
    assert [(one.path, one.line, one.code) for one in files.advice] == [("gate/waivers.toml", 10, "waiver-expired")]
    assert len(files.waivers) == 1


def test_advice_on_the_gate_files_is_sorted(root: Path) -> None:
    origins = root / "gate" / "origins.toml"
    origins.write_text(origins.read_text().replace(', docs = "https://docs.example.org/rdo-ci"', ""))
    (root / "gate" / "streams.toml").write_text('schema = "streams/1"\n')
    (root / "gate" / "policy.toml").write_text('schema = "policy/1"\n' + REQUIREMENTS)
    (root / "gate" / "waivers.toml").write_text(PATTERN)
    files = load_gate(WorkingTree(root), dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
    assert [(one.path.removeprefix("gate/"), one.line, one.code) for one in files.advice] == [
        ("policy.toml", 3, "no-docs"),
        ("policy.toml", 7, "no-docs"),
        ("waivers.toml", 5, "pattern-matches-nothing"),
        ("waivers.toml", 9, "waiver-expired"),
    ]


REQUIREMENTS: Final = "".join(
    f'[[requirement]]\norigin = "rdo"\ntestcase = "{name}"\nwhy = "It boots."\n' for name in ("a", "b")
)
PATTERN: Final = """\
schema = "waivers/1"
[[waiver]]
origin = "rdo"
testcase = "a"
composes = ["CentOS-Stream-9-*"]
reason = "r"
issue = "https://issues.example.org/1"
by = "jdoe"
expires = 2026-12-31
"""


def test_every_problem_of_the_gate_files_is_told_at_once(root: Path) -> None:
    (root / "gate" / "policy.toml").unlink()
    (root / "gate" / "waivers.toml").write_text("?")
    with pytest.raises(InputError) as caught:
        gate_files(root)
    assert [(one.path, one.code) for one in caught.value.problems] == [
        ("gate/policy.toml", "missing-file"),
        ("gate/waivers.toml", "not-toml"),
    ]


def test_a_sound_compose_is_loaded(root: Path) -> None:
    loaded = load(root)
    assert (loaded.manifest.compose_id, [file.run.id for file in loaded.files], loaded.refused) == (
        COMPOSE,
        ["8841"],
        (),
    )


def test_a_file_with_a_problem_does_not_count_and_hides_no_other(root: Path) -> None:
    add_result(root, "8842", origin="idm")
    loaded = load(root)
    assert ([file.run.id for file in loaded.files], [one.code for one in loaded.refused]) == (
        ["8841"],
        ["origin-mismatch"],
    )


def test_no_file_can_silence_another_whose_name_differs_only_in_case(root: Path) -> None:
    add_result(root, "a1")
    add_result(root, "A1")
    assert [file.run.id for file in load(root).files] == ["8841", "A1", "a1"]


def test_a_strangers_file_cannot_make_a_sound_one_collide(root: Path) -> None:
    other = root / COMPOSE.folder / "results" / "RDO"
    other.mkdir()
    shutil.copy(result(root), other / "8841.json")
    assert [file.run.id for file in load(root).files] == ["8841"]


def test_a_link_does_not_count(root: Path) -> None:
    result(root, "8842").symlink_to("8841.json")
    loaded = load(root)
    assert ([file.run.id for file in loaded.files], [one.code for one in loaded.refused]) == (
        ["8841"],
        ["not-a-plain-file"],
    )


def test_a_changed_manifest_refuses_every_result(root: Path) -> None:
    manifest = root / COMPOSE.folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"label":null', '"label":"RC-1.0"'))
    loaded = load(root)
    assert (loaded.files, [one.code for one in loaded.refused]) == ((), ["manifest-mismatch"])


@pytest.mark.parametrize(("content", "code"), [(None, "missing-file"), (b"{", "not-json"), (b"{}", "missing-field")])
def test_without_a_sound_manifest_there_is_nothing_to_judge(root: Path, content: bytes | None, code: str) -> None:
    manifest = root / COMPOSE.folder / "manifest.json"
    manifest.unlink()
    if content is not None:
        manifest.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load(root)
    assert {one.code for one in caught.value.problems} == {code}


def test_no_other_composes_folder_is_looked_into(root: Path) -> None:
    add_compose(root, "CentOS-Stream-10-20261119.0")
    tree = Watched(root)
    load_compose(tree, COMPOSE, gate_files(root), NOW)
    assert all(path.startswith(COMPOSE.folder) for path in tree.touched)


def test_the_baseline_is_every_older_compose_of_the_stream_the_newest_first(root: Path) -> None:
    with_baseline(root)
    for text in ("CentOS-Stream-10-20261118.0", "CentOS-Stream-10-20261119.1", "CentOS-Stream-10-20261119.0"):
        add_compose(root, text)
    add_compose(root, "CentOS-Stream-10-20261121.0")
    (root / "composes" / "CentOS-Stream-9-20261119.5").mkdir()
    (root / "composes" / "CentOS-Stream-10-20261119.2").mkdir()
    (root / "composes" / "nonsense").mkdir()
    assert (root / "composes" / "README.md").is_file()
    older = ["CentOS-Stream-10-20261119.1", "CentOS-Stream-10-20261119.0", "CentOS-Stream-10-20261118.0"]
    assert published(root) == list(map(ComposeId.parse, older))


def test_without_an_older_compose_there_is_no_baseline(root: Path) -> None:
    with_baseline(root)
    assert published(root) == []


def test_a_baseline_that_nobody_asks_for_is_not_read(root: Path) -> None:
    add_compose(root, "CentOS-Stream-10-20261119.0")
    tree = Watched(root)
    assert published(root, tree=tree) == []
    assert tree.touched == []


def test_a_baseline_has_the_results_of_its_compose(root: Path) -> None:
    with_baseline(root)
    later = add_compose(root, "CentOS-Stream-10-20261121.0")
    [found] = Publications().before(later, WorkingTree(root), gate_files(root))
    assert found.conclusions == ({("devstack", "x86_64", "AppStream"): True, (None, "aarch64", None): None},)


def test_a_pointer_to_a_file_elsewhere_does_not_count(root: Path) -> None:
    result(root).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    loaded = load(root)
    assert (loaded.files, [one.code for one in loaded.refused]) == ((), ["lfs-pointer"])
