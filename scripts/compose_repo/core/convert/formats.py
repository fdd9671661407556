"""The formats that are understood, by name, and how a result file is written."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from compose_repo.core.convert import jenkins
from compose_repo.core.convert.subject import Source, Subject
from compose_repo.core.result import ResultFile

Convert: TypeAlias = Callable[[Sequence[Source], Subject], ResultFile]
"""Turns the files of one run into a result file.

Raises:
    InputError: they are not of the format, or leave open what must be said.

"""

FORMATS: Final[Mapping[str, Convert]] = {"jenkins": jenkins.convert}
"""Every format that `compose-repo convert --from` knows."""


def as_bytes(file: ResultFile) -> bytes:
    """Write a result file, one result per line."""
    data = file.to_dict()
    rows = ",\n".join(f"    {_json(row)}" for row in data["results"])
    fields = (f'"results": [\n{rows}\n  ]' if name == "results" else f'"{name}": {_json(data[name])}' for name in data)
    return "{{\n  {}\n}}\n".format(",\n  ".join(fields)).encode()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
