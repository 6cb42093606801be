"""Learn vectors of tokens from the training chapters, apart from any language model."""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from nextchapter.stages.command import LOGGER, Job, execute

WORK = Path(".work/train_embedding")


def train_embedding(job: Job) -> None:
    """Learn from `train_tokens`, and `cooccurrences` where there are any; write `vectors` and `embedding`.

    The kind is loaded by name, so that an edit of one does not train the others again.
    """
    import torch
    from pydantic import TypeAdapter

    from nextchapter.embeddings.vectors import LearnedVectors, Material, save_vectors
    from nextchapter.spec.embeddings import EmbeddingSpec
    from nextchapter.store.files import read_json, sha256_of, write_json
    from nextchapter.tokens.stream import TokenStream

    torch.set_num_threads(job.threads)
    facts = read_json(job.path("facts"))
    stream = TokenStream.open(job.path("train_tokens"), facts["dtype"])
    counted = job.paths("cooccurrences")
    material = Material(stream, facts["vocabulary_size"], counted[0] if counted else None, WORK)
    kind = importlib.import_module(f"nextchapter.embeddings.{job.spec['kind']}")
    learned: LearnedVectors = kind.learn_vectors(material, TypeAdapter(EmbeddingSpec).validate_python(job.spec))
    save_vectors(job.path("vectors"), learned)
    about = {
        **learned.facts,
        "spec": job.spec,
        "vocabulary_size": facts["vocabulary_size"],
        "tokens_with_vector": int(learned.known.sum()),
        "train_tokens": len(stream.tokens),
        "train_sha256": facts["splits"]["train"]["sha256"],
        "vectors_sha256": sha256_of(job.path("vectors")),
        "code": job.code,
    }
    write_json(job.path("embedding"), about)
    LOGGER.info("%d of %d tokens have a vector", about["tokens_with_vector"], about["vocabulary_size"])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    inputs, outputs = ["facts", "train_tokens", "cooccurrences*"], ["vectors", "embedding"]
    return execute(train_embedding, inputs=inputs, outputs=outputs, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
