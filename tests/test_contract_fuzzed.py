"""schemathesis makes requests of the contract, right and wrong ones, and holds the running server's answers to it.

All of its checks are on. A longer run by hand: `EXAMPLES=2000 SEED=7 python -m pytest tests/test_contract_fuzzed.py`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import orjson

from chalicelib.web.pages import CONTRACT
from chalicelib.web.problems import load_kinds
from tests import contract_hooks
from tests.running_server import ROOT, run_server

# Some 60 seconds on two processors.
EXAMPLES, SEED = os.environ.get("EXAMPLES", "100"), os.environ.get("SEED", "5")
PHASES = ("Examples", "Coverage", "Fuzzing", "Stateful")
KEY = "key"  # as in schemathesis.toml


def test_the_running_server_keeps_to_its_contract(tmp_path: Path) -> None:
    for command in (["ingest", "seeds"], ["export"]):
        run = [sys.executable, "-m", "chalicelib", *command]
        subprocess.run(run, cwd=ROOT, env={**os.environ, "REPORTS_DATA": str(tmp_path / "data")}, check=True)
    with run_server(tmp_path / "data", REPORTS_PUBLISHER_KEY=KEY, REPORTS_UPLOAD_LIMIT="off") as server:
        said = _fuzz(server.url, tmp_path)
    document = orjson.loads(CONTRACT.read_bytes())
    # It leaves out the GET of the document itself, which it has read.
    operations = sum(map(len, document["paths"].values())) - 1
    assert re.search(rf"Tested: {operations}\b", said), said
    assert all(f"✅ {phase}\n" in said for phase in PHASES), said


def _fuzz(url: str, folder: Path) -> str:
    """What schemathesis says, which found nothing."""
    config = ROOT / "tests" / "schemathesis.toml"
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "--no-color"),
            *("run", f"{url}/v1/openapi.json", "--seed", SEED, "--max-examples", EXAMPLES),
            *("--generation-database", "none", "--continue-on-failure"),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_what_schemathesis_is_told_of_are_problems_that_there_are() -> None:
    codes = {code.replace("_", "-") for code, _ in contract_hooks.REASONS}
    assert codes <= {name for name, kind in load_kinds().items() if kind["status"] in (300, 400, 404)}


def test_no_check_of_schemathesis_is_off() -> None:
    told = (ROOT / "tests" / "schemathesis.toml").read_text("utf-8")
    assert "enabled" not in told
    assert "exclude" not in told
