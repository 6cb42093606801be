"""Measure the recurrent networks of a study: gradients by lag, step Jacobians, gates; and what clipping is for."""

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from nextchapter.stages.command import LOGGER, Job, execute
from nextchapter.store.files import read_json, write_json
from nextchapter.store.tables import write_csv

if TYPE_CHECKING:
    from nextchapter.models.recurrent import RecurrentLanguageModel
    from nextchapter.tokens.stream import TokenStream

FIGURES = ("gradients", "jacobian", "gates", "clipping")


def measure_gradients(job: Job) -> None:
    """Write the record, the gradients by lag as a table, and a figure of each of `FIGURES`."""
    from nextchapter.diagnostics.clipping import CLIP_NORM, train_relu
    from nextchapter.diagnostics.gates import OPEN, SHUT
    from nextchapter.diagnostics.gradients import FELT_SHARE
    from nextchapter.diagnostics.measurements import describe_courses
    from nextchapter.report.figures import save_figure
    from nextchapter.report.gradients import draw_clipping, draw_gates, draw_gradients, draw_jacobians
    from nextchapter.training.devices import prepare_torch

    prepare_torch(job.threads)
    settings, vocabulary = job.spec["gradients"], read_json(job.paths("facts")[0])["vocabulary_size"]
    train = _open(job, "train_tokens", 0).tokens[: 1 << 20]
    steps, seed = settings["clipping_steps"], settings["seed"]
    plain, clipped = (train_relu(train, vocabulary, steps, seed, clip) for clip in (None, CLIP_NORM))
    record: dict[str, Any] = {
        "lags": settings["lags"],
        "felt_share": FELT_SHARE,
        "shut": SHUT,
        "open": OPEN,
        "measured": list(_measure_all(job)),
        "clipping": describe_courses(plain, clipped, steps),
    }
    write_json(job.path("record"), record)
    _write_table(job, record["measured"])
    for name, draw in zip(FIGURES, (draw_gradients, draw_jacobians, draw_gates, draw_clipping), strict=True):
        save_figure(partial(draw, record), job.path(f"{name}_svg"), job.path(f"{name}_png"))
    LOGGER.info("%d recurrent networks measured", len(record["measured"]))


def _measure_all(job: Job) -> Iterator[dict[str, Any]]:
    """Yield the account of each run, before training and after it, then of the cells that the study has no run of."""
    from nextchapter.diagnostics.measurements import cell_name, missing_cells
    from nextchapter.models.registry import load_model, read_header

    specs = []
    for run, path in zip(job.spec["runs"], job.paths("models"), strict=True):
        spec, place = read_header(path)["model"], job.spec["tokenizers"].index(run["tokenizer"])
        specs.append(spec)
        yield {
            "name": run["run"],
            "configuration": run["configuration"],
            "kind": spec["kind"],
            "cell": cell_name(spec),
            "initial": _measure(job, _new_model(job, spec, run["seed"], place), place),
            "trained": _measure(job, _recurrent(load_model(path)), place),
        }
        LOGGER.info("%s: measured", run["run"])
    for name, spec in missing_cells(specs).items():
        yield {
            "name": name,
            "configuration": name,
            "kind": spec["kind"],
            "cell": cell_name(spec),
            "initial": _measure(job, _new_model(job, spec, job.spec["gradients"]["seed"], 0), 0),
            "trained": None,
        }


def _measure(job: Job, model: "RecurrentLanguageModel", tokenizer: int) -> dict[str, Any]:
    from nextchapter.diagnostics.gradients import cut_windows
    from nextchapter.diagnostics.measurements import measure_network

    settings = job.spec["gradients"]
    windows = cut_windows(_open(job, "test_tokens", tokenizer).tokens, settings["windows"], settings["lags"])
    return measure_network(model, windows, settings["lags"], settings["jacobian_places"])


def _new_model(job: Job, spec: dict[str, Any], seed: int, tokenizer: int) -> "RecurrentLanguageModel":
    """Return a model as a run of this seed begins with it; learned token vectors are not put in."""
    import torch

    from nextchapter.models.registry import build_model

    facts = read_json(job.paths("facts")[tokenizer])
    torch.manual_seed(seed)
    model = _recurrent(build_model(spec, facts["vocabulary_size"]))
    model.prepare(_open(job, "train_tokens", tokenizer), facts["end_of_chapter"])
    return model.eval()


def _recurrent(model: Any) -> "RecurrentLanguageModel":
    from nextchapter.models.recurrent import RecurrentLanguageModel

    if not isinstance(model, RecurrentLanguageModel):
        raise TypeError(type(model))
    return model


def _open(job: Job, name: str, tokenizer: int) -> "TokenStream":
    from nextchapter.tokens.stream import TokenStream

    return TokenStream.open(job.paths(name)[tokenizer], read_json(job.paths("facts")[tokenizer])["dtype"])


def _write_table(job: Job, measured: Sequence[dict[str, Any]]) -> None:
    """Write a row a lag of each network: what the figure of gradients shows, in nats a unit of state."""
    import pandas as pd

    rows = [
        (entry["name"], entry["cell"], moment, lag, norm, hidden)
        for entry in measured
        for moment in ("initial", "trained")
        if entry[moment] is not None
        for lag, (norm, hidden) in enumerate(zip(entry[moment]["norms"], entry[moment]["hidden_norms"], strict=True))
    ]
    table = pd.DataFrame(rows, columns=["run", "cell", "when", "lag", "norm", "hidden_norm"])
    write_csv(job.path("table"), table, float_format="%.6g")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    figures = [f"{name}_{suffix}" for name in FIGURES for suffix in ("svg", "png")]
    inputs = ["models*", "facts*", "train_tokens*", "test_tokens*"]
    return execute(measure_gradients, inputs=inputs, outputs=["record", "table", *figures], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
