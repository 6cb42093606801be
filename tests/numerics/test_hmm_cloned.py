"""The blocks of the cloned model in float64, against the dense recursions over its tables written out."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from nextchapter.models.hidden_markov import forward_backward, posteriors, viterbi
from nextchapter.models.hmm_cloned import HmmCloned, HmmClonedSpec, allocate_clones
from nextchapter.models.protocol import IGNORED
from nextchapter.spec.base import SpecError
from nextchapter.tokens.stream import TokenStream

TOKENS, STATES = 6, 17
EXACT = {"rtol": 1e-10, "atol": 1e-12}


@pytest.fixture
def model() -> HmmCloned:
    torch.manual_seed(4)
    model = HmmCloned(TOKENS, HmmClonedSpec(states=STATES, pseudo_count=0.5, step_power=1.0)).double()
    shares = np.array([1, 1, 2, 5, 30, 60])
    model.prepare(TokenStream(np.repeat(np.arange(TOKENS), shares), np.array([0, 99])), end_of_chapter=0)
    return model


def _sequences(batch: int, time: int) -> Tensor:
    return torch.randint(TOKENS, (batch, time), generator=torch.Generator().manual_seed(2))


def test_clones_go_by_the_square_root_of_counts_and_each_token_has_one() -> None:
    assert allocate_clones(np.array([100, 25, 4, 1]) / 130, 40).tolist() == [1 + 20, 1 + 10, 1 + 4, 1 + 2]
    assert allocate_clones(np.array([0.9, 0.1, 0.0]), 3).tolist() == [1, 1, 1]
    shares = np.random.default_rng(0).random(50)
    assert allocate_clones(shares / shares.sum(), 777).sum() == 777


def test_fewer_states_than_tokens_are_refused() -> None:
    with pytest.raises(SpecError, match="states: found 5; must be at least 6"):
        HmmCloned(TOKENS, HmmClonedSpec(states=5))


def test_the_tables_are_distributions_and_each_state_emits_its_token(model: HmmCloned) -> None:
    tables = model.probabilities()
    torch.testing.assert_close(tables.transition.sum(dim=1), torch.ones(STATES).double(), **EXACT)
    torch.testing.assert_close(tables.start.sum(), torch.tensor(1.0).double(), **EXACT)
    assert (tables.emission.sum(dim=0) == 1).all()
    clones = tables.emission.sum(dim=1).tolist()
    assert clones == sorted(clones)
    assert min(clones) >= 1


def test_scores_are_those_of_the_dense_recursion(model: HmmCloned) -> None:
    tables, sequence = model.probabilities(), _sequences(3, 9)
    everywhere = torch.ones_like(sequence, dtype=torch.bool)
    dense = forward_backward(tables.start.expand(3, -1), tables.transition, tables.emission, sequence, everywhere)
    nats, _ = model.score(sequence[:, :-1], sequence[:, 1:], model.initial_state(3))
    torch.testing.assert_close(nats, dense.nats[:, 1:], **EXACT)


def test_a_batch_counts_what_the_dense_e_step_counts(model: HmmCloned) -> None:
    tables, sequence = model.probabilities(), _sequences(3, 9)
    targets = sequence[:, 1:].clone()
    targets[2, 5:] = IGNORED
    kept = torch.cat([torch.ones(3, 1, dtype=torch.bool), targets != IGNORED], dim=1)
    dense = forward_backward(tables.start.expand(3, -1), tables.transition, tables.emission, sequence, kept)
    before = model.scale * model.transition_counts
    nats, _ = model.learn(sequence[:, :-1], targets, model.initial_state(3))
    torch.testing.assert_close(nats, dense.nats[:, 1:], **EXACT)
    after = model.scale * model.transition_counts
    weight = float(model.training_tokens) / int(kept[:, 1:].sum())
    torch.testing.assert_close(after, before / 2 + dense.transitions * weight / 2, **EXACT)
    torch.testing.assert_close(model.leaving_counts, model.transition_counts.sum(dim=1), **EXACT)


def test_batches_of_different_sizes_count_by_their_tokens() -> None:
    """A clone each: the path is known, so with kappa = 1 all batches are one count of neighbouring tokens."""
    torch.manual_seed(0)
    model = HmmCloned(TOKENS, HmmClonedSpec(states=TOKENS, step_power=1.0)).double()
    first, text = model.scale * model.transition_counts, _sequences(2, 13)
    for start, stop in ((0, 5), (5, 10), (10, 12)):  # 10, 10 and 4 targets
        model.learn(text[:, start:stop], text[:, start + 1 : stop + 1], model.initial_state(2))
    pairs = (text[:, :-1] * TOKENS + text[:, 1:]).flatten()
    scaled = torch.bincount(pairs, minlength=TOKENS**2).view(TOKENS, TOKENS) * model.training_tokens / 24
    after = model.scale * model.transition_counts
    torch.testing.assert_close(after, (10 * first + 24 * scaled) / (10 + 24), **EXACT)


def test_the_state_is_carried_from_batch_to_batch(model: HmmCloned) -> None:
    """Two batches read the second half with what the first half told; parameters are those of then."""
    sequence = _sequences(2, 11)
    _, state = model.score(sequence[:, :5], sequence[:, 1:6], model.initial_state(2))
    expected, _ = model.score(sequence[:, 5:-1], sequence[:, 6:], state)
    nats, _ = model.learn(sequence[:, 5:-1], sequence[:, 6:], state)
    torch.testing.assert_close(nats, expected, **EXACT)


def test_em_never_lowers_the_penalised_likelihood(model: HmmCloned) -> None:
    """ln p + pseudo_count * sum of prior * ln A: what the M-step with pseudo-counts climbs (Dempster et al., 1977)."""
    sequence, prior = _sequences(4, 40), model.probabilities().start
    reached = []
    for _ in range(30):
        tables = model.probabilities()
        penalty = 0.5 * float((prior * tables.transition.log()).sum())
        model.tokens_seen.fill_(-4 * 39)  # a step size of one: all that is kept is what this batch says
        model.first_batch_tokens.fill_(4 * 39)
        model.training_tokens.fill_(4 * 39)
        nats, _ = model.learn(sequence[:, :-1], sequence[:, 1:], model.initial_state(4))
        reached.append(penalty - float(nats.sum()))
    assert np.diff(reached).min() > -1e-9
    assert reached[-1] > reached[0] + 5


def test_viterbi_and_posteriors_stay_with_the_clones_of_each_token(model: HmmCloned) -> None:
    tables, tokens = model.probabilities(), _sequences(1, 12)[0]
    owner = tables.emission.argmax(dim=0)
    path, log_probability = viterbi(tables, tokens)
    assert owner[path].tolist() == tokens.tolist()
    nats, _ = model.score(tokens[None, :-1], tokens[None, 1:], model.initial_state(1))
    first = math.log(float(tables.emission[tokens[0]] @ tables.start))
    assert log_probability < first - float(nats.sum())
    posterior = posteriors(tables, tokens)
    torch.testing.assert_close((posterior @ tables.emission.T).argmax(dim=1), tokens)
