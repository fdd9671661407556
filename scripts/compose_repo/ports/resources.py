"""Where the files are that travel with the package: schemas and templates."""

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parent.parent
_CHECKOUT: Final = _PACKAGE.parent.parent


def folder(name: str) -> Path:
    """Give the folder of `schemas` or `templates`: the wheel's own copy, or the checkout's."""
    installed = _PACKAGE / "data" / name
    return installed if installed.is_dir() else _CHECKOUT / name
