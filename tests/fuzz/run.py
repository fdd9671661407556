"""Fuzzes each target with atheris, one after the other: `make fuzz`, `make fuzz FUZZ_RUNS=1000000 FUZZ=json`.

Prints what each run came to. An input that breaks a law is kept in fuzz-findings/, and the exit code is 1; run it again
with `scripts/in-venv fuzz python tests/fuzz/run.py --replay TARGET FILE`, and make a test of it.
"""

import argparse
import importlib
import pkgutil
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FINDINGS: Final = ROOT / "fuzz-findings"
FIGURES: Final = re.compile(r"^#(\d+)\s+DONE\s+cov: (\d+) ft: (\d+) .*exec/s: (\d+)", re.MULTILINE)
SECONDS: Final = re.compile(r"^Done \d+ runs in (\d+) second", re.MULTILINE)
sys.path.insert(0, str(ROOT / "tests" / "unit"))  # what the unit tests know of GitLab is used here too
MEMORY: Final = 2048
"""MiB that a target may take."""
SLOWEST: Final = 20
"""Seconds that one input may take."""


def main() -> int:
    """Fuzz what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="(default: every one)")
    parser.add_argument("--runs", type=int, metavar="N", help="inputs for each target (default: as many as fit)")
    parser.add_argument("--seconds", type=int, default=20, metavar="N", help="for each target, without --runs (20)")
    parser.add_argument("--replay", nargs=2, metavar=("TARGET", "FILE"), help="run one input")
    parser.add_argument("--inside", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        return inside(*arguments.inside)
    from targets import TARGETS  # noqa: PLC0415  # inside, only after atheris has hooked the imports

    if arguments.replay:
        name, file = arguments.replay
        TARGETS[name].law(Path(file).read_bytes())
        return 0
    if unknown := [name for name in arguments.targets if name not in TARGETS]:
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    limit = f"-max_total_time={arguments.seconds}" if arguments.runs is None else f"-runs={arguments.runs}"
    tell(f"{'target':12} {'inputs':>10} {'seconds':>8} {'per second':>10} {'coverage':>9} {'features':>9}  finding")
    return max([fuzz(name, limit) for name in arguments.targets or TARGETS], default=0)


def fuzz(name: str, limit: str) -> int:
    """Fuzz one target in a process of its own, which a finding ends; its corpus lives as long as it does."""
    from targets import TARGETS  # noqa: PLC0415

    target = TARGETS[name]
    FINDINGS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"fuzz-{name}-") as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(target.seeds):
            (corpus / f"seed-{number}").write_bytes(seed)
        words = Path(folder) / "words"
        words.write_text("".join(f'"{quoted(word)}"\n' for word in target.words), encoding="ascii")
        done = subprocess.run(
            [
                sys.executable, __file__, "--inside", name, limit, f"-max_len={target.longest}", f"-timeout={SLOWEST}",
                f"-rss_limit_mb={MEMORY}", f"-artifact_prefix={FINDINGS}/{name}-",
                *([f"-dict={words}"] if target.words else []), str(corpus),
            ],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )  # fmt: skip
    said = done.stdout + done.stderr
    figures, seconds = FIGURES.search(said), SECONDS.search(said)
    inputs, covered, features, speed = figures.groups() if figures else ("?", "?", "?", "?")
    took = seconds[1] if seconds else "?"
    finding = re.search(r"Test unit written to (.*)", said)
    told = "none" if done.returncode == 0 else finding[1] if finding else f"exit code {done.returncode}"
    tell(f"{name:12} {inputs:>10} {took:>8} {speed:>10} {covered:>9} {features:>9}  {told}")
    if done.returncode != 0:
        noise = ("INFO: ", "WARNING: ", "#")
        kept = [line for line in said.splitlines() if not line.startswith(noise)]
        sys.stderr.write("\n".join(kept[-60:]) + "\n")
    return int(done.returncode != 0)


def tell(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def quoted(word: bytes) -> str:
    """Write a word as libFuzzer's dictionaries have it."""
    return "".join(f"\\x{byte:02x}" for byte in word)


def inside(name: str, *options: str) -> int:
    """Fuzz in this process, with our own modules instrumented."""
    import atheris  # noqa: PLC0415  # only here

    with atheris.instrument_imports(include=["compose_repo"]):
        import compose_repo.core  # noqa: PLC0415

        for module in pkgutil.iter_modules(compose_repo.core.__path__, "compose_repo.core."):
            importlib.import_module(module.name)  # those that are imported late would not be instrumented
        from targets import TARGETS  # noqa: PLC0415
    atheris.Setup([sys.argv[0], *options], TARGETS[name].law)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
