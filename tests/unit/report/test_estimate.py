import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.flow import Flow
from nextchapter.models.elman import ElmanSpec
from nextchapter.models.feed_forward import FeedForwardSpec
from nextchapter.models.gru import GruSpec
from nextchapter.models.lstm import LstmSpec
from nextchapter.models.mingru import MinGruSpec
from nextchapter.models.minlstm import MinLstmSpec
from nextchapter.models.mogrifier import MogrifierSpec
from nextchapter.models.protocol import CountedModel, count_parameters
from nextchapter.models.registry import build_model
from nextchapter.models.rlstm import RlstmSpec
from nextchapter.models.slstm import SlstmSpec
from nextchapter.report.estimate import (
    CHAPTER_TOKENS,
    EVALUATION_SHARE,
    JOB_S,
    MOST,
    VECTOR_EFFICIENCY,
    Job,
    Work,
    budget_tokens,
    estimate,
    jobs_of,
    measure_core,
    operations,
    schedule,
)
from nextchapter.spec.models import RecurrentSpec
from nextchapter.spec.study import RunSpec
from nextchapter.tokens.stream import TokenStream

CONFIG = Path(__file__).parents[3] / "config/config.yaml"


def three_networks() -> dict[str, Any]:
    """Return the default study with three of its runs."""
    config = yaml.safe_load(CONFIG.read_text())
    return {**config, "runs": {name: config["runs"][name] for name in ("elman-384", "gru-384", "lstm-384")}}


def run_spec(model: dict[str, Any] | None = None, **training: Any) -> RunSpec:
    model = model or {"kind": "gru", "hidden": 8, "embedding": 4}
    return RunSpec.model_validate({"model": model, "tokenizer": "t", "training": {"max_tokens": None, **training}})


@pytest.mark.parametrize(("hidden", "embedding"), [(6, 6), (6, 4)])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(
    "kind",
    [ElmanSpec, GruSpec, LstmSpec, MinGruSpec, MinLstmSpec, MogrifierSpec, RlstmSpec, SlstmSpec],
)
def test_the_weights_are_counted_as_the_model_has_them(
    kind: type[RecurrentSpec], tied: bool, layers: int, hidden: int, embedding: int
) -> None:
    spec = kind(hidden=hidden, embedding=embedding, layers=layers, tied=tied)
    assert spec.weights(11).total == count_parameters(build_model(spec.model_dump(), 11))


@pytest.mark.parametrize("keys", [{"rank": 2, "rounds": 4}, {"rounds": 0}])
def test_the_weights_of_the_rounds_are_counted(keys: dict[str, Any]) -> None:
    spec = MogrifierSpec(hidden=6, embedding=4, layers=2, **keys)
    assert spec.weights(11).total == count_parameters(build_model(spec.model_dump(), 11))


@pytest.mark.parametrize("heads", [2, 6])
def test_the_weights_of_heads_are_counted(heads: int) -> None:
    spec = SlstmSpec(hidden=6, embedding=4, layers=2, heads=heads)
    assert spec.weights(11).total == count_parameters(build_model(spec.model_dump(), 11))


def test_heads_must_divide_the_hidden_state() -> None:
    with pytest.raises(ValueError, match="heads: found 4; must divide hidden, which is 6"):
        SlstmSpec(hidden=6, heads=4)


@pytest.mark.parametrize("hidden", [4, 6])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("direct", [True, False])
def test_the_weights_of_the_feed_forward_network_are_counted_as_it_has_them(
    hidden: int, tied: bool, direct: bool
) -> None:
    spec = FeedForwardSpec(order=4, hidden=hidden, embedding=4, tied=tied, direct=direct)
    assert spec.weights(11).total == count_parameters(build_model(spec.model_dump(), 11))


@pytest.mark.parametrize("kind", ["unigram", "uniform"])
def test_what_is_known_before_counting_is_what_is_held_after_it(kind: str) -> None:
    spec = run_spec({"kind": kind}, max_steps=1).model
    assert spec.weights(11).total == count_parameters(build_model({"kind": kind}, 11))


def test_a_model_that_counts_reads_all_tokens_once_and_its_tables_fit_the_disk() -> None:
    run = run_spec({"kind": "ngram", "order": 3}, max_tokens=900)
    assert budget_tokens(run, 35_000) == 35_000
    tokens = np.random.default_rng(0).integers(0, 300, size=500).astype(np.uint16)
    model = build_model(run.model.model_dump(), 300)
    assert isinstance(model, CountedModel)
    model.fit(TokenStream(tokens, np.array([0, 300, 500])), 1)
    first = 4 * 300 * 2  # of order 1, there before anything is counted
    held = sum(buffer.nbytes for buffer in model.buffers()) - first
    assert 0.5 * run.model.table_bytes(500) < held <= run.model.table_bytes(500)


def test_a_token_costs_six_operations_for_each_weight_that_multiplies() -> None:
    spec = LstmSpec(hidden=384, embedding=192)
    recurrent, softmax = 4 * (192 + 384) * 384, 384 * 192 + 192 * 2000
    assert spec.operations_per_token(2000, 16, 48) == 6 * (recurrent + softmax)


def test_a_sampled_softmax_costs_as_much_as_it_draws() -> None:
    model = {"kind": "lstm", "hidden": 384, "embedding": 192}
    drawn = operations(run_spec(model, sampled_softmax=500, max_tokens=10), 30_000, 10)
    assert drawn == operations(run_spec(model, max_tokens=10), 500, 10)
    assert operations(run_spec(model, sampled_softmax=5000, max_tokens=10), 300, 10) < drawn


NEURAL = {"kind": "hmm-neural", "classes": 64, "states_per_class": 32, "rank": 64}


@pytest.mark.parametrize(
    ("model", "vocabulary_size", "batch_size", "tokens_per_s", "operations_per_s"),
    [
        ({"kind": "hmm", "states": 64}, 2000, 64, 565_744, 7.93e10),
        ({"kind": "hmm", "states": 256}, 2000, 64, 111_075, 7.99e10),
        ({"kind": "hmm", "states": 256}, 2000, 16, 85_064, 7.69e10),
        ({"kind": "hmm", "states": 256}, 8000, 64, 76_911, 7.73e10),
        ({"kind": "hmm", "states": 512}, 2000, 64, 44_953, 7.87e10),
        ({"kind": "hmm-cloned", "states": 2048}, 2000, 64, 425_516, 8.37e10),
        ({"kind": "hmm-cloned", "states": 4096}, 2000, 64, 74_653, 8.44e10),
        ({"kind": "hmm-cloned", "states": 4096}, 2000, 16, 50_173, 8.32e10),
        ({"kind": "hmm-cloned", "states": 8192}, 2000, 64, 11_903, 8.30e10),
        (NEURAL, 2000, 64, 27_596, 9.89e10),
        (NEURAL, 2000, 16, 12_072, 7.32e10),
        (NEURAL, 8000, 64, 18_181, 7.56e10),
        ({**NEURAL, "states_per_class": 64, "rank": 128}, 2000, 64, 6_573, 7.21e10),
        ({**NEURAL, "classes": 128, "states_per_class": 16, "rank": 32}, 2000, 64, 46_936, 6.62e10),
        ({"kind": "ngram", "order": 5}, 2000, 1, 454_875 / 0.57, 8.41e10),
        ({"kind": "ngram", "order": 5}, 10_000, 1, 1e7 / 20.64, 8.4e10),
        ({"kind": "ngram", "order": 3}, 2000, 1, 454_875 / 0.29, 9.38e10),
        ({"kind": "lstm", "hidden": 384, "embedding": 192}, 2000, 16, 8_531, 7.24e10),
        ({"kind": "feed-forward"}, 2000, 16, 21_441, 9.12e10),
    ],
)
def test_each_family_is_estimated_as_it_was_measured(
    model: dict[str, Any], vocabulary_size: int, batch_size: int, tokens_per_s: float, operations_per_s: float
) -> None:
    """Processor time of training steps of 48 tokens, beside the speed of the core as `measure_core` measures it."""
    run = run_spec(model, batch_size=batch_size, max_steps=1)
    expected_s = operations(run, vocabulary_size, 1e6) / (operations_per_s * run.model.efficiency)
    assert 1 / 1.5 < expected_s / (1e6 / tokens_per_s) < 1.5


@pytest.mark.parametrize(
    ("training", "tokens"),
    [
        ({"max_tokens": 900}, 900),
        ({"max_steps": 7, "batch_size": 3, "truncation": 5}, 105),
        ({"max_steps": 7, "batch_size": 3, "truncation": "chapter"}, 21 * CHAPTER_TOKENS),
        ({"max_epochs": 2.5}, 2.5 * 35_000),
        ({"max_tokens": 900, "max_steps": 7, "batch_size": 3, "truncation": 5, "max_epochs": 2.5}, 105),
    ],
)
def test_the_tightest_budget_counts(training: dict[str, Any], tokens: float) -> None:
    assert budget_tokens(run_spec(**training), 35_000) == tokens


@pytest.mark.parametrize(
    ("model", "tokens"), [({"kind": "unigram"}, 4375), ({"kind": "lstm", "hidden": 8}, 2.5 * 4375)]
)
def test_a_run_that_reads_an_eighth_of_the_chapters_has_epochs_an_eighth_as_long(
    model: dict[str, Any], tokens: float
) -> None:
    run = run_spec(model, max_epochs=2.5, max_tokens=None).model_copy(update={"train_share": 0.125})
    assert budget_tokens(run, 35_000) == tokens


@given(st.lists(st.floats(0, 100), min_size=1, max_size=4), st.integers(1, 3))
def test_a_schedule_is_at_most_a_third_above_the_best_one(seconds: list[float], cores: int) -> None:
    best = min(
        max(
            sum(length for length, core in zip(seconds, plan, strict=True) if core == wanted) for wanted in range(cores)
        )
        for plan in itertools.product(range(cores), repeat=len(seconds))
    )
    assert best - 1e-9 <= schedule(map(Work, seconds), cores) <= best * (4 / 3 - 1 / (3 * cores)) + 1e-9


def test_a_schedule_of_nothing_ends_at_once() -> None:
    assert schedule([], 2) == 0
    assert schedule([Work(1.0), Work(2.0), Work(3.0)], 0) == 6


def trainings(flow: Flow) -> list[Job]:
    return [Job("train_model", name) for name in flow.runs]


def seconds(flow: Flow, *jobs: Job, speed: float = 1e11) -> float:
    """Return what jobs take on one core beyond their start."""
    return estimate(flow, jobs, 1, speed).most_s / MOST - JOB_S * len(jobs)


@pytest.fixture
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flow:
    monkeypatch.chdir(tmp_path)
    return Flow.from_config({**three_networks(), "training": {"max_tokens": 2_500_000}})


def test_a_faster_machine_more_cores_and_fewer_runs_take_less(flow: Flow) -> None:
    jobs = trainings(flow)
    usual = estimate(flow, jobs, 1, 1e11)
    assert usual.least_s < usual.most_s
    for other in (
        estimate(flow, jobs, 1, 2e11),
        estimate(flow, jobs, 2, 1e11),
        estimate(flow, jobs[:1], 1, 1e11),
    ):
        assert other.least_s < usual.least_s
        assert other.most_s < usual.most_s


def test_three_networks_are_estimated_as_they_were_measured(flow: Flow) -> None:
    # 2,500,000 tokens at 20,400 (Elman), 12,200 (GRU) and 12,800 tokens/s (LSTM) take 523 s on one core that
    # multiplies small matrices at 1.3e11 operations/s.
    small = [Job(rule, name) for rule in ("write_chapter", "draw_network", "track_run") for name in flow.runs]
    cost = estimate(flow, trainings(flow) + small, 1, 1.3e11)
    assert cost.least_s < 523 + 12 * JOB_S < cost.most_s
    weights = 681_296 + 1_124_816 + 1_346_000
    assert 24 * weights < cost.disk_bytes < 24 * weights + 30e6


def test_the_default_study_is_estimated_as_it_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its training, tasks and gradient lab: seconds of processor time, by the benchmark files of one run of it."""
    monkeypatch.chdir(tmp_path)
    flow = Flow.from_config(yaml.safe_load(CONFIG.read_text()))
    for jobs, measured_s in (
        (trainings(flow), 807 - 10 * JOB_S),
        ([Job("train_tasks", f"temporal_order/{network}") for network in ("tanh", "lstm", "lstm-chrono")], 27 - 12),
        ([Job("measure_gradients")], 14 - JOB_S),
        ([Job("evaluate_model", name) for name in flow.runs], 78 - 10 * JOB_S),
    ):
        assert 0.5 < seconds(flow, *jobs, speed=1.1e11) / measured_s < 2, jobs[0].rule


def test_a_budget_of_seconds_bounds_what_a_run_takes(flow: Flow) -> None:
    def most_s(**training: Any) -> float:
        clocked = {name: (run.model_copy(update={"training": run.training.model_copy(update=training)}), seed)
                   for name, (run, seed) in list(flow.runs.items())[:1]}  # fmt: skip
        flow.runs = clocked
        return estimate(flow, trainings(flow), 1, 1e11).most_s

    without_clock = most_s()
    assert most_s(max_seconds=1e9) == without_clock
    bounded = most_s(max_seconds=10)
    assert bounded < without_clock
    assert most_s(max_seconds=20) - bounded == pytest.approx(MOST * 10 * (1 + EVALUATION_SHARE))
    assert most_s(max_seconds=20, max_tokens=None) == most_s(max_seconds=20, max_tokens=10**12)


def test_reading_by_a_network_that_learns_takes_as_long_as_it_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0.63 s for 1,000 tokens by an LSTM of 384 and 2,000 outputs that learns from them (docs/models/wrappers.md)."""
    monkeypatch.chdir(tmp_path)
    config = three_networks()
    adapting = {"model": {"kind": "dynamic", "of": "lstm-384"}}
    mixed = {"model": {"kind": "ensemble", "members": ["lstm-dynamic", "gru-384"]}}
    flow = Flow.from_config({**config, "runs": {**config["runs"], "lstm-dynamic": adapting, "mix": mixed}})
    plain, learning, mixture, gru = (
        seconds(flow, Job("evaluate_model", f"{name}.s1")) for name in ("lstm-384", "lstm-dynamic", "mix", "gru-384")
    )
    tokens = 3 * 700_000 * 0.16 / flow.study.tokenizers["unigram-2k"].characters_per_token
    assert 0.5 < learning / (0.63e-3 * tokens) < 2
    assert learning > 5 * plain
    assert mixture == pytest.approx(learning + gru)


def test_reading_is_not_bounded_by_the_clock_of_the_training(flow: Flow) -> None:
    name, (run, seed) = next(iter(flow.runs.items()))
    before = seconds(flow, Job("evaluate_model", name))
    training = run.training.model_copy(update={"max_seconds": 1e-3})
    flow.runs = {name: (run.model_copy(update={"training": training}), seed)}
    assert seconds(flow, Job("evaluate_model", name)) == before > 1e-3


def test_a_large_shelf_takes_as_long_to_clean_as_it_has_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    books = tmp_path / "shelf"
    books.mkdir()
    for number in range(40):  # in shards
        (books / f"{number}.txt").write_text("x" * 100_000)
    flow = Flow.from_config({**three_networks(), "books": str(books)})
    cleaning = [Job("clean_books", shard) for shard in flow.shards]
    assert len(cleaning) < 40
    assert seconds(flow, *cleaning) == pytest.approx(4e6 / 4.3e6)


def test_the_jobs_of_a_plan_are_named_by_what_they_work_on() -> None:
    class Planned:
        def __init__(self, rule: str, **wildcards: str) -> None:
            self.rule, self.wildcards_dict = type("Rule", (), {"name": rule}), wildcards

    plan = [Planned("all"), Planned("compare_runs", study="a"), Planned("train_model", study="a", run="x.s1"),
            Planned("train_tasks", study="a", task="adding", network="gru")]  # fmt: skip
    assert jobs_of(plan) == [Job("compare_runs"), Job("train_model", "x.s1"), Job("train_tasks", "adding/gru")]


@pytest.mark.parametrize(
    ("spec", "measured_s"),
    [
        ({"kind": "word2vec", "variant": "skip-gram", "epochs": 20}, 101),
        ({"kind": "word2vec", "variant": "cbow", "epochs": 20}, 23),
        ({"kind": "glove", "epochs": 15}, 42),
    ],
    ids=["skip-gram", "cbow", "glove"],
)
def test_embeddings_are_estimated_as_they_were_measured(
    spec: dict[str, Any], measured_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On WikiText-2, 2,051,910 words, 100 dimensions, on a core that multiplies at 1.3e11 operations/s; within half."""
    monkeypatch.chdir(tmp_path)
    config = three_networks()
    vectors = {"v": {**spec, "tokenizer": "unigram-2k", "dimensions": 100}}
    flow = Flow.from_config({**config, "embeddings": vectors})
    words = 2_051_910
    expected_s = flow.study.embeddings["v"].operations(words) / (1.3e11 * VECTOR_EFFICIENCY)
    assert 0.5 < expected_s / measured_s < 1.5
    jobs = trainings(flow)
    without, with_vectors = (estimate(flow, jobs + more, 1, 1.3e11) for more in ([], [Job("train_embedding", "v")]))
    assert with_vectors.least_s > without.least_s
    # Vectors as numbers and as text in two places, 2,000 tokens of 100 numbers.
    assert with_vectors.disk_bytes - without.disk_bytes >= 2 * 2000 * 100 * (4 + 8)


def test_a_loop_in_python_takes_longer_for_the_same_products(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = three_networks()
    costs = []
    for kind in ("lstm", "slstm"):
        run = {"model": {"kind": kind, "hidden": 384, "embedding": 192}, "tokenizer": "unigram-2k"}
        flow = Flow.from_config({**config, "training": {"max_tokens": 2_500_000}, "runs": {"only": run}})
        costs.append(estimate(flow, trainings(flow), 1, 1e11).least_s)
    assert costs[1] > 1.2 * costs[0]


def test_books_count_at_their_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = three_networks()
    disk = []
    for letters in (1_000, 51_000):
        books = tmp_path / f"shelf-{letters}"
        books.mkdir()
        (books / "one.txt").write_text("x" * letters)
        flow = Flow.from_config({**config, "books": str(books)})
        disk.append(estimate(flow, trainings(flow), 1, 1e11).disk_bytes)
    assert disk[1] - disk[0] == 4 * 50_000


def test_a_core_does_more_than_a_pocket_calculator() -> None:
    assert 1e8 < measure_core(0.01) < 1e13


def test_a_job_on_several_threads_waits_until_as_many_cores_are_free() -> None:
    assert schedule([Work(5.0, 2), Work(3.0)], 2) == 8
    assert schedule([Work(5.0, 2), Work(3.0)], 3) == 5
    assert schedule([Work(5.0, 4), Work(3.0)], 2) == 8  # as many as there are
    assert schedule([Work(4.0), Work(3.0), Work(2.0, 2)], 2) == 6
