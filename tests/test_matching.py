"""Which route a path is of."""

from __future__ import annotations

import pytest

from chalicelib.web.matching import Matcher
from chalicelib.web.route import Route
from chalicelib.web.routes import ROUTES

MADE = [
    Route(path, path, "", None, method=method)
    for path, method in [("/", "GET"), ("/a", "GET"), ("/a", "POST"), ("/a/{x}", "GET"), ("/a/new", "GET"), ("/a/{x}/b/{y}", "GET")]
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "found", "captured"),
    [
        ("/", "/", {}),
        ("/a", "/a", {}),
        ("/a/", "/a", {}),
        ("/a/1", "/a/{x}", {"x": "1"}),
        ("/a/%2F%20", "/a/{x}", {"x": "%2F%20"}),
        ("/a/new", "/a/new", {}),
        ("/a/newer", "/a/{x}", {"x": "newer"}),
        ("/a/1/b/2/", "/a/{x}/b/{y}", {"x": "1", "y": "2"}),
    ],
)
def test_a_path_is_of_one_route(path: str, found: str, captured: dict[str, str]) -> None:
    match = Matcher(MADE).match(path)
    assert match is not None
    assert (match.routes["GET"].path, match.captured) == (found, captured)


@pytest.mark.parametrize("path", ["", "//", "/a//", "a", "/b", "/a/1/b", "/a//b/2", "/a/1/c/2", "/a/1/b/2/3", "/A"])
def test_other_paths_are_of_none(path: str) -> None:
    assert Matcher(MADE).match(path) is None


def test_routes_of_one_path_are_told_apart_by_method() -> None:
    match = Matcher(MADE).match("/a")
    assert match is not None
    assert list(match.routes) == ["GET", "HEAD", "POST"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_is_found_by_its_path(route: Route) -> None:
    match = Matcher(ROUTES).match(route.path.replace("{", "").replace("}", ""))
    assert match is not None
    assert match.routes[route.method] is route
