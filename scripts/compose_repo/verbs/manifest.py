"""`manifest`: reads a compose root and writes its manifest."""

import argparse
from pathlib import Path

from compose_repo.core.links import LOCATIONS
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.core.problems.problem import UsageError
from compose_repo.passes.manifest import make_manifest
from compose_repo.ports.console import Console

EXAMPLE = "compose-repo manifest https://composes.stream.centos.org/stream-10/production/CentOS-Stream-10-20261120.0"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    add_source_arguments(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the manifest to FILE, not to stdout")
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        help="what to print: json is the manifest, text a summary (default: json; with --output: text)",
    )


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of every verb that reads a compose root."""
    parser.add_argument("source", metavar="SOURCE", help="compose root: a directory, or an http(s) URL")
    parser.add_argument(
        "--location", type=_address, metavar="URL", help="the compose's address to record, if SOURCE is a copy"
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=30.0,
        metavar="SECONDS",
        help="how long a server may be silent (default: 30)",
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Read the compose and write its manifest."""
    made = make_manifest(arguments.source, location=arguments.location, timeout=arguments.timeout, console=console)
    if arguments.output is not None:
        try:
            arguments.output.write_bytes(made.raw)
        except OSError as error:
            raise UsageError(f"cannot write {arguments.output}: {error.strerror}") from error
    form = arguments.format or ("json" if arguments.output is None else "text")
    console.out(made.raw.decode("ascii").removesuffix("\n") if form == "json" else summary(made.manifest))
    return 0


def summary(manifest: Manifest) -> str:
    """Tell in a few lines what a compose holds."""
    unsigned = sum(package.unsigned for package in manifest.packages)
    rows = {
        "compose": f"{manifest.compose_id} ({manifest.status})",
        "location": manifest.location,
        "variants": "; ".join(f"{variant}: {' '.join(arches)}" for variant, arches in manifest.variants.items()),
        "packages": str(len(manifest.packages)),
        "images": str(len(manifest.images)),
        "unsigned RPMs": str(unsigned),
        "missing": ", ".join(name for name, digest in manifest.metadata.items() if digest is None) or "-",
    }
    return "\n".join(f"{name:14} {text}" for name, text in rows.items())


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= 3600:  # noqa: PLR2004  # an hour
        raise argparse.ArgumentTypeError(f"{text!a} is not a number of seconds up to 3600")
    return seconds


def _address(text: str) -> str:
    if not text.startswith(LOCATIONS):
        raise argparse.ArgumentTypeError(f"{text!a} is not an http, https or file URL")
    return text
