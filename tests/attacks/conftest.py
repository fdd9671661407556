from collections.abc import Iterator

import pytest

from attacks.world import Arena


@pytest.fixture(scope="session")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """One server for all the attacks that a process plays."""
    with Arena(tmp_path_factory.mktemp("arena")) as made:
        yield made
