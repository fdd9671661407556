"""Every word that people read in a merge request comes from `templates/`; text from outside is escaped on the way in.

The only importer of jinja2. What a template prints with `{{ }}` is escaped for the target that the template's suffix
names, once and always; only a `Trusted` text, which some template or filter here has rendered, passes as it is. Joining
or cutting a trusted text gives a plain one, which is escaped again: a mistake shows, and opens nothing.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from compose_repo.core import escape
from compose_repo.ports import resources

if TYPE_CHECKING:
    import jinja2

_ESCAPE: Final[dict[str, Callable[[str], str]]] = {
    ".md.j2": escape.markdown,
    "_commit.txt.j2": escape.commit_message,
    ".txt.j2": escape.terminal,
}


class Trusted(str):
    """Text that is rendered already, for the same target."""

    __slots__ = ()


def render(name: str, /, **values: object) -> Trusted:
    """Render a template; a name that it uses and that is not given is an error, never an empty place."""
    return Trusted(_environment(_target(name)).get_template(name).render(values))


def link(url: str | None, text: str, *, host: bool = True) -> Trusted:
    """Give a Markdown link that shows its host, or only the text if the URL is not a plain http(s) one."""
    return Trusted(escape.markdown_link(url, text, host=host))


def code(text: str) -> Trusted:
    """Give a Markdown code span."""
    return Trusted(escape.markdown_code(text))


def _target(name: str) -> str:
    return next(suffix for suffix in _ESCAPE if name.endswith(suffix))


@cache
def _environment(target: str) -> "jinja2.Environment":
    import jinja2  # noqa: PLC0415  # most verbs render nothing, and it takes 40 ms

    escaped = _ESCAPE[target]

    def finalize(value: Any) -> str:  # noqa: ANN401  # a template prints whatever it is given
        return value if isinstance(value, Trusted) else escaped(str(value))

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.folder("templates")),
        undefined=jinja2.StrictUndefined,
        finalize=finalize,
        autoescape=False,  # noqa: S701  # that is for HTML; finalize escapes for the target
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["link"] = link
    environment.filters["code"] = code
    environment.filters["preformatted"] = lambda text: Trusted(escape.markdown_fenced(text))
    environment.filters["html"] = lambda text: Trusted(escape.html(text))
    return environment
