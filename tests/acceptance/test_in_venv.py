"""scripts/in-venv says plainly what is missing; what it installs is locked, hash by hash, from no index by name."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
REQUIREMENTS: Final = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give as much of a checkout as in-venv reads before it installs anything."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "in-venv", tmp_path / "scripts")
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def in_venv(
    checkout: Path, *arguments: str, variables: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    plain = {name: value for name, value in os.environ.items() if name != "COMPOSE_REPO_VENV"}
    return subprocess.run(
        [checkout / "scripts" / "in-venv", *arguments],
        cwd=checkout, capture_output=True, text=True, check=False, env={**plain, **(variables or {})},
    )  # fmt: skip


def tools(folder: Path, *names: str) -> Path:
    """Give a folder that holds nothing but some of this machine's commands."""
    folder.mkdir()
    for name in names:
        path = shutil.which(name)
        assert path is not None
        (folder / name).symlink_to(path)
    return folder


def test_too_old_a_python_is_named(checkout: Path) -> None:
    path = tools(checkout / "bin", "sh", "dirname", "cat", "cmp", "tail", "env", "sed")
    old = path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.18 && exit\nexit 1\n')
    old.chmod(0o755)
    done = in_venv(checkout, "run", "true", variables={"PATH": str(path)})
    assert done.stderr == "in-venv: needs Python 3.11 or later; the python3 here is Python 3.9.18\n"
    assert done.returncode == 2


def test_an_unknown_set_is_named(checkout: Path) -> None:
    done = in_venv(checkout, "everything", "true")
    assert (done.returncode, done.stderr) == (2, "in-venv: there is no requirements/everything.txt\n")


@pytest.mark.parametrize("there", ["compose_repo.py", "json.py"])
def test_what_lies_where_a_job_stands_is_not_run(checkout: Path, there: str) -> None:
    for name in ("scripts/compose_repo", "schemas", "templates"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    (checkout / there).write_text("raise SystemExit(9)\n", encoding="utf-8")
    assert in_venv(checkout, "run", "compose-repo", "validate", "-h").returncode == 0


@pytest.mark.smoke
def test_an_environment_that_is_given_is_used_as_it_is(checkout: Path) -> None:
    given = checkout / "given"
    (given / "bin").mkdir(parents=True)
    command = given / "bin" / "compose-repo"
    command.write_text('#!/bin/sh\necho "$VIRTUAL_ENV $*"\n')
    command.chmod(0o755)
    done = in_venv(checkout, "run", "compose-repo", "gate", "a b", variables={"COMPOSE_REPO_VENV": str(given)})
    assert (done.stdout, done.stderr, (checkout / ".venv").exists()) == (f"{given} gate a b\n", "", False)


def test_an_environment_that_is_given_and_not_there_is_named(checkout: Path) -> None:
    done = in_venv(checkout, "run", "true", variables={"COMPOSE_REPO_VENV": "/nowhere"})
    assert (done.returncode, done.stderr) == (2, "in-venv: COMPOSE_REPO_VENV=/nowhere has no bin/compose-repo\n")


def test_no_code_of_the_surroundings_runs_in_python(checkout: Path) -> None:
    (checkout / "given" / "bin").mkdir(parents=True)
    (checkout / "given" / "bin" / "compose-repo").write_text("")
    (checkout / "given" / "bin" / "compose-repo").chmod(0o755)
    for name in ("sitecustomize.py", "jiter.py"):
        (checkout / "evil").mkdir(exist_ok=True)
        (checkout / "evil" / name).write_text("print('evil')\n")
    surroundings = {"PYTHONPATH": str(checkout / "evil"), "COMPOSE_REPO_VENV": str(checkout / "given")}
    python = [sys.executable, "-c", "import jiter; print('ours')"]
    assert in_venv(checkout, "run", *python, variables=surroundings).stdout == "ours\n"


CARRIERS: Final = (
    "PYTHONBREAKPOINT", "PYTHONCASEOK", "PYTHONEXECUTABLE", "PYTHONHOME", "PYTHONINSPECT", "PYTHONPATH",
    "PYTHONPLATLIBDIR", "PYTHONPYCACHEPREFIX", "PYTHONSTARTUP", "PYTHONUSERBASE", "PYTHONWARNINGS",
)  # fmt: skip


def test_no_variable_that_can_carry_code_reaches_the_command(checkout: Path) -> None:
    command = checkout / "given" / "bin" / "compose-repo"
    command.parent.mkdir(parents=True)
    command.write_text("")
    command.chmod(0o755)
    hostile = dict.fromkeys(CARRIERS, "evil") | {"COMPOSE_REPO_VENV": str(checkout / "given"), "PYTHONUTF8": "1"}
    done = in_venv(checkout, "run", "env", variables=hostile)
    assert [line for line in done.stdout.splitlines() if line.startswith("PYTHON") and line.endswith("=evil")] == []
    assert "PYTHONUTF8=1" in done.stdout.splitlines()


RECORDER: Final = """\
#!/bin/sh
echo "$*" >>{record}
case "$*" in
    *sys.executable*) echo "$0" ;;
    *" -m venv "*) for venv; do :; done; mkdir -p "$venv/bin"; cp "$0" "$venv/bin/python" ;;
    *" install "*) env | grep ^PIP_ >>{record} ;;
esac
"""


def test_pip_is_told_where_packages_come_from_and_nothing_more(checkout: Path) -> None:
    """What else to install, or another Python to run, is not for the surroundings to say."""
    record = checkout / "record"
    (checkout / "bin").mkdir()
    (checkout / "bin" / "python3").write_text(RECORDER.format(record=record))
    (checkout / "bin" / "python3").chmod(0o755)
    given = {"PIP_INDEX_URL": "https://index.example.org/", "PIP_CERT": "/ca.pem"}
    hostile = dict.fromkeys(
        ["PIP_REQUIREMENT", "PIP_requirement", "PIP_EDITABLE", "PIP_PYTHON", "PIP_TARGET", "PIP_CONFIG_FILE"], "evil"
    )
    others = {name: "" for name in os.environ if name.startswith("PIP_")}
    path = f"{checkout / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = in_venv(checkout, "run", variables={**others, **given, **hostile, "PATH": path})
    lines = record.read_text(encoding="utf-8").splitlines()
    ran = [line for line in lines if " -m " in line or " -c " in line or line.startswith("-c")]
    assert (done.returncode, [line for line in ran if not line.startswith("-I ")]) == (0, [])
    assert set(given) <= {line.partition("=")[0] for line in lines}
    assert [line for line in lines if line.endswith("=evil")] == []


def test_a_failed_installation_is_told_and_tried_again_the_next_time(checkout: Path) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull,
               "PIP_FIND_LINKS": "", "PIP_NO_CACHE_DIR": "1"}  # fmt: skip
    for _ in range(2):
        done = in_venv(checkout, "build", "true", variables=nowhere)
        assert done.returncode == 2
        assert "pip could not install requirements/build.txt; is a package index reachable?" in done.stderr
    assert "making" not in done.stderr  # the environment itself was whole and is kept


HOLDS: Final = (
    "import importlib.util as i, compose_repo as c; print(c.__file__, *map(i.find_spec, ('pip', 'hatchling')))"
)


def test_the_set_of_the_jobs_holds_this_checkout_and_nothing_that_builds(checkout: Path) -> None:
    for name in ("scripts/compose_repo", "schemas", "templates"):
        shutil.copytree(ROOT / name, checkout / name)
    ours = Path(sys.prefix) / "bin"  # the Python there has no pip either
    others = {"PATH": os.pathsep.join(one for one in os.environ["PATH"].split(os.pathsep) if Path(one) != ours)}
    done = in_venv(checkout, "run", "compose-repo", "validate", "--help", variables=others)
    assert (done.returncode, done.stdout.partition(" [")[0]) == (0, "usage: compose-repo validate"), done.stderr
    held = in_venv(checkout, "run", "python", "-I", "-c", HOLDS)
    assert (held.stdout, held.stderr) == (f"{checkout / 'scripts/compose_repo/__init__.py'} None None\n", "")


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.stem)
def test_requirements_name_versions_and_hashes_and_nothing_else(path: Path) -> None:
    lines = [line.strip(" \\") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()[:1] != "#"]
    allowed = re.compile(r"[a-z0-9._-]+(\[[a-z,-]+\])?==[^ ]+( ; .+)?|--hash=sha256:[0-9a-f]{64}")
    assert [line for line in lines if not allowed.fullmatch(line)] == []


def test_no_lock_tells_of_the_machine_that_wrote_it() -> None:
    locks = [*REQUIREMENTS, ROOT / "requirements" / "node" / "package-lock.json"]
    telling = re.compile(r'https?://|/tmp/|/home/|/root/|"resolved"')
    assert [path.name for path in locks if telling.search(path.read_text(encoding="utf-8"))] == []


def test_the_sets_agree() -> None:
    versions = {path.stem: locked_versions(path) for path in REQUIREMENTS}
    everything = versions.pop("mutants")
    del versions["lock"]  # stands alone
    versions["fuzz"] = {
        (name, version) for name, version in versions["fuzz"] if name != "atheris"
    }  # not for every system
    assert [name for name, held in versions.items() if not held <= everything] == []


def locked_versions(path: Path) -> set[tuple[str, str]]:
    return set(re.findall(r"^([a-z0-9._-]+)==([^ ]+)", path.read_text(encoding="utf-8"), re.MULTILINE))
