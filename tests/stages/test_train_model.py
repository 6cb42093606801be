import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from nextchapter.embeddings.vectors import load_vectors
from nextchapter.models.protocol import count_parameters
from nextchapter.models.registry import load_model
from nextchapter.models.scoring import score_chapters
from nextchapter.stages import evaluate_model
from nextchapter.stages.train_model import main
from nextchapter.store.events import read_events
from nextchapter.store.files import read_json
from nextchapter.tokens.stream import TokenStream, write_stream
from nextchapter.training.checkpoint import read_checkpoint

MODEL = {"kind": "lstm", "hidden": 16, "embedding": 8}


def test_a_run_leaves_weights_events_and_provenance(trained: Path) -> None:
    record = read_json(trained / "run.json")
    assert record["steps"] == 30
    assert record["stopped_by"] == "budget"
    assert record["parameters"] == sum(p.numel() for p in load_model(trained / "model.safetensors").parameters())
    assert record["versions"]["torch"] == torch.__version__
    assert record["train_tokens_per_s"] == pytest.approx(record["tokens"] / record["train_seconds"], rel=0.1)
    valid = [
        event["metrics"]["valid/loss_nats"]
        for event in read_events(trained / "events.jsonl")
        if event["event"] == "valid"
    ]
    assert min(valid) == record["valid_nats_per_token"]
    assert valid[-1] < valid[0]


def test_a_second_call_in_another_folder_gives_the_same_weights(
    trained: Path, small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(arguments.train_model(small_shelf, tmp_path / "again")) == 0
    assert (tmp_path / "again/model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()
    assert read_json(tmp_path / "again/run.json")["run_key"] == read_json(trained / "run.json")["run_key"]


@pytest.mark.parametrize(
    "model",
    [
        {"kind": "hmm", "states": 8},
        {"kind": "hmm-cloned", "states": 400},
        {"kind": "hmm-neural", "classes": 8, "states_per_class": 4, "rank": 8, "embedding": 8},
    ],
)
def test_a_hidden_markov_model_passes_through_all_stages_of_a_run(
    model: dict[str, object], small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "run"
    assert main(arguments.train_model(small_shelf, run, model=model)) == 0
    record = read_json(run / "run.json")
    assert record["parameters"] == count_parameters(load_model(run / "model.safetensors")) > 0
    assert record["device"] == "cpu"
    losses = [e["metrics"]["train/loss_nats"] for e in read_events(run / "events.jsonl") if e["event"] == "train"]
    assert losses[-1] < losses[0]
    assert evaluate_model.main(arguments.evaluate_model(small_shelf, run, run)) == 0
    assert read_json(run / "metrics.json")["splits"]["valid"]["nats_per_token"] == pytest.approx(
        record["valid_nats_per_token"], rel=1e-5
    )


def test_another_seed_gives_other_weights_and_another_key(
    trained: Path, small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path
) -> None:
    assert main(arguments.train_model(small_shelf, tmp_path / "other", seed=2)) == 0
    assert (tmp_path / "other/model.safetensors").read_bytes() != (trained / "model.safetensors").read_bytes()
    assert read_json(tmp_path / "other/run.json")["run_key"] != read_json(trained / "run.json")["run_key"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(
    number: signal.Signals, trained: Path, small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path
) -> None:
    """The process kills itself in its 17th step, as a real one would be killed from outside."""
    every_step = {"checkpoint_every_s": 0.0}
    (tmp_path / "w").mkdir()
    code = f"""
import os, sys, torch
from nextchapter.models.recurrent import RecurrentLanguageModel as Model
from nextchapter.stages.train_model import main
score, calls = Model.score, []
def dying(self, *arguments):
    if torch.is_grad_enabled():
        calls.append(1)
        if len(calls) == 17: os.kill(os.getpid(), {int(number)})
    return score(self, *arguments)
Model.score = dying
sys.exit(main(sys.argv[1:]))
"""
    command = arguments.train_model(small_shelf, tmp_path / "killed", training=every_step)
    died = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=tmp_path / "w", capture_output=True, text=True, check=False
    )
    assert died.returncode == (-9 if number == signal.SIGKILL else 1), died.stderr
    assert not (tmp_path / "killed/model.safetensors").exists()
    os.chdir(tmp_path / "w")
    log = tmp_path / "again.log"
    assert main([*command, "--log", str(log)]) == 0
    assert f"resumes from step {16 if number == signal.SIGKILL else 17} of 30" in log.read_text()
    assert (tmp_path / "killed/model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()
    losses = [
        [
            (event["step"], event["metrics"]["train/loss_nats"])
            for event in read_events(folder / "events.jsonl")
            if event["event"] == "train"
        ]
        for folder in (trained, tmp_path / "killed")
    ]
    assert losses[0] == losses[1]


def test_training_that_diverges_is_told_in_one_message_and_keeps_its_checkpoint(
    small_shelf: Path,
    arguments: SimpleNamespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    wild = {"learning_rate": 100.0, "clip_norm": None, "checkpoint_every_s": 0.0, "max_steps": 500, "warmup_steps": 0}
    model = {"kind": "elman", "activation": "relu", "hidden": 16, "embedding": 8}
    assert main(arguments.train_model(small_shelf, tmp_path / "run", model=model, training=wild)) == 1
    told = capsys.readouterr().err
    assert "training diverged at step" in told
    assert "learning rate" in told
    assert "gradient norm" in told
    assert "Traceback" not in told
    assert list(tmp_path.glob(".work/train_model/small/lstm.s1/checkpoint.pt"))
    assert not (tmp_path / "run/model.safetensors").exists()


def test_gradients_may_run_through_whole_chapters(
    small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    whole = {"truncation": "chapter", "batch_size": 3, "max_steps": 4, "valid_every_steps": 2}
    assert main(arguments.train_model(small_shelf, tmp_path / "run", training=whole)) == 0
    facts = read_json(small_shelf / "tokens.json")
    assert read_json(tmp_path / "run/run.json")["tokens"] == 2 * facts["splits"]["train"]["tokens"]


def test_a_run_may_start_from_vectors_and_keep_them(
    embedded: Path, small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path
) -> None:
    keys, weights = [], []
    for name, frozen in (("kept", "all"), ("tuned", 0)):
        command = arguments.train_model(small_shelf, tmp_path / name, training={"embedding_frozen_steps": frozen})
        assert main([*command, "--vectors", str(embedded / "vectors.safetensors")]) == 0
        record = read_json(tmp_path / name / "run.json")
        assert record["inputs"]["vectors"] == read_json(embedded / "embedding.json")["vectors_sha256"]
        keys.append(record["run_key"])
        weights.append(load_model(tmp_path / name / "model.safetensors").embedding.weight)
    vectors, known = (torch.from_numpy(part) for part in load_vectors(embedded / "vectors.safetensors"))
    centred = vectors[known] - vectors[known].mean(dim=0)
    cosines = [torch.nn.functional.cosine_similarity(part[known], centred).min() for part in weights]
    assert cosines[0] > 0.99999 > cosines[1]
    assert keys[0] != keys[1]


@pytest.mark.parametrize(
    ("family", "model", "method", "training", "with_vectors"),
    [
        ("hmm", {"kind": "hmm", "states": 6}, "Hmm.learn", {}, False),
        ("hmm_cloned", {"kind": "hmm-cloned", "states": 400}, "HmmCloned.learn", {}, False),
        ("recurrent", MODEL, "RecurrentLanguageModel.score", {"embedding_frozen_steps": 20}, True),
    ],
    ids=["em-dense", "em-cloned", "thawing-vectors"],
)
def test_what_a_model_has_besides_its_weights_survives_a_kill(
    family: str, model: dict[str, object], method: str, training: dict[str, object], with_vectors: bool,
    embedded: Path, small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Step sizes of EM and the step at which vectors thaw depend on how much was read before the process died."""
    vectors = ["--vectors", str(embedded / "vectors.safetensors")] if with_vectors else []
    training = {**training, "checkpoint_every_s": 0.0}
    whole, killed = (
        [*arguments.train_model(small_shelf, tmp_path / name, model=model, training=training), *vectors]
        for name in ("whole", "killed")
    )
    assert main(whole) == 0
    owner, name = method.split(".")
    code = f"""
import os, signal, sys
from nextchapter.models.{family} import {owner} as Model
from nextchapter.stages.train_model import main
called, calls = Model.{name}, []
def dying(self, *arguments):
    calls.append(self.training)
    if sum(calls) == 17: os.kill(os.getpid(), signal.SIGKILL)
    return called(self, *arguments)
Model.{name} = dying
sys.exit(main(sys.argv[1:]))
"""
    (tmp_path / "w").mkdir()
    died = subprocess.run([sys.executable, "-c", code, *killed], cwd=tmp_path / "w", capture_output=True, check=False)
    assert died.returncode == -9, died.stderr
    monkeypatch.chdir(tmp_path / "w")
    assert main(killed) == 0
    events = read_events(tmp_path / "killed/events.jsonl")
    assert [event["step"] for event in events if event["event"] == "resume"] == [16]
    assert (tmp_path / "killed/model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()


def test_frozen_vectors_count_as_parameters_and_thaw_after_their_steps(
    embedded: Path, small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path
) -> None:
    weights, counts = {}, set()
    for steps in (20, 30, "all"):
        command = arguments.train_model(small_shelf, tmp_path / str(steps), training={"embedding_frozen_steps": steps})
        assert main([*command, "--vectors", str(embedded / "vectors.safetensors")]) == 0
        weights[steps] = load_model(tmp_path / str(steps) / "model.safetensors").embedding.weight
        counts.add(read_json(tmp_path / str(steps) / "run.json")["parameters"])
    assert len(counts) == 1
    assert torch.equal(weights[30], weights["all"])  # the run has 30 steps
    assert not torch.isclose(weights[20], weights["all"]).any(dim=1).all()


@pytest.mark.parametrize("model", [MODEL, {"kind": "ngram", "order": 2}], ids=["trained", "counted"])
def test_the_checkpoint_of_another_specification_goes_when_a_run_starts(
    model: dict[str, object], trained: Path, small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path
) -> None:
    checkpoint = tmp_path / ".work/train_model/small/lstm.s1/checkpoint.pt"
    assert checkpoint.is_file()
    stale = read_checkpoint(checkpoint)
    assert stale is not None
    dies_at_once = {"learning_rate": 100.0, "clip_norm": None, "warmup_steps": 0, "checkpoint_every_s": 1e9}
    code = main(arguments.train_model(small_shelf, tmp_path / "other", model=model, seed=2, training=dies_at_once))
    assert code in (0, 1)
    left = read_checkpoint(checkpoint)
    assert left is None or left["run_key"] != stale["run_key"]
    assert checkpoint.is_file() == (model == MODEL and code == 0)


NGRAM = {"kind": "ngram", "order": 3}


@pytest.mark.parametrize("model", [NGRAM, {"kind": "unigram"}, {"kind": "uniform"}])
def test_a_model_that_counts_leaves_the_same_files(
    model: dict[str, object],
    small_shelf: Path,
    arguments: SimpleNamespace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("one", "two"):
        assert main(arguments.train_model(small_shelf, tmp_path / folder, model=model)) == 0
    assert (tmp_path / "one/model.safetensors").read_bytes() == (tmp_path / "two/model.safetensors").read_bytes()
    record, facts = read_json(tmp_path / "one/run.json"), read_json(small_shelf / "tokens.json")
    assert (record["steps"], record["stopped_by"]) == (1, "budget")
    assert record["tokens"] == facts["splits"]["train"]["tokens"]
    assert record["train_seconds"] > 0
    events = list(read_events(tmp_path / "one/events.jsonl"))
    assert [(event["event"], event["step"]) for event in events] == [("start", 0), ("valid", 1), ("end", 1)]
    assert events[1]["metrics"]["valid/loss_nats"] == record["valid_nats_per_token"]
    stream = TokenStream.open(small_shelf / "valid.bin", facts["dtype"])
    nats = score_chapters(load_model(tmp_path / "one/model.safetensors"), stream, facts["end_of_chapter"], 1, 99)
    mean = sum(chapter.sum() for chapter in nats) / len(stream.tokens)
    assert mean == pytest.approx(record["valid_nats_per_token"], rel=1e-9)


def test_what_sets_the_pace_of_training_means_nothing_to_a_model_that_counts(
    small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments.train_model(small_shelf, tmp_path / "one", model=NGRAM)) == 0
    other = {"max_steps": 7, "learning_rate": 1.0, "patience": 1, "target_loss_nats": 9.0, "truncation": "chapter"}
    assert main(arguments.train_model(small_shelf, tmp_path / "two", model=NGRAM, training=other, seed=5)) == 0
    assert (tmp_path / "one/model.safetensors").read_bytes() == (tmp_path / "two/model.safetensors").read_bytes()


def test_a_model_that_counts_starts_anew_after_a_kill(
    small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies once it has counted: its log has a beginning and no end."""
    (tmp_path / "w").mkdir()
    code = """
import os, signal, sys
from nextchapter.models.ngram import Ngram
from nextchapter.stages.train_model import main
fit = Ngram.fit
def dying(self, *arguments):
    fit(self, *arguments)
    os.kill(os.getpid(), signal.SIGKILL)
Ngram.fit = dying
sys.exit(main(sys.argv[1:]))
"""
    command = arguments.train_model(small_shelf, tmp_path / "killed", model=NGRAM)
    died = subprocess.run([sys.executable, "-c", code, *command], cwd=tmp_path / "w", capture_output=True, check=False)
    assert died.returncode == -9
    monkeypatch.chdir(tmp_path / "w")
    assert main(command) == 0
    assert [event["event"] for event in read_events(tmp_path / "killed/events.jsonl")] == ["start", "valid", "end"]
    assert main(arguments.train_model(small_shelf, tmp_path / "whole", model=NGRAM)) == 0
    assert (tmp_path / "killed/model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()


def test_a_network_under_the_name_of_a_model_that_counted_starts_anew(
    trained: Path, small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path
) -> None:
    """The log is the other model's, so the checkpoint that the network left is no longer of use."""
    assert main(arguments.train_model(small_shelf, tmp_path / "between", model=NGRAM)) == 0
    assert main(arguments.train_model(small_shelf, tmp_path / "again")) == 0
    events = [event["event"] for event in read_events(tmp_path / "again/events.jsonl")]
    assert events == [event["event"] for event in read_events(trained / "events.jsonl")]
    assert (tmp_path / "again/model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()


def test_the_feed_forward_network_is_trained_as_any_other(
    small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = {"kind": "feed-forward", "order": 3, "hidden": 16, "embedding": 8}
    assert main(arguments.train_model(small_shelf, tmp_path / "run", model=model)) == 0
    log = list(read_events(tmp_path / "run/events.jsonl"))
    valid = [event["metrics"]["valid/loss_nats"] for event in log if event["event"] == "valid"]
    assert valid[-1] < valid[0]


@pytest.mark.parametrize(
    "model",
    [
        MODEL,
        {"kind": "ngram", "order": 3},
        {"kind": "unigram"},
        {"kind": "hmm", "states": 8},
        {"kind": "hmm-cloned", "states": 400},
        {"kind": "hmm-neural", "classes": 8, "states_per_class": 4, "rank": 8, "embedding": 8},
        {"kind": "feed-forward", "order": 3, "hidden": 8, "embedding": 8},
    ],
    ids=lambda model: str(model["kind"]),
)
def test_a_run_on_a_share_is_the_run_of_a_shelf_that_has_no_more(
    model: dict[str, object], small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    facts = read_json(small_shelf / "tokens.json")
    whole = TokenStream.open(small_shelf / "train.bin", facts["dtype"])
    share = whole.share(0.5, seed=1)
    assert (whole.chapters, share.chapters) == (6, 3)
    shutil.copytree(small_shelf, tmp_path / "half", ignore=shutil.ignore_patterns(".checksums"))
    chapters = [share.chapter(index)[:-1] for index in range(3)]
    write_stream(tmp_path / "half/train.bin", chapters, facts["end_of_chapter"], facts["dtype"])
    assert main(arguments.train_model(small_shelf, tmp_path / "share", model=model, train_share=0.5)) == 0
    assert main(arguments.train_model(tmp_path / "half", tmp_path / "alone", model=model)) == 0
    assert (tmp_path / "share/model.safetensors").read_bytes() == (tmp_path / "alone/model.safetensors").read_bytes()
    record = read_json(tmp_path / "share/run.json")
    assert (record["train_share"], record["train_chapters"], record["train_tokens"]) == (0.5, 3, len(share.tokens))
    assert "train_share" not in read_json(tmp_path / "alone/run.json")


def test_a_share_of_less_than_a_chapter_is_refused(
    small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "run.log"
    assert main([*arguments.train_model(small_shelf, tmp_path / "run", train_share=0.05), "--log", str(log)]) == 1
    assert "train_share: found 0.05 of 6 chapters; it must be at least 1 / 6, one chapter" in log.read_text()
    assert "Traceback" not in log.read_text()
