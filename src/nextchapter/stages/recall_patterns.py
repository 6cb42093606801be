"""Store patterns in a Hopfield network and its modern successor, and see how well they come back."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute
from nextchapter.store.files import write_json, write_text


def recall_patterns(job: Job) -> None:
    """Measure both networks on random patterns and on passages of `train`; write record, figure and page."""
    from nextchapter.diagnostics.hopfield_capacity import measure_capacity
    from nextchapter.diagnostics.hopfield_passages import choose_passages, restore_passages
    from nextchapter.report.figures import save_figure
    from nextchapter.report.hopfield import draw_memory, memory_page
    from nextchapter.tokens.texts import ChapterTexts

    spec = job.spec
    record = {
        "capacity": measure_capacity(spec["neurons"], spec["flipped_share"], spec["repeats"], spec["seed"]),
        "passages": None,
    }
    passages = choose_passages(ChapterTexts(job.path("train")), spec["passages"], spec["passage_characters"])
    if len(passages) > 1:
        record["passages"] = restore_passages(passages, spec["character_bits"], spec["corrupted_share"], spec["seed"])
    write_json(job.path("record"), record)
    save_figure(lambda: draw_memory(record), job.path("svg"), job.path("png"))
    write_text(job.path("html"), memory_page(record))
    LOGGER.info("recalled random patterns and %d passages", len(passages))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    outputs = ["record", "svg", "png", "html"]
    return execute(recall_patterns, inputs=["train"], outputs=outputs, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
