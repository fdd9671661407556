"""What a conversion is given: files of another tool, and what these do not say."""

from msgspec import Struct

from compose_repo.core.names import Arch, Origin, Scenario, Sha256, Testcase, Variant


class Source(Struct, frozen=True, kw_only=True):
    """A file of another tool; `path` is for messages only."""

    path: str
    data: bytes


class Subject(Struct, frozen=True, kw_only=True):
    """Who reports on what: the compose and its manifest, and the cell that every result of the run is about.

    `testcase` names the run as a whole where it is a result of its own; the format says how it is called otherwise.
    With `run_is_test` the run itself is the test, and how it ended is the verdict.
    """

    compose_id: str
    manifest_sha256: Sha256
    origin: Origin
    arch: Arch
    variant: Variant | None = None
    scenario: Scenario | None = None
    testcase: Testcase | None = None
    run_is_test: bool = False
