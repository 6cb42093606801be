"""Score a trained model on the validation and test chapters, and judge what it foresees of the test chapters."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from nextchapter.stages.command import LOGGER, Job, execute

if TYPE_CHECKING:
    import pandas as pd

    from nextchapter.evaluation.foresight import Foresight
    from nextchapter.evaluation.scored import ScoredChapters
    from nextchapter.models.protocol import LanguageModel
    from nextchapter.spec.evaluation import EvaluationSpec
    from nextchapter.tokens.protocol import Tokenizer
    from nextchapter.tokens.stream import TokenStream

SPLITS = ("valid", "test")


def evaluate_model(job: Job) -> None:
    """Score `model`; write `metrics`, losses by `blocks` and as a `profile`, and `predictions` over a test passage."""
    from nextchapter.evaluation.foresight import foresee_chapters
    from nextchapter.evaluation.intervals import cut_blocks, write_blocks
    from nextchapter.evaluation.metrics import split_metrics
    from nextchapter.evaluation.scored import account_chapters
    from nextchapter.evaluation.spelling import charge_spelling
    from nextchapter.models.protocol import count_parameters
    from nextchapter.models.registry import load_model
    from nextchapter.models.scoring import score_chapters
    from nextchapter.spec.evaluation import EvaluationSpec
    from nextchapter.store.files import read_json, write_json
    from nextchapter.store.tables import write_csv
    from nextchapter.tokens.protocol import utf8
    from nextchapter.tokens.registry import load_tokenizer
    from nextchapter.tokens.stream import TokenStream
    from nextchapter.tokens.texts import ChapterTexts
    from nextchapter.training.devices import choose_device, prepare_torch

    spec = EvaluationSpec.model_validate({key: value for key, value in job.spec.items() if key != "run"})
    facts, provenance = read_json(job.path("facts")), read_json(job.path("provenance"))
    prepare_torch(job.threads)
    model = load_model(job.path("model"), choose_device(provenance["training"]["device"]))
    tokenizer = load_tokenizer(job.path("tokenizer"))
    metrics: dict[str, Any] = {}
    foresight: list[Foresight] = []
    for split in SPLITS:
        stream = TokenStream.open(job.path(f"{split}_tokens"), facts["dtype"])
        if split == "test":
            foresight = foresee_chapters(model, stream, tokenizer.end_of_chapter, spec)
            nats = [chapter.nats for chapter in foresight]
        else:
            nats = score_chapters(model, stream, tokenizer.end_of_chapter, spec.batch_size, spec.chunk_tokens)
        counted, texts = facts["splits"][split], list(ChapterTexts(job.path(split)))
        spelling = charge_spelling(stream, tokenizer.unknown, counted.get("unknown"))
        scored = account_chapters(nats, stream, tokenizer, texts, spelling)
        metrics[split] = split_metrics(scored, counted["words"], sum(len(utf8(text)) for text in texts), spec)
        LOGGER.info("%s: %.4f bits a character", split, metrics[split]["bits_per_character"])
    judged, profile = _judge(job, foresight, scored, stream, tokenizer, provenance["training"].get("truncation"))
    metrics["test"] |= judged
    write_blocks(
        job.path("blocks"), cut_blocks(scored.paid_nats, scored.characters, scored.ends, spec.block_characters)
    )
    write_json(job.path("profile"), {"run": provenance["run"], **profile})
    write_csv(job.path("predictions"), _first_passage(job, model, stream, tokenizer, spec), float_format="%.6f")
    result = {"run": provenance["run"], "parameters": count_parameters(model), "splits": metrics}
    write_json(job.path("metrics"), result)


def _judge(
    job: Job,
    foresight: "Sequence[Foresight]",
    scored: "ScoredChapters",
    stream: "TokenStream",
    tokenizer: "Tokenizer",
    truncation: int | Literal["chapter"] | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the figures of what the model foresees in the test chapters, and the tables of where it loses."""
    import numpy as np

    from nextchapter.corpus.frequencies import read_words
    from nextchapter.evaluation.accuracy import guess_words, prolonging_tokens
    from nextchapter.evaluation.calibration import BINS, reliability
    from nextchapter.evaluation.metrics import judged_metrics
    from nextchapter.evaluation.profiles import loss_by_frequency, loss_by_place, loss_by_place_in_truncation

    words, prolongs = list(read_words(job.path("words"), stream.chapters)), prolonging_tokens(tokenizer)
    guesses = [
        guess_words(chapter, stream.chapter(index), scored.ends[index], words[index], prolongs, tokenizer.unknown)
        for index, chapter in enumerate(foresight)
    ]
    is_judged = np.concatenate([chapter.is_judged for chapter in foresight])
    is_right = np.concatenate([chapter.likeliest for chapter in foresight]) == stream.tokens
    curve = reliability(np.concatenate([chapter.confidence for chapter in foresight])[is_judged], is_right[is_judged])
    profile = {
        "reliability": [
            {"low": low, "high": low + 1 / BINS, "tokens": int(tokens), "confidence": confidence, "accuracy": accuracy}
            for low, tokens, confidence, accuracy in zip(*(part.tolist() for part in curve), strict=True)
        ],
        "place": loss_by_place(scored.paid_nats, scored.characters, scored.ends),
        "truncation": loss_by_place_in_truncation(scored.nats, truncation) if isinstance(truncation, int) else [],
        "frequency": loss_by_frequency(scored.paid_nats, scored.ends, words),
    }
    return judged_metrics(foresight, guesses, curve), profile


def _first_passage(
    job: Job, model: "LanguageModel", stream: "TokenStream", tokenizer: "Tokenizer", spec: "EvaluationSpec"
) -> "pd.DataFrame":
    """Return true and predicted tokens at the beginning of the test chapters."""
    import pandas as pd

    from nextchapter.evaluation.predictions import predict_passage

    table = predict_passage(model, stream.chapter(0)[: spec.passage_tokens], tokenizer)
    where = pd.read_parquet(job.path("test"), columns=["book", "chapter"]).iloc[0]
    table.insert(1, "book", where["book"])
    table.insert(2, "chapter", where["chapter"])
    return table


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    tokens = [f"{split}_tokens" for split in SPLITS]
    inputs = ["model", "provenance", "facts", "tokenizer", *SPLITS, "words", *tokens]
    return execute(evaluate_model, inputs=inputs, outputs=["metrics", "predictions", "blocks", "profile"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
