#!/usr/bin/env python3
"""Download released versions with pip and unpack them, without installing: fetch.py INTO PACKAGE==VERSION...

Each lands in INTO/PACKAGE==VERSION/. A wheel is preferred (any platform, any old Python); else the sdist, for whose
metadata pip may run the package's own build backend: old setup.py files get a small environment with setuptools 57.
a setup.py that only Python 2 reads is run by a Python 2.7 where there is one. What can't be had is named, exit 1.
Also importable: fetch(into, package, version) -> Path; locate(tree, file) -> Path | None for a path inside the
installed package.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

OLD_PYTHONS = (("39", "cp39"), ("37", "cp37m"), ("36", "cp36m"), ("27", "cp27mu"))
PLATFORMS = ("manylinux1_x86_64", "manylinux2010_x86_64", "manylinux2014_x86_64", "manylinux_2_17_x86_64", "any")


def _pip(python: str, arguments: list[str]) -> str | None:
    """Run pip download; None on success, else the last words of its output."""
    command = [python, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", *arguments]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=400)
    except subprocess.TimeoutExpired:
        return "pip timed out"
    return None if done.returncode == 0 else done.stdout.strip()[-300:]


def _old_setuptools(into: pathlib.Path) -> str:
    python = into / ".setuptools57" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parent.parent)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "setuptools==57.5.0", "wheel==0.37.1"], check=True)
    return str(python)


def _python2() -> str | None:
    """A Python 2.7 on PATH or one of pyenv's."""
    versions = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv")) / "versions"
    for found in (shutil.which("python2.7"), *map(str, sorted(versions.glob("2.7.*/bin/python")))):
        if found and subprocess.run([found, "-m", "pip", "--version"], capture_output=True).returncode == 0:
            return found
    return None


def fetch(into: pathlib.Path | str, package: str, version: str, artefact: str = "") -> pathlib.Path:
    """Unpack PACKAGE==VERSION under `into` and return the folder; RuntimeError if no index has it.

    `artefact` is the file name that was verified: where it is an sdist, wheels (which can differ from it) are not
    tried first.
    """
    into = pathlib.Path(into)
    tree = into / f"{package}=={version}"
    if tree.is_dir():
        return tree
    work = pathlib.Path(tempfile.mkdtemp(prefix=f".part-{package}=={version}-", dir=into))
    (work / "dl").mkdir()
    target = ["-d", str(work / "dl"), f"{package}=={version}"]
    wheels = [["--only-binary", ":all:"]] + [
        ["--only-binary", ":all:", "--python-version", number, "--implementation", "cp", "--abi", abi]
        + [word for platform in PLATFORMS for word in ("--platform", platform)]
        for number, abi in OLD_PYTHONS
    ]
    sdist = artefact.endswith((".tar.gz", ".zip", ".tar.bz2"))
    attempts = [] if sdist else [lambda w=w: _pip(sys.executable, w + target) for w in wheels]
    attempts.append(lambda: _pip(sys.executable, ["--no-binary", ":all:", *target]))
    old = ["--no-binary", ":all:", "--no-build-isolation", "--no-use-pep517"]
    attempts.append(lambda: _pip(_old_setuptools(into), [*old, *target]))
    if python2 := _python2():
        attempts.append(lambda: _pip(python2, ["--no-binary", ":all:", *target]))
    why = ""
    for attempt in attempts:
        why = attempt() or ""
        archives = list((work / "dl").iterdir())
        if not why and archives:
            break
    else:
        shutil.rmtree(work)
        raise RuntimeError(f"cannot download {package}=={version}: {why}")
    archive, out = archives[0], work / "tree"
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as file:
            file.extractall(out)
    else:
        with tarfile.open(archive) as file:
            file.extractall(out, filter="data")
    inner = list(out.iterdir())
    if archive.suffix != ".whl" and len(inner) == 1 and inner[0].is_dir():
        out = inner[0]
    try:
        out.rename(tree)
    except OSError:
        if not tree.is_dir():  # else another run has unpacked it meanwhile
            raise
    shutil.rmtree(work)
    return tree


def locate(tree: pathlib.Path, file: str) -> pathlib.Path | None:
    """The path of `file` (relative to the installed package's parent) inside an unpacked wheel or sdist."""
    for prefix in ("", "src", "lib", "python", "python3", "lib3"):
        if (tree / prefix / file).is_file():
            return (tree / prefix / file).resolve()
    hits = [p for p in tree.rglob(pathlib.PurePath(file).name) if str(p).endswith("/" + file)]
    hits.sort(key=lambda p: ("/build/" in str(p) or "py2" in str(p) or "python2" in str(p), len(str(p))))
    return hits[0].resolve() if hits else None


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    failed = 0
    pathlib.Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    for spec in sys.argv[2:]:
        try:
            print(fetch(sys.argv[1], *spec.split("==")))
        except RuntimeError as error:
            print(error, file=sys.stderr)
            failed = 1
    sys.exit(failed)
