"""The deployment package of a stage: `python -m deploy.package dev|prod [--out FOLDER]` writes sam.json and the zip.

The template is Chalice's with deploy/template merged in, the zip Chalice's with its modules compiled.
Chalice packages a clean copy of the project. In the work tree it would reuse an incomplete zip, ship `__pycache__`,
and bundle all that its own command line needs; a requirement without a wheel for Lambda it leaves out and succeeds.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from importlib.metadata import requires
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy import artifact
from deploy.template import build_template

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = (3, 11)
STAGES = ("dev", "prod")
# Chalice puts the one module that a function needs into the zip by itself; boto3 is part of Lambda's runtime.
PROVIDED = frozenset({"boto3", "chalice"})
ARTIFACT, TEMPLATE = "deployment.zip", "sam.json"
_METADATA = re.compile(r"([^/]+)-([^/-]+)\.dist-info/METADATA")


class PackagingError(Exception):
    """The package cannot be made, or is not whole; the message says why."""


def package_stage(stage: str, out: Path, root: Path = ROOT) -> Path:
    """Package the project at `root` for a stage: `out` then holds the template and the zip, whose path comes back.

    Raises PackagingError, with `out` as it was: another Python than the functions' runtime, Chalice's own failure, an
    incomplete zip.
    """
    if sys.version_info[:2] != RUNTIME:
        raise PackagingError("The functions run on Python {}.{}: package with that.".format(*RUNTIME))
    pins = function_pins(root)
    with tempfile.TemporaryDirectory(prefix="package-") as folder:
        project, made = Path(folder, "project"), Path(folder, "made")
        copy_project(root, project, stage, pins)
        told = _run_chalice(project, stage, made)
        if missing := missing_pins(made / ARTIFACT, pins):
            raise PackagingError(f"{told}\nNo wheel for Lambda was found for {', '.join(missing)}.")
        finished = Path(folder, ARTIFACT)
        if refused := artifact.finish(made / ARTIFACT, finished):
            raise PackagingError(refused)
        out.mkdir(parents=True, exist_ok=True)
        for path in (made / TEMPLATE, finished):
            shutil.copyfile(path, out / path.name)
    return out / ARTIFACT


def function_pins(root: Path) -> list[str]:
    """The lines `name==version` of requirements.txt that the functions need: requirements.in's, and what those need."""
    pins: dict[str, str] = {
        canonicalize_name(line.partition("==")[0]): line for line in _lines(root / "requirements.txt")
    }
    roots = (canonicalize_name(Requirement(line).name) for line in _lines(root / "requirements.in"))
    needed = _closure(name for name in roots if name not in PROVIDED)
    if unpinned := needed - pins.keys():
        raise PackagingError(f"requirements.txt pins no {', '.join(sorted(unpinned))}.")
    return [pins[name] for name in sorted(needed)]


def copy_project(root: Path, project: Path, stage: str, pins: Iterable[str]) -> None:
    """Lay out what Chalice reads: the code without caches, links followed, and what it merges into its template."""
    (project / ".chalice").mkdir(parents=True)
    shutil.copy2(root / "app.py", project)
    for folder in ("chalicelib", "vendor"):
        shutil.copytree(root / folder, project / folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for settings in (root / ".chalice").glob("*.json"):
        shutil.copy2(settings, project / ".chalice")
    (project / "requirements.txt").write_text("".join(f"{pin}\n" for pin in pins))
    (project / "resources.json").write_text(json.dumps(build_template(stage)))


def missing_pins(zip_file: Path, pins: Iterable[str]) -> list[str]:
    """The pins whose distribution is not in the zip with just that version."""
    with ZipFile(zip_file) as zipped:
        found = {_distribution(*m.groups()) for n in zipped.namelist() if (m := _METADATA.fullmatch(n))}
    return [pin for pin in pins if _distribution(*pin.split("==")) not in found]


def _distribution(name: str, version: str) -> tuple[str, str]:
    return canonicalize_name(name), version


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text().splitlines():
        if (text := line.partition("#")[0].strip()) and not text.startswith("-"):
            yield text


def _closure(names: Iterable[str]) -> set[str]:
    """These distributions and all that they require, as installed here."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found:
            found.add(name)
            needs = map(Requirement, requires(name) or ())
            waiting += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    return found


def _run_chalice(project: Path, stage: str, out: Path) -> str:
    """What Chalice printed. It asks AWS for nothing, but wants a region to name the services of."""
    command = [sys.executable, "-c", "import sys; from chalice.cli import main; sys.exit(main())", "package"]
    options = ["--stage", stage, "--merge-template", "resources.json", str(out)]
    environ = {"AWS_DEFAULT_REGION": "us-east-1", **os.environ}
    ran = subprocess.run(
        [*command, *options], cwd=project, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    told = ran.stdout.decode(errors="replace").strip()
    if ran.returncode:
        raise PackagingError(told)
    return told


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m deploy.package", description="Package the functions for AWS.")
    asked.add_argument("stage", choices=STAGES)
    asked.add_argument("--out", type=Path, help="folder to write into (default build/STAGE)")
    given = asked.parse_args()
    out = given.out or ROOT / "build" / given.stage
    try:
        made = package_stage(given.stage, out)
    except PackagingError as error:
        print(error, file=sys.stderr)
        return 1
    with ZipFile(made) as zipped:
        unzipped = sum(entry.file_size for entry in zipped.infolist())
    print(f"{out / TEMPLATE}\n{made}: {made.stat().st_size / 1e6:.1f} MB, unzipped {unzipped / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
