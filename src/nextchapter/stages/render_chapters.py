"""Set all chapters, and what each network expected of a passage, as one page to read."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import Job, execute
from nextchapter.store.files import read_json, write_text


def render_chapters(job: Job) -> None:
    """Write the page."""
    from nextchapter.report.chapters import Chapter, chapters_page
    from nextchapter.report.leaderboard import read_leaderboard
    from nextchapter.report.predictions import read_predictions

    names = ("chapters", "facts", "predictions", "examinations")
    files = zip(*(job.paths(name) for name in names), strict=True)
    chapters = [
        Chapter(
            markdown.read_text(encoding="utf-8"),
            read_json(facts),
            read_predictions(predictions),
            read_json(examination),
        )
        for markdown, facts, predictions, examination in files
    ]
    next_chapter = job.path("next_chapter").read_text(encoding="utf-8")
    write_text(job.path("html"), chapters_page(chapters, read_leaderboard(job.path("leaderboard")), next_chapter))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    inputs = ("chapters*", "facts*", "predictions*", "examinations*", "leaderboard", "next_chapter")
    return execute(render_chapters, inputs=inputs, outputs=("html",), argv=argv)


if __name__ == "__main__":
    sys.exit(main())
