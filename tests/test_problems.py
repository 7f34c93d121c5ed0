"""The pages of the problem types: every failure that HTTP may show has one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from chalicelib.storage import Storage
from chalicelib.web import problems
from tests.gateway import get

ROOT = Path(__file__).resolve().parent.parent


def test_every_failure_that_http_may_show_has_its_explanation(local_storage: Storage) -> None:
    codes = {code for path in sorted((ROOT / "chalicelib").rglob("*.py")) for code in _codes(path)}
    assert {"bad_cursor", "unknown_report"} <= codes
    unexplained = {code for code in codes if code.replace("_", "-") not in problems.load_kinds()}
    assert not unexplained, f"add to chalicelib/web/pages/problems.csv: {sorted(unexplained)}"
    for name, kind in problems.load_kinds().items():
        answer = get(local_storage, f"/problems/{name}")
        assert (answer.status, answer.json) == (200, kind)


def _codes(path: Path) -> Iterator[str]:
    """Codes of failures other than of uploads' contents, which states list and HTTP does not show."""
    shown = {"BadRequest", "NotFound", "Ambiguous", "Conflict", "Unauthorized"}
    shown |= {"Forbidden", "TooLarge", "StorageError", "ReportsError"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            at = 1 if node.func.id == "RefusedError" else 0 if node.func.id in shown else None
            if at is not None and isinstance(code := node.args[at], ast.Constant):
                yield str(code.value)
