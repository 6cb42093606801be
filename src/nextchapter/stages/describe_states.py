"""Tell what the hidden states of a run stand for: a passage labelled with them, their tokens, where they lead."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, StageError, execute
from nextchapter.store.files import read_json
from nextchapter.store.tables import write_csv

PASSAGE_TOKENS = 120
TOP_STATES = 16
"""States in the heat map of transitions."""


def describe_states(job: Job) -> None:
    """Write the tables `states`, `tokens` and `labels` of a model, and two figures of a test passage.

    Raises:
        StageError: the model has no hidden states.
    """
    import torch

    from nextchapter.diagnostics import hidden_states
    from nextchapter.models.hidden_markov import HiddenMarkovModel
    from nextchapter.models.registry import load_model
    from nextchapter.report.figures import save_figure
    from nextchapter.report.predictions import shown
    from nextchapter.report.states import draw_posteriors, draw_states
    from nextchapter.tokens.in_place import texts_in_place
    from nextchapter.tokens.registry import load_tokenizer
    from nextchapter.tokens.stream import TokenStream
    from nextchapter.training.devices import prepare_torch

    prepare_torch(job.threads)
    model, tokenizer = load_model(job.path("model")), load_tokenizer(job.path("tokenizer"))
    if not isinstance(model, HiddenMarkovModel):
        raise StageError(f"run {job.spec['run']} has no hidden states; it must be a hidden Markov model")
    stream = TokenStream.open(job.path("test_tokens"), read_json(job.path("facts"))["dtype"])
    passage = stream.chapter(0)[:PASSAGE_TOKENS]
    with torch.no_grad():
        tables = model.probabilities()
    reading = hidden_states.read_passage(tables, passage, tokenizer.end_of_chapter)
    shares = hidden_states.stationary_shares(tables)
    states = hidden_states.list_states(tables, shares)
    spellings = [shown(tokenizer.token_text(token), "") for token in range(tokenizer.vocabulary_size)]
    tokens = hidden_states.list_tokens(tables, states["state"].tolist(), spellings)
    on_path = hidden_states.list_tokens(tables, sorted(set(reading.path.tolist())), spellings)
    names = hidden_states.name_states(on_path) | hidden_states.name_states(tokens)
    texts = texts_in_place(tokenizer, passage.tolist())
    for name, table in (
        ("states", states.assign(name=states["state"].map(names))),
        ("tokens", tokens),
        ("labels", hidden_states.label_tokens(reading, texts)),
    ):
        write_csv(job.path(name), table, float_format="%.6g")
    top = states["state"].tolist()[:TOP_STATES]
    among = tables.transition[top][:, top].cpu().numpy()
    for name, draw in (
        ("states", lambda: draw_states(texts, reading.path.tolist(), names, among, top)),
        ("posteriors", lambda: draw_posteriors(reading.posterior, reading.path, texts, names)),
    ):
        save_figure(draw, job.path(f"{name}_svg"), job.path(f"{name}_png"))
    LOGGER.info("%d states, of which %d along the passage", len(shares), len(set(reading.path.tolist())))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    inputs = ["model", "facts", "tokenizer", "test_tokens"]
    figures = ["states_svg", "states_png", "posteriors_svg", "posteriors_png"]
    return execute(describe_states, inputs=inputs, outputs=["states", "tokens", "labels", *figures], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
