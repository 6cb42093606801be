"""Let a trained model write the chapter that follows the last one of the shelf."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute


def write_chapter(job: Job) -> None:
    """Write `chapter` as Markdown, and how it came about to `facts`."""
    import pandas as pd

    from nextchapter.generation import chapter as writing
    from nextchapter.generation import choice
    from nextchapter.generation.headings import next_heading
    from nextchapter.models.registry import load_model
    from nextchapter.spec.writing import WritingSpec
    from nextchapter.store.files import read_json, write_json, write_text
    from nextchapter.tokens.registry import load_tokenizer
    from nextchapter.training.devices import choose_device, prepare_torch

    run, provenance = job.spec["run"], read_json(job.path("provenance"))
    spec = WritingSpec.model_validate({key: value for key, value in job.spec.items() if key != "run"})
    prepare_torch(job.threads)
    model = load_model(job.path("model"), choose_device(provenance["training"]["device"]))
    tokenizer = load_tokenizer(job.path("tokenizer"))
    shelf = pd.read_csv(job.path("manifest"), keep_default_na=False, dtype={"book": str, "heading": str})
    book = shelf[shelf["book"] == shelf["book"].iloc[-1]]
    heading = next_heading(book["heading"].tolist())
    texts = pd.read_parquet(job.path("train"), columns=["text"])["text"].tolist()
    opening = spec.opening or writing.draw_opening(texts, spec.seed, tokenizer)
    chapters = writing.write_chapters(model, tokenizer, opening, spec)
    judged = choice.judge_candidates(model, tokenizer, chapters, texts) if len(chapters) > 1 else []
    chosen = choice.choose_candidate(judged) if judged else 0
    chapter = chapters[chosen]
    write_text(job.path("chapter"), f"# {heading}\n\n{chapter.text}\n")
    facts = {
        "run": run,
        "heading": heading,
        "after_book": book["book"].iloc[-1],
        "after_chapter": int(book["chapter"].iloc[-1]),
        "opening": opening,
        "opening_drawn": spec.opening is None,
        "words": chapter.words,
        "ended_by": chapter.ended_by,
        **spec.model_dump(mode="json", exclude={"opening"}),
        "judged": judged,
        "chosen": chosen,
    }
    write_json(job.path("facts"), facts)
    LOGGER.info("%d words, ended by %s", chapter.words, chapter.ended_by)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    inputs = ["model", "provenance", "tokenizer", "train", "manifest"]
    return execute(write_chapter, inputs=inputs, outputs=["chapter", "facts"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
