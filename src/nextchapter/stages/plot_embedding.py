"""Draw the frequent words of an embedding as a map."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import Job, execute

WORDS_MAX = 500


def plot_embedding(job: Job) -> None:
    """Draw the map of `vectors` as SVG and PNG."""
    from nextchapter.embeddings.neighbours import frequent_words
    from nextchapter.embeddings.vectors import load_vectors
    from nextchapter.report.figures import save_figure
    from nextchapter.report.maps import draw_map
    from nextchapter.store.files import read_json
    from nextchapter.tokens.stream import TokenStream

    facts, texts = read_json(job.path("facts")), read_json(job.path("vocabulary"))
    vectors, known = load_vectors(job.path("vectors"))
    counts = TokenStream.open(job.path("train_tokens"), facts["dtype"]).counts(len(vectors))
    words = frequent_words(texts, counts, known, WORDS_MAX)
    names = [texts[word].strip() for word in words]
    title = f"What stands near what: {job.spec['embedding']}"
    save_figure(lambda: draw_map(vectors[words], names, title), job.path("svg"), job.path("png"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    inputs = ["facts", "train_tokens", "vectors", "vocabulary"]
    return execute(plot_embedding, inputs=inputs, outputs=["svg", "png"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
