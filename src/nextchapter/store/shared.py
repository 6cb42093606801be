"""A folder that checkouts and users share, so that what one has fetched or learned the others need not.

`downloads/` holds fetched files under their digests. What Snakemake keeps between workflows has a folder for each set
of installed packages, because its own keys know nothing of their versions.
"""

import logging
import os
import platform
import re
import shutil
import stat
from importlib import metadata
from pathlib import Path

from nextchapter.spec.base import SpecError, digest
from nextchapter.store.files import atomic_path, sha256_of

LOGGER = logging.getLogger(__name__)
VARIABLE = "NEXTCHAPTER_CACHE"
"""Environment variable that names the folder; without it nothing is shared."""
DOWNLOADS = "downloads"


def results_folder() -> Path | None:
    """Return where Snakemake is to keep what workflows share; None where nothing is shared.

    Raises:
        SpecError: there is no such folder, or this user may not write in it.
    """
    return _folder(f"results-{_software()}")


def take_file(sha256: str, path: Path) -> None:
    """Copy the shared file of a digest to a path where nothing is yet; leave it if nobody has given one."""
    folder = _folder(DOWNLOADS)
    if folder is not None and not path.exists() and _holds(folder / sha256, sha256):
        _copy(folder / sha256, path)
        LOGGER.info("%s comes from %s", path.name, folder)


def give_file(path: Path, sha256: str) -> None:
    """Share a copy of a file under its digest, unless there is one; all who may enter the folder may read it."""
    folder = _folder(DOWNLOADS)
    if folder is not None and not _holds(folder / sha256, sha256):
        _copy(path, folder / sha256)
        (folder / sha256).chmod(0o644)  # whatever the umask


def _folder(name: str) -> Path | None:
    """Return a folder in the shared one, made where it is missing, with the same rights."""
    if not os.environ.get(VARIABLE):
        return None
    shared = Path(os.environ[VARIABLE]).expanduser().resolve()
    if not shared.is_dir() or not os.access(shared, os.R_OK | os.W_OK | os.X_OK):
        raise SpecError(
            f"{VARIABLE}: found {str(shared)!r}; it must be a folder in which you may read and write. For the users of "
            f"a group: mkdir FOLDER && chgrp GROUP FOLDER && chmod 2770 FOLDER"
        )
    folder = shared / name
    try:
        folder.mkdir()
    except FileExistsError:
        return folder
    folder.chmod(stat.S_IMODE(shared.stat().st_mode))
    return folder


def _holds(path: Path, sha256: str) -> bool:
    return path.is_file() and os.access(path, os.R_OK) and sha256_of(path) == sha256


def _copy(source: Path, target: Path) -> None:
    """Copy, atomically; no hard link, since the two belong to different users."""
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)


def _software() -> str:
    """Return a digest of the machine's kind and the versions of Python and of the packages that this project names."""
    wanted = [entry for entry in metadata.requires("nextchapter") or [] if "extra ==" not in entry]
    names = {re.split(r"[^\w.-]", entry)[0] for entry in wanted}
    python = platform.python_version_tuple()[:2]
    return digest([platform.machine(), python, {name: _version_of(name) for name in names}])


def _version_of(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # conda calls some of them otherwise
        return None
