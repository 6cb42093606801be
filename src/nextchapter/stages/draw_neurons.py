"""Draw the hidden state of a recurrent run along a test chapter: telling units, its path through a sentence."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import Job, StageError, execute

PASSAGE_TOKENS = 2000
"""Read to choose units and principal components; the figures show its beginning."""
UNITS = 16


def draw_neurons(job: Job) -> None:
    """Write the two figures as SVG and PNG.

    Raises:
        StageError: the model is no recurrent network.
    """
    from nextchapter.diagnostics.neurons import choose_units, first_sentence, principal_plane, read_units
    from nextchapter.models.recurrent import RecurrentLanguageModel
    from nextchapter.models.registry import load_model
    from nextchapter.report import neurons
    from nextchapter.report.figures import save_figure
    from nextchapter.store.files import read_json
    from nextchapter.tokens.in_place import texts_in_place
    from nextchapter.tokens.registry import load_tokenizer
    from nextchapter.tokens.stream import TokenStream
    from nextchapter.training.devices import prepare_torch

    prepare_torch(job.threads)
    model, tokenizer = load_model(job.path("model")), load_tokenizer(job.path("tokenizer"))
    if not isinstance(model, RecurrentLanguageModel):
        raise StageError(f"run {job.spec['run']} has no hidden units; it must be a recurrent network")
    stream = TokenStream.open(job.path("test_tokens"), read_json(job.path("facts"))["dtype"])
    tokens = stream.chapter(0)[:PASSAGE_TOKENS]
    states = read_units(model, tokens, tokenizer.end_of_chapter)
    texts = texts_in_place(tokenizer, tokens[: neurons.MOST_TOKENS].tolist())
    units, plane, length = choose_units(states, UNITS), principal_plane(states), first_sentence(texts)
    save_figure(lambda: neurons.draw_neurons(states, units, texts), job.path("neurons_svg"), job.path("neurons_png"))
    save_figure(lambda: neurons.draw_path(plane, states, length, texts), job.path("path_svg"), job.path("path_png"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    inputs = ["model", "facts", "tokenizer", "test_tokens"]
    outputs = ["neurons_svg", "neurons_png", "path_svg", "path_png"]
    return execute(draw_neurons, inputs=inputs, outputs=outputs, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
