"""The hidden Markov model with categorical emissions, trained by online EM (Baum et al., 1970; Cappe, 2011).

    p(w_1 ... w_T) = sum over z_1 ... z_T of start_{z_1} B_{z_1 w_1} A_{z_1 z_2} B_{z_2 w_2} ...

E-step: forward-backward gives the expected counts of transitions and emissions of a batch. M-step: the probabilities
are the counts, with pseudo-counts, divided by their sums. The model keeps counts, and computes probabilities from them.
"""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nextchapter.models.hidden_markov import (
    BeliefState,
    OnlineEm,
    Tables,
    count_emissions,
    forward_backward,
    in_sequence,
    normalise,
)
from nextchapter.models.protocol import State
from nextchapter.spec.models import EmSpec, Weights
from nextchapter.tokens.stream import TokenStream


class HmmSpec(EmSpec):
    """The hidden Markov model, Baum et al. (1970), by online EM, Cappe (2011)."""

    kind: Literal["hmm"] = "hmm"
    """Says which of the families this is."""

    def weights(self, vocabulary_size: int) -> Weights:
        """Return the numbers of emissions, which are looked up, and of transitions, which are multiplied."""
        return Weights(looked_up=self.states * vocabulary_size, recurrent=self.states**2)

    def operations_per_token(self, vocabulary_size: int, sequences: int, length: int) -> float:
        """Return those of the products, of passing over alpha, beta and the counts, and of all tables once a step."""
        tables = self.states * (vocabulary_size + self.states)
        return 2 * self.states**2 + 1300 * self.states + 340 * tables / (sequences * length)


class Hmm(OnlineEm, BeliefState):
    """Any state may follow any, and any state may emit any token."""

    tables = ("transition_counts", "emission_counts")
    transition_counts: Tensor
    emission_counts: Tensor

    def __init__(self, vocabulary_size: int, spec: HmmSpec) -> None:
        """Draw each distribution from all alike, Dirichlet(1): states that began equal would stay so."""
        super().__init__(vocabulary_size, spec)
        self.hidden_width = spec.states
        drawn = torch.empty(spec.states, spec.states).exponential_()
        self.register_buffer("transition_counts", drawn * vocabulary_size / spec.states**2)
        drawn = torch.empty(vocabulary_size, spec.states).exponential_()
        self.register_buffer("emission_counts", drawn / spec.states)

    def prepare(self, stream: TokenStream, end_of_chapter: int) -> None:
        """Bring the counts drawn to the size of the training split and the shares of its tokens."""
        super().prepare(stream, end_of_chapter)
        self.transition_counts *= self.training_tokens / self.vocabulary_size
        self.emission_counts *= (self.training_tokens * self.unigram)[:, None]

    def probabilities(self) -> Tables:
        """Return the probabilities that the counts say; at the start, the states have their shares of the stream."""
        emission = normalise(self.emission_counts.T, self.pseudo_count * self.unigram).T.contiguous()
        transition = normalise(self.transition_counts, self.pseudo_count / self.states)
        return Tables(normalise(self.emission_counts.sum(dim=0)), transition, emission)

    @torch.no_grad()
    def learn(
        self, tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time"], State]:
        """Score a batch, and move the counts towards those expected in it; each target counts once."""
        tables = self.probabilities()
        sequence, kept = in_sequence(tokens, targets)
        smoothed = forward_backward(state, tables.transition, tables.emission, sequence, kept)
        emissions = count_emissions(smoothed.posterior[:, 1:], sequence[:, 1:], kept[:, 1:], self.vocabulary_size)
        counted = int(kept[:, 1:].sum())
        scale, gamma = int(self.training_tokens) / counted, self.next_step_size(counted)
        self.transition_counts.lerp_(smoothed.transitions * scale, gamma)
        self.emission_counts.lerp_(emissions * scale, gamma)
        return smoothed.nats[:, 1:], smoothed.belief


MODEL, SPEC = Hmm, HmmSpec
