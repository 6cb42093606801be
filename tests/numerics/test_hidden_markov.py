"""Forward-backward, Viterbi and EM in float64: against all paths written out, autograd, and hmmlearn."""

import itertools
import math

import numpy as np
import pytest
import torch
from hmmlearn.hmm import CategoricalHMM
from torch import Tensor

from nextchapter.models.hidden_markov import (
    Smoothed,
    Tables,
    count_emissions,
    forward_backward,
    normalise,
    step_size,
    viterbi,
)
from nextchapter.models.hmm import Hmm, HmmSpec
from nextchapter.models.protocol import IGNORED

STATES, TOKENS = 3, 4
EXACT = {"rtol": 1e-10, "atol": 1e-12}


def make_tables(states: int = STATES, tokens: int = TOKENS, seed: int = 0) -> Tables:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return normalise(torch.rand(*shape, generator=generator, dtype=torch.float64))

    return Tables(draw(states), draw(states, states), draw(states, tokens).T.contiguous())


def make_sequences(batch: int, time: int, tokens: int = TOKENS, seed: int = 1) -> Tensor:
    return torch.randint(tokens, (batch, time), generator=torch.Generator().manual_seed(seed))


def smooth(tables: Tables, sequences: Tensor, kept: Tensor | None = None) -> Smoothed:
    start = tables.start.expand(len(sequences), -1)
    everywhere = torch.ones_like(sequences, dtype=torch.bool)
    return forward_backward(start, tables.transition, tables.emission, sequences, everywhere if kept is None else kept)


def em_step(tables: Tables, sequences: Tensor) -> tuple[Tables, float]:
    """Return the tables after one step of Baum and Welch, and the log-likelihood before it."""
    smoothed = smooth(tables, sequences)
    everywhere = torch.ones_like(sequences, dtype=torch.bool)
    emissions = count_emissions(smoothed.posterior, sequences, everywhere, len(tables.emission))
    start = normalise(smoothed.posterior[:, 0].sum(dim=0))
    return Tables(start, normalise(smoothed.transitions), normalise(emissions.T).T), -float(smoothed.nats.sum())


def enumerate_paths(tables: Tables, tokens: list[int]) -> dict[tuple[int, ...], float]:
    """Return p(path, tokens) of each path of states."""
    start, transition, emission = (table.tolist() for table in tables)
    probabilities = {}
    for path in itertools.product(range(len(start)), repeat=len(tokens)):
        steps = [transition[before][after] for before, after in itertools.pairwise(path)]
        emitted = [emission[token][state] for token, state in zip(tokens, path, strict=True)]
        probabilities[path] = math.prod([start[path[0]], *steps, *emitted])
    return probabilities


@pytest.mark.parametrize("seed", range(3))
def test_likelihood_posterior_counts_and_viterbi_are_those_of_all_paths(seed: int) -> None:
    tables, tokens = make_tables(seed=seed), make_sequences(1, 6, seed=seed + 10)
    paths = enumerate_paths(tables, tokens[0].tolist())
    total = sum(paths.values())
    smoothed = smooth(tables, tokens)
    assert float(smoothed.nats.sum()) == pytest.approx(-math.log(total), rel=1e-12)
    posterior = torch.zeros(6, STATES, dtype=torch.float64)
    transitions = torch.zeros(STATES, STATES, dtype=torch.float64)
    for path, probability in paths.items():
        for time, state in enumerate(path):
            posterior[time, state] += probability / total
        for before, after in itertools.pairwise(path):
            transitions[before, after] += probability / total
    torch.testing.assert_close(smoothed.posterior[0], posterior, **EXACT)
    torch.testing.assert_close(smoothed.transitions, transitions, **EXACT)
    path, log_probability = viterbi(tables, tokens[0])
    best = max(paths, key=paths.__getitem__)
    assert tuple(path.tolist()) == best
    assert log_probability == pytest.approx(math.log(paths[best]), rel=1e-12)


def test_viterbi_leaves_out_states_that_cannot_emit_a_token_and_says_where_no_path_is_left() -> None:
    tables, tokens = make_tables(states=6), make_sequences(1, 7)[0]
    owner = torch.arange(6) % TOKENS
    cloned = tables._replace(emission=(torch.arange(TOKENS)[:, None] == owner).double())
    path, log_probability = viterbi(cloned, tokens)
    assert owner[path].tolist() == tokens.tolist()
    assert log_probability == pytest.approx(math.log(max(enumerate_paths(cloned, tokens.tolist()).values())))
    stuck = cloned._replace(transition=torch.eye(6).double())
    with pytest.raises(ValueError, match="no path of states emits the 7 tokens"):
        viterbi(stuck, tokens)


def test_what_stands_behind_the_end_of_a_sequence_changes_nothing() -> None:
    tables, tokens = make_tables(), make_sequences(2, 6)
    kept = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    together = smooth(tables, tokens, kept)
    whole, cut = smooth(tables, tokens[:1]), smooth(tables, tokens[1:, :4])
    torch.testing.assert_close(together.nats[1, :4], cut.nats[0], **EXACT)
    assert together.nats[1, 4:].tolist() == [0.0, 0.0]
    torch.testing.assert_close(together.posterior[1, :4], cut.posterior[0], **EXACT)
    torch.testing.assert_close(together.transitions, whole.transitions + cut.transitions, **EXACT)


def test_em_never_lowers_the_likelihood() -> None:
    tables, sequences = make_tables(5, 7), make_sequences(4, 30, tokens=7)
    log_likelihoods = []
    for _ in range(40):
        tables, log_likelihood = em_step(tables, sequences)
        log_likelihoods.append(log_likelihood)
    gains = np.diff(log_likelihoods)
    assert gains.min() > -1e-9
    assert gains.sum() > 20


def test_the_gradient_of_the_log_likelihood_is_the_expected_counts() -> None:
    """d ln p / d ln A_ij = E[times i -> j], and likewise for B (Salakhutdinov et al., 2003)."""
    tables, sequences = make_tables(), make_sequences(3, 8)
    logs = [table.log().requires_grad_() for table in (tables.transition, tables.emission)]
    nats = sum(-torch.log(_likelihood(tables.start, logs[0].exp(), logs[1].exp(), sequence)) for sequence in sequences)
    assert isinstance(nats, Tensor)
    by_transition, by_emission = torch.autograd.grad(-nats, logs)
    smoothed = smooth(tables, sequences)
    torch.testing.assert_close(smoothed.transitions, by_transition, **EXACT)
    everywhere = torch.ones_like(sequences, dtype=torch.bool)
    emissions = count_emissions(smoothed.posterior, sequences, everywhere, TOKENS)
    torch.testing.assert_close(emissions, by_emission, **EXACT)


def _likelihood(start: Tensor, transition: Tensor, emission: Tensor, tokens: Tensor) -> Tensor:
    alpha = start * emission[tokens[0]]
    for token in tokens[1:]:
        alpha = alpha @ transition * emission[token]
    return alpha.sum()


@pytest.mark.parametrize(("states", "tokens"), [(5, 12), (8, 20)])
def test_hmmlearn_agrees_on_score_path_and_one_em_step(states: int, tokens: int) -> None:
    tables, sequences = make_tables(states, tokens), make_sequences(5, 40, tokens)
    peer = CategoricalHMM(states, n_features=tokens, n_iter=1, init_params="", implementation="scaling")
    peer.startprob_, peer.transmat_ = tables.start.numpy(), tables.transition.numpy()
    peer.emissionprob_ = tables.emission.T.numpy()
    column, lengths = sequences.reshape(-1, 1).numpy(), [40] * 5
    after, log_likelihood = em_step(tables, sequences)
    assert log_likelihood == pytest.approx(peer.score(column, lengths), rel=1e-12)
    for sequence in sequences:
        their_log_probability, their_path = peer.decode(sequence[:, None].numpy())
        path, log_probability = viterbi(tables, sequence)
        assert path.tolist() == their_path.tolist()
        assert log_probability == pytest.approx(their_log_probability, rel=1e-12)
    peer.fit(column, lengths)
    torch.testing.assert_close(after.start, torch.from_numpy(peer.startprob_), **EXACT)
    torch.testing.assert_close(after.transition, torch.from_numpy(peer.transmat_), **EXACT)
    torch.testing.assert_close(after.emission.T, torch.from_numpy(peer.emissionprob_), **EXACT)


def test_a_batch_moves_the_counts_of_the_model_towards_what_it_expects() -> None:
    """`learn` against the E-step written out: transitions into each target, and the emission of each target."""
    torch.manual_seed(0)
    model = Hmm(TOKENS, HmmSpec(states=STATES, step_power=1.0)).double()
    sequence = make_sequences(2, 6)
    tokens, targets = sequence[:, :-1], sequence[:, 1:].clone()
    targets[1, 3:] = IGNORED
    tables, before = model.probabilities(), [model.transition_counts.clone(), model.emission_counts.clone()]
    nats, state = model.learn(tokens, targets, model.initial_state(2))
    expected, after_it = _learn_by_hand(tables, sequence, lengths=[6, 4])
    for kept, counted, learnt in zip(before, expected, [model.transition_counts, model.emission_counts], strict=True):
        torch.testing.assert_close(learnt, kept / 2 + counted * TOKENS / 8 / 2, **EXACT)  # (t + 1)^-1 = 1/2
    torch.testing.assert_close(state[0], after_it, **EXACT)
    log_likelihood = smooth(tables, sequence[:1]).nats[0, 1:]
    torch.testing.assert_close(nats[0], log_likelihood, **EXACT)
    assert nats[1, 3:].tolist() == [0.0, 0.0]


def _learn_by_hand(tables: Tables, sequences: Tensor, lengths: list[int]) -> tuple[list[Tensor], Tensor]:
    transitions = torch.zeros(STATES, STATES, dtype=torch.float64)
    emissions = torch.zeros(TOKENS, STATES, dtype=torch.float64)
    for sequence, length in zip(sequences.tolist(), lengths, strict=True):
        tokens = sequence[:length]
        paths = enumerate_paths(tables, tokens)
        total = sum(paths.values())
        for path, probability in paths.items():
            for time in range(1, length):
                transitions[path[time - 1], path[time]] += probability / total
                emissions[tokens[time], path[time]] += probability / total
    read = enumerate_paths(tables, sequences[0, :5].tolist())
    last = torch.zeros(STATES, dtype=torch.float64)
    for path, probability in read.items():
        last[path[-1]] += probability / sum(read.values())
    return [transitions, emissions], last @ tables.transition


def test_batches_of_different_sizes_count_by_their_tokens() -> None:
    """With one state the posterior is 1 whatever the tables, so with kappa = 1 all batches are one count of tokens."""
    model = Hmm(TOKENS, HmmSpec(states=1, step_power=1.0)).double()
    first, text = model.emission_counts.clone(), make_sequences(2, 13)
    for start, stop in ((0, 5), (5, 10), (10, 12)):  # 10, 10 and 4 targets
        model.learn(text[:, start:stop], text[:, start + 1 : stop + 1], model.initial_state(2))
    counted = torch.bincount(text[:, 1:].flatten(), minlength=TOKENS)[:, None]
    scaled = counted * model.training_tokens / 24
    torch.testing.assert_close(model.emission_counts, (10 * first + 24 * scaled) / (10 + 24), **EXACT)


@pytest.mark.parametrize("power", [0.51, 0.6, 0.9, 1.0])
def test_a_batch_in_parts_keeps_of_the_counts_what_it_keeps_whole(power: float) -> None:
    whole = 1 - step_size(3.0, 5.0, power)
    parts = [1 - step_size(start, stop, power) for start, stop in ((3.0, 3.1), (3.1, 4.5), (4.5, 5.0))]
    assert math.prod(parts) == pytest.approx(whole, rel=1e-12)
    assert step_size(1e4, 1e4 + 1, power) == pytest.approx(1e4**-power, rel=1e-2)  # that of Cappe (2011)
    assert all(0 < step_size(before, before + size, power) < 1 for before in (0.0, 7.0) for size in (1e-6, 1.0, 30.0))


def test_probabilities_stay_numbers_where_the_data_are_extreme() -> None:
    """One token over and over, others never: hmmlearn ends in NaN on rows without counts."""
    torch.manual_seed(0)
    model = Hmm(50, HmmSpec(states=20))
    tokens = torch.zeros(2, 400, dtype=torch.int64)
    for _ in range(60):
        model.learn(tokens, tokens, model.initial_state(2))
    assert all(bool((table > 0).all()) and bool(torch.isfinite(table).all()) for table in model.probabilities())
    rare = torch.full((2, 400), 49)
    nats, _ = model.score(rare, rare, model.initial_state(2))
    assert bool(torch.isfinite(nats).all())
