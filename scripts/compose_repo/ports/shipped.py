"""Where the schemas and templates are that travel with the package."""

from pathlib import Path
from typing import Literal


def shipped(folder: Literal["schemas", "templates"]) -> Path:
    """Give the folder: at the top of a checkout, inside the package once that is installed as a wheel."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "data" / folder
    return installed if installed.is_dir() else package.parent.parent / folder
