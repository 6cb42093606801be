"""Score a trained model on the validation and test chapters."""

import sys
from collections.abc import Sequence
from typing import Any

from nextchapter.stages.command import LOGGER, Job, execute

SPLITS = ("valid", "test")


def evaluate_model(job: Job) -> None:
    """Score `model`; write `metrics`, and the `predictions` over a test passage."""
    import pandas as pd

    from nextchapter.evaluation.metrics import split_metrics
    from nextchapter.evaluation.predictions import predict_passage
    from nextchapter.evaluation.spelling import charge_spelling
    from nextchapter.models.protocol import count_parameters
    from nextchapter.models.registry import load_model
    from nextchapter.models.scoring import score_chapters
    from nextchapter.spec.evaluation import EvaluationSpec
    from nextchapter.store.files import atomic_path, read_json, write_json
    from nextchapter.tokens.registry import load_tokenizer
    from nextchapter.tokens.stream import TokenStream
    from nextchapter.training.devices import choose_device, prepare_torch

    spec = EvaluationSpec.model_validate({key: value for key, value in job.spec.items() if key != "run"})
    facts, provenance = read_json(job.path("facts")), read_json(job.path("provenance"))
    prepare_torch(job.threads)
    model = load_model(job.path("model"), choose_device(provenance["training"]["device"]))
    tokenizer = load_tokenizer(job.path("tokenizer"))
    metrics: dict[str, Any] = {}
    for split in SPLITS:
        stream = TokenStream.open(job.path(f"{split}_tokens"), facts["dtype"])
        nats = score_chapters(model, stream, tokenizer.end_of_chapter, spec.batch_size, spec.chunk_tokens)
        characters = [tokenizer.count_characters(stream.chapter(index)) for index in range(stream.chapters)]
        spelling = charge_spelling(stream, tokenizer.unknown, facts["splits"][split].get("unknown"))
        metrics[split] = split_metrics(nats, characters, facts["splits"][split]["words"], spec, spelling)
        LOGGER.info("%s: %.4f bits a character", split, metrics[split]["bits_per_character"])
    chapter = stream.chapter(0)
    passage = predict_passage(model, chapter, tokenizer, start=0, count=min(spec.passage_tokens, len(chapter)))
    where = pd.read_parquet(job.path("test"), columns=["book", "chapter"]).iloc[0]
    passage.insert(1, "book", where["book"])
    passage.insert(2, "chapter", where["chapter"])
    with atomic_path(job.path("predictions")) as temporary:
        passage.to_csv(temporary, index=False, float_format="%.6f")
    result = {"run": provenance["run"], "parameters": count_parameters(model), "splits": metrics}
    write_json(job.path("metrics"), result)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    inputs = ["model", "provenance", "facts", "tokenizer", "test", *(f"{split}_tokens" for split in SPLITS)]
    return execute(evaluate_model, inputs=inputs, outputs=["metrics", "predictions"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
