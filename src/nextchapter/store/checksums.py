"""Checksums: what a file held when it was written, kept in `.checksums/` beside it and verified by whoever reads it.

A checksum is a small file of the same name, in the form that `sha256sum --check` reads, with the size above it. It
moves with the folder it lies in. A file without one, such as a book, is read as it is.

A file that Snakemake shares between workflows is a link into a cache. Whoever made it lays the checksum beside it there
as well, for the others.
"""

import os
import re
import shlex
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from nextchapter.store.files import remove_parts, sha256_of, write_text

CHECKSUMS = ".checksums"
FORM = re.compile(rb"# (?P<size>\d+) bytes\n(?P<digest>[0-9a-f]{64})  (?P<name>.+)\n")
"""The whole of such a file; one of which a part is missing is damaged, even if the digest is there."""


class DamagedFileError(ValueError):
    """A file is not what was written; the message says what was found, and what makes it again."""


def checksum_path(path: Path | str) -> Path:
    """Return where the checksum of a file lies."""
    return Path(path).parent / CHECKSUMS / Path(path).name


def record_checksum(path: Path | str) -> None:
    """Write down what a finished file holds."""
    path = Path(path)
    write_text(checksum_path(path), f"# {path.stat().st_size} bytes\n{sha256_of(path)}  {path.name}\n")


def forget_checksum(path: Path | str) -> None:
    """Remove the checksum of a file that is about to be written anew."""
    record = checksum_path(path)
    remove_parts(record)
    record.unlink(missing_ok=True)


def find_damage(path: Path | str) -> str | None:
    """Return in what a file differs from what was written; None if it does not, or has no checksum.

    A link that leads nowhere differs in any case: whoever emptied a cache took the checksum too.
    """
    path, record = Path(path), _valid_checksum(Path(path))
    if path.is_symlink() and not path.exists():
        return "it is missing"
    if not os.access(record, os.R_OK):  # there is none, or another user is about to lay it down
        return None
    if not path.is_file():
        return "it is missing"
    size, form = path.stat().st_size, FORM.fullmatch(record.read_bytes())
    if form is None or form["name"] != os.fsencode(record.name):
        return f"its checksum, {record}, can't be read"
    if size != int(form["size"]):
        return f"it has {size:,} bytes, and had {int(form['size']):,} when it was written"
    found, written = sha256_of(path), form["digest"].decode()
    if found != written:
        return f"its content has changed since it was written (SHA-256 {found[:12]}..., was {written[:12]}...)"
    return None


def _valid_checksum(path: Path) -> Path:
    """Return where the valid checksum of a file lies: that of a link beside what it leads to, if there is one there.

    Another study may have made that file again since this one did.
    """
    shared = checksum_path(path.resolve())
    return shared if path.is_symlink() and os.access(shared, os.R_OK) else checksum_path(path)


def verify_checksum(path: Path | str) -> None:
    """Compare a file with its checksum, if it has one.

    Raises:
        DamagedFileError: it is not what was written.
    """
    damage = find_damage(path)
    if damage is not None:
        target = Path(path).resolve()
        shared = [target, checksum_path(target)] if Path(path).is_symlink() else []  # it is damaged in the cache
        remove = shlex.join(map(str, ["rm", "-f", path, *shared]))
        remedy = f"`make run` makes it again; with Snakemake alone, `{remove}` and call it again"
        raise DamagedFileError(f"{path} is damaged: {damage}. {remedy}")


def share_checksum(path: Path | str) -> None:
    """Lay the checksum of a verified file that is a link also beside what it leads to, where that is allowed."""
    if not Path(path).is_symlink() or not checksum_path(path).is_file():
        return
    target = Path(path).resolve()
    record = checksum_path(target)
    with suppress(OSError):  # a cache that others only may write to
        if not record.parent.is_dir():
            record.parent.mkdir()
            record.parent.chmod(stat.S_IMODE(target.parent.stat().st_mode))
        if not record.is_file():
            record_checksum(target)
            record.chmod(stat.S_IMODE(target.stat().st_mode))  # whatever the umask


def find_damaged_files(folder: Path | str) -> Iterator[tuple[Path, str]]:
    """Yield each file below a folder that is not what was written, and in what it differs."""
    recorded = {record.parent.parent / record.name for record in Path(folder).rglob(f"{CHECKSUMS}/[!.]*")}
    links = {path for path in Path(folder).rglob("*") if path.is_symlink()}  # into a cache, with their checksums there
    for path in sorted(recorded | links):
        damage = find_damage(path)
        if damage is not None:
            yield path, damage
