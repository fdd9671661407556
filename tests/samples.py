"""The composes that tests play with. Each is made once in a run, by the process that asks first, and then copied."""

import atexit
import functools
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from compose_repo.core.composes.compose import ComposeId, Image
from compose_repo.core.names import Arch, Sha256, Variant
from sample_composes import sample
from sample_composes.sample import SampleSpec
from sample_composes.writing import ComposeWriter

ARCHES: Final = (Arch("aarch64"), Arch("x86_64"))
PLACE: Final = "SAMPLE_COMPOSES"
"""The variable that names the folder of a run; tests/conftest.py sets it for all processes."""


def write_sample(folder: Path, spec: SampleSpec) -> Path:
    """Write a compose of many packages as `folder/COMPOSE_ID`, and give its place."""
    return _copied(folder, spec.compose_id.text, repr(spec), lambda place: sample.write_compose(place, spec))


def write_compose(folder: Path, name: str, *, version: str, status: str = "FINISHED") -> Path:
    """Write a compose of one package of this version, and give its place."""
    root = _copied(folder, name, version, lambda place: _write(place / name, version))
    (root / "STATUS").write_text(f"{status}\n")
    return root


def _write(root: Path, version: str) -> None:
    writer = ComposeWriter(ComposeId.parse(root.name), label=None, release_name="CentOS Stream")
    base, srpm = Variant("BaseOS"), f"bash-0:{version}-1.el10.src"
    writer.add_variant(base, ARCHES)
    for arch in ARCHES:
        writer.add_rpm(base, arch, srpm, sigkey="8483c65d", category="source", srpm=srpm)
        writer.add_rpm(base, arch, f"bash-0:{version}-1.el10.{arch}", sigkey="8483c65d", category="binary", srpm=srpm)
    image = Image(
        variant=base, arch=ARCHES[1], path="BaseOS/x86_64/iso/boot.iso", type="boot", format="iso",
        subvariant="BaseOS", size=1, sha256=Sha256("0" * 64),
    )  # fmt: skip
    writer.add_image(image, mtime=0)
    writer.write(root / "compose" / "metadata")
    (root / "COMPOSE_ID").write_text(root.name)


def _copied(folder: Path, name: str, key: str, make: Callable[[Path], object]) -> Path:
    return Path(shutil.copytree(once(f"{name} {key}", make) / name, folder / name, dirs_exist_ok=True))


def once(key: str, make: Callable[[Path], object]) -> Path:
    """Give the folder that `make` has filled, in this process or another one of the same run."""
    place = _place() / hashlib.sha256(key.encode()).hexdigest()
    if not place.exists():
        begun = Path(tempfile.mkdtemp(dir=_place()))
        make(begun)
        try:
            begun.rename(place)
        except OSError:  # another process was faster
            shutil.rmtree(begun)
    return place


@functools.cache
def _place() -> Path:
    """Give the folder of the run, or of this process where there is no run."""
    if PLACE in os.environ:
        return Path(os.environ[PLACE])
    folder = tempfile.mkdtemp(prefix="sample-composes-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
