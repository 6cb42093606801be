import json
import math
from typing import Any

import numpy as np
import pytest
import torch

from nextchapter.diagnostics.gradients import cut_windows, gradients_by_lag
from nextchapter.diagnostics.measurements import REFERENCES, cell_name, measure_network, missing_cells, rounded
from nextchapter.models.registry import build_model

TEXT = np.random.default_rng(0).integers(0, 9, 400)


def _network(vocabulary: int = 9, **spec: Any) -> Any:
    torch.manual_seed(1)
    return build_model({"kind": "lstm", "hidden": 4, "embedding": 3, "layers": 2, **spec}, vocabulary).eval()


def test_the_account_of_a_network_holds_what_was_measured() -> None:
    windows = cut_windows(TEXT, 6, 5)
    account = measure_network(_network(), windows, 5, 2)
    gradients = gradients_by_lag(_network().double(), windows, 5)
    assert account["norms"] == pytest.approx(gradients.state.mean(dim=1).tolist(), rel=1e-5)
    assert account["hidden_norms"] == pytest.approx(gradients.hidden.mean(dim=1).tolist(), rel=1e-5)
    assert 0 < account["decay"]["factor"] < 1
    first, second = account["jacobian"]
    assert (first["layer"], second["layer"]) == (1, 2)
    assert first["numbers"] == len(first["singular_values"]) == 8  # h and c of four units
    assert first["singular_values"] == sorted(first["singular_values"], reverse=True)
    assert first["spectral_radius"] == pytest.approx(np.mean(first["spectral_radii"]))
    assert set(account["gates"]) == {"input", "forget", "output"}
    json.dumps(account, allow_nan=False)


def test_a_vocabulary_of_one_token_teaches_nothing() -> None:
    account = measure_network(_network(1), cut_windows(np.zeros(50), 2, 4), 4, 1)
    assert account["norms"] == [0] * 5
    assert account["decay"] is None
    assert account["effective_memory"] == 0


def test_the_cells_that_a_study_lacks_have_the_size_of_its_first_run() -> None:
    own = {"kind": "elman", "activation": "tanh", "hidden": 24, "embedding": 12, "layers": 2, "tied": False}
    missing = missing_cells([own, {"kind": "gru", "hidden": 99}])
    assert set(missing) == {"Elman, ReLU", "Elman, sigmoid", "LSTM"}
    assert missing["Elman, ReLU"] == {**own, "activation": "relu"}
    assert missing_cells([]) == REFERENCES
    assert [cell_name(spec) for spec in REFERENCES.values()][2:] == ["elman (sigmoid)", "gru", "lstm"]


def test_what_is_no_number_is_null() -> None:
    assert rounded([1.23456789, math.nan, math.inf, 1e-80]) == [1.23457, None, None, 1e-80]
