"""`convert`: turns another tool's report into a result file."""

import argparse
from pathlib import Path
from typing import Final

from compose_repo.core.composes.compose_id import ComposeId, ComposeIdError
from compose_repo.core.convert.formats import FORMATS
from compose_repo.core.convert.subject import Subject
from compose_repo.core.convert.text import as_testcase
from compose_repo.core.manifests.manifest import Manifest
from compose_repo.core.names import Arch, Origin, Scenario, Sha256, Testcase, Variant, is_name
from compose_repo.core.problems.problem import UsageError
from compose_repo.ports.console import Console
from compose_repo.reading.checkout import files_of
from compose_repo.reading.converting import converted, read_source
from compose_repo.reading.loading import manifest_of, read_manifest_file
from compose_repo.verbs.arguments import moment
from compose_repo.verbs.exit_codes import OK

EXAMPLE: Final = """
compose-repo convert --from jenkins build.json tests.json --compose CentOS-Stream-9-20261120.0 --origin rdo --arch s390x
compose-repo convert --from jenkins build.json --manifest manifest.json --origin rdo --arch x86_64 -o smoke-8841.json
compose-repo convert --from jenkins build.json --manifest manifest.json --origin rdo --arch aarch64 --run-is-test
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the files, what they do not say, and where the result goes."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="the tool's report on one run")
    parser.add_argument(
        "--from",
        dest="source_format",
        required=True,
        choices=sorted(FORMATS),
        help="the tool: for jenkins, a build's api/json, and its testReport/api/json if it has one",
    )
    compose = parser.add_mutually_exclusive_group(required=True)
    compose.add_argument("--manifest", type=Path, metavar="FILE", help="the manifest of the compose that was tested")
    compose.add_argument(
        "--compose",
        type=_compose_id,
        metavar="COMPOSE_ID",
        help="the id of the compose that was tested; its manifest is in the repository",
    )
    parser.add_argument(
        "--origin", type=_name, required=True, metavar="NAME", help="the origin that reports, as in gate/origins.toml"
    )
    parser.add_argument("--arch", type=_name, required=True, metavar="ARCH", help="the arch that was tested")
    parser.add_argument(
        "--variant", type=_name, metavar="NAME", help="the variant that was tested (default: none in particular)"
    )
    parser.add_argument(
        "--scenario", type=_test_name, metavar="NAME", help="the set-up in which the tests ran, if there are several"
    )
    parser.add_argument(
        "--testcase",
        type=_test_name,
        metavar="NAME",
        help="the testcase that the run as a whole counts as (default: its job)",
    )
    parser.add_argument(
        "--run-is-test",
        action="store_true",
        help="the run's own result counts, even if it reports no test (default: a run without tests is an error)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write the result file to FILE, not to stdout"
    )
    parser.add_argument("--now", type=moment, metavar="TIME", help="use this time as now, RFC 3339 (default: now)")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Convert, then write; says on stderr where the file belongs."""
    try:
        manifest = _manifest(arguments, console)
        sources = [read_source(file) for file in arguments.files]
    except OSError as error:
        raise UsageError(f"cannot read {error.filename}: {error.strerror}") from error
    subject = Subject(
        compose_id=str(manifest.compose_id),
        manifest_sha256=Sha256(""),
        origin=Origin(arguments.origin),
        arch=Arch(arguments.arch),
        variant=arguments.variant and Variant(arguments.variant),
        scenario=arguments.scenario and Scenario(arguments.scenario),
        testcase=arguments.testcase and Testcase(arguments.testcase),
        run_is_test=arguments.run_is_test,
    )
    now = arguments.now or console.clock.now()
    file, data = converted(arguments.source_format, sources, subject, manifest.to_bytes(), now)
    if arguments.output is None:
        console.out(data.decode().removesuffix("\n"))
    else:
        try:
            arguments.output.write_bytes(data)
        except OSError as error:
            raise UsageError(f"cannot write {arguments.output}: {error.strerror}") from error
    console.info(
        f"{len(file.results):,} result{'' if len(file.results) == 1 else 's'}; the file belongs at {file.path}"
    )
    return OK


def _manifest(arguments: argparse.Namespace, console: Console) -> Manifest:
    """Read the manifest of the compose that was tested: one that git tracks as git stores it, any other as it lies.

    What counts of it are the bytes that `compose-repo manifest` writes, so other line ends change no digest.

    Raises:
        InputError: it has a problem.
        OSError: it cannot be read.

    """
    file: Path = arguments.manifest or arguments.repo / arguments.compose.manifest_path
    root, where = arguments.repo.resolve(), file.resolve()
    if not where.is_relative_to(root):
        return read_manifest_file(file)
    stored = files_of(arguments.repo, console).read(str(where.relative_to(root)))
    return read_manifest_file(file) if stored is None else manifest_of(stored, str(file))


def _compose_id(text: str) -> ComposeId:
    try:
        return ComposeId.parse(text)
    except ComposeIdError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _name(text: str) -> str:
    if not is_name(text):
        raise argparse.ArgumentTypeError(f"{text!a} is not a valid name: use ASCII letters, digits, '.', '_' and '-'")
    return text


def _test_name(text: str) -> str:
    if text != as_testcase(text):
        raise argparse.ArgumentTypeError(
            f"{text!a} is not a valid test name: use printable ASCII, at most 255 characters"
        )
    return text
