"""Where the books of a study lie, and how they are shared out among the jobs that clean them."""

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

from nextchapter.shelf import COMPRESSIONS, Refused, ShelfFile, distinct_names, printable, scan_folder
from nextchapter.spec.base import SpecError
from nextchapter.spec.corpus import DividedSource, FolderSource, WheelSource
from nextchapter.spec.study import Study

FILES_EACH_ALONE = 16
"""Up to so many files each has a job of its own; a job takes two seconds to start."""
FEWEST_SHARDS = 16
FILES_A_SHARD = 512
"""About so many at most."""
COMMAND_BYTES = 60_000
"""What the files of one job may take of its command line; Linux allows 128 kB."""
_SUFFIXES = " or ".join(sorted(COMPRESSIONS))


def locate_books(study: Study) -> tuple[list[ShelfFile], list[Refused]]:
    """Return the files of a study's shelf in its order, and those in its folder that are no books.

    Raises:
        SpecError: the folder of books, or a file of a corpus that comes divided, is missing.
    """
    source = study.corpus.source
    if isinstance(source, FolderSource):
        return _files_in(source)
    if isinstance(source, DividedSource):
        return _given_files(source, study.data), []
    if isinstance(source, WheelSource):
        folder = Path("resources/books") / f"{source.package}-{source.version}"
        paths = [(file, folder / file) for file in source.files]
    else:
        downloads = Path("resources/downloads")
        paths = [(entry.file, downloads / entry.sha256[:16] / entry.file) for entry in source.files]
    names = distinct_names([file for file, _ in paths])
    return [ShelfFile(name, file, path) for name, (file, path) in zip(names, paths, strict=True)], []


def without_braces(file: ShelfFile, study: str) -> str:
    """Return the path of a file, by a link where it holds a brace, Snakemake's sign of a wildcard."""
    if "{" not in str(file.path):
        return str(file.path)
    suffix = file.path.suffix.lower()
    link = Path(".work/shelf", study, book_key(file.file) + suffix * (suffix in COMPRESSIONS))
    if not link.is_symlink() or link.readlink() != file.path:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(file.path)
    return str(link)


def book_key(name: str) -> str:
    """Return a file name for a book of any name: readable, ASCII, unique, and independent of the other books."""
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"{readable or 'book'}-{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def share_out(files: Sequence[ShelfFile]) -> dict[str, list[ShelfFile]]:
    """Return which files one job cleans: few files one each, many files in shards.

    The shard of a file follows from its name and the number of shards, so that a file that joins the shelf is cleaned
    with its own shard only. There are enough shards that the files of one fit a command line.
    """
    if len(files) <= FILES_EACH_ALONE:
        return {book_key(file.name): [file] for file in files}
    written = sum(len(os.fsencode(file.path)) + 2 * len(os.fsencode(file.file)) + 30 for file in files)
    count = FEWEST_SHARDS
    while count * COMMAND_BYTES < written or count * FILES_A_SHARD < len(files):
        count *= 2
    shards: dict[str, list[ShelfFile]] = {}
    for file in files:
        digest = hashlib.sha256(os.fsencode(file.name)).digest()
        shards.setdefault(f"shard-{int.from_bytes(digest[:8]) % count:04d}", []).append(file)
    return dict(sorted(shards.items()))


def _files_in(source: FolderSource) -> tuple[list[ShelfFile], list[Refused]]:
    folder = Path(source.path).expanduser().resolve()
    if not folder.is_dir():
        raise SpecError(f"books: found {source.path!r}; it must be a folder of books, and there is none there")
    files, others = scan_folder(folder)
    ignored = [Refused(printable(refused.file), refused.reason) for refused in others]
    if not files:
        raise SpecError(f"books: there is no book in {str(folder)!r} or below it; {_what_is_there(ignored)}")
    told = [printable(file) for file in files]
    paths = [folder / file for file in files]
    shelf = [ShelfFile(*entry) for entry in zip(distinct_names(told), told, paths, strict=True)]
    return sorted(shelf, key=lambda file: file.name), ignored


def _given_files(source: DividedSource, data: str | None) -> list[ShelfFile]:
    """Return the files of a corpus that comes divided, called as the configuration calls them, compressed or not."""
    folder = Path(data or "").expanduser().resolve()
    if not folder.is_dir():
        needed = ", ".join(file.path for file in source.given)
        raise SpecError(f"data: found {data!r}; it must be the folder that holds {needed}, and there is none there")
    paths = []
    for key, file, _ in source.given:
        path = folder / Path(file).expanduser()
        found = _plain_or_compressed(path)
        if found is None:
            raise SpecError(
                f"corpus.source.{key}: found {file!r}; it must be a file, plain or with {_SUFFIXES} behind its name, "
                f"and there is none in {path.parent}{'' if data else '; --config data=FOLDER says where it lies'}"
            )
        paths.append(found)
    told = [printable(Path(file.path).name) for file in source.given]
    return [ShelfFile(*entry) for entry in zip(distinct_names(told), told, paths, strict=True)]


def _plain_or_compressed(path: Path) -> Path | None:
    candidates = [path, *(path.with_name(path.name + suffix) for suffix in sorted(COMPRESSIONS))]
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _what_is_there(ignored: Sequence[Refused]) -> str:
    if not ignored:
        return "it must hold at least one"
    return "found " + "; ".join(f"{refused.file}: {refused.reason}" for refused in ignored[:3])
