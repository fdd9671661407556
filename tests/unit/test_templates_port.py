import pytest

from compose_repo.core.composes.compose import ComposeId
from compose_repo.core.escape import JOINER
from compose_repo.core.result import Contact
from compose_repo.ports.templates import Trusted, code, link, render


@pytest.mark.parametrize(
    ("url", "text", "shown"),
    [
        ("https://example.org/log", "log", "[log](<https://example.org/log>) (example.org)"),
        ("http://example.org:8080/", "a]b", "[a\\]b](<http://example.org:8080/>) (example.org:8080)"),
        ("https://example.org/a b", "no spaces", "no spaces"),
        ("https://example.org/>)[x](y", "q", "[q](<https://example.org/%3E%29%5Bx%5D%28y>) (example.org)"),
        ("javascript:alert(1)", "script", "script"),
        (None, "none", "none"),
    ],
)
def test_a_link_is_trusted_and_shows_its_host(url: str | None, text: str, shown: str) -> None:
    assert link(url, text) == shown
    assert isinstance(link(url, text), Trusted)


def test_code_shows_no_back_quote_or_bar() -> None:
    assert code("a`b|c\nd") == "`a\u02cbb\u00a6c d`"


def test_each_template_is_escaped_for_the_target_that_its_name_tells() -> None:
    assert f"Add #{JOINER}1\n" in render("open_commit.txt.j2", compose_id="#1", manifest_sha256="")
    compose_id = ComposeId.parse("CentOS-Stream-10-20261120.0")
    assert f"Add {compose_id}\n" in render("open_commit.txt.j2", compose_id=compose_id, manifest_sha256="")
    assert render("contact.md.j2", contact=Contact(name="#1")).strip() == "\\#1"


def test_what_is_made_from_a_trusted_text_is_not_trusted() -> None:
    assert not isinstance(Trusted("a") + "b", Trusted)
