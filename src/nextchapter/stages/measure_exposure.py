"""Measure how well a model remembers each of the canaries that were planted in its training chapters."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute


def measure_exposure(job: Job) -> None:
    """Write a row a canary to `exposure`: how often it was planted, its rank among the references, its exposure."""
    import pandas as pd

    from nextchapter.corpus.canaries import Canary, draw_references
    from nextchapter.evaluation.exposure import exposure_bits, rank_among, score_sentences
    from nextchapter.models.registry import load_model
    from nextchapter.spec.corpus import CanarySpec
    from nextchapter.store.files import read_json
    from nextchapter.store.tables import write_csv
    from nextchapter.tokens.registry import load_tokenizer
    from nextchapter.training.devices import choose_device, prepare_torch

    planted, provenance = read_json(job.path("account"))["canaries"], read_json(job.path("provenance"))
    prepare_torch(job.threads)
    model = load_model(job.path("model"), choose_device(provenance["training"]["device"]))
    tokenizer = load_tokenizer(job.path("tokenizer"))
    canaries = [Canary(**canary) for canary in planted["planted"]]
    references = draw_references(planted["words"], CanarySpec.model_validate(planted["spec"]))
    nats = score_sentences(model, tokenizer, [*(canary.text for canary in canaries), *references])
    own, others = nats[: len(canaries)], nats[len(canaries) :]
    ranks = [rank_among(score, others) for score in own]
    table = pd.DataFrame(
        {
            "run": provenance["run"],
            "model": provenance["model"]["kind"],
            "canary": [canary.text for canary in canaries],
            "copies": [canary.copies for canary in canaries],
            "nats": own,
            "rank": ranks,
            "references": len(references),
            "exposure_bits": [exposure_bits(rank, len(references)) for rank in ranks],
        }
    )
    write_csv(job.path("exposure"), table, float_format="%.6f")
    LOGGER.info("mean exposure %.1f bits", table["exposure_bits"].mean())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    inputs = ["model", "provenance", "tokenizer", "account"]
    return execute(measure_exposure, inputs=inputs, outputs=["exposure"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
