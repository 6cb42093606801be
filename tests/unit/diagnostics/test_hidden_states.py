from pathlib import Path

import numpy as np
import pytest
import torch

from nextchapter.diagnostics.hidden_states import label_tokens, list_states, stationary_shares
from nextchapter.models.hidden_markov import posteriors, viterbi
from nextchapter.models.hmm import Hmm, HmmSpec
from nextchapter.report.figures import save_figure
from nextchapter.report.states import draw_posteriors

SPELLINGS = [" the", " a", " cat", " dog", "."]


@pytest.fixture
def model() -> Hmm:
    """Articles, animals, full stops: three states that take turns."""
    model = Hmm(5, HmmSpec(states=3, pseudo_count=1e-6)).double()
    model.transition_counts.copy_(torch.tensor([[0, 9, 1], [0, 0, 10], [10, 0, 0]]))
    model.emission_counts.copy_(torch.tensor([[7, 3, 0, 0, 0], [0, 0, 6, 4, 0], [0, 0, 0, 0, 10]]).T)
    return model.eval()


def test_each_token_has_the_label_that_only_it_can_have(model: Hmm) -> None:
    table = label_tokens(model, np.array([0, 2, 4, 1, 3], dtype=np.uint16), SPELLINGS)
    assert table["token"].tolist() == [" the", " cat", ".", " a", " dog"]
    assert table["state"].tolist() == [0, 1, 2, 0, 1]
    assert table["posterior"].to_numpy() == pytest.approx(np.ones(5), abs=1e-5)


def test_states_stand_in_the_order_of_their_shares_with_their_tokens(model: Hmm) -> None:
    table = list_states(model, SPELLINGS, most_tokens=2)
    shares = torch.tensor([10, 9, 10]) / 29  # 0 -> 1 in nine of ten rounds
    torch.testing.assert_close(stationary_shares(model.probabilities()), shares.double(), rtol=1e-5, atol=1e-6)
    articles = table[table["state"] == 0]
    assert articles["token"].tolist() == [" the", " a"]
    assert articles["probability"].to_numpy() == pytest.approx([0.7, 0.3], abs=1e-6)
    assert articles["next_token"].tolist() == [" cat", " dog"]
    assert articles["next_probability"].to_numpy() == pytest.approx([0.54, 0.36], abs=1e-6)
    assert table["state"].tolist()[-1] == 1
    assert len(list_states(model, SPELLINGS, most_states=1, most_tokens=9)) == 5


def test_the_figure_is_drawn_and_its_bytes_depend_on_the_passage_alone(model: Hmm, tmp_path: Path) -> None:
    tables, passage = model.probabilities(), torch.tensor([0, 2, 4, 1, 3])
    path, _ = viterbi(tables, passage)
    read = posteriors(tables, passage).numpy(), path.numpy(), [SPELLINGS[token] for token in passage], ["a", "b", "c"]
    for name in ("one", "two"):
        save_figure(lambda: draw_posteriors(*read), tmp_path / f"{name}.svg", tmp_path / f"{name}.png")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    axes = draw_posteriors(*read).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["the", "cat", ".", "a", "dog"]
