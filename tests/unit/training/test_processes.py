import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from nextchapter.models.registry import build_model
from nextchapter.spec.training import TrainingSpec
from nextchapter.store.events import read_events
from nextchapter.tokens.stream import TokenStream, write_stream
from nextchapter.training.batches import StreamBatches
from nextchapter.training.checkpoint import CheckpointFile, read_checkpoint
from nextchapter.training.loop import Trainer
from nextchapter.training.processes import Processes
from nextchapter.training.progress import Progress

PROGRAM = Path(__file__).with_name("together.py")
TOLERANCE = 2e-6
"""Of weights of about 0.3 after 20 steps of up to 0.02, in float32: sums in another order. Measured: at most 4e-7."""
SIZES = {"hidden": 16, "embedding": 8, "dropout": 0.0}
TRAINING = {
    "batch_size": 5, "truncation": 8, "max_tokens": None, "max_steps": 20, "valid_every_steps": 5, "warmup_steps": 2,
    "checkpoint_every_s": 1e9, "log_every_steps": 1, "learning_rate": 0.02,
}  # fmt: skip
CASES: dict[str, dict[str, Any]] = {
    "elman": {"model": {"kind": "elman", **SIZES}},
    "lstm": {"model": {"kind": "lstm", **SIZES}},
    "omega-in-parts": {
        "model": {"kind": "elman", **SIZES},
        "training": {"omega": 0.5, "activation_regularisation": 1.0, "micro_batches": 2},
    },
    "muon-averaged": {
        "model": {"kind": "gru", **SIZES, "tied": False},
        "training": {"optimiser": "muon", "average": "two-tailed", "truncation": 10, "random_truncation": True},
    },
    "learned-start": {
        "model": {
            "kind": "hmm-neural", "classes": 3, "states_per_class": 2, "rank": 2, "embedding": 4, "state_dropout": 0.0,
        },
        # AdamW would divide the rounding errors of a bias that changes no probability by themselves.
        "training": {"batch_size": 4, "optimiser": "sgd", "learning_rate": 0.5},
    },
    "clusters-without-targets": {
        "model": {"kind": "lstm", **SIZES, "tied": False, "adaptive": {"cutoffs": [4, 20], "divisor": 2}},
        "training": {"optimiser": "sgd", "learning_rate": 0.5},
    },
    "chapters-one-left-over": {
        "model": {"kind": "lstm", **SIZES}, "training": {"truncation": "chapter", "batch_size": 2, "max_steps": 8},
    },
    "diverging": {"model": {"kind": "lstm", **SIZES}, "spoil_at": 12},
    "from-two-to-one": {"model": {"kind": "lstm", **SIZES}, "stop_at": 7},
    "from-one-to-two": {"model": {"kind": "lstm", **SIZES}},
    "masked": {"model": {"kind": "lstm", **SIZES, "dropout": 0.3}},
    "masked-in-two-calls": {"model": {"kind": "lstm", **SIZES, "dropout": 0.3}, "stop_at": 7},
}  # fmt: skip
EQUAL = [
    "elman", "lstm", "omega-in-parts", "muon-averaged", "learned-start", "clusters-without-targets",
    "chapters-one-left-over", "diverging",
]  # fmt: skip


def _program() -> Any:
    spec = importlib.util.spec_from_file_location("together", PROGRAM)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _case(name: str, **changes: Any) -> dict[str, Any]:
    case = {**CASES[name], "name": name, **changes}
    return {**case, "training": {**TRAINING, **CASES[name].get("training", {})}}


def _alone(name: str, folder: Path, **changes: Any) -> dict[str, Any]:
    """Train a case in this process; return what came out."""
    _program().train_case(_case(name, **changes), folder, Processes())
    return _result(name, folder)


def _result(name: str, folder: Path) -> dict[str, Any]:
    result: dict[str, Any] = torch.load(folder / name / "result.pt", weights_only=False)
    return result


def _write_stream(folder: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    texts = [torch.randint(2, 9, (length,), generator=generator).tolist() for length in (90, 40, 120)]
    write_stream(folder / "train.bin", texts, 1, "uint16")


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all cases as two processes train them; they are started once."""
    folder = tmp_path_factory.mktemp("together")
    _write_stream(folder)
    _alone("from-one-to-two", folder, stop_at=7)
    cases = [*map(_case, CASES), _case("masked-in-two-calls", stop_at=0)]
    (folder / "cases.json").write_text(json.dumps([[2, cases]]))
    command = [sys.executable, str(PROGRAM), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which this process may train the cases."""
    folder = tmp_path_factory.mktemp("apart")
    _write_stream(folder)
    return folder


def _differences(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> dict[str, float]:
    assert left.keys() == right.keys()
    return {name: float((left[name].float() - right[name].float()).abs().max()) for name in left}


@pytest.mark.parametrize("name", EQUAL)
def test_two_processes_train_as_one_with_the_same_global_batch(name: str, together: Path, apart: Path) -> None:
    one, two = _alone(name, apart), _result(name, together)
    assert max(_differences(one["weights"], two["weights"]).values()) < TOLERANCE
    assert max(_differences(one["best"], two["best"]).values()) < TOLERANCE
    counters = [{key: value for key, value in result["counters"].items() if key != "train_s"} for result in (one, two)]
    assert counters[0].pop("best_valid_nats") == pytest.approx(counters[1].pop("best_valid_nats"), abs=1e-5)
    assert counters[0] == counters[1]
    logs = [list(read_events(folder / name / "events.jsonl")) for folder in (apart, together)]
    assert [(e["event"], e["step"], e["tokens"]) for e in logs[0]] == [
        (e["event"], e["step"], e["tokens"]) for e in logs[1]
    ]
    for left, right in zip(*logs, strict=True):
        for metric in ("train/loss_nats", "train/gradient_norm", "valid/loss_nats"):
            if metric in left.get("metrics", {}):
                assert left["metrics"][metric] == pytest.approx(right["metrics"][metric], rel=1e-4)


def test_the_cases_are_what_they_are_called(together: Path) -> None:
    assert _result("diverging", together)["counters"]["rollbacks"] == 1
    whole = _result("lstm", together)["counters"]
    assert (whole["step"], whole["tokens"], whole["stopped_by"]) == (20, 5 * (50 + 50 + 6 * 8), "budget")


def test_a_checkpoint_of_two_processes_is_resumed_by_one(together: Path, apart: Path) -> None:
    kept = read_checkpoint(together / "from-two-to-one/checkpoint.pt")
    assert kept is not None
    assert kept["counters"]["step"] == 7
    assert [len(tensor) for tensor in kept["state"][0]] == [5, 5]
    resumed = _alone("from-two-to-one", together, stop_at=0)
    whole = _alone("lstm", apart) if not (apart / "lstm").exists() else _result("lstm", apart)
    assert resumed["counters"]["step"] == 20
    assert max(_differences(whole["weights"], resumed["weights"]).values()) < TOLERANCE


def test_a_checkpoint_of_one_process_is_resumed_by_two(together: Path) -> None:
    whole, resumed = _result("lstm", together), _result("from-one-to-two", together)
    events = read_events(together / "from-one-to-two/events.jsonl")
    assert [event["step"] for event in events if event["event"] == "train"] == list(range(1, 21))
    assert max(_differences(whole["weights"], resumed["weights"]).values()) < TOLERANCE


def test_two_processes_that_stopped_and_went_on_end_in_the_same_bits(together: Path) -> None:
    whole, cut = _result("masked", together), _result("masked-in-two-calls", together)
    assert set(_differences(whole["weights"], cut["weights"]).values()) == {0.0}


def test_the_masks_of_two_processes_differ(together: Path, apart: Path) -> None:
    """Each draws its own: were they the same, the two would see half as many; so they are not those of one process."""
    one, two = _alone("masked", apart), _result("masked", together)
    assert max(_differences(one["weights"], two["weights"]).values()) > 1e-3


@pytest.mark.parametrize(("rows", "count"), [(5, 2), (4, 4), (1, 3), (7, 3)])
def test_the_shares_of_all_processes_are_the_whole(rows: int, count: int) -> None:
    whole = (torch.arange(rows), (torch.arange(2 * rows).view(rows, 2),))
    processes = [Processes(rank, count) for rank in range(count)]
    shares = [process.own_rows(whole) for process in processes if process.has_rows(rows)]
    assert torch.equal(torch.cat([share[0] for share in shares]), whole[0])
    assert torch.equal(torch.cat([share[1][0] for share in shares]), whole[1][0])
    lengths = [len(process.own_rows(whole)[0]) for process in processes]
    assert max(lengths) - min(lengths) <= 1
    assert min(lengths) == 1 or rows >= 2 * count


def test_a_single_process_asks_nobody() -> None:
    alone = Processes()
    assert alone.is_first
    assert (alone.sum(2.5), alone.any(True, False), alone.from_first(lambda: 3.0)) == (2.5, (True, False), 3.0)
    module = torch.nn.Linear(2, 2)
    assert alone.parallel(module) is module


def test_a_model_without_gradients_is_trained_by_one_process(tmp_path: Path) -> None:
    _write_stream(tmp_path)
    batches = StreamBatches(TokenStream.open(tmp_path / "train.bin", "uint16"), 1, 4, 8, 1)
    model, checkpoints = build_model({"kind": "hmm", "states": 3}, 30), CheckpointFile(tmp_path / "c.pt", "key")
    progress = Progress("r", 0, shared_terminal=True)
    with pytest.raises(ValueError, match="found 2 processes; Hmm must be trained by one"):
        Trainer(model, batches, lambda model: 0.0, TrainingSpec(), 1, None, checkpoints, progress, Processes(1, 2))
