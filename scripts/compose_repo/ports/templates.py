"""Every word that people read in a merge request comes from `templates/`; text from outside is escaped on the way in.

The only importer of jinja2. What a template prints with `{{ }}` is escaped for the target that the template's suffix
names, once and always; only a `Trusted` text, which some template or filter here has rendered, passes as it is. Joining
or cutting a trusted text gives a plain one, which is escaped again: a mistake shows, and opens nothing.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from compose_repo import resources
from compose_repo.core.escape import markdown, visible

if TYPE_CHECKING:
    import jinja2

_ESCAPE: Final[dict[str, Callable[[str], str]]] = {".md.j2": markdown, ".txt.j2": visible}
_URL_SAFE: Final = "!#$&'*+,/:;=?@%-._~"


class Trusted(str):
    """Text that is rendered already, for the same target."""

    __slots__ = ()


def render(name: str, /, **values: object) -> Trusted:
    """Render a template; a name that it uses and that is not given is an error, never an empty place."""
    return Trusted(_environment(_target(name)).get_template(name).render(values))


def link(url: str | None, text: str, *, host: bool = True) -> Trusted:
    """Give a Markdown link that shows its host, or only the text where the URL is no plain http(s) one.

    A user name before the host, or a host that is not ASCII, is made to look like another host: no link for it.
    """
    where = _host(url or "")
    if url is None or where is None:
        return Trusted(markdown(text))
    shown = f"[{markdown(text)}](<{quote(url, safe=_URL_SAFE)}>)"
    return Trusted(f"{shown} ({markdown(where)})" if host else shown)


def preformatted(text: str) -> Trusted:
    """Give a text for inside a fenced block, which no back-quote of it can end."""
    return Trusted(visible(text).replace("`", "\N{MODIFIER LETTER GRAVE ACCENT}"))


def code(text: str) -> Trusted:
    """Give a Markdown code span, for inside tables too; GitLab acts on nothing inside it."""
    inside = preformatted(text).replace("|", "\N{BROKEN BAR}")
    return Trusted(f"`{inside}`" if inside else "")


def _host(url: str) -> str | None:
    if not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or not host.isascii() or "@" in parts.netloc:
        return None
    return host if port is None else f"{host}:{port}"


def _target(name: str) -> str:
    return next(suffix for suffix in _ESCAPE if name.endswith(suffix))


@cache
def _environment(target: str) -> "jinja2.Environment":
    import jinja2  # noqa: PLC0415  # most verbs render nothing, and it takes 40 ms

    escape = _ESCAPE[target]

    def finalize(value: Any) -> str:  # noqa: ANN401  # a template prints whatever it is given
        return value if isinstance(value, Trusted) else escape(str(value))

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
    environment.filters["preformatted"] = preformatted
    return environment
