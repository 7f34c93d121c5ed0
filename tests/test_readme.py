"""The README tells the truth: its calls are made, and print what it shows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.quality.tally import Tally
from tests.running_server import ROOT, Server, run_server

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN_ADDRESS = "http://127.0.0.1:8000"
BLOCKS = re.findall(r"^```console\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
GAP = "…"


@dataclass(frozen=True)
class Clone:
    """A folder like a fresh clone with the seeds ingested, `told` what that printed, and the server over its data."""

    folder: Path
    told: str
    server: Server

    def run(self, script: str) -> str:
        """What the commands print, with the address that the README shows."""
        script = script.replace(SHOWN_ADDRESS, self.server.url)
        return _run(["bash", "-c", script], self.folder).replace(self.server.url, SHOWN_ADDRESS)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    folder = tmp_path_factory.mktemp("clone")
    for name in ("app.py", "chalicelib", "schemas", "seeds", "vendor"):
        (folder / name).symlink_to(ROOT / name)
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    # A script, since a link to the interpreter would lose its packages.
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    told = _run([str(python), "-m", "chalicelib", "ingest", "seeds"], folder)
    with run_server(folder / "data") as server:
        yield Clone(folder, told, server)


def _run(command: list[str], folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REPORTS_")}
    environment |= {"PYTHONUTF8": "1"}
    ran = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return ran.stdout.decode()


def commands(block: str) -> str:
    """The lines behind `$ `, as one script."""
    return "".join(line[2:] for line in block.splitlines(keepends=True) if line.startswith("$ "))


def shown(block: str) -> str:
    """The lines that the commands of a block print."""
    return "".join(line for line in block.splitlines(keepends=True) if not line.startswith("$ "))


def agrees(printed: str, expected: str) -> bool:
    """Whether the output is the one shown, where `…` ends a line early or is a line for any lines."""
    pattern = ""
    for line in expected.splitlines():
        if line == GAP:
            pattern += r"(?:.*\n)*?"
        elif line.endswith(GAP):
            pattern += re.escape(line.removesuffix(GAP)) + ".*\n"
        else:
            pattern += re.escape(line) + "\n"
    return re.fullmatch(pattern, printed) is not None


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: commands(block)[:60])
def test_a_call_prints_what_the_readme_shows(clone: Clone, block: str) -> None:
    printed = clone.run(commands(block))
    assert agrees(printed, shown(block)), f"{commands(block)}printed\n{printed}"


def test_the_first_run_prints_what_the_readme_shows(clone: Clone) -> None:
    assert clone.told + f"Publishers' key: data/publisher-key\nServing on {SHOWN_ADDRESS}\n" in README, clone.told


def test_the_example_at_the_top_is_of_the_data(clone: Clone) -> None:
    record = json.loads(clone.run(f"curl -s {SHOWN_ADDRESS}/v1/reports/331022103-2022"))
    first = record["indicators"][0]
    evidence = first["evidence"]
    span = f"text[{evidence['start']}:{evidence['end']}]"
    cells = [first["name"], f"`{first['concept']}`", first["value"], first["unit"], first["yoy"], first["year"]]
    row = " | ".join(map(str, [*cells, f"`{first['status']}`", f"`{span}`"]))
    assert f"> {evidence['quote']}\n" in README
    assert f"| {row} |\n" in README


def test_the_quality_table_is_that_of_the_floors() -> None:
    table = {name: float(f1) for name, f1 in re.findall(r"^\| (\w+) \| .* \| (\d\.\d{3}) \|$", README, re.MULTILINE)}
    floors: dict[str, list[int]] = json.loads((ROOT / "tests" / "quality" / "floors.json").read_bytes())["all"]
    assert table == {measure: round(Tally(*counts).f1, 3) for measure, counts in floors.items()}


def test_every_link_into_the_repository_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []
    headings = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in re.findall(r"^##? (.*)$", README, re.M)}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= headings


def test_every_refusal_is_explained() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "chalicelib").rglob("*.py")]
    codes = {code for source in sources for code in re.findall(r'\bReportError\(\s*"(\w+)"', source)}
    assert len(codes) > 5
    assert [code for code in codes if f"\n| `{code}` | " not in README] == []


@pytest.mark.parametrize(
    ("printed", "expected", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\n", False),
        ("a\nb\nc\n", "a\n…\nc\n", True),
        ("a\nc\n", "a\n…\nc\n", True),
        ("a\nb\nd\n", "a\n…\nc\n", False),
        ("a (1, 2)\n", "a (…\n", True),
        ("b (1, 2)\n", "a (…\n", False),
        ("", "", True),
        ("x\n", "", False),
    ],
)
def test_what_a_gap_stands_for(printed: str, expected: str, same: bool) -> None:
    assert agrees(printed, expected) is same
