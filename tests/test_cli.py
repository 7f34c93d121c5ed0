"""The command line: what goes to stdout, what to stderr, and the exit status."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app import app
from chalicelib import records
from chalicelib.__main__ import main
from chalicelib.errors import StorageError
from tests.made_reports import TOWN, WORDS, read_report, report, write_report
from tests.running_server import ROOT

SEED = ROOT / "seeds" / "亭旁镇-2022.txt"
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for uploads; the data folder beside it is empty, and the app opens it anew."""
    monkeypatch.setenv("REPORTS_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("chalicelib.reading.parse.parse", read_report)
    # Noted and removed, so that the app's storage of this test is forgotten after it.
    monkeypatch.setitem(vars(app), "storage", None)
    vars(app).pop("storage")
    made = tmp_path / "uploads"
    made.mkdir()
    return made


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chalicelib", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_parse_prints_the_record_and_nothing_else() -> None:
    done = run("parse", str(SEED))
    assert (done.returncode, done.stderr) == (0, "")
    record = json.loads(done.stdout)
    records.validate(record)
    assert (record["id"], done.stdout.count("\n")) == ("331022103-2022", 1)


def test_parse_imports_no_server_no_cloud_and_no_validator() -> None:
    code = "import sys; from chalicelib.__main__ import main; main(['parse', sys.argv[1]]); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, str(SEED)], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "chalicelib.reading.parse" in loaded
    assert not loaded & {"boto3", "botocore", "chalice", "granian", "watchfiles", "tqdm", "jsonschema", "sqlite3"}


def test_parse_writes_nothing(tmp_path: Path) -> None:
    run("parse", str(SEED), REPORTS_DATA=str(tmp_path / "data"))
    assert not (tmp_path / "data").exists()


def test_parse_takes_the_township_from_its_option(folder: Path, capfd: Captured) -> None:
    (folder / "a.txt").write_bytes(write_report(WORDS, year=2022))
    assert main(["parse", str(folder / "a.txt"), "--township", TOWN]) == 0
    assert json.loads(capfd.readouterr().out)["id"] == f"{TOWN}-2022"


def test_parse_prints_a_record_whose_township_stays_open(folder: Path, capfd: Captured) -> None:
    (folder / "a.txt").write_bytes(write_report(WORDS, candidates=f"{TOWN} 331024106", year=2022))
    assert main(["parse", str(folder / "a.txt")]) == 0
    record = json.loads(capfd.readouterr().out)
    assert (record["id"], len(record["candidates"])) == (None, 2)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("missing.txt", None, "No such file"),
        (".", None, "Is a directory"),
        ("a.png", b"\x89PNG\nand\nmore", "no_report: This is no report."),
        ("big.txt", b"x" * 2000, "too_large: The file has 2,000 bytes, and the limit is 1,000."),
    ],
)
def test_parse_says_in_one_line_why_it_cannot(
    folder: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes | None, says: str
) -> None:
    monkeypatch.setenv("REPORTS_MAX_BYTES", "1000")
    if data is not None:
        (folder / name).write_bytes(data)
    assert main(["parse", str(folder / name)]) == 1
    out, err = capfd.readouterr()
    assert (out, err.count("\n"), says in err) == ("", 1, True), err


def test_a_reader_that_stops_early_is_no_error() -> None:
    # More output than a pipe holds, so that the writer meets the closed end.
    script = f"for n in 1 2 3 4; do {sys.executable} -m chalicelib parse '{SEED}' || echo $? >&2; done | head -c 1"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert set(done.stderr.split()) <= {"141"}


def test_ingest_takes_files_and_folders_and_tells_each_in_a_line(folder: Path, capfd: Captured) -> None:
    (folder / "deep" / ".hidden").mkdir(parents=True)
    (folder / "deep" / "a.txt").write_bytes(report())
    for name in ("README.md", ".gitattributes", "deep/.hidden/b.txt"):
        (folder / name).write_bytes(b"no report")
    single = folder.parent / "README"
    single.write_bytes(report(year=2021))
    assert main(["ingest", str(folder), str(single)]) == 0
    out, err = capfd.readouterr()
    assert out.splitlines() == [
        "a.txt: 某县亭旁镇 2022, 1 sections, 2 indicators, 331022103-2022 revision 1",
        "README: 某县亭旁镇 2021, 1 sections, 2 indicators, 331022103-2021 revision 1",
    ]
    assert "2 files: 2 published" in err


def test_ingest_reads_nothing_again(folder: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.txt").write_bytes(report())
    main(["ingest", str(folder)])
    monkeypatch.setattr("chalicelib.reading.parse.parse", None)
    assert main(["ingest", str(folder)]) == 0
    assert capfd.readouterr().out.splitlines()[1] == "a.txt: unchanged (331022103-2022 revision 1)"


def test_ingest_goes_on_behind_a_refused_file_and_exits_with_1(folder: Path, capfd: Captured) -> None:
    (folder / "a.png").write_bytes(b"\x89PNG")
    (folder / "b.txt").write_bytes(report())
    assert main(["ingest", str(folder)]) == 1
    out, err = capfd.readouterr()
    assert out.splitlines()[0] == "a.png: rejected: This is no report. Upload a report."
    assert out.splitlines()[1].startswith("b.txt: 某县亭旁镇 2022")
    assert "1 published, 1 rejected" in err


def test_ingest_names_the_candidates_and_takes_the_township(folder: Path, capfd: Captured) -> None:
    (folder / "a.txt").write_bytes(write_report(WORDS, candidates=f"{TOWN} 331024106", year=2022))
    assert main(["ingest", str(folder)]) == 0
    assert "needs township" in (out := capfd.readouterr().out)
    assert TOWN in out
    assert main(["ingest", str(folder), "--township", "331024106"]) == 0
    assert "331024106-2022 revision 1" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["a.txt", "--township", "331022999"], "has the code or name '331022999'"), (["missing.txt"], "No such file")],
)
def test_ingest_refuses_what_it_cannot_begin(folder: Path, capfd: Captured, arguments: list[str], says: str) -> None:
    (folder / "a.txt").write_bytes(report())
    assert main(["ingest", str(folder / arguments[0]), *arguments[1:]]) == 1
    out, err = capfd.readouterr()
    assert (out, says in err) == ("", True), err


def test_ingest_says_when_the_storage_failed(folder: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StorageError("disk_full", "The disk is full.")

    (folder / "a.txt").write_bytes(report())
    with monkeypatch.context() as patched:
        patched.setattr("chalicelib.ingestion.ingest.receive", full)
        assert main(["ingest", str(folder)]) == 1
    assert "failed" in capfd.readouterr().out
    assert main(["ingest", str(folder)]) == 0


def test_export_writes_the_bulk_files(folder: Path, capfd: Captured) -> None:
    (folder / "a.txt").write_bytes(report())
    main(["ingest", str(folder)])
    capfd.readouterr()
    assert main(["export", "--to", str(folder / "out")]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split("  ")[:2] for line in lines] == [
        ["reports.ndjson.gz", "1 rows"],
        ["sections.ndjson.gz", "1 rows"],
        ["indicators.ndjson.gz", "2 rows"],
        ["reports.csv.gz", "1 rows"],
        ["sections.csv.gz", "1 rows"],
        ["indicators.csv.gz", "2 rows"],
        ["and 6 files of a year and province each"],
    ]
    assert main(["export"]) == 0
    assert capfd.readouterr().out.splitlines() == lines


def test_serve_says_in_one_line_that_the_port_is_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("serve", PORT=str(taken.getsockname()[1]), REPORTS_DATA=str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "listen" in done.stderr


@pytest.mark.parametrize("port", ["0", "-1", "65536", "99999", "99999999999", "many", "８０００"])
@pytest.mark.parametrize("given", ["flag", "environment"])
def test_serve_takes_no_port_that_is_none(
    monkeypatch: pytest.MonkeyPatch, capfd: Captured, port: str, given: str
) -> None:
    if given == "environment":
        monkeypatch.setenv("PORT", port)
    with pytest.raises(SystemExit) as caught:
        main(["serve"] if given == "environment" else ["serve", f"--port={port}"])
    assert (caught.value.code, "from 1 to 65535" in capfd.readouterr().err) == (2, True)


@pytest.mark.parametrize("host", ["nosuch.invalid", "192.0.2.1"])
def test_serve_says_in_one_line_that_the_address_is_none_of_this_machine(capfd: Captured, host: str) -> None:
    assert main(["serve", "--host", host]) == 1
    err = capfd.readouterr().err
    assert (err.count("\n"), err.startswith("error: address_unavailable: ")) == (1, True), err


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        (os.fsdecode("亭旁镇.txt".encode("gbk")), {}),
        ("亭旁镇.txt", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    ],
)
def test_parse_reads_a_file_of_any_name(tmp_path: Path, name: str, environment: dict[str, str]) -> None:
    (tmp_path / name).write_bytes(SEED.read_bytes())
    done = run("parse", str(tmp_path / name), PYTHONIOENCODING="utf-8", **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["source"]["filename"] == "亭旁镇.txt"


def test_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, records.VERSION + "\n")


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["parse"], ["serve", "--port", "many"]])
def test_a_command_that_is_none_is_explained(arguments: list[str], capfd: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage:" in capfd.readouterr().err
