"""What the hidden Markov models share: forward-backward, Viterbi, counts, and EM in steps.

    p(z_1 = i) = start_i,   p(z_{t+1} = j | z_t = i) = A_ij,   p(w_t = w | z_t = i) = B_iw

The recursions are those of Rabiner (1989, section III and V.A), scaled at each step so that nothing underflows, and
without logarithms: each is a product of matrices over the whole batch. Equations and sources: docs/models/hmm.md.
"""

import math
from abc import abstractmethod
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nextchapter.models.protocol import IGNORED, HiddenLanguageModel, LanguageModel, OnlineLearner, State
from nextchapter.spec.models import EmSpec
from nextchapter.tokens.stream import TokenStream


class Tables(NamedTuple):
    """The probabilities of a hidden Markov model."""

    start: Float[Tensor, " state"]
    """p(first state)."""
    transition: Float[Tensor, "state state"]
    """p(next state | state); a row is the current state."""
    emission: Float[Tensor, "token state"]
    """p(token | state); a column is a distribution, so that all that a token says lies in one row."""


class Smoothed(NamedTuple):
    """What forward-backward tells of sequences."""

    nats: Float[Tensor, "batch time"]
    """-ln p(token | those before); 0 where nothing stands."""
    posterior: Float[Tensor, "batch time state"]
    """p(state at a time | the whole sequence): gamma of Rabiner (1989, eq. 27)."""
    transitions: Float[Tensor, "state state"]
    """Expected number of times that a state followed a state: the sum of xi (eq. 37) over all times and sequences."""
    belief: Float[Tensor, "batch state"]
    """p(last state | the tokens before the last one)."""


class HiddenMarkovModel(LanguageModel):
    """A language model whose state is what is believed of the hidden state; a family gives its tables."""

    @abstractmethod
    def probabilities(self) -> Tables:
        """Return the model written out as tables."""


class OnlineEm(OnlineLearner, HiddenMarkovModel):
    """A hidden Markov model that learns by online expectation-maximisation (Cappe and Moulines, 2009; Cappe, 2011).

    Batch t gives expected counts, scaled to the size of the training split; the counts kept are moved towards them,
    S <- (1 - gamma_t) S + gamma_t S_t; the probabilities are those of the counts kept. gamma_t follows from the tokens
    of the batch (`step_size`), so that a short batch moves them less.
    """

    unigram: Tensor
    training_tokens: Tensor
    first_batch_tokens: Tensor
    tokens_seen: Tensor

    def __init__(self, vocabulary_size: int, spec: EmSpec) -> None:
        """Make room for what all need: the share of each token, and how much was read."""
        super().__init__()
        self.vocabulary_size, self.states = vocabulary_size, spec.states
        self.pseudo_count, self.step_power = spec.pseudo_count, spec.step_power
        self.register_buffer("unigram", torch.full((vocabulary_size,), 1 / vocabulary_size))
        self.register_buffer("training_tokens", torch.tensor(vocabulary_size))
        self.register_buffer("first_batch_tokens", torch.tensor(0))
        self.register_buffer("tokens_seen", torch.tensor(0))

    def prepare(self, stream: TokenStream, end_of_chapter: int) -> None:
        """Count the tokens, each once more than it occurs."""
        del end_of_chapter
        counts = torch.from_numpy(stream.counts(self.vocabulary_size)) + 1
        self.training_tokens.copy_(counts.sum())
        self.unigram.copy_(counts / counts.sum())

    def next_step_size(self, tokens: int) -> float:
        """Return gamma of the next batch, which is then counted as seen.

        Args:
            tokens: how many the batch counts.
        """
        if not self.first_batch_tokens:
            self.first_batch_tokens.fill_(tokens)
        before = int(self.tokens_seen) / int(self.first_batch_tokens)
        self.tokens_seen += tokens
        return step_size(before, int(self.tokens_seen) / int(self.first_batch_tokens), self.step_power)


def step_size(before: float, after: float, power: float) -> float:
    """Return gamma of a batch of online EM, between 0 and 1: 1 - exp(-integral of (x + 1)^-kappa from before to after).

    That is the step size (t + 1)^-kappa of Cappe (2011), followed continuously, so that a batch weighs by its tokens:
    two halves leave of the counts what the whole does. With kappa = 1 the counts kept are the mean over all tokens, in
    which the first counts have the weight of one batch.

    Args:
        before: tokens read so far, in sizes of the first batch.
        after: with those of this batch.
        power: kappa.
    """
    start, end = 1 + before, 1 + after
    if power == 1:
        return 1 - start / end
    return -math.expm1((start ** (1 - power) - end ** (1 - power)) / (1 - power))


def in_sequence(
    tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"]
) -> tuple[Int[Tensor, "batch time+1"], Bool[Tensor, "batch time+1"]]:
    """Return what a batch shows, its last target included, and where something stands."""
    kept = torch.cat([torch.ones_like(targets[:, :1], dtype=torch.bool), targets != IGNORED], dim=1)
    following = targets[:, -1:].where(kept[:, -1:], 0)
    return torch.cat([tokens, following], dim=1), kept


def forward_backward(
    start: Float[Tensor, "batch state"],
    transition: Float[Tensor, "state state"],
    emission: Float[Tensor, "token state"],
    tokens: Int[Tensor, "batch time"],
    kept: Bool[Tensor, "batch time"],
) -> Smoothed:
    """Return what is known of the hidden states of each sequence once it is read whole.

    Scaled as in Rabiner (1989, section V.A): alpha_t sums to one, and its scale is p(token | those before).

    Args:
        start: p(first state) of each sequence.
        transition: p(next state | state).
        emission: p(token | state).
        tokens: the sequences.
        kept: False where a sequence has ended.
    """
    seen = emission.index_select(0, tokens.T.flatten()).view(*tokens.T.shape, -1)  # [time batch state]
    is_padded = not kept.all()
    if is_padded:
        seen.masked_fill_(~kept.T[..., None], 1.0)
    filtered, scales = torch.empty_like(seen), seen.new_empty(*seen.shape[:2], 1)
    belief = torch.empty_like(start).copy_(start)
    for likelihood, joint, scale in zip(seen, filtered, scales, strict=True):
        torch.mul(belief, likelihood, out=joint)
        torch.sum(joint, dim=-1, keepdim=True, out=scale)
        joint /= scale
        torch.mm(joint, transition, out=belief)
    later, backwards = torch.empty_like(seen), transition.T.contiguous()
    later[-1] = 1
    ahead = seen.div_(scales)  # becomes p(w_t | z_t) beta_t / scale_t
    for time in range(len(seen) - 1, 0, -1):
        torch.mm(ahead[time].mul_(later[time]), backwards, out=later[time - 1])
    moved = ahead[1:].mul_(kept.T[1:, :, None]) if is_padded else ahead[1:]
    transitions = transition * (filtered[:-1].flatten(0, 1).T @ moved.flatten(0, 1))
    nats = -scales[..., 0].log().T.where(kept, 0.0)
    belief = filtered[-2] @ transition if len(filtered) > 1 else start
    return Smoothed(nats, filtered.mul_(later).transpose(0, 1), transitions, belief)


def count_emissions(
    posterior: Float[Tensor, "batch time state"],
    tokens: Int[Tensor, "batch time"],
    kept: Bool[Tensor, "batch time"],
    vocabulary_size: int,
) -> Float[Tensor, "token state"]:
    """Return the expected number of times that a token was emitted by a state."""
    counts = posterior.new_zeros(vocabulary_size + 1, posterior.shape[-1])  # the last row takes what is not kept
    rows = tokens.where(kept, vocabulary_size).T.flatten()
    return counts.index_add_(0, rows, posterior.transpose(0, 1).flatten(0, 1))[:-1]


def normalise(
    counts: Float[Tensor, "*rows outcome"], pseudo_counts: Float[Tensor, "*#rows #outcome"] | float = 0.0
) -> Float[Tensor, "*rows outcome"]:
    """Return the M-step: the most probable distributions, of a row each, given counts and a Dirichlet prior."""
    smoothed = counts + pseudo_counts
    return smoothed / smoothed.sum(dim=-1, keepdim=True)


def viterbi(tables: Tables, tokens: Int[Tensor, " time"]) -> tuple[Int[Tensor, " time"], float]:
    """Return the most probable path of states, and ln p(path, tokens) (Rabiner, 1989, eqs. 32-35, with logarithms).

    States that cannot emit a token are left out at its place, so a model whose states emit few tokens costs little.

    Raises:
        ValueError: no path emits these tokens.
    """
    alive = [torch.nonzero(tables.emission[token])[:, 0] for token in tokens.tolist()]
    best, back = tables.start[alive[0]].log() + tables.emission[tokens[0], alive[0]].log(), []
    for before, now, token in zip(alive, alive[1:], tokens[1:], strict=False):
        best, from_where = (best[:, None] + tables.transition[before][:, now].log()).max(dim=0)
        best = best + tables.emission[token, now].log()
        back.append(from_where)
    if not torch.isfinite(best.max()):
        raise ValueError(f"no path of states emits the {len(tokens)} tokens")
    places = [best.argmax()]
    for from_where in reversed(back):
        places.append(from_where[places[-1]])
    path = [states[place] for states, place in zip(alive, reversed(places), strict=True)]
    return torch.stack(path), float(best.max())


def posteriors(tables: Tables, tokens: Int[Tensor, " time"]) -> Float[Tensor, "time state"]:
    """Return p(state at each place | the whole sequence)."""
    everywhere = torch.ones_like(tokens[None], dtype=torch.bool)
    smoothed = forward_backward(tables.start[None], tables.transition, tables.emission, tokens[None], everywhere)
    return smoothed.posterior[0]


def filter_beliefs(
    belief: Float[Tensor, "batch state"], tables: Tables, tokens: Int[Tensor, "batch time"]
) -> Float[Tensor, "batch time state"]:
    """Return p(next state | tokens so far) after each token.

    Args:
        belief: p(state of the first token), before it is read.
        tables: the model.
        tokens: the sequences.
    """
    beliefs = []
    for likelihood in tables.emission[tokens.T]:
        belief = normalise(belief * likelihood) @ tables.transition
        beliefs.append(belief)
    return torch.stack(beliefs, dim=1)


class BeliefState(HiddenLanguageModel, HiddenMarkovModel):
    """A hidden Markov model whose State is p(next state | tokens so far), over all states [batch state]."""

    def initial_state(self, batch: int) -> State:
        """Return p(first state)."""
        return self.probabilities().start.expand(batch, -1)

    def read(self, tokens: Int[Tensor, "batch time"], state: State) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """Return what is believed of the next state after each token."""
        beliefs = filter_beliefs(state, self.probabilities(), tokens)
        return beliefs, beliefs[:, -1]

    def predict(self, hidden: Float[Tensor, "batch time hidden"]) -> Float[Tensor, "batch time token"]:
        """Return ln p(next token): the emissions of the states, weighted by the belief in them."""
        return (hidden @ self.probabilities().emission.T).log()

    def cross_entropy(
        self, hidden: Float[Tensor, "batch time hidden"], targets: Int[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time"]:
        """Return -ln p(target), for which one row of the emissions is enough."""
        kept = targets != IGNORED
        chosen = (hidden * self.probabilities().emission[targets.where(kept, 0)]).sum(dim=-1)
        return -chosen.log().where(kept, 0.0)
