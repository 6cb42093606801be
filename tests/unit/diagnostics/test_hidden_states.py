import numpy as np
import pytest
import torch

from nextchapter.diagnostics.hidden_states import (
    label_tokens,
    list_states,
    list_tokens,
    name_states,
    read_passage,
    stationary_shares,
)
from nextchapter.models.hmm import Hmm, HmmSpec

SPELLINGS = ["the", "a", "cat", "dog", ".", "end of chapter"]


@pytest.fixture
def model() -> Hmm:
    """Articles, animals, full stops: three states that take turns; a chapter begins behind a full stop."""
    model = Hmm(6, HmmSpec(states=3, pseudo_count=1e-6)).double()
    model.transition_counts.copy_(torch.tensor([[0, 9, 1], [0, 0, 10], [10, 0, 0]]))
    model.emission_counts.copy_(torch.tensor([[7, 3, 0, 0, 0, 0], [0, 0, 6, 4, 0, 0], [0, 0, 0, 0, 9, 1]]).T)
    return model.eval()


def test_each_token_has_the_label_that_only_it_can_have(model: Hmm) -> None:
    reading = read_passage(model.probabilities(), np.array([0, 2, 4, 1, 3], dtype=np.uint16), end_of_chapter=5)
    table = label_tokens(reading, ["the", " cat", ".", " a", " dog"])
    assert table["token"].tolist() == ["the", " cat", ".", " a", " dog"]
    assert table["state"].tolist() == [0, 1, 2, 0, 1]
    assert table["posterior"].to_numpy() == pytest.approx(np.ones(5), abs=1e-5)
    assert reading.posterior.sum(axis=1) == pytest.approx(np.ones(5))


def test_states_stand_in_the_order_of_their_shares_and_say_where_they_lead(model: Hmm) -> None:
    tables = model.probabilities()
    shares = stationary_shares(tables)
    exact = torch.tensor([10, 9, 10]) / 29  # 0 -> 1 in nine of ten rounds
    torch.testing.assert_close(shares, exact.double(), rtol=1e-5, atol=1e-6)
    table = list_states(tables, shares)
    assert table["state"].tolist()[-1] == 1
    first = table.set_index("state").loc[0]
    assert first["next_states"].startswith("1 (90%), 2 (10%)")
    assert first["mean_tokens"] == pytest.approx(1, abs=1e-6)
    assert len(list_states(tables, shares, most_states=2)) == 2


def test_a_state_that_stays_lasts_as_a_geometric_distribution_does(model: Hmm) -> None:
    model.transition_counts[1] = torch.tensor([0, 3, 1])
    tables = model.probabilities()
    row = list_states(tables, stationary_shares(tables)).set_index("state").loc[1]
    assert (row["stays"], row["mean_tokens"]) == (pytest.approx(0.75, abs=1e-6), pytest.approx(4, abs=1e-5))


def test_states_are_told_by_their_tokens_and_by_what_follows(model: Hmm) -> None:
    model.emission_counts[5, 2] = 0
    table = list_tokens(model.probabilities(), [0, 2], SPELLINGS, most_tokens=2)
    articles = table[table["state"] == 0]
    assert articles["token"].tolist() == ["the", "a"]
    assert articles["probability"].to_numpy() == pytest.approx([0.7, 0.3], abs=1e-6)
    assert articles["next_token"].tolist() == ["cat", "dog"]
    assert articles["next_probability"].to_numpy() == pytest.approx([0.54, 0.36], abs=1e-6)
    assert name_states(table) == {0: "the · a", 2: ". → the · a"}


def test_tokens_that_a_state_never_emits_are_not_named() -> None:
    tables = Hmm(6, HmmSpec(states=3)).probabilities()
    only = tables._replace(
        emission=torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 0.5], [0, 0, 0.5], [0, 0, 0], [0, 0, 0]])
    )
    table = list_tokens(only, [2], SPELLINGS, most_tokens=3)
    assert table["token"].tolist() == ["cat", "dog", ""]
    assert name_states(table) == {2: "cat · dog"}
