import json
from pathlib import Path

import numpy as np
import pytest
import torch

from nextchapter.models.onnx import export_step, flatten_state, state_names
from nextchapter.models.registry import build_model

MISSING = "torch's exporter needs packages: pip install -e '.[dev,onnx]' brings them"
pytest.importorskip("onnxscript", reason=MISSING)
onnxruntime = pytest.importorskip("onnxruntime", reason=MISSING)

VOCABULARY, BATCH, STEPS = 60, 3, 200
SMALL = {"hidden": 12, "embedding": 8}


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "elman", "activation": "sigmoid"},
        {"kind": "gru", "tied": False},
        {"kind": "lstm", "layers": 2},
        {"kind": "mingru", "tied": False, "adaptive": {"cutoffs": [20]}},
    ],
    ids=lambda spec: "-".join([spec["kind"], *[key for key in spec if key != "kind"]]),
)
def test_the_graph_steps_as_torch_does(spec: dict[str, object], tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = build_model({**SMALL, **spec}, VOCABULARY).eval()
    export_step(model, tmp_path / "step.onnx", {"run": "a.s1"})
    session = onnxruntime.InferenceSession(tmp_path / "step.onnx", providers=["CPUExecutionProvider"])
    assert json.loads(session.get_modelmeta().custom_metadata_map["nextchapter"]) == {"run": "a.s1"}
    names, state = state_names(model), model.initial_state(BATCH)
    assert [one.name for one in session.get_outputs()] == ["log_probs", *(f"next_{name}" for name in names)]
    carried = [tensor.numpy() for tensor in flatten_state(state)]
    for token in torch.randint(VOCABULARY, (STEPS, BATCH)):
        with torch.no_grad():
            expected, state = model.step(token, state)
        found, *carried = session.run(None, {"token": token.numpy(), **dict(zip(names, carried, strict=True))})
        np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-4)


def test_the_file_is_the_same_each_time_and_names_no_path_of_this_machine(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = build_model({**SMALL, "kind": "minlstm"}, VOCABULARY)
    for name in ("a", "b"):
        export_step(model, tmp_path / f"{name}.onnx", {})
    content = (tmp_path / "a.onnx").read_bytes()
    assert content == (tmp_path / "b.onnx").read_bytes()
    assert b".py" not in content


def test_a_model_that_is_no_recurrent_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="class Uniform; only recurrent networks"):
        export_step(build_model({"kind": "uniform"}, VOCABULARY), tmp_path / "step.onnx", {})
    assert not list(tmp_path.iterdir())
