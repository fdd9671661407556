"""What travels with the package: schemas, templates, and its version."""

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parent.parent
_CHECKOUT: Final = _PACKAGE.parent.parent


def folder(name: str) -> Path:
    """Give the folder of `schemas` or `templates`: the wheel's own copy, or the checkout's."""
    installed = _PACKAGE / "data" / name
    return installed if installed.is_dir() else _CHECKOUT / name


def version() -> str | None:
    """Give the version of the package; None if it is run from its source and not installed."""
    from importlib import metadata  # noqa: PLC0415  # this takes longer than all of the start

    try:
        return metadata.version("compose-repo")
    except metadata.PackageNotFoundError:
        return None
