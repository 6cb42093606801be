"""Put the champion's chapter where the reader looks for it."""

import shutil
import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute


def choose_chapter(job: Job) -> None:
    """Copy the chapter of the run that `champion` names, one of `chapters` in the order of `spec.runs`."""
    from nextchapter.store.files import atomic_path, read_json

    champion = read_json(job.path("champion"))["run"]
    chapter = job.paths("chapters")[job.spec["runs"].index(champion)]
    with atomic_path(job.path("next_chapter")) as temporary:
        shutil.copyfile(chapter, temporary)
    LOGGER.info("the next chapter is by %s", champion)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(choose_chapter, inputs=["champion", "chapters*"], outputs=["next_chapter"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
