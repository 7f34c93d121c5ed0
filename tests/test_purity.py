"""From bytes to record nothing but the bytes decides: no storage, no clock, no network, no web, no files but the rules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "chalicelib"
PURE = [
    *sorted((PACKAGE / "decode").rglob("*.py")),
    *sorted((PACKAGE / "reading").rglob("*.py")),
    *sorted((PACKAGE / "explain").rglob("*.py")),
    *(PACKAGE / f"{module}.py" for module in ("records", "divisions", "errors")),
]
NEVER = {
    "app",
    "boto3",
    "botocore",
    "chalice",
    "chalicelib.bulk",
    "chalicelib.catalog",
    "chalicelib.ingestion",
    "chalicelib.storage",
    "chalicelib.web",
    "http",
    "os",
    "random",
    "requests",
    "secrets",
    "socket",
    "sqlite3",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
    "uuid",
}
CLOCKS = {"now", "utcnow", "today", "localtime", "gmtime", "fromtimestamp"}
FILES = {
    "open",
    "read_text",
    "read_bytes",
    "write_text",
    "write_bytes",
    "unlink",
    "mkdir",
    "touch",
    "rename",
    "iterdir",
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports at any depth, with the members taken from it, by their full names."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)} imports relatively"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call by the last name of what is called."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield node.func.attr, node
            elif isinstance(node.func, ast.Name):
                yield node.func.id, node


@pytest.mark.parametrize("path", PURE, ids=name)
def test_imports_nothing_of_the_world(path: Path) -> None:
    taken = {module for module in imports(path) for never in NEVER if f"{module}.".startswith(f"{never}.")}
    assert taken == set()


@pytest.mark.parametrize("path", PURE, ids=name)
def test_asks_no_clock(path: Path) -> None:
    assert [called for called, _ in calls(path) if called in CLOCKS] == []


def rules_alone(path: Path) -> bool:
    """Whether every `RULES` of a file, if it has any, is a path inside the folder of rules."""
    assigned = [n for n in ast.walk(tree(path)) if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "RULES"]
    return all("Path(__file__).resolve().parent.parent / 'rules'" in ast.unparse(n.value) for n in assigned)


@pytest.mark.parametrize("path", [p for p in PURE if p.parent.name in ("reading", "decode")], ids=name)
def test_opens_no_files_but_rules(path: Path) -> None:
    opened = [ast.unparse(node.func) for called, node in calls(path) if called in FILES]
    assert {of for of in opened if not of.startswith(("RULES.", "(RULES /"))} == set()
    assert not opened or rules_alone(path)


@pytest.mark.parametrize(
    "path", sorted(p for part in ("storage", "web") for p in (PACKAGE / part).rglob("*.py")), ids=name
)
def test_storage_and_web_know_nothing_of_reading_at_import(path: Path) -> None:
    """What they need of it is imported where it is used, so that an answer does not wait for the parser."""
    top = [node for node in tree(path).body if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {getattr(node, "module", None) or node.names[0].name for node in top}
    assert not {m for m in modules if m.startswith(("chalicelib.reading", "chalicelib.decode", "jsonschema"))}


def test_the_check_sees_what_it_looks_for(tmp_path: Path) -> None:
    source = "from datetime import datetime\nfrom chalicelib import storage\nimport urllib.request as u\n"
    path = tmp_path / "made.py"
    path.write_text(source + "def f():\n    import boto3.session\n    return datetime.now(), open('x')\n")
    assert {"chalicelib.storage", "urllib.request", "boto3.session"} <= set(imports(path))
    assert {"now", "open"} <= {called for called, _ in calls(path)}
