"""Show that each attack's defence is what stops it: `make defences`.

Each attack names its defence as a mutation of the package's source. Here a copy of the package is made with that one
mutation, and the attack is played against it, in a process of its own. It has to go red: something has moved, or
nobody is told. The table says for each attack what was taken away and what came of it.
"""

import argparse
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attacks.world import Mutation, load, names

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "scripts" / "compose_repo"
SECONDS: Final = 600
"""How long one attack may take against a defence that is gone; without some, it is meant to take for ever."""


class MutationError(Exception):
    """A mutation that does not fit the source any more."""


def defences(name: str) -> tuple[Mutation, ...]:
    """Give what stops an attack; several where one stands behind the other."""
    found: tuple[Mutation, ...] = load(name).DEFENCES
    return found


def mutated(source: Path, mutation: Mutation) -> str:
    """Give a module's text without the defence.

    Raises:
        MutationError: the module has not got the text, has it twice, or is no Python without it.

    """
    text = (source / mutation.module).read_text(encoding="utf-8")
    count = text.count(mutation.old)
    if count != 1:
        raise MutationError(f"{mutation.module} has {mutation.old!r} {count} times")
    changed = text.replace(mutation.old, mutation.new)
    if mutation.module.endswith(".py"):
        compile(changed, mutation.module, "exec")
    return changed


def undefended(name: str, folder: Path) -> Path:
    """Make a copy of the package without what stops an attack; give where it is imported from."""
    scripts = folder / "scripts"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, scripts / "compose_repo", ignore=ignored)
    for other in ("schemas", "templates"):
        shutil.copytree(ROOT / other, folder / other)
    shutil.copytree(ROOT / "scripts" / "local_gitlab", scripts / "local_gitlab", ignore=ignored)
    for mutation in defences(name):
        (scripts / "compose_repo" / mutation.module).write_text(
            mutated(scripts / "compose_repo", mutation), encoding="utf-8"
        )
    return scripts


def play_without(name: str) -> str | None:
    """Play an attack without its defence; give the first thing that it has moved, None if it was stopped all the same.

    Raises:
        MutationError: a mutation does not fit, or nothing works any more without the defence.

    """
    with tempfile.TemporaryDirectory() as folder:
        scripts = undefended(name, Path(folder))
        command = [sys.executable, str(ROOT / "tests" / "attacks" / "one.py"), "--first", name]
        path = os.pathsep.join((str(scripts), str(ROOT / "tests")))
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return "the pass never ends"
    lines = [line.strip() for line in done.stdout.splitlines()]
    if done.returncode == 0:
        return None
    if done.returncode != 1 or not lines or lines[0].startswith("BROKEN"):
        raise MutationError(f"{name}: {(done.stderr or done.stdout).strip()}")
    red = next(number for number, line in enumerate(lines) if line.startswith("RED"))
    return lines[red + 1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Play every attack without its defence, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="attacks (default: all)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    chosen = parser.parse_args(arguments)
    wanted = chosen.names or names()
    stopped = []
    with concurrent.futures.ThreadPoolExecutor(chosen.jobs) as pool:
        running = {name: pool.submit(play_without, name) for name in wanted}
        for name, future in running.items():
            try:
                moved = future.result()
            except MutationError as error:
                moved, told = None, f"ERROR {error}"
            else:
                told = "NOT RED" if moved is None else f"red: {moved}"
            if moved is None:
                stopped.append(name)
            where = ", ".join(sorted({mutation.module for mutation in defences(name)}))
            sys.stdout.write(f"{name:32} {where:36} {told[:160]}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(wanted) - len(stopped)} of {len(wanted)} attacks go red without their defence\n")
    return 1 if stopped else 0


if __name__ == "__main__":
    sys.exit(main())
