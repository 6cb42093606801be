import dataclasses
import itertools
import math
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from nextchapter.models.protocol import LanguageModel, OnlineLearner, State, detach_state, join_states
from nextchapter.models.registry import build_model, weights_of
from nextchapter.models.scoring import score_chapters
from nextchapter.spec.training import TrainingSpec
from nextchapter.store.events import EventLog, read_events
from nextchapter.tokens.stream import TokenStream, write_stream
from nextchapter.training import loop
from nextchapter.training.batches import Batch, Batches, ChapterBatches, StreamBatches
from nextchapter.training.checkpoint import CheckpointFile
from nextchapter.training.devices import check_precision, choose_device, take_own_device
from nextchapter.training.loop import (
    InterruptedRunError,
    Trainer,
    TrainingDivergedError,
    budget_steps,
    step_seed,
    validation_steps,
)
from nextchapter.training.progress import Progress
from nextchapter.training.schedules import learning_rate

END, VOCABULARY = 1, 30
MODELS = {
    "elman": {"kind": "elman", "hidden": 16, "embedding": 8, "dropout": 0.2},
    "gru": {"kind": "gru", "hidden": 16, "embedding": 8, "dropout": 0.2, "layers": 2},
    "lstm": {"kind": "lstm", "hidden": 16, "embedding": 8, "dropout": 0.2},
    "slstm": {"kind": "slstm", "hidden": 16, "embedding": 8, "dropout": 0.2},
    "feed-forward": {"kind": "feed-forward", "order": 3, "hidden": 16, "embedding": 8},
    "masked": {
        "kind": "gru", "hidden": 16, "embedding": 8, "layers": 2, "dropout": 0.2, "dropout_locked": True,
        "input_dropout": 0.3, "output_dropout": 0.1, "embedding_dropout": 0.1, "weight_dropout": 0.4,
    },
    "hmm": {"kind": "hmm", "states": 6},
    "hmm-cloned": {"kind": "hmm-cloned", "states": 60},
    "hmm-neural": {
        "kind": "hmm-neural",
        "classes": 3,
        "states_per_class": 2,
        "rank": 2,
        "embedding": 4,
        "state_dropout": 0.0,
    },
}  # fmt: skip
UNTIED = {**MODELS["lstm"], "tied": False}
SPEC = TrainingSpec(
    batch_size=4, truncation=8, max_tokens=None, max_steps=40, valid_every_steps=10, warmup_steps=5,
    log_every_steps=7, checkpoint_every_s=1e9, learning_rate=0.02,
)  # fmt: skip


OPEN_LOGS: list[EventLog] = []


@pytest.fixture(autouse=True)
def _close_logs() -> Iterator[None]:
    yield
    while OPEN_LOGS:
        OPEN_LOGS.pop().close()


@pytest.fixture
def stream(tmp_path: Path) -> TokenStream:
    generator = torch.Generator().manual_seed(0)
    texts = [torch.randint(2, 9, (length,), generator=generator).tolist() for length in (90, 40, 120)]
    return write_stream(tmp_path / "train.bin", texts, END, "uint16")


def _trainer(
    stream: TokenStream,
    folder: Path,
    spec: TrainingSpec,
    kind: str = "lstm",
    validate: Callable[..., float] | None = None,
) -> Trainer:
    torch.manual_seed(1)
    model = build_model(UNTIED if kind == "untied" else MODELS[kind], VOCABULARY).train()
    truncation = spec.truncation if spec.random_truncation and spec.truncation != "chapter" else 8
    batches: Batches = StreamBatches(
        stream, END, spec.batch_size, truncation, 1, spec.random_truncation, spec.state_reset
    )
    if spec.truncation == "chapter":
        batches = ChapterBatches(stream, END, 2, seed=1)
    checkpoints = CheckpointFile(folder / "checkpoint.pt", "key")
    checkpoint = checkpoints.load()
    events = EventLog(folder / "events.jsonl", committed_bytes=checkpoint["event_bytes"] if checkpoint else 0)
    OPEN_LOGS.append(events)

    def score(model: LanguageModel) -> float:
        return float(sum(nats.sum() for nats in score_chapters(model, stream, END, 4, 50))) / len(stream.tokens)

    trainer = Trainer(
        model, batches, validate or score, spec, 1, events, checkpoints, Progress("r", 0, shared_terminal=True)
    )
    if checkpoint:
        trainer.resume(checkpoint)
    return trainer


def _same(left: dict[str, Any], right: dict[str, Any]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize("kind", list(MODELS))
@pytest.mark.parametrize("stop_at", [1, 13, 20])
def test_a_run_that_stopped_and_went_on_ends_in_the_same_bits(
    stream: TokenStream, tmp_path: Path, kind: str, stop_at: int
) -> None:
    whole = _trainer(stream, tmp_path / "whole", SPEC, kind)
    whole.run()
    _interrupt(_trainer(stream, tmp_path / "cut", SPEC, kind), stop_at)
    second = _trainer(stream, tmp_path / "cut", SPEC, kind)
    assert second.counters.step == stop_at
    second.run()
    assert _same(weights_of(whole.model), weights_of(second.model))
    assert _same(whole.best_weights, second.best_weights)
    logs = [
        [
            (event["step"], event.get("metrics", {}).get("train/loss_nats"))
            for event in read_events(path / "events.jsonl")
        ]
        for path in (tmp_path / "whole", tmp_path / "cut")
    ]
    assert logs[0] == logs[1]


def test_a_model_that_teaches_itself_has_no_optimiser_and_logs_no_gradient(stream: TokenStream, tmp_path: Path) -> None:
    trainer = _trainer(stream, tmp_path, SPEC, "hmm")
    counters = trainer.run()
    assert trainer.optimiser is None
    assert counters.best_step > 0
    logged = [event["metrics"] for event in read_events(tmp_path / "events.jsonl") if event["event"] == "train"]
    assert all(set(metrics) == {"train/loss_nats", "system/tokens_per_s"} for metrics in logged)
    assert logged[-1]["train/loss_nats"] < logged[0]["train/loss_nats"] - 0.2


def test_a_finished_run_is_not_trained_again(stream: TokenStream, tmp_path: Path) -> None:
    first = _trainer(stream, tmp_path, SPEC)
    first.run()
    again = _trainer(stream, tmp_path, SPEC)
    assert again.run() == first.counters
    assert _same(again.best_weights, first.best_weights)


def test_a_checkpoint_of_another_specification_is_not_taken(stream: TokenStream, tmp_path: Path) -> None:
    _trainer(stream, tmp_path, SPEC).run()
    assert CheckpointFile(tmp_path / "checkpoint.pt", "key").load() is not None
    assert CheckpointFile(tmp_path / "checkpoint.pt", "other key").load() is None


@pytest.mark.parametrize("truncation", [8, "chapter"])
def test_the_first_step_is_backpropagation_clipping_and_adamw(
    stream: TokenStream, tmp_path: Path, truncation: Any
) -> None:
    """One step against the same written out by hand."""
    spec = SPEC.model_copy(update={"truncation": truncation, "clip_norm": 0.01, "max_steps": 1, "warmup_steps": 0})
    trainer = _trainer(stream, tmp_path, spec)
    before = {name: tensor.clone() for name, tensor in weights_of(trainer.model).items()}
    batch = trainer.batches.batch(0)
    torch.manual_seed(step_seed(1, 0))
    log_probs, _ = trainer.model(batch.tokens, trainer.model.initial_state(len(batch.tokens)))
    kept = batch.targets >= 0
    loss = -log_probs.gather(-1, batch.targets.clamp(min=0)[..., None])[..., 0][kept].mean()
    named = dict(trainer.model.named_parameters())
    gradients = dict(zip(named, torch.autograd.grad(loss, list(named.values())), strict=True))
    norm = math.sqrt(sum(float((gradient**2).sum()) for gradient in gradients.values()))
    assert norm > 0.01
    trainer.run()
    for name, parameter in named.items():
        clipped = gradients[name] * 0.01 / norm
        decayed = before[name] * (1 - 0.02 * (spec.weight_decay if parameter.ndim > 1 else 0.0))
        expected = decayed - 0.02 * clipped / (clipped.abs() + 1e-8)
        settled = clipped.abs() > 1e-6  # elsewhere rounding decides the direction
        torch.testing.assert_close(parameter.detach()[settled], expected[settled], rtol=1e-3, atol=2e-5)


def test_the_state_is_carried_and_cut_between_steps(stream: TokenStream, tmp_path: Path) -> None:
    trainer = _trainer(stream, tmp_path, SPEC)
    trainer._train_step()
    carried = trainer._state
    assert not trainer.batches.batch(1).fresh.any()
    asked: list[Any] = []
    score = trainer.model.score
    trainer.model.score = lambda tokens, targets, state: (asked.append(state), score(tokens, targets, state))[1]  # type: ignore[method-assign]
    trainer._train_step()
    assert torch.equal(asked[0][0][0], carried[0][0])
    assert not asked[0][0][0].requires_grad


@pytest.mark.parametrize("kind", ["lstm", "slstm", "feed-forward", "hmm-neural", "hmm", "hmm-cloned"])
@pytest.mark.parametrize("micro_batches", [1, 2])
def test_a_stream_that_forgets_its_state_begins_from_the_initial_one_and_the_others_go_on(
    stream: TokenStream, tmp_path: Path, kind: str, micro_batches: int
) -> None:
    trainer = _trainer(stream, tmp_path, SPEC.model_copy(update={"micro_batches": micro_batches}), kind)
    trainer._train_step()
    rows = len(trainer.batches.batch(1).tokens)
    asked: list[State] = []
    forgets = torch.arange(rows) == 1
    batch = dataclasses.replace(trainer.batches.batch(1), fresh=forgets)
    trainer.batches.batch = lambda step: batch  # type: ignore[method-assign]
    carried, initial = trainer._state, detach_state(trainer.model.initial_state(rows))
    name = "learn" if isinstance(trainer.model, OnlineLearner) else "score"
    read = getattr(trainer.model, name)
    setattr(trainer.model, name, lambda *given: (asked.append(detach_state(given[2])), read(*given))[1])
    trainer._train_step()
    for found, old, new in zip(_tensors(join_states(asked)), _tensors(carried), _tensors(initial), strict=True):
        assert torch.equal(found[1], new[1])
        assert torch.equal(found[~forgets], old[~forgets])


def _tensors(state: State) -> list[Tensor]:
    return [tensor for part in state for tensor in _tensors(part)] if isinstance(state, tuple) else [state]


def test_the_loss_falls_and_the_best_weights_are_kept(stream: TokenStream, tmp_path: Path) -> None:
    scores = iter([3.0, 2.0, 2.5, 2.6])
    trainer = _trainer(stream, tmp_path, SPEC, validate=lambda model: next(scores))
    counters = trainer.run()
    assert (counters.best_step, counters.best_valid_nats, counters.stopped_by) == (20, 2.0, "budget")
    assert not _same(trainer.best_weights, weights_of(trainer.model))
    losses = [e["metrics"]["train/loss_nats"] for e in read_events(tmp_path / "events.jsonl") if e["event"] == "train"]
    assert losses[-1] < losses[0] - 0.5


@pytest.mark.parametrize(
    ("change", "scores", "stopped_by", "steps"),
    [
        ({"target_loss_nats": 2.0}, [3.0, 2.0, 1.0, 1.0], "target", 20),
        ({"patience": 2}, [3.0, 3.5, 3.0, 1.0], "patience", 30),
        ({"max_steps": 15}, [3.0, 3.0, 3.0, 3.0], "budget", 15),
    ],
)
def test_what_ends_a_run(
    stream: TokenStream, tmp_path: Path, change: dict[str, Any], scores: list[float], stopped_by: str, steps: int
) -> None:
    values = iter(scores)
    trainer = _trainer(stream, tmp_path, SPEC.model_copy(update=change), validate=lambda model: next(values))
    counters = trainer.run()
    assert (counters.stopped_by, counters.step) == (stopped_by, steps)


def test_budgets_are_steps_tokens_or_epochs_and_the_first_counts(stream: TokenStream) -> None:
    batches = StreamBatches(stream, END, 4, 8, seed=1)  # 63 tokens a stream: 8 steps an epoch

    def steps(**limits: Any) -> int:
        return budget_steps(TrainingSpec(**{"max_tokens": None, **limits}), batches)

    assert steps(max_steps=11) == 11
    assert steps(max_epochs=2.5) == 20
    assert steps(max_tokens=252) == 8
    assert steps(max_tokens=253) == 9
    assert steps(max_steps=100, max_epochs=1, max_tokens=10**6) == 8


@pytest.mark.parametrize(("epochs", "steps"), [(None, 10), (0.5, 4), (0.45, 4), (2.0, 16), (0.01, 1)])
def test_validations_are_so_many_steps_or_epochs_apart(stream: TokenStream, epochs: float | None, steps: int) -> None:
    batches = StreamBatches(stream, END, 4, 8, seed=1)  # 8 steps an epoch
    assert validation_steps(SPEC.model_copy(update={"valid_every_epochs": epochs}), batches) == steps


def test_a_run_is_validated_each_half_epoch_and_at_its_end(stream: TokenStream, tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"valid_every_epochs": 0.5, "max_steps": 10})
    _trainer(stream, tmp_path, spec).run()
    events = read_events(tmp_path / "events.jsonl")
    assert [event["step"] for event in events if event["event"] == "valid"] == [4, 8, 10]


@pytest.fixture
def quarter_second_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that moves a quarter of a second each time the loop looks at it, so once within a step."""
    clock = itertools.count()
    monkeypatch.setattr(loop.time, "perf_counter", lambda: next(clock) / 4)


CLOCKED = SPEC.model_copy(update={"max_steps": None, "max_seconds": 10.0, "final_learning_rate_share": 0.1})


@pytest.mark.usefixtures("quarter_second_steps")
def test_a_budget_of_seconds_ends_the_run_and_bounds_its_learning_rate(stream: TokenStream, tmp_path: Path) -> None:
    timed = _trainer(stream, tmp_path / "timed", CLOCKED.model_copy(update={"log_every_steps": 1}))
    counters = timed.run()
    assert (counters.stopped_by, counters.step, counters.train_s) == ("budget", 40, 10.0)
    events = read_events(tmp_path / "timed/events.jsonl")
    rates = {
        event["step"]: event["metrics"]["train/learning_rate"]
        for event in events
        if "train/learning_rate" in event.get("metrics", {})
    }
    assert max(rates.values()) == pytest.approx(SPEC.learning_rate, rel=1e-9)
    assert rates[40] == pytest.approx(learning_rate(39, sys.maxsize, 39 / 40, CLOCKED))
    assert rates[40] < rates[20] < rates[6]


@pytest.mark.usefixtures("quarter_second_steps")
def test_the_first_of_seconds_and_steps_ends_a_run(stream: TokenStream, tmp_path: Path) -> None:
    assert _trainer(stream, tmp_path, CLOCKED.model_copy(update={"max_steps": 7})).run().step == 7


@pytest.mark.usefixtures("quarter_second_steps")
def test_seconds_of_earlier_calls_count(stream: TokenStream, tmp_path: Path) -> None:
    _interrupt(_trainer(stream, tmp_path, CLOCKED), 13)
    assert _trainer(stream, tmp_path, CLOCKED).run().step == 40


def _spoil(trainer: Trainer, *steps: int) -> None:
    """Let the weights be no numbers before the steps that follow so many."""
    advance = trainer._train_step

    def spoil_then_step() -> None:
        if trainer.counters.step in steps:
            with torch.no_grad():
                trainer.model.output.bias[0] = math.nan
        advance()

    trainer._train_step = spoil_then_step  # type: ignore[method-assign]


def test_a_run_that_diverges_too_often_ends_and_the_last_good_checkpoint_stays(
    stream: TokenStream, tmp_path: Path
) -> None:
    trainer = _trainer(stream, tmp_path, SPEC.model_copy(update={"checkpoint_every_s": 0.0, "rollbacks": 0}))
    _spoil(trainer, 5)
    with pytest.raises(TrainingDivergedError, match=r"step 6: loss nan nats, gradient norm nan, learning rate 0\.02"):
        trainer.run()
    kept = trainer.checkpoints.load()
    assert kept is not None
    assert kept["counters"]["step"] == 5
    assert all(bool(torch.isfinite(tensor).all()) for tensor in kept["weights"].values())


def test_a_validation_loss_that_is_no_number_ends_the_run(stream: TokenStream, tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"rollbacks": 0})
    trainer = _trainer(stream, tmp_path, spec, validate=lambda model: math.nan)
    with pytest.raises(TrainingDivergedError, match=r"step 10: validation loss nan nats.*no checkpoint was written"):
        trainer.run()


def test_a_run_that_diverges_goes_back_to_its_best_weights_at_half_the_rate(
    stream: TokenStream, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trainer = _trainer(stream, tmp_path, SPEC.model_copy(update={"log_every_steps": 1, "schedule": "constant"}))
    _spoil(trainer, 14, 25)
    counters = trainer.run()
    assert (counters.stopped_by, counters.rollbacks, counters.rate_scale) == ("budget", 2, 0.25)
    assert "step 15: loss nan nats" in caplog.text
    assert "goes on from the weights of step 10 at half the rate" in caplog.text
    events = list(read_events(tmp_path / "events.jsonl"))
    rates = {event["step"]: event["metrics"]["train/learning_rate"] for event in events
             if "train/learning_rate" in event.get("metrics", {})}  # fmt: skip
    assert (rates[14], rates[16], rates[27]) == (0.02, 0.01, 0.005)
    assert 15 not in rates
    assert [event["step"] for event in events if event["event"] == "rollback"] == [15, 26]


def test_a_run_that_never_had_good_weights_does_not_end_as_if_it_had(stream: TokenStream, tmp_path: Path) -> None:
    trainer = _trainer(stream, tmp_path, SPEC.model_copy(update={"max_steps": 3}))
    _spoil(trainer, 1, 2)
    with pytest.raises(TrainingDivergedError, match="step 3: loss nan nats"):
        trainer.run()


def test_a_learned_initial_state_is_trained_wherever_a_text_begins(stream: TokenStream, tmp_path: Path) -> None:
    starts = []
    for parts in (1, 2):
        trainer = _trainer(
            stream, tmp_path / str(parts), SPEC.model_copy(update={"micro_batches": parts}), "hmm-neural"
        )
        trainer._train_step()
        starts.append(trainer.model.start.grad)
    assert float(starts[0].abs().max()) > 0
    assert torch.allclose(*starts, atol=1e-6)


def test_a_run_that_was_killed_after_a_rollback_ends_in_the_same_bits(stream: TokenStream, tmp_path: Path) -> None:
    whole = _trainer(stream, tmp_path / "whole", SPEC)
    _spoil(whole, 14)
    whole.run()
    cut = _trainer(stream, tmp_path / "cut", SPEC)
    _spoil(cut, 14)
    _interrupt(cut, 17)
    resumed = _trainer(stream, tmp_path / "cut", SPEC)
    resumed.run()
    assert resumed.counters.rollbacks == 1
    assert _same(whole.best_weights, resumed.best_weights)
    assert _same(weights_of(whole.model), weights_of(resumed.model))


def _interrupt(trainer: Trainer, step: int) -> None:
    """Run up to a step, then ask for a stop as a user would."""
    advance = trainer._train_step

    def step_then_interrupt() -> None:
        advance()
        if trainer.counters.step == step:
            os.kill(os.getpid(), signal.SIGTERM)

    trainer._train_step = step_then_interrupt  # type: ignore[method-assign]
    with pytest.raises(InterruptedRunError, match=f"stopped at step {step}"):
        trainer.run()


@pytest.mark.parametrize(
    "change",
    [
        {"optimiser": "sgd", "momentum": 0.5, "learning_rate": 0.5, "schedule": "plateau", "average": "nt-asgd",
         "average_patience": 0},
        {"optimiser": "muon", "average": "two-tailed", "schedule": "constant"},
        {"average": "ema", "ema_decay": 0.9, "micro_batches": 3},
        {"sampled_softmax": 12, "random_truncation": True, "truncation": 11, "micro_batches": 2},
        {"precision": "bfloat16"},
        {"state_reset": 0.3, "micro_batches": 2},
        {"label_smoothing": 0.1, "activation_regularisation": 2.0, "temporal_activation_regularisation": 1.0},
    ],
    ids=lambda change: "-".join(map(str, next(iter(change.items())))),
)  # fmt: skip
def test_optimisers_and_averages_go_on_where_they_stopped(
    stream: TokenStream, tmp_path: Path, change: dict[str, Any]
) -> None:
    spec = SPEC.model_copy(update={**change, "valid_every_steps": 5})
    whole = _trainer(stream, tmp_path / "whole", spec, "untied")
    whole.run()
    _interrupt(_trainer(stream, tmp_path / "cut", spec, "untied"), 23)
    resumed = _trainer(stream, tmp_path / "cut", spec, "untied")
    resumed.run()
    assert whole.counters.rate_scale == resumed.counters.rate_scale
    assert _same(weights_of(whole.model), weights_of(resumed.model))
    assert _same(whole.best_weights, resumed.best_weights)


SMALL = {"hidden": 6, "embedding": 4, "dropout": 0.2}
FAMILIES = {
    "mingru": SMALL, "minlstm": SMALL, "mogrifier": SMALL, "rlstm": SMALL, "slstm": SMALL, "elman": SMALL,
    "gru": SMALL, "lstm": SMALL, "feed-forward": SMALL,
    "hmm-neural": {"classes": 3, "states_per_class": 4, "rank": 2, "embedding": 4, "state_dropout": 0.3},
}  # fmt: skip


@pytest.mark.parametrize("optimiser", ["adamw", "sgd", "muon"])
@pytest.mark.parametrize("kind", list(FAMILIES))
def test_every_family_goes_on_where_it_stopped_with_every_optimiser(
    stream: TokenStream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, optimiser: str
) -> None:
    monkeypatch.setitem(MODELS, kind, {"kind": kind, **FAMILIES[kind]})
    pace = {"max_steps": 10, "valid_every_steps": 4}
    spec = SPEC.model_copy(update={"optimiser": optimiser, "momentum": 0.9, **pace})
    whole = _trainer(stream, tmp_path / "whole", spec, kind)
    whole.run()
    _interrupt(_trainer(stream, tmp_path / "cut", spec, kind), 5)
    resumed = _trainer(stream, tmp_path / "cut", spec, kind)
    resumed.run()
    assert _same(weights_of(whole.model), weights_of(resumed.model))
    assert _same(whole.best_weights, resumed.best_weights)


@pytest.mark.parametrize(
    "change",
    [
        {"activation_regularisation": 2.0, "temporal_activation_regularisation": 1.0},
        {"omega": 0.5},
        {"label_smoothing": 0.2},
    ],
    ids=str,
)
def test_penalties_change_the_gradient_alike_in_parts_and_not_the_reported_loss(
    stream: TokenStream, tmp_path: Path, change: dict[str, Any]
) -> None:
    gradients, losses = [], []
    for number, own in enumerate(({}, change, {**change, "micro_batches": 3})):
        trainer = _trainer(stream, tmp_path / str(number), SPEC.model_copy(update=own), "elman")
        trainer.model.eval()
        losses.append(trainer._backpropagate(_begun(trainer))[0])
        gradients.append(trainer.model.get_parameter("cells.0.hidden_weight").grad)
    assert losses == pytest.approx(losses[:1] * 3, rel=1e-6)
    assert not torch.allclose(gradients[0], gradients[1], atol=1e-4)
    torch.testing.assert_close(gradients[1], gradients[2], atol=1e-6, rtol=1e-4)


def _begun(trainer: Trainer) -> Batch:
    """Return the first batch of a run, its state laid out."""
    batch, trainer.counters.step = trainer.batches.batch(0), 1
    trainer._state = trainer.model.initial_state(len(batch.tokens))
    return batch


def test_a_sampled_softmax_learns_what_the_whole_one_would(stream: TokenStream, tmp_path: Path) -> None:
    """Validation is exact: about as low after training on 15 of 30 tokens at a time."""
    nats = [
        _trainer(stream, tmp_path / str(drawn), SPEC.model_copy(update={"sampled_softmax": drawn}))
        .run()
        .best_valid_nats
        for drawn in (None, 15)
    ]
    assert nats[1] == pytest.approx(nats[0], abs=0.05)
    assert nats[0] < math.log(VOCABULARY) - 1


@pytest.mark.parametrize("kind", ["elman", "gru", "lstm"])
def test_bfloat16_is_of_the_products_alone(stream: TokenStream, tmp_path: Path, kind: str) -> None:
    """Tried on the CPU, where a configuration may not ask for it."""
    found = []
    for precision in ("float32", "bfloat16"):
        spec = SPEC.model_copy(update={"precision": precision})
        trainer = _trainer(stream, tmp_path / precision, spec, kind)
        trainer.model.eval()
        found.append(trainer._backpropagate(_begun(trainer))[0])
        tensors = [*_flat(trainer._state), *trainer.model.parameters()]
        assert {tensor.dtype for tensor in tensors} == {torch.float32}
        assert all(parameter.grad.dtype == torch.float32 for parameter in trainer.model.parameters())
    assert found[0] != found[1]
    assert found[1] == pytest.approx(found[0], rel=2e-3)


def test_in_bfloat16_too_the_tokens_of_a_window_stay_whole_numbers(stream: TokenStream, tmp_path: Path) -> None:
    trainer = _trainer(stream, tmp_path, SPEC.model_copy(update={"precision": "bfloat16"}), "feed-forward")
    for step in range(2):
        trainer._backpropagate(trainer.batches.batch(step))
    (window,) = _flat(trainer._state)
    assert window.equal(trainer.batches.batch(1).tokens[:, -1:])


def test_bfloat16_on_the_cpu_is_a_clear_error() -> None:
    with pytest.raises(ValueError, match=r"training\.precision: found 'bfloat16' on the device 'cpu'"):
        check_precision("bfloat16", torch.device("cpu"))
    check_precision("bfloat16", torch.device("cuda"))
    check_precision("float32", torch.device("cpu"))


def test_an_average_that_is_better_is_kept(stream: TokenStream, tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"average": "ema", "ema_decay": 0.5, "max_steps": 10})
    scores = iter([3.0, 2.0])
    trainer = _trainer(stream, tmp_path, spec, validate=lambda model: next(scores))
    counters = trainer.run()
    assert (counters.best_valid_nats, counters.best_step) == (2.0, 10)
    assert trainer.average is not None
    average = trainer.average.candidates()[0]
    assert all(torch.equal(trainer.best_weights[name], value) for name, value in average.items())
    assert not torch.equal(average["output.bias"], trainer.model.output.bias)


def test_a_plateau_lowers_the_rate(stream: TokenStream, tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"schedule": "plateau", "plateau_factor": 0.5})
    scores = iter([3.0, 3.5, 2.0, 2.5])
    trainer = _trainer(stream, tmp_path, spec, validate=lambda model: next(scores))
    assert trainer.run().rate_scale == 0.25


@pytest.mark.parametrize("parts", [2, 3, 99])
@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_a_batch_in_parts_has_the_gradient_of_the_whole(
    stream: TokenStream, tmp_path: Path, kind: str, parts: int
) -> None:
    trainers = []
    for count in (1, parts):
        trainer = _trainer(stream, tmp_path / str(count), SPEC.model_copy(update={"micro_batches": count}), kind)
        trainer.model.eval()  # dropout masks depend on the shapes that they are drawn for
        for _ in range(3):
            trainer._train_step()
        trainers.append(trainer)
    whole, split = trainers
    for left, right in zip(whole.model.parameters(), split.model.parameters(), strict=True):
        assert torch.allclose(left.grad, right.grad, atol=1e-6)
    for left, right in zip(_flat(whole._state), _flat(split._state), strict=True):
        assert torch.allclose(left, right, atol=1e-6)


def _flat(state: Any) -> list[torch.Tensor]:
    return [tensor for part in state for tensor in _flat(part)] if isinstance(state, tuple) else [state]


def test_neighbouring_seeds_and_steps_share_no_masks() -> None:
    seeds = {step_seed(seed, step, process) for seed in range(50) for step in range(50) for process in range(4)}
    assert len(seeds) == 10_000


def test_cuda_where_there_is_none_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="found 'cuda', but torch sees no CUDA device"):
        choose_device("cuda")
    assert choose_device("auto") == torch.device("cpu")


def test_each_process_needs_a_cuda_device_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert take_own_device("cpu", 2, 1) == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ValueError, match=r"training\.processes: found 2, but torch sees 1 CUDA devices"):
        take_own_device("auto", 2, 1)


@pytest.mark.parametrize("kind", ["lstm", "untied"])
def test_frozen_token_vectors_stay_until_their_time(stream: TokenStream, tmp_path: Path, kind: str) -> None:
    moved = {}
    for frozen in (0, 6, "all"):
        spec = SPEC.model_copy(update={"embedding_frozen_steps": frozen})
        trainer = _trainer(stream, tmp_path / str(frozen), spec, kind)
        before = _copies(trainer)
        moved[frozen] = []
        for _ in range(8):
            trainer._train_step()
            after = _copies(trainer)
            moved[frozen].append(not torch.equal(before["embedding.weight"], after["embedding.weight"]))
            assert not torch.equal(before["cells.0.hidden_weight"], after["cells.0.hidden_weight"])
            before = after
    assert moved == {0: [True] * 8, 6: [False] * 6 + [True] * 2, "all": [False] * 8}


def _copies(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in weights_of(trainer.model).items()}


@pytest.mark.parametrize("stop_at", [4, 11])
def test_a_run_that_thaws_its_vectors_resumes_in_the_same_bits(
    stream: TokenStream, tmp_path: Path, stop_at: int
) -> None:
    spec = SPEC.model_copy(update={"embedding_frozen_steps": 9})
    whole = _trainer(stream, tmp_path / "whole", spec)
    whole.run()
    first = _trainer(stream, tmp_path / "cut", spec)
    for _ in range(stop_at):
        first._train_step()
    first._save_checkpoint()
    second = _trainer(stream, tmp_path / "cut", spec)
    second.run()
    assert _same(weights_of(whole.model), weights_of(second.model))
