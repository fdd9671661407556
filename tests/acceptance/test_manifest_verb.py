"""`compose-repo manifest`, as people run it."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import jsonschema_rs
import pytest
from compose_server import Answer, ComposeServer, serving

import door
from compose_repo.core.manifests.manifest import Manifest
from sample_composes.sample import SampleSpec
from samples import write_sample

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_ID = "CentOS-Stream-10-20261119.0"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("original"), SampleSpec.create(COMPOSE_ID, srpms=12))


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """Give a sound compose that a test may damage."""
    return shutil.copytree(original, tmp_path / COMPOSE_ID)


@pytest.fixture
def server(folder: Path) -> Iterator[ComposeServer]:
    with serving(folder.parent) as server:
        yield server


def run(*arguments: str | Path) -> door.Done:
    return door.run("manifest", *arguments)


def start(*arguments: str | Path, **variables: str) -> door.Done:
    return door.start("manifest", *arguments, variables=variables)


def test_a_manifest_satisfies_its_schema(folder: Path) -> None:
    schema = json.loads((ROOT / "schemas" / "manifest.schema.json").read_bytes())
    jsonschema_rs.validator_for(schema).validate(json.loads(run(folder).stdout))


def test_a_manifest_read_again_gives_its_bytes(folder: Path) -> None:
    written = run(folder).stdout
    assert Manifest.from_dict(json.loads(written)).to_bytes().decode() == written


def test_an_output_file_has_what_stdout_would_have(folder: Path, tmp_path: Path) -> None:
    run(folder, "-o", tmp_path / "manifest.json")
    assert (tmp_path / "manifest.json").read_text() == run(folder).stdout


@pytest.mark.smoke
def test_the_hash_seed_changes_nothing(folder: Path) -> None:
    first, second = (start(folder, PYTHONHASHSEED=seed).stdout for seed in "12")
    assert first == second


def test_a_server_and_a_copy_of_it_give_the_same_manifest(folder: Path, server: ComposeServer) -> None:
    url = f"{server.url}/{COMPOSE_ID}"
    assert run(folder, "--location", url).stdout == run(f"{url}/compose/").stdout


def test_verbose_shows_each_request(server: ComposeServer) -> None:
    done = run(server.url, "--verbose")
    asked = re.findall(r"^\+ GET (\S+) (\d+) \(\d+ ms\)$", done.stderr, re.MULTILINE)
    assert [address.removeprefix(server.url) for address, _ in asked] == server.seen


def test_text_sums_up(folder: Path) -> None:
    assert run(folder, "--format", "text").stdout.splitlines()[0] == f"compose        {COMPOSE_ID} (FINISHED)"


def test_text_shows_an_incomplete_compose(folder: Path) -> None:
    (folder / "STATUS").write_text("FINISHED_INCOMPLETE\n")
    assert "(FINISHED_INCOMPLETE)" in run(folder, "--format", "text").stdout


def test_stderr_tells_of_an_incomplete_compose(folder: Path) -> None:
    (folder / "STATUS").write_text("FINISHED_INCOMPLETE\n")
    assert run(folder).stderr == f"{COMPOSE_ID} is FINISHED_INCOMPLETE: some of it failed to build\n"


def test_stderr_tells_what_is_not_there(folder: Path) -> None:
    for name in ("composeinfo", "modules"):
        (folder / "compose" / "metadata" / f"{name}.json").unlink()
    assert run(folder).stderr == f"{COMPOSE_ID} has no composeinfo.json, modules.json\n"


def test_a_problem_is_one_line_and_code_1(folder: Path) -> None:
    (folder / "STATUS").write_text("STARTED\n")
    done = run(folder)
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        f"{folder.as_uri()}/STATUS: status-unfinished: the compose is STARTED; use one that is FINISHED\n",
    )


def test_a_problem_writes_no_file(folder: Path, tmp_path: Path) -> None:
    (folder / "COMPOSE_ID").unlink()
    run(folder, "-o", tmp_path / "manifest.json")
    assert not (tmp_path / "manifest.json").exists()


def test_a_problem_can_be_told_as_json(folder: Path) -> None:
    (folder / "COMPOSE_ID").write_text("../../evil20240501.0x")
    problems = json.loads(run(folder, "--format", "json").stdout)["problems"]
    assert [problem["code"] for problem in problems] == ["compose-id-invalid"]


def test_a_server_that_is_down_is_told_of(folder: Path) -> None:
    with serving(folder) as server:
        url = server.url
    assert ": source-unreachable: the server cannot be reached: Connection refused; " in run(url).stderr


def test_a_slow_server_times_out(server: ComposeServer) -> None:
    server.answers[f"/{COMPOSE_ID}/COMPOSE_ID"] = [Answer(delay=2, body=b"")]
    assert ": source-timeout: " in run(f"{server.url}/{COMPOSE_ID}", "--timeout", "0.1").stderr


def test_a_truncated_download_is_told_of(server: ComposeServer) -> None:
    body = (server.root / COMPOSE_ID / "compose" / "metadata" / "rpms.json").read_bytes()
    server.answers[f"/{COMPOSE_ID}/compose/metadata/rpms.json"] = [Answer(body=body, cut=500)]
    assert ": source-truncated: " in run(f"{server.url}/{COMPOSE_ID}").stderr


def test_credentials_are_refused_and_not_repeated() -> None:
    done = run("https://bot:hunter2@composes.example/x")
    assert (done.returncode, "hunter2" in done.stdout + done.stderr) == (2, False)


@pytest.mark.parametrize("source", ["ftp://composes.example/x", "file:///etc"])
def test_another_kind_of_address_is_a_usage_error(source: str) -> None:
    assert run(source).returncode == 2


@pytest.mark.parametrize("timeout", ["0", "-1", "nan", "soon", "1e9"])
def test_a_timeout_that_is_none_is_a_usage_error(folder: Path, timeout: str) -> None:
    assert run(folder, f"--timeout={timeout}").returncode == 2


def test_an_output_that_cannot_be_written_is_a_usage_error(folder: Path) -> None:
    done = run(folder, "-o", folder / "no" / "manifest.json")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_help_has_an_example() -> None:
    assert "compose-repo manifest https://" in run("-h").stdout
