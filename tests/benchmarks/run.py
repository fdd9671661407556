"""Measures the project's figures as ratios in one run and prints them as a table: `make bench`.

Each ratio is between medians of whole processes that ran in turn, so that a busy machine slows both sides alike.
Exits 1 if a figure misses its limit.
"""

import argparse
import dataclasses
import datetime as dt
import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
sys.path[:0] = [str(SCRIPTS), str(ROOT / "tests"), *(str(ROOT / "tests" / one) for one in ("unit", "acceptance"))]

from benchmarks.figure import Figure  # noqa: E402
from benchmarks.passes import bench_message, bench_passes  # noqa: E402
from compose_repo.core.composes.compose import ComposeId  # noqa: E402
from compose_repo.core.documents.limits import RESULT_BYTES  # noqa: E402
from compose_repo.core.forge.forge import Push, User  # noqa: E402
from compose_repo.core.manifests.manifest import Manifest  # noqa: E402
from compose_repo.core.result import ResultFile  # noqa: E402
from compose_repo.core.rules.policy import Policy  # noqa: E402
from compose_repo.core.verdict.baseline import Published, conclude, remembering  # noqa: E402
from compose_repo.core.verdict.gate import decide  # noqa: E402  # the checkout's own package, wherever the bench is run from
from compose_repo.ports.clock import REAL  # noqa: E402
from compose_repo.ports.git.objects import GitTree  # noqa: E402
from compose_repo.ports.git.repository import Repository  # noqa: E402
from compose_repo.reading.judging import judge_branch  # noqa: E402
from compose_repo.reading.line import LineReader  # noqa: E402
from compose_repo.reading.loading import load_gate  # noqa: E402
from compose_repo.reading.publications import Publications  # noqa: E402
from sample_composes.sample import SampleSpec, write_compose  # noqa: E402

PYTHON = sys.executable
COMPOSE_REPO = [PYTHON, "-m", "compose_repo"]
LOAD = "import json,sys; json.load(open(sys.argv[1]))"
LOAD_ALL = (
    "import json,os,sys; d=sys.argv[1]\nfor n in os.listdir(d):\n"
    " with open(os.path.join(d,n)) as f: json.loads(f.read())"
)
NOW = "2026-11-23T12:00:00Z"
COMPOSE_ID = "CentOS-Stream-10-20261120.0"
MOST_ROWS = 20_000
ARCHES = ("aarch64", "ppc64le", "s390x", "x86_64")
TIMES = 15
"""Each figure is made of the medians of so many runs, or more."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Median wall time in seconds and median peak memory in MiB of a process."""

    seconds: float
    mib: float


def measure(commands: dict[str, list[str]], *, times: int, ok: Sequence[int] = (0,)) -> dict[str, Cost]:
    """Run the commands in turn, `times` times each after one warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    peaks: dict[str, list[int]] = {name: [] for name in commands}
    for round_ in range(times + 1):
        for name, argv in commands.items():
            taken, peak = _run(argv, ok)
            if round_:
                seconds[name].append(taken)
                peaks[name].append(peak)
    return {
        name: Cost(seconds=statistics.median(seconds[name]), mib=statistics.median(peaks[name]) / 1024)
        for name in commands
    }


def bench_manifest(folder: Path) -> list[Figure]:
    """Hold `manifest` on a compose of a real stream's size against json.load of its rpms.json."""
    root = write_compose(folder / "composes", SampleSpec.create(COMPOSE_ID))
    rpms = root / "compose" / "metadata" / "rpms.json"
    table = json.loads(rpms.read_bytes())["payload"]["rpms"]
    rows = sum(len(rows) for arches in table.values() for srpms in arches.values() for rows in srpms.values())
    out = folder / "manifest.json"
    cost = measure(
        {
            "json.load": [PYTHON, "-c", LOAD, str(rpms)],
            "manifest": [*COMPOSE_REPO, "manifest", str(root), "-o", str(out)],
        },
        times=TIMES,
    )
    bare, ours = cost["json.load"], cost["manifest"]
    memory = f"{ours.mib:.0f} MiB, {bare.mib:.0f} MiB"
    size = f"{rows:,} rows, rpms.json of {rpms.stat().st_size / 1e6:.0f} MB"
    return [
        _ratio("manifest: time / json.load", ours, bare, 1.6),
        Figure(what="manifest: peak memory / json.load", value=ours.mib / bare.mib, limit=1.5, detail=memory),
        Figure(what="manifest: size", value=out.stat().st_size / 1024, limit=1024, unit="KiB", detail=size),
    ]


def bench_validate(folder: Path) -> list[Figure]:
    """Hold `validate` against bare JSON reading, a bare interpreter and check-jsonschema."""
    big, many, small = (_repository(folder / name) for name in ("big", "many", "small"))
    big_file = _write_results(big, "1", [_row(number) for number in range(10_000)])
    for run in range(1_000):
        some_file = _write_results(many, f"{run:04}", [_row(number) for number in range(10)])
    small_file = _write_results(small, "1", [_row(1)])
    schema = str(ROOT / "schemas" / "result.schema.json")
    one = measure({"json.load": [PYTHON, "-c", LOAD, str(big_file)], "validate": _validate(big, big_file)}, times=TIMES)
    checker = [PYTHON, "-m", "check_jsonschema", "--schemafile", schema, str(big_file)]
    other = measure({"check-jsonschema": checker}, times=TIMES)["check-jsonschema"]
    results = some_file.parent
    files = measure(
        {"json.loads": [PYTHON, "-c", LOAD_ALL, str(results)], "validate": _validate(many, results)}, times=TIMES
    )
    start = measure({"pass": [PYTHON, "-c", "pass"], "validate": _validate(small, small_file)}, times=2 * TIMES + 1)
    return [
        _ratio("validate, one file of 10,000 results / json.load", one["validate"], one["json.load"], 4),
        dataclasses.replace(
            _ratio("check-jsonschema / validate, same file", other, one["validate"], 20), at_least=True
        ),
        _ratio("validate, 1,000 files of 10 results / json.loads", files["validate"], files["json.loads"], 3),
        _ratio("validate, one small file / python -c pass", start["validate"], start["pass"], 6),
    ]


def bench_refuse(folder: Path) -> list[Figure]:
    """Hold `validate` on 8 MiB of rows that are refused against as many bytes of rows that are read."""
    rows = [{"testcase": f"t{number:06}", "outcome": "passed", "arch": "x86_64"} for number in range(MOST_ROWS)]
    sound = _repository(folder / "sound")
    each = _write_results(sound, "1", rows).stat().st_size
    files = RESULT_BYTES // each
    for run in range(2, files + 1):
        last = _write_results(sound, f"{run}", rows)
    as_many = RESULT_BYTES // (each // MOST_ROWS + 1) - 1
    wall = [{**rows[0], "testcase": f"t{number:06}"} for number in range(as_many)]
    wide = [{**row, "note": "n" * 300} for row in rows[:-1]]
    refused = {
        "too many rows": wall,
        "wrong in the last row": [*wide, {**wide[-1], "outcome": "pased"}],
        "wrong in each row": [{**row, "arch": "arm"} for row in wide],
        "U+0001 in the last row": [*wide, {**wide[-1], "note": "\x01"}],
    }
    commands = {"read": _validate(sound, last.parent)}
    for name, results in refused.items():
        repository = _repository(folder / name.replace(" ", "-"))
        commands[name] = _validate(repository, _write_results(repository, "1", results))
    cost = measure(commands, times=15, ok=(0, 1))
    return [_ratio(f"refuse 8 MiB, {name} / read 8 MiB", cost[name], cost["read"], 2) for name in refused]


def bench_gate(_: Path) -> list[Figure]:
    """Time the decision itself, and how it grows from a tenth of the size."""
    runs = {
        "full": _decision(2_000, 100_000),
        "tenth": _decision(200, 10_000),
        "baseline": _decision(2_000, 100_000, composes=9),
        "every rule": _decision(2_000, 100_000, composes=9, every_rule=True),
        "every rule, a tenth": _decision(200, 10_000, composes=9, every_rule=True),
    }
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _round in range(TIMES):
        for name, run in runs.items():
            begun = time.perf_counter()
            run()
            taken[name].append(time.perf_counter() - begun)
    whole, part = (statistics.median(taken[name]) * 1000 for name in ("full", "tenth"))
    every, tenth = (statistics.median(taken[name]) for name in ("every rule", "every rule, a tenth"))
    what = "decide: 2,000 requirements x 4 arches, 100,000 results"
    growth = f"{whole:.0f} ms, {part:.1f} ms; linear is 10, half of one is left to noise"
    return [
        Figure(what=what, value=whole, limit=200, unit="ms"),
        Figure(what="decide: that / a tenth of that", value=whole / part, limit=10.5, detail=growth),
        Figure(
            what="decide: the same spread over nine composes, baseline on all",
            value=statistics.median(taken["baseline"]) * 1000,
            limit=300,
            unit="ms",
        ),
        Figure(
            what="decide: and a third informing, half with max_attempts",
            value=every * 1000,
            limit=300,
            unit="ms",
            detail=f"{every / tenth:.2f} x of a tenth of that",
        ),
    ]


def bench_history(folder: Path) -> list[Figure]:
    """Hold the cost of one merge request after 1,000 merged composes against that after 10."""
    few, many = _history(folder / "few", 10), _history(folder / "many", 1_000)
    commands = {}
    for name, repository in {"few": few, "many": many}.items():
        at = ["--repo", str(repository), "--now", NOW]
        commands[f"validate {name}"] = [*COMPOSE_REPO, "validate", "--base", "main", *at]
        commands[f"gate {name}"] = [*COMPOSE_REPO, "gate", COMPOSE_ID, *at]
    cost = measure(commands, times=TIMES, ok=(0, 3))
    return [
        _ratio("validate --base: after 1,000 composes / after 10", cost["validate many"], cost["validate few"], 1.2),
        _ratio("gate: after 1,000 composes / after 10", cost["gate many"], cost["gate few"], 1.2),
    ]


def bench_pack(folder: Path) -> list[Figure]:
    """Measure what a daily compose adds to the git pack when 1 % of its packages and every image changed."""
    root = write_compose(folder / "composes", SampleSpec.create(COMPOSE_ID))
    manifest = _manifest_of(root)
    days, sizes = 30, []
    repository = folder / "pack"
    _git(folder, "init", "--quiet", "--initial-branch=main", str(repository))
    chance = random.Random(1)  # noqa: S311  # play data, no secret
    for day in range(days + 1):
        compose_id = f"CentOS-Stream-10-{dt.date(2026, 10, 1) + dt.timedelta(days=day):%Y%m%d}.0"
        manifest = _next_day(manifest, compose_id, chance)
        _place(repository, compose_id, manifest)
        _git(repository, "add", "--all")
        _git(repository, "commit", "--quiet", "-m", compose_id)
        if day in {0, days}:
            _git(repository, "gc", "--quiet", "--prune=now")
            sizes.append(sum(file.stat().st_size for file in (repository / ".git/objects/pack").glob("*.pack")) / 1024)
    growth = (sizes[1] - sizes[0]) / days
    detail = f"{sizes[0]:.0f} KiB with the first, {sizes[1]:.0f} KiB with {days + 1}"
    return [Figure(what="git pack growth per daily compose", value=growth, limit=20, unit="KiB", detail=detail)]


def bench_line(folder: Path) -> list[Figure]:
    """Hold the judging of 200 commits with 2,000 result files against what git takes to give the same objects.

    That is which of them count, and their bytes; what they say, by schema, checks and policy, is a figure of its own.
    """
    repository, pushes = _line(folder, commits=200, files=10)
    reader = LineReader(repository, pushes=lambda *_: pushes, fetch=lambda _: None, clock=REAL)
    main, head, now = repository.commit("main"), repository.commit("HEAD"), dt.datetime.fromisoformat(NOW)
    compose_id = ComposeId.parse(COMPOSE_ID)
    gate_files = load_gate(GitTree(repository, main), now)
    opened = pushes[0].at

    def read() -> None:
        branch = reader.read(compose_id, opened, main=main, head=head, gate_files=gate_files).branch
        if branch.problems or sum(branch.tree.read(file.path) is not None for file in branch.files) < len(pushes):
            raise SystemExit("not every file counts")

    def decided() -> None:
        reading = reader.read(compose_id, opened, main=main, head=head, gate_files=gate_files)
        decision, _ = judge_branch(
            reading.branch,
            compose_id,
            gate_files=gate_files,
            main=GitTree(repository, main),
            publications=Publications(),
            now=now,
        )
        if decision.refused:
            raise SystemExit(decision.summary)

    listed = repository.run("ls-tree", "-r", "--format=%(objectname)", "HEAD", "composes")

    def bare() -> None:
        repository.run("log", "--raw", "main..HEAD")
        repository.run("cat-file", "--batch", given=listed)

    commits = "200 commits, 2,000 files"
    return [
        _ratio(f"judge {commits} / git log + cat-file", *_alternately(read, bare, times=TIMES), 3),
        _ratio("judge them and decide by 8,000 results / the same", *_alternately(decided, bare, times=TIMES), 5),
    ]


JOB = """\
set -e
git clone --quiet --no-checkout "$1" "$2"
cd "$2"
git checkout --quiet --force --detach origin/main
shift 2
scripts/in-venv run compose-repo "$@"
"""
"""What .gitlab-ci.yml's trusted jobs do, beside GitLab's runner."""
PLAIN = """\
set -e
git clone --quiet "$1" "$2"
cd "$2"
python3 -m venv .venv
.venv/bin/pip install --quiet --require-hashes --no-deps -r requirements/build.txt -r requirements/run.txt
.venv/bin/pip install --quiet --no-deps --no-build-isolation --no-index --editable .
"""
"""The usual way to the same environment."""
PUSHES = 10


def bench_job(folder: Path) -> list[Figure]:
    """Time the jobs of a compose from checkout to exit, with an empty cache, beside the usual way to set up."""
    project = folder / "project"
    _git(folder, "clone", "--quiet", str(ROOT), str(project))
    _git(project, "checkout", "--quiet", "-B", "main")
    for name in ("policy", "origins", "streams", "waivers"):
        (project / "gate" / f"{name}.toml").unlink()
    (project / "gate").rmdir()
    _write_gate(project)
    _git(project, "commit", "--quiet", "--all", "-m", "Start")
    _git(project, "checkout", "--quiet", "-b", f"compose/{COMPOSE_ID}")
    _place(project, COMPOSE_ID, _small_manifest())
    _write_results(project, "1", [_row(place) for place in range(4)])
    _git(project, "add", "--all")
    _git(project, "commit", "--quiet", "-m", COMPOSE_ID)
    at = ["--rev", f"origin/compose/{COMPOSE_ID}", "--now", NOW]
    jobs = {
        "validate": ["validate", "--base", "origin/main", f"--branch=compose/{COMPOSE_ID}", *at],
        "gate": ["gate", COMPOSE_ID, "--base", "origin/main", *at],
        "set-up": ["--help"],
    }
    os.environ["PIP_NO_CACHE_DIR"] = "1"
    commands = {name: _scripted(JOB, project, folder / "job", *arguments) for name, arguments in jobs.items()}
    cost = measure({**commands, "plain": _scripted(PLAIN, project, folder / "job")}, times=TIMES, ok=(0, 3))
    ours, plain = (cost[name].seconds for name in ("set-up", "plain"))
    each = cost["validate"].seconds + cost["gate"].seconds
    whole = (1 + PUSHES) * each + PUSHES * ours
    return [
        Figure(
            what="set-up of a compose's job / the usual way", value=ours / plain, limit=0.5,
            detail=f"{ours:.1f} s, {plain:.1f} s, from checkout on, with an empty cache",
        ),
        Figure(
            what="jobs validate and gate of one push", value=each, unit="s",
            detail=f"{cost['validate'].seconds:.1f} s, {cost['gate'].seconds:.1f} s, beside each other",
        ),
        Figure(
            what=f"CI of a compose with {PUSHES} pushes", value=whole / 60, unit="min",
            detail="validate, gate, and sync without what it waits for GitLab; not what the runner needs to start",
        ),
    ]  # fmt: skip


def _scripted(script: str, project: Path, place: Path, *arguments: str) -> list[str]:
    """Give a command that does what a job does, in a folder of its own that is removed before."""
    return ["sh", "-c", f'rm -rf "$2"\n{script}', "job", str(project), str(place), *arguments]


GROUPS = {
    "job": bench_job,
    "manifest": bench_manifest,
    "validate": bench_validate,
    "refuse": bench_refuse,
    "gate": bench_gate,
    "history": bench_history,
    "pack": bench_pack,
    "line": bench_line,
    "passes": bench_passes,
    "message": bench_message,
}


def main() -> int:
    """Run the figures that are asked for, or all of them, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"one of {', '.join(GROUPS)}; default: all")
    figures: list[Figure] = []
    for name in parser.parse_args().groups or GROUPS:
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            figures += GROUPS[name](Path(scratch))
    say = sys.stdout.write
    say(f"{'figure':<56} {'value':>11} {'limit':>11}\n")
    for figure in figures:
        say(f"{figure}\n")
    return 0 if all(figure.met for figure in figures) else 1


# A process inherits the peak memory of the one that starts it, so a small one stands between.
_LAUNCHER = """
import json, os, sys, time
begun = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
taken = time.perf_counter() - begun
sys.stderr.write(f"\\n{json.dumps([os.waitstatus_to_exitcode(status), taken, usage.ru_maxrss])}")
"""


def _run(argv: Sequence[str], ok: Sequence[int]) -> tuple[float, int]:
    """Run a process to its end; give its wall time in seconds and its peak memory in KiB."""
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS), "NO_COLOR": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled once, not at every start
    done = subprocess.run(
        [PYTHON, "-S", "-c", _LAUNCHER, *argv],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    said, _, measured = done.stderr.rpartition("\n")
    code, taken, peak = json.loads(measured)
    if code not in ok:
        raise SystemExit(f"{' '.join(argv)} ended with {code}:\n{said[-4000:]}")
    return taken, peak


def _ratio(what: str, ours: Cost, bare: Cost, limit: float) -> Figure:
    detail = f"{ours.seconds * 1000:.0f} ms, {bare.seconds * 1000:.0f} ms"
    return Figure(what=what, value=ours.seconds / bare.seconds, limit=limit, detail=detail)


def _validate(repository: Path, path: Path) -> list[str]:
    return [*COMPOSE_REPO, "validate", "--repo", str(repository), "--now", NOW, str(path)]


def _row(number: int) -> dict[str, Any]:
    return {
        "testcase": f"suite.test_{number // 4:05}",
        "outcome": "passed",
        "arch": ARCHES[number % 4],
        "variant": "BaseOS",
        "url": f"https://ci.example.org/runs/8841/tests/{number}",
        "note": "Ran on a fresh guest.",
        "duration": 12.5,
    }


def _repository(folder: Path) -> Path:
    """Give a folder laid out like the project, with one small compose in it."""
    _write_gate(folder)
    _place(folder, COMPOSE_ID, _small_manifest())
    return folder


def _write_gate(folder: Path) -> None:
    (folder / "gate").mkdir(parents=True)
    files = {
        "origins": '[origins.rdo]\nname = "RDO"\nusers = ["rdo-ci"]\ncontact = {email = "rdo-ci@example.org"}\n',
        "policy": '[[requirement]]\norigin = "rdo"\ntestcase = "suite.test_00000"\nwhy = "It must."\n',
        "waivers": "",
        "streams": '[streams.CentOS-Stream-10]\ncomposes = "https://composes.example.org/"\n'
        'published = "https://mirror.example.org/COMPOSE_ID"\n',
    }
    for name, text in files.items():
        (folder / "gate" / f"{name}.toml").write_text(f'schema = "{name}/1"\n\n{text}')


def _place(folder: Path, compose_id: str, manifest: dict[str, Any]) -> None:
    target = folder / "composes" / compose_id / "manifest.json"
    target.parent.mkdir(parents=True)
    target.write_bytes(Manifest.from_dict(_renamed(manifest, compose_id)).to_bytes())


def _small_manifest() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        return _manifest_of(write_compose(Path(scratch), SampleSpec.create(COMPOSE_ID, srpms=12)))


def _manifest_of(root: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "manifest.json"
        _run([*COMPOSE_REPO, "manifest", str(root), "-o", str(out)], (0,))
        manifest: dict[str, Any] = json.loads(out.read_bytes())
        return manifest


def _renamed(manifest: dict[str, Any], compose_id: str) -> dict[str, Any]:
    digits = compose_id.rsplit("-", maxsplit=1)[1].split(".", maxsplit=1)[0]
    date = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    return manifest | {"compose": manifest["compose"] | {"id": compose_id, "date": date}}


def _next_day(manifest: dict[str, Any], compose_id: str, chance: random.Random) -> dict[str, Any]:
    """Bump the release of 1 % of the packages, give every image and metadata file a new digest."""
    packages = list(manifest["packages"])
    for place in chance.sample(range(len(packages)), len(packages) // 100):
        name, version, release = packages[place]["nvr"].rsplit("-", 2)
        number, dot, rest = release.partition(".")
        bumped = f"{name}-{version}-{int(number) + 1 if number.isdigit() else 1}{dot}{rest}"
        packages[place] = packages[place] | {"nvr": bumped}
    return _renamed(manifest, compose_id) | {
        "packages": packages,
        "images": [image | {"sha256": chance.randbytes(32).hex()} for image in manifest["images"]],
        "metadata": {name: chance.randbytes(32).hex() for name in manifest["metadata"]},
    }


def _write_results(repository: Path, run_id: str, rows: Sequence[dict[str, Any]], compose_id: str = COMPOSE_ID) -> Path:
    folder = repository / "composes" / compose_id
    data = {
        "schema": "results/1",
        "compose_id": compose_id,
        "manifest_sha256": hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest(),
        "origin": "rdo",
        "run": {"id": run_id, "url": "https://ci.example.org/runs/8841", "finished_at": "2026-11-21T06:32:11Z"},
        "results": list(rows),
    }
    target = folder / "results" / "rdo" / f"{run_id}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(data, indent=1))
    return target


def _history(folder: Path, composes: int) -> Path:
    """Make a repository with that many merged composes on main, and one more on a branch with its results."""
    _write_gate(folder)
    _git(folder, "init", "--quiet", "--initial-branch=main", ".")
    manifest = _small_manifest()
    for number in range(composes):
        compose_id = f"CentOS-Stream-10-{dt.date(2023, 1, 1) + dt.timedelta(days=number):%Y%m%d}.0"
        _place(folder, compose_id, manifest)
        _write_results(folder, "1", [_row(place) for place in range(4)], compose_id)
        _git(folder, "add", f"composes/{compose_id}", "gate")
        _git(folder, "commit", "--quiet", "-m", compose_id)
    _git(folder, "checkout", "--quiet", "-b", f"compose/{COMPOSE_ID}")
    _place(folder, COMPOSE_ID, manifest)
    for run in range(5):
        _write_results(folder, str(run), [_row(place) for place in range(4)])
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "-m", COMPOSE_ID)
    _git(folder, "gc", "--quiet")
    return folder


def _line(folder: Path, *, commits: int, files: int) -> tuple[Repository, list[Push]]:
    """Make a repository with a compose's branch on which an origin has pushed so many commits of so many files each."""
    folder.mkdir(exist_ok=True)
    _write_gate(folder)
    _git(folder, "init", "--quiet", "--initial-branch=main", ".")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "-m", "Start")
    _git(folder, "checkout", "--quiet", "-b", f"compose/{COMPOSE_ID}")
    _place(folder, COMPOSE_ID, _small_manifest())
    repository = Repository(folder)
    pushes: list[Push] = []
    for number in range(commits + 1):
        for file in range(files) if number else ():
            _write_results(folder, f"{number}-{file}", [_row(4 * number + place) for place in range(4)])
        _git(folder, "add", "--all")
        _git(folder, "commit", "--quiet", "-m", COMPOSE_ID)
        user = User(id=2, username="rdo-ci") if number else User(id=1, username="compose-bot")
        at = dt.datetime.fromisoformat(NOW) - dt.timedelta(minutes=commits - number)
        before = pushes[-1].after if pushes else None
        pushes.append(
            Push(user=user, branch=f"compose/{COMPOSE_ID}", before=before, after=repository.commit("HEAD"), at=at)
        )
    _git(folder, "gc", "--quiet")
    return repository, pushes


def _alternately(ours: Callable[[], None], bare: Callable[[], None], *, times: int) -> tuple[Cost, Cost]:
    """Time two functions in turn, so that a busy machine slows both alike."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for function, seconds in zip((ours, bare), spent, strict=True):
            started = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - started)
    first, second = (Cost(seconds=statistics.median(seconds), mib=0) for seconds in spent)
    return first, second


def _git(cwd: Path, *argv: str) -> None:
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0"]
    subprocess.run(["git", *identity, *argv], cwd=cwd, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _decision(requirements: int, results: int, *, composes: int = 1, every_rule: bool = False) -> Callable[[], object]:
    """Prepare one call of the gate: every requirement on four arches, each cell tried about a dozen times.

    With several composes, all but one are published already, and each requirement is compared with them. With
    `every_rule`, a third of the requirements only inform, and half of them limit the attempts.
    """
    data = _small_manifest()
    data["variants"] = {"BaseOS": list(ARCHES)}
    manifest = Manifest.from_dict(data)
    more = {"baseline": "published"} if composes > 1 else {}
    lines = [
        {
            "origin": f"origin{n % 20}",
            "testcase": f"test{n}",
            "why": "It must.",
            **more,
            **({"mode": "informing"} if every_rule and n % 3 == 0 else {}),
            **({"max_attempts": 3} if every_rule and n % 2 == 0 else {}),
        }
        for n in range(requirements)
    ]
    policy = Policy.from_dict({"requirement": lines})
    per_file = 25
    files = [
        _result_file(place, [(number // 4, number % 4) for number in range(place, place + per_file)], requirements)
        for place in range(0, results, per_file)
    ]
    shares = [files[place * len(files) // composes : (place + 1) * len(files) // composes] for place in range(composes)]
    now = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    digest: Any = "0" * 64
    older = [ComposeId.parse(f"CentOS-Stream-10-202611{19 - place}.0") for place in range(composes - 1)]
    remembering_all = remembering(policy, manifest.compose_id.stream)

    def published() -> Iterator[Published]:
        for compose_id, share in zip(older, shares[1:], strict=True):
            yield conclude(compose_id, share, remembering_all)

    def once() -> object:
        return decide(
            manifest=manifest,
            manifest_sha256=digest,
            policy=policy,
            policy_sha256=digest,
            files=shares[0],
            published=published(),
            opened_at=now,
            now=now,
        )

    return once


def _result_file(place: int, cells: Sequence[tuple[int, int]], requirements: int) -> ResultFile:
    """Report some cells from one origin; which testcases are that origin's follows from the policy above."""
    origin = place // 25 % 20
    finished = dt.datetime(2026, 11, 21, tzinfo=dt.UTC) + dt.timedelta(seconds=place)
    rows = [
        {
            "testcase": f"test{(cell * 20 + origin) % requirements}",
            "outcome": "failed" if (cell + arch) % 17 == 0 else "passed",
            "arch": ARCHES[arch],
        }
        for cell, arch in cells
    ]
    return ResultFile.from_dict(
        {
            "compose_id": COMPOSE_ID,
            "manifest_sha256": "0" * 64,
            "origin": f"origin{origin}",
            "run": {"id": str(place), "url": "https://ci.example.org/", "finished_at": finished.isoformat()},
            "results": rows,
        }
    )


if __name__ == "__main__":
    sys.exit(main())
