"""A Jenkins on loopback, for the tests: a few jobs, their builds and reports, and whatever it does wrong."""

import http.server
import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Json = dict[str, Any]
START = 1795147800000
"""When the first build started: 2026-11-20T04:10:00Z."""
Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


@dataclass
class Jenkins:
    """Jobs by their full names, and every path that was asked for; `wrong` answers instead where a path has its key.

    What is `posted` to it, it takes, or `post` answers.
    """

    url: str = ""
    jobs: dict[str, dict[int, Json]] = field(default_factory=dict)
    reports: dict[tuple[str, int], Json] = field(default_factory=dict)
    wrong: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    post: Answer | None = None
    posted: list[tuple[str, dict[str, list[str]], dict[str, str]]] = field(default_factory=list)

    def address(self, job: str = "compose-test") -> str:
        return f"{self.url}/job/{'/job/'.join(job.split('/'))}"

    def build(self, number: int, result: str | None, *, job: str = "compose-test", **parameters: str) -> Json:
        """Add a build, which runs as long as it has no result."""
        rows = [{"_class": "hudson.model.StringParameterValue", "name": n, "value": v} for n, v in parameters.items()]
        made = {
            "_class": "hudson.model.FreeStyleBuild",
            "actions": [{"_class": "hudson.model.ParametersAction", "parameters": rows}, {}],
            "building": result is None,
            "description": None,
            "displayName": f"#{number}",
            "duration": 0 if result is None else 60_000,
            "number": number,
            "result": result,
            "timestamp": START + number * 1000,
            "url": f"https://elsewhere.example.org/job/other/{number}/",
        }
        self.jobs.setdefault(job, {})[number] = made
        return made

    def finish(self, number: int, result: str, *cases: Json, job: str = "compose-test") -> None:
        """End a build; with cases it has a report."""
        build = self.jobs[job][number]
        build.update(building=False, result=result, duration=60_000)
        if cases:
            counts = {
                "failCount": sum(case["status"] == "FAILED" for case in cases),
                "skipCount": sum(case["status"] == "SKIPPED" for case in cases),
            }
            action = {"_class": "hudson.tasks.junit.TestResultAction", "urlName": "testReport"}
            build["actions"].append({**action, **counts, "totalCount": len(cases)})
            passed = len(cases) - sum(counts.values())
            suites = [{"name": "suite", "duration": 1.0, "cases": list(cases), "stdout": "x" * 1000}]
            self.reports[job, number] = {"duration": 1.0, "passCount": passed, **counts, "suites": suites}

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        self.asked.append(unquote(parts.path))
        for word, answer in self.wrong.items():
            if word in parts.path:
                return answer(handler)
        names = re.fullmatch(r"((?:/job/[^/]+)+(?:/[^/]*=[^/]*)?)(?:/(\d+)(/testReport)?)?/api/json", parts.path)
        tree = parse_qs(parts.query).get("tree", ["*"])[0]
        found = None if names is None else self._find(names, tree)
        return send(handler, 404, b"<html>Not found</html>") if found is None else send_json(handler, found)

    def _find(self, names: re.Match[str], tree: str) -> Any:  # noqa: ANN401  # JSON
        job = "/".join(map(unquote, names[1].removeprefix("/job/").split("/job/")))
        builds = self.jobs.get(job)
        if builds is None or names[2] is None:
            rows = None if builds is None else [builds[number] for number in sorted(builds, reverse=True)]
            return (
                None if rows is None else filtered({"_class": "hudson.model.FreeStyleProject", "allBuilds": rows}, tree)
            )
        found = builds.get(int(names[2])) if names[3] is None else self.reports.get((job, int(names[2])))
        return None if found is None else filtered(found, tree)


def filtered(value: Any, tree: str) -> Any:  # noqa: ANN401  # JSON
    """Give what a `tree` asks for, as Jenkins does; `_class` comes unasked."""
    if isinstance(value, list):
        return [filtered(one, tree) for one in value]
    found = {"_class": value["_class"]} if "_class" in value else {}
    for name, inner, most in wanted(tree):
        if name in value:
            below = value[name]
            kept = below[:most] if isinstance(below, list) and most else below
            found[name] = filtered(kept, inner) if inner and kept is not None else kept
    return found


def wanted(tree: str) -> Iterator[tuple[str, str, int | None]]:
    """Take a tree apart: names, what is asked for below each, and how many."""
    while tree:
        name = re.match(r"\w+", tree)
        assert name is not None, tree
        tree, inner, most = tree[name.end() :], "", None
        if tree.startswith("["):
            depths = accumulate((letter == "[") - (letter == "]") for letter in tree)
            end = next(index for index, depth in enumerate(depths) if depth == 0)
            inner, tree = tree[1:end], tree[end + 1 :]
        if found := re.match(r"\{0,(\d+)\}", tree):
            most, tree = int(found[1]), tree[found.end() :]
        yield name[0], inner, most
        tree = tree.removeprefix(",")


def send(handler: http.server.BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def send_json(handler: http.server.BaseHTTPRequestHandler, value: object) -> None:
    send(handler, 200, json.dumps(value).encode())


def case(name: str, status: str = "PASSED") -> Json:
    return {"className": "guest", "name": name, "status": status, "duration": 1.0, "errorDetails": None, "stdout": "x"}


@contextmanager
def jenkins(tls: ssl.SSLContext | None = None) -> Iterator[Jenkins]:
    """Serve a Jenkins, over TLS if a context is given."""
    made = Jenkins()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.answer(self)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            made.posted.append((self.path, parse_qs(body, keep_blank_values=True), dict(self.headers)))
            if made.post is not None:
                return made.post(self)
            return send(self, 201, b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it
            """Say nothing."""

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        listener.socket = tls.wrap_socket(listener.socket, server_side=True)
    threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    made.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{listener.server_port}"
    try:
        yield made
    finally:
        listener.shutdown()
        listener.server_close()
