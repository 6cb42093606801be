import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nextchapter.spec.base import SpecError
from nextchapter.spec.searches import DrawSpec, SearchSpec
from nextchapter.spec.study import read_study

CONFIG = Path(__file__).parents[3] / "config" / "config.yaml"
GRID = {"training.learning_rate": [0.001, 0.01], "model.hidden": [64, 128, 256]}
RANDOM = {"training.learning_rate": {"log_uniform": [1e-4, 1e-1]}, "model.dropout": {"uniform": [0.1, 0.4]}}


def study_with(search: dict[str, Any], **changes: Any) -> Any:
    config = yaml.safe_load(CONFIG.read_text())
    config["runs"] = {"lstm-384": config["runs"]["lstm-384"]}
    return read_study({**config, "searches": {"sizes": {"base": "lstm-384", **search}}, **changes})


def runs_of(study: Any) -> dict[str, Any]:
    return {name: run for name, run in study.runs.items() if name.startswith("sizes.")}


def test_a_grid_is_each_value_with_each_named_by_their_places_keys_in_alphabetical_order() -> None:
    study = study_with({"grid": GRID})
    found = {name: (run.model.hidden, run.training.learning_rate) for name, run in runs_of(study).items()}
    places = itertools.product(enumerate([64, 128, 256], 1), enumerate([0.001, 0.01], 1))
    assert found == {f"sizes.{a}-{b}": (hidden, rate) for (a, hidden), (b, rate) in places}
    assert {run.model.embedding for run in runs_of(study).values()} == {192}  # as the base has it
    assert study.searched["sizes.3-1"] == {
        "name": "sizes",
        "values": {"model.hidden": 256, "training.learning_rate": 0.001},
    }
    swapped = study_with({"grid": dict(reversed(GRID.items()))})
    assert runs_of(swapped) == runs_of(study)


def test_a_draw_is_what_it_was_in_another_process_on_another_day() -> None:
    points = SearchSpec(base="b", random=RANDOM, draws=3).points("sizes")
    assert points == {
        "sizes.001": {"model.dropout": 0.2216, "training.learning_rate": 0.003067},
        "sizes.002": {"model.dropout": 0.1748, "training.learning_rate": 0.01146},
        "sizes.003": {"model.dropout": 0.1649, "training.learning_rate": 0.001693},
    }


def test_a_draw_stays_when_draws_keys_or_values_are_added_and_changes_with_seed_and_name() -> None:
    search = SearchSpec(base="b", random=RANDOM, draws=5)
    few, many = search.points("s"), search.model_copy(update={"draws": 1200}).points("s")
    assert {name: many[name] for name in few} == few
    assert list(many)[-1] == "s.1200"
    wider = SearchSpec(base="b", random={**RANDOM, "model.layers": {"integers": [1, 2]}}, draws=5).points("s")
    assert [{key: values[key] for key in few["s.001"]} for values in wider.values()] == list(few.values())
    for other in (search.model_copy(update={"seed": 2}).points("s"), search.points("t")):
        assert not [a for a, b in zip(few.values(), other.values(), strict=True) if a == b]
    grids = [SearchSpec(base="b", grid={"model.hidden": values}, random=RANDOM, draws=2) for values in ([8], [8, 9])]
    small, large = (search.points("s") for search in grids)
    assert {name: large[name] for name in small} == small
    assert list(small) == ["s.1-001", "s.1-002"]


def test_draws_have_their_distributions() -> None:
    drawn = {
        "model.a": {"uniform": [2, 4]}, "model.b": {"log_uniform": [0.01, 100]}, "model.c": {"integers": [3, 5]},
        "model.d": {"choice": ["x", None]},
    }  # fmt: skip
    points = SearchSpec(base="b", random=drawn, draws=3000).points("s").values()
    uniform, log, integers, choice = ([values[key] for values in points] for key in sorted(drawn))
    assert (min(uniform) >= 2, max(uniform) <= 4) == (True, True)
    assert np.mean(uniform) == pytest.approx(3, abs=0.05)
    assert np.mean(np.log10(log)) == pytest.approx(0, abs=0.1)  # half of them below the geometric mean
    assert np.mean(np.array(log) < 0.1) == pytest.approx(0.25, abs=0.03)
    assert sorted(set(integers)) == [3, 4, 5]
    assert np.bincount(integers)[3:] / 3000 == pytest.approx([1 / 3] * 3, abs=0.03)
    assert choice.count(None) / 3000 == pytest.approx(0.5, abs=0.03)


def test_rounding_never_leaves_the_bounds() -> None:
    spec = DrawSpec(uniform=(0.123456, 0.123459))
    assert {spec.value_at(share) for share in (0.0, 0.5, 1 - 2**-53)} <= {0.123456, 0.123459}
    assert DrawSpec(log_uniform=(1e-4, 1e-2)).value_at(0.5) == pytest.approx(math.sqrt(1e-4 * 1e-2), rel=1e-3)


def test_the_budget_is_shared_out_among_all_runs_and_takes_the_place_of_theirs() -> None:
    study = study_with({"grid": {"model.hidden": [8, 16, 32]}, "max_seconds": 100, "max_tokens": 1000})
    budgets = {(run.training.max_seconds, run.training.max_tokens) for run in runs_of(study).values()}
    assert budgets == {(33.333, 333)}
    base = {"model": {"kind": "gru"}, "tokenizer": "unigram-2k", "seeds": [1, 2], "training": {"max_epochs": 2}}
    study = study_with({"base": None, "run": base, "grid": {"model.hidden": [8, 16, 32]}, "max_seconds": 60})
    trained = runs_of(study)["sizes.2"].training
    assert (trained.max_seconds, trained.max_tokens, trained.max_epochs) == (10, None, None)
    assert trained.learning_rate == 0.008  # of the study's training, which holds for a run written here as well
    unlimited = runs_of(study_with({"grid": {"model.hidden": [8]}}))["sizes.1"].training
    assert unlimited.max_tokens == 1_200_000


def test_twice_the_draws_with_twice_the_budget_leave_the_first_runs_as_they_are() -> None:
    few, many = (study_with({"random": RANDOM, "draws": 7 * n, "max_seconds": 100 * n}) for n in (1, 2))
    assert {name: runs_of(many)[name] for name in runs_of(few)} == runs_of(few)


def test_a_mapping_is_laid_over_and_a_kind_changed_alone_keeps_the_other_keys() -> None:
    study = study_with({"grid": {"model.kind": ["gru", "lstm"], "training": [{"optimiser": "sgd"}, {"patience": 9}]}})
    run = study.runs["sizes.1-1"]
    assert (run.model.kind, run.model.hidden, run.training.optimiser) == ("gru", 384, "sgd")
    assert (run.training.learning_rate, study.runs["sizes.1-2"].training.patience) == (0.008, 9)
    assert study.searched["sizes.1-2"]["values"] == {"model.kind": "gru", "training": {"patience": 9}}
    whole = study_with({"grid": {"model": [{"kind": "gru", "hidden": 8}, {"hidden": 8}]}})
    assert [whole.runs[name].model.embedding for name in ("sizes.1", "sizes.2")] == [
        256,
        192,
    ]  # the default of the other kind, and the base's


def test_values_are_recorded_as_the_run_has_them() -> None:
    study = study_with({"grid": {"training.learning_rate": ["1e-3"]}})  # which YAML reads as text
    assert study.searched["sizes.1"]["values"] == {"training.learning_rate": 0.001}


def test_runs_may_be_made_of_the_runs_of_a_search_and_be_searched_themselves() -> None:
    config = yaml.safe_load(CONFIG.read_text())
    runs = {
        "lstm-384": config["runs"]["lstm-384"],
        "both": {"model": {"kind": "ensemble", "members": ["sizes.1", "sizes.2.s1"]}},
    }
    study = study_with({"grid": {"model.hidden": [8, 16]}}, runs=runs)
    assert study.members["both.s1"] == ("sizes.1.s1", "sizes.2.s1")
    cached = study_with(
        {"base": None, "run": {"model": {"kind": "cache", "of": "lstm-384"}}, "grid": {"model.size": [5]}}
    )
    assert cached.members["sizes.1.s1"] == ("lstm-384.s1",)
    assert cached.runs["sizes.1"].tokenizer == "unigram-2k"


def test_a_study_may_have_searches_alone_but_not_nothing() -> None:
    search = {"base": None, "run": {"model": {"kind": "gru"}, "tokenizer": "unigram-2k"}, "grid": {"model.hidden": [8]}}
    assert list(study_with(search, runs={}).runs) == ["sizes.1"]
    with pytest.raises(SpecError, match="runs: missing; at least one must be given, or one of searches"):
        study_with(search, runs={}, searches={})


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"grid": {"model.hiden": [1]}}, r"searches\.sizes\.grid\.model\.hiden: unknown key; did you mean 'hidden'\?"),
        ({"grid": {"lr": [1]}}, r"searches\.sizes\.grid\.lr: unknown key; .*allowed here: model, tokenizer"),
        ({"grid": {"model.hidden": [8, "x"]}}, r"searches\.sizes\.grid\.model\.hidden: found 'x'; .*valid integer"),
        ({"grid": {"tokenizer": ["bpe"]}}, r"searches\.sizes\.grid\.tokenizer: found 'bpe'; allowed: unigram-2k"),
        ({"grid": {"tokenizer.size": [5]}}, r"searches\.sizes: in its run sizes\.1, tokenizer: found {'size': 5}"),
        ({"grid": {"model.kind": ["ltsm"]}}, r"searches\.sizes: in its run sizes\.1, model: found .*'lstm'"),
        (
            {"grid": {"training.precision": ["bfloat16"], "model.kind": ["mingru"]}},
            r"searches\.sizes\.grid\.training\.precision: found 'bfloat16'; a model of the kind mingru",
        ),
        (
            {"random": {"model.hidden": {"integers": [-9, -8]}}, "draws": 1},
            r"searches\.sizes\.random\.model\.hidden: found -\d; should be greater than or equal to 1",
        ),
        (
            {"random": {"model.hidden": {"uniform": [2, 1]}}, "draws": 1},
            r"uniform: found \[2\.0, 1\.0\]; the first must",
        ),
        (
            {"random": {"model.hidden": {"log_uniform": [0, 1]}}, "draws": 1},
            r"log_uniform: found .*both must be above 0",
        ),
        (
            {"random": {"model.hidden": {}}, "draws": 1},
            r"searches\.sizes\.random\.model\.hidden: found none; allowed: one",
        ),
        ({"random": RANDOM}, r"searches\.sizes: draws: found None; it must be given with random"),
        ({"grid": GRID, "draws": 3}, r"searches\.sizes: draws: found 3; it must be given with random, and only then"),
        ({"grid": GRID, "random": RANDOM, "draws": 1}, r"random\.training\.learning_rate: found in grid as well"),
        ({}, r"searches\.sizes: found neither grid nor random"),
        ({"grid": GRID, "run": {}}, r"searches\.sizes: found both of base and run; one of them"),
        ({"grid": GRID, "base": "gru"}, r"searches\.sizes\.base: found 'gru'; allowed: lstm-384"),
        ({"grid": {"training.batch_size": [*range(20_000)]}}, r"searches\.sizes: found 20,000 runs; at most 10,000"),
        ({"grid": GRID, "max_tokens": 5}, r"searches\.sizes\.max_tokens: found 5 for 6 runs; each must get some"),
        (
            {"grid": {"training.max_steps": [5]}, "max_seconds": 9},
            r"searches\.sizes: grid\.training\.max_steps: found beside a total budget",
        ),
    ],
)
def test_what_cannot_be_searched_is_named_with_path_found_and_allowed(search: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        study_with(search)
