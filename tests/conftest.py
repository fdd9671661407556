"""What every test may ask for: tools and data that are not on every machine."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

import samples

ROOT = Path(__file__).resolve().parent.parent
IN_CI = os.environ.get("CI", "") not in {"", "false", "0"}

# How fast a machine is, or what chance offers, decides no test; in CI the same examples are tried every time.
settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    derandomize=IN_CI,
)
# To trace an example takes three times as long as to run it. What few examples reach is all that coverage needs, the
# same every time; `make test` tries as many as ever without tracing (--rest).
settings.register_profile("traced", settings.get_profile("any machine"), max_examples=20, derandomize=True)
# What one run in fifty would find is found by the weekly job, not by somebody who changes something else. Its examples
# are fresh even in CI, and a failure prints how to repeat it.
MANY: Final = 50
settings.register_profile(
    "many",
    settings.get_profile("any machine"),
    max_examples=MANY * settings.get_profile("any machine").max_examples,
    derandomize=False,
    database=None,
    print_blob=True,
)
UNIT: Final = ROOT / "tests" / "unit"

# The tests' own git is nobody's; that of the product is on its own, and goes by whatever the user has set up.
os.environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")

IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108  # not a predictable file name: pytest makes folders of its own there
ROOM: Final = 8 << 30
"""Bytes that have to be free there; all tests together leave about half of that."""


def has_room(folder: Path) -> bool:
    """Tell whether tests may write in a file system, run programs from it, and have room there."""
    if not os.access(folder, os.W_OK) or not hasattr(os, "ST_NOEXEC"):
        return False
    system = os.statvfs(folder)
    return not system.f_flag & os.ST_NOEXEC and system.f_bavail * system.f_frsize >= ROOM


# Tests make some hundred thousand small files; in memory that takes a third of the time off.
if "TMPDIR" not in os.environ and has_room(IN_MEMORY):
    os.environ["TMPDIR"] = str(IN_MEMORY)
    tempfile.tempdir = None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a second run leave out what the traced one has run just so."""
    parser.addoption("--rest", action="store_true", help="of the unit tests, run only those that draw examples")
    parser.addoption("--many", action="store_true", help=f"run only tests that draw examples, on {MANY} times as many")


def pytest_configure(config: pytest.Config) -> None:
    """Draw few examples where they are traced; let all processes of a run share the sample composes."""
    traced, many = config.getoption("cov_source", None), config.getoption("many")
    settings.load_profile("many" if many else "traced" if traced else "any machine")
    if samples.PLACE not in os.environ:
        folder = os.environ[samples.PLACE] = tempfile.mkdtemp(prefix="sample-composes-")
        config.add_cleanup(lambda: shutil.rmtree(folder))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Start three processes for two cores: two fifths of its time a test waits, for git, for a server, for a deadline.

    Traced tests wait for nothing.
    """
    cores = os.cpu_count() or 1
    return cores if config.getoption("cov_source", None) else cores * 3 // 2


@pytest.hookimpl(trylast=True)  # hypothesis marks its tests first
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what --rest and --many leave out."""
    rest, many = config.getoption("rest"), config.getoption("many")
    if rest or many:
        plain = [item for item in items if not item.get_closest_marker("hypothesis")]
        left_out = [item for item in plain if many or UNIT in item.path.parents]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


@pytest.fixture(scope="session")
def require_tool() -> Callable[[str, str], str]:
    """Give a function from a tool's name, and how to get it, to its path.

    Without the tool the test is skipped; in CI, which can install it, the test fails.
    """

    def find(name: str, how_to_get_it: str) -> str:
        path = shutil.which(name, path=f"{sys.prefix}/bin{os.pathsep}{os.environ.get('PATH', '')}")
        if path is not None:
            return path
        message = f"{name} is not installed; {how_to_get_it}"
        if IN_CI:
            pytest.fail(message)
        pytest.skip(message)

    return find


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real composes, results and API descriptions: beside the checkout, or where COMPOSE_REPO_SHARED_DATA says.

    They are no part of this repository, so even CI may be without them.
    """
    folder = Path(os.environ.get("COMPOSE_REPO_SHARED_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; COMPOSE_REPO_SHARED_DATA names another place")
    return folder
