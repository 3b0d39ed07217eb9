#!/usr/bin/env python3
"""Collects difficult real-world messages, calendars and cards that ship with Debian and PyPI packages.

    collect-real-input.py DIRECTORY

Makes DIRECTORY/mail/*.eml, DIRECTORY/calendar/*.ics and DIRECTORY/contacts/*.vcf, each named after the package it comes
from. Nothing of it belongs into the repository. A source that cannot be had is named on standard error and left out; a
complete collection is not fetched again. Exit code 0 unless the directory cannot be written.
"""

import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile

FETCH_SECONDS = 120
LARGEST_BYTES = 4 << 20


def fetch(command: list[str], folder: pathlib.Path) -> bool:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=FETCH_SECONDS, stdin=subprocess.DEVNULL)
        return True
    except (OSError, subprocess.SubprocessError):
        return False


def from_pypi(package: str, folder: pathlib.Path, source_distribution: bool) -> bool:
    """Downloads one package, without what it depends on, and unpacks it. Nothing of it is installed."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
    if source_distribution:
        command += ["--no-binary", ":all:"]
    if not fetch([*command, package, "--dest", "."], folder):
        return False
    for archive in [path for path in folder.iterdir() if path.is_file()]:
        shutil.unpack_archive(archive, folder / "unpacked", "zip" if archive.suffix == ".whl" else None)
    return True


def from_debian(package: str, folder: pathlib.Path) -> bool:
    return fetch(["apt-get", "download", package], folder) and all(
        fetch(["dpkg-deb", "--extract", archive.name, "unpacked"], folder) for archive in folder.glob("*.deb")
    )


def python_email(folder: pathlib.Path) -> bool:
    """CPython's own test messages: with this interpreter, or else from Debian's package of its test suite."""
    data = pathlib.Path(sysconfig.get_path("stdlib")) / "test" / "test_email" / "data"
    if data.is_dir():
        shutil.copytree(data, folder / "unpacked" / "test_email" / "data")
        return True
    return from_debian(f"libpython{sys.version_info.major}.{sys.version_info.minor}-testsuite", folder)


# Source, how to get it, which of its files are what.
SOURCES = [
    ("cpython", python_email, [("mail", "**/test_email/data/*.txt", ".eml")]),
    ("flufl.bounce", lambda to: from_pypi("flufl.bounce", to, True), [("mail", "**/tests/data/*.txt", ".eml")]),
    (
        "icalendar",
        lambda to: from_pypi("icalendar", to, False),
        [("calendar", "**/tests/**/*.ics", ".ics"), ("contacts", "**/tests/**/*.vcf", ".vcf")],
    ),
    ("khard", lambda to: from_pypi("khard", to, True), [("contacts", "**/test/**/*.vcf", ".vcf")]),
]


def collect(name: str, get, patterns, target: pathlib.Path) -> int:
    count = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        if not get(folder):
            print(f"collect-real-input: {name} could not be had here; going on without it", file=sys.stderr)
            return 0
        unpacked = folder / "unpacked"
        for kind, pattern, suffix in patterns:
            for path in sorted(unpacked.glob(pattern)):
                if path.is_file() and not path.is_symlink() and 0 < path.stat().st_size <= LARGEST_BYTES:
                    # The parent folder keeps equal names of one package apart.
                    plain = f"{name}-{path.parent.name}-{path.stem}"
                    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in plain)
                    shutil.copyfile(path, target / kind / (plain + suffix))
                    count += 1
    return count


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    target = pathlib.Path(sys.argv[1]).absolute()
    marker = target / "complete"
    if marker.exists():
        return
    for kind in ("mail", "calendar", "contacts"):
        (target / kind).mkdir(parents=True, exist_ok=True)
    counts = {name: collect(name, get, patterns, target) for name, get, patterns in SOURCES}
    print("real input: " + ", ".join(f"{count} from {name}" for name, count in counts.items()))
    if all(counts.values()):
        marker.touch()


main()
