"""An evidence bundle: a plain tar file in which a byte changed since it was made is found."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tui.store.problems import StoreError

SUMS = "SHA256SUMS"
"""Names the SHA-256 of every other file, in the spelling that `sha256sum -c` reads."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking a bundle found. `faults`: one sentence each; none means that nothing was changed."""

    sha256: str  # of the bundle itself
    files: Mapping[str, bytes]
    faults: tuple[str, ...]


def pack(files: Mapping[str, bytes]) -> bytes:
    """The bundle of these files. The same files always give the same bytes."""
    sums = "".join(f"{sha256(data)}  {name}\n" for name, data in sorted(files.items()))
    return _tar({**files, SUMS: sums.encode()})


def write(path: Path, files: Mapping[str, bytes]) -> str:
    """Write a bundle, for its owner only, and return its SHA-256. Raises OSError; never overwrites."""
    bundle = pack(files)
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(opened, "wb") as file:
        file.write(bundle)
        file.flush()
        os.fsync(file.fileno())
    return sha256(bundle)


def check(bundle: bytes) -> Verdict:
    """Check a bundle: every sum, and every byte around the files. Raises StoreError if it is none."""
    files = _untar(bundle)
    given = {name: data for name, data in files.items() if name != SUMS}
    faults = _compare(_sums(files[SUMS]), given)
    if not faults and pack(given) != bundle:
        faults = ["Bytes outside the files were changed: the tar file is not as it was written."]
    return Verdict(sha256(bundle), given, tuple(faults))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _compare(sums: Mapping[str, str], files: Mapping[str, bytes]) -> list[str]:
    faults = [f"{name} is missing." for name in sums if name not in files]
    faults += [f"{name} was added: {SUMS} does not name it." for name in files if name not in sums]
    return faults + [
        f"{name} was changed: its SHA-256 is not the one in {SUMS}."
        for name, data in files.items()
        if name in sums and sha256(data) != sums[name]
    ]


def _sums(text: bytes) -> dict[str, str]:
    lines = text.decode("utf-8", "replace").splitlines()
    return {name: value for value, _, name in (line.partition("  ") for line in lines)}


def _tar(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o600
            tar.addfile(entry, io.BytesIO(data))
    return made.getvalue()


def _untar(bundle: bytes) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(bundle), mode="r:") as tar:
            for entry in tar:
                content = tar.extractfile(entry) if entry.isreg() else None
                files[entry.name] = content.read() if content else b""
    except (tarfile.TarError, ValueError, OSError, EOFError) as error:
        raise StoreError(f"This is no evidence bundle, or it is damaged ({type(error).__name__}).") from None
    if SUMS not in files:
        raise StoreError(f"This is no evidence bundle: it has no {SUMS}.")
    return files
