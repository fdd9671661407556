"""`pip install .` gives a compose-repo that works anywhere, with everything it needs inside."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Final

import pytest

from own_files import own_files

pytestmark = pytest.mark.xdist_group("packaging")  # one worker builds and installs, not each

ROOT: Final = Path(__file__).resolve().parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the sdist, and the wheel that was built from it."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    return out


@pytest.fixture(scope="module")
def installed(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an environment with the wheel and nothing but what requirements/run.txt locks."""
    environment = tmp_path_factory.mktemp("installed")
    [wheel] = distributions.glob("*.whl")
    run(sys.executable, "-m", "venv", environment, cwd=environment)
    pip: list[str | Path] = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--quiet", "--no-deps"]
    run(*pip, "--require-hashes", "-r", ROOT / "requirements" / "run.txt", cwd=environment)
    run(*pip, "--no-index", wheel, cwd=environment)
    return environment / "bin" / "compose-repo"


def test_schemas_and_templates_travel_in_the_wheel(distributions: Path) -> None:
    [wheel] = distributions.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    here = {f"compose_repo/data/{path.relative_to(ROOT)}" for name in ("schemas", "templates")
            for path in (ROOT / name).rglob("*") if path.is_file()}  # fmt: skip
    assert here
    assert here <= inside


def test_the_wheel_holds_only_the_package(distributions: Path) -> None:
    [wheel] = distributions.glob("*.whl")
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"compose_repo"}


@pytest.fixture(scope="module")
def unpacked(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the source distribution's folder, in no repository."""
    folder = tmp_path_factory.mktemp("unpacked")
    [sdist] = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="fully_trusted")  # noqa: S202  # it was made here
    [found] = folder.iterdir()
    return found


def test_the_source_distribution_holds_every_file(unpacked: Path) -> None:
    assert [name for name in own_files() if not (unpacked / name).is_file()] == []


def test_the_source_distribution_tests_itself(unpacked: Path) -> None:
    few = [f"tests/unit/test_{name}.py" for name in ("kept_files", "pages", "gate_page", "schemas")]
    said = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *few, cwd=unpacked)
    assert " passed" in said
    assert " failed" not in said


def test_the_source_distribution_demonstrates_itself(unpacked: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "compose_repo", "demo", "--srpms", "12", "--repo", ".."],
        cwd=unpacked / "scripts",
        env={**os.environ, "LOCAL_GITLAB_CI_LOCAL": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything came out as told" in done.stdout


def test_pages_install_what_can_be_installed() -> None:
    """No index has the project: a page names its address, and an extra that there is."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    pages = "".join(page.read_text(encoding="utf-8") for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    named = re.findall(r"(?:pip|pipx|uv tool) install (?:-e )?(?:'([^']+)'|(\S+))", pages)
    assert named
    for text in (quoted or plain for quoted, plain in named):
        form = re.fullmatch(r"(?:compose-repo(?:\[(\w+)\])? @ |\.(?:\[(\w+)\])?)?(git\+https://\S+\.git)?", text)
        assert form, text
        assert {extra for extra in form.groups()[:2] if extra} <= extras.keys()


def test_every_verb_starts_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    shown = run(installed, "validate", "-h", cwd=tmp_path)
    assert shown.startswith("usage: compose-repo validate")


def test_the_installed_package_says_where_the_demo_is(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run([installed, "demo"], cwd=tmp_path, capture_output=True, text=True, check=False)
    said = "the installed package does not hold the demo; in a checkout run `make demo` or `pip install -e '.[demo]'`"
    assert (done.returncode, done.stderr) == (2, f"compose-repo demo: {said}\n")


def test_an_installed_compose_repo_validates_a_repository(installed: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.mkdir()
    for path in (ROOT / "gate").glob("*.toml"):
        (gate / path.name).write_bytes(path.read_bytes())
    assert run(installed, "validate", cwd=tmp_path) == "4 files checked, no problem\n"


def test_the_version_is_that_of_the_project(installed: Path, tmp_path: Path) -> None:
    assert (
        f'version = "{run(installed, "--version", cwd=tmp_path).split()[1]}"' in (ROOT / "pyproject.toml").read_text()
    )
