from pathlib import Path
from typing import Any

import pytest
import yaml

from nextchapter.spec.base import SpecError
from nextchapter.spec.study import read_study

CONFIG = Path(__file__).parents[3] / "config/config.yaml"


def read_model(**model: Any) -> None:
    config = yaml.safe_load(CONFIG.read_text())
    read_study({**config, "runs": {"a": {"model": model, "tokenizer": "unigram-2k"}}})


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            {"kind": "gru", "recurrent_init": "identity"},
            r"runs\.a\.model: recurrent_init: found 'identity'; a cell with gates allows uniform, normal, orthogonal",
        ),
        (
            {"kind": "elman", "activation": "sigmoid", "recurrent_init": "identity"},
            r"runs\.a\.model: recurrent_init: found 'identity', which keeps a state with activation relu or tanh",
        ),
        ({"kind": "elman", "recurrent_init": "eye"}, r"runs\.a\.model\.recurrent_init: found 'eye'; .*'identity'"),
        ({"kind": "mingru", "recurrent_init": "uniform"}, r"runs\.a\.model\.recurrent_init: unknown key"),
        ({"kind": "minlstm", "recurrent_init": "orthogonal"}, r"runs\.a\.model\.recurrent_init: unknown key"),
        (
            {"kind": "lstm", "chrono_steps": 100, "forget_bias": 2},
            r"runs\.a\.model: forget_bias: found 2\.0; chrono_steps draws this bias",
        ),
        ({"kind": "lstm", "chrono_steps": 2}, r"runs\.a\.model\.chrono_steps: found 2; .*greater than or equal to 3"),
        ({"kind": "mingru", "weight_dropout": 0.5}, r"runs\.a\.model\.weight_dropout: unknown key"),
        ({"kind": "lstm", "weight_dropout": 1}, r"runs\.a\.model\.weight_dropout: found 1; .*less than 1"),
        ({"kind": "gru", "chrono_steps": 100}, r"runs\.a\.model\.chrono_steps: unknown key"),
    ],
)
def test_a_start_that_makes_no_sense_is_refused_by_name(model: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read_model(**model)


@pytest.mark.parametrize(
    ("model", "training", "message"),
    [
        (
            {"kind": "mingru"},
            {"precision": "bfloat16"},
            r"training\.precision: found 'bfloat16'; a model of the kind mingru",
        ),
        (
            {"kind": "lstm", "tied": False, "adaptive": {}},
            {"sampled_softmax": 100},
            r"training\.sampled_softmax: found 100; with model\.adaptive it must be null",
        ),
        (
            {"kind": "lstm"},
            {"sampled_softmax": 100, "label_smoothing": 0.1},
            r"training: label_smoothing: found 0\.1; with sampled_softmax it must be 0",
        ),
        (
            {"kind": "lstm"},
            {"random_truncation": True, "truncation": 8},
            r"training: truncation: found 8; .*at least 10",
        ),
        ({"kind": "lstm"}, {"random_truncation": True, "truncation": "chapter"}, r"truncation: found 'chapter'; with"),
        ({"kind": "lstm"}, {"weight_dropout": 0.5}, r"training\.weight_dropout: unknown key"),
    ],
)
def test_training_that_does_not_fit_is_refused_by_name(
    model: dict[str, Any], training: dict[str, Any], message: str
) -> None:
    config = yaml.safe_load(CONFIG.read_text())
    run = {"model": model, "tokenizer": "unigram-2k", "training": training}
    with pytest.raises(SpecError, match=message):
        read_study({**config, "runs": {"a": run}})


@pytest.mark.parametrize(
    "model",
    [
        {"kind": "elman", "activation": "relu", "recurrent_init": "identity"},
        {"kind": "elman", "activation": "tanh", "recurrent_init": "identity"},
        {"kind": "lstm", "chrono_steps": 3, "recurrent_init": "orthogonal"},
        {"kind": "gru", "recurrent_init": "normal"},
        {"kind": "minlstm", "forget_bias": 3},
    ],
)
def test_a_start_that_makes_sense_is_taken(model: dict[str, Any]) -> None:
    read_model(**model)
