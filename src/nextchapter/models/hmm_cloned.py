"""The cloned hidden Markov model (Dedieu et al., 2019; George et al., 2021): each state emits one token only.

A token has several states, its clones; which of them is on tells in what context it stands. Of the transitions, a pair
of tokens v w concerns only those from the clones of v to the clones of w, so forward and backward run over blocks:

    alpha_t = alpha_{t-1} A[clones of w_{t-1}, clones of w_t] / scale_t,     p(w_t | those before) = scale_t

and the E-step adds to these blocks alone. That is exact: all other entries of alpha, beta and xi are 0.
"""

from typing import Annotated, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field
from torch import Tensor

from nextchapter.models.hidden_markov import OnlineEm, Tables, in_sequence, normalise
from nextchapter.models.protocol import IGNORED, State
from nextchapter.spec.base import SpecError
from nextchapter.spec.models import EmSpec, Weights
from nextchapter.tokens.stream import TokenStream

NOTHING_READ = -1
"""Stands for the last token where there is none."""


class HmmClonedSpec(EmSpec):
    """The hidden Markov model with cloned states, Dedieu et al. (2019), by online EM."""

    kind: Literal["hmm-cloned"] = "hmm-cloned"
    """Says which of the families this is."""
    states: Annotated[int, Field(ge=1, le=65536)] = 4096
    """Number of hidden states; no fewer than tokens. Memory grows with their square."""
    pseudo_count: Annotated[float, Field(gt=0)] = 30.0
    """Counts added to the transitions out of each state, shared out by how frequent the tokens are."""

    def weights(self, vocabulary_size: int) -> Weights:
        """Return the number of transitions; each step looks a block of them up."""
        del vocabulary_size
        return Weights(looked_up=self.states**2)

    def operations_per_token(self, vocabulary_size: int, sequences: int, length: int) -> float:
        """Return those of a block, as wide as the most frequent token has clones, and of starting each step in time.

        The most frequent of V tokens has about 0.32 / sqrt(V) of the clones, as word pieces of English prose have it.
        """
        del length
        width: float = 1 + 0.32 * max(0, self.states - vocabulary_size) / vocabulary_size**0.5
        return 2200 * width**2 + 10_400 * width + 7.5e6 / sequences


class Window(NamedTuple):
    """Where the clones of tokens stand: as many neighbouring states for each as the token with most clones has."""

    first: Int[Tensor, "*place"]
    """The first state of the window."""
    states: Int[Tensor, "*place clone"]
    """The states in it."""
    is_clone: Bool[Tensor, "*place clone"]
    """Which of these are clones of the token."""


class HmmCloned(OnlineEm):
    """States of one token each; the State is the last token and the belief in the clones of its window."""

    tables = ("transition_counts",)
    transition_counts: Tensor
    leaving_counts: Tensor
    scale: Tensor
    first_clone: Tensor

    def __init__(self, vocabulary_size: int, spec: HmmClonedSpec) -> None:
        """Draw counts of transitions, whole numbers of which sums are exact, and place as many clones for each token.

        Raises:
            SpecError: there are fewer states than tokens.
        """
        super().__init__(vocabulary_size, spec)
        if spec.states < vocabulary_size:
            raise SpecError(
                f"model.states: found {spec.states}; must be at least {vocabulary_size}, one for each token"
            )
        self.register_buffer("transition_counts", torch.randint(1, 16, (spec.states, spec.states)).float())
        self.register_buffer("leaving_counts", self.transition_counts.sum(dim=1))
        self.register_buffer("scale", torch.tensor(vocabulary_size / (8 * spec.states**2)))
        self.register_buffer("first_clone", torch.zeros(vocabulary_size + 1, dtype=torch.int64))
        self._place_clones()

    def prepare(self, stream: TokenStream, end_of_chapter: int) -> None:
        """Give each token its clones, and bring the counts drawn to the size of the training split."""
        super().prepare(stream, end_of_chapter)
        self.scale *= self.training_tokens / self.vocabulary_size
        self._place_clones()

    def _place_clones(self) -> None:
        clones = allocate_clones(self.unigram.double().cpu().numpy(), self.states)
        self.first_clone[1:] = torch.from_numpy(clones).cumsum(0)

    def initial_state(self, batch: int) -> State:
        """Return the state before the first token: whatever comes, its clones are then equally likely."""
        belief = self.transition_counts.new_zeros(batch, int(self._clones().max()))
        return torch.full((batch,), NOTHING_READ, device=self.device), belief

    def forward(
        self, tokens: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time token"], State]:
        """Return ln p(next token) after each token: the sum over its clones of the way to each.

        Places where the same token was read share their rows of the counts, which are so read once for all of them.
        """
        beliefs, state = self._filter(tokens, state)
        owner, prior = self._owner(), self._prior()
        log_probs = beliefs.new_empty(*tokens.shape, self.vocabulary_size)
        for token in sorted(set(tokens.flatten().tolist())):
            here, window = tokens == token, self._window(tokens.new_tensor(token))
            weight = beliefs[here] / self._leaving(window.states)
            ways = self.scale * weight @ self.transition_counts[int(window.first) :][: len(window.states)]
            ways += self.pseudo_count * weight.sum(dim=-1, keepdim=True) * prior
            log_probs[here] = log_probs.new_zeros(len(weight), self.vocabulary_size).index_add_(1, owner, ways).log()
        return log_probs, state

    def score(
        self, tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time"], State]:
        """Return -ln p(target), from the blocks between each token's clones and its target's."""
        beliefs, state = self._filter(tokens, state)
        kept = targets != IGNORED
        ways = self._blocks(self._window(tokens), self._window(targets.where(kept, 0)))
        chosen = torch.einsum("bti,btij->bt", beliefs, ways)
        return -chosen.log().where(kept, 0.0), state

    @torch.no_grad()
    def learn(
        self, tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time"], State]:
        """Score a batch, and move the counts of the transitions that it may have taken; each target counts once."""
        sequence, kept = in_sequence(tokens, targets)
        read, state_after_first = self._filter(sequence[:, :1], state)
        window = self._window(sequence)
        before, after = (Window(*(part[:, cut] for part in window)) for cut in (slice(-1), slice(1, None)))
        ways = self._blocks(before, after)
        ways[~kept[:, 1:]] = (
            1 / ways.shape[-1]
        )  # behind the end of a sequence all is equally likely: that tells nothing
        beliefs, nats = filter_blocks(state_after_first[1], ways)
        later = smooth_blocks(ways, nats)
        filtered = torch.cat([read, beliefs[:, :-1]], dim=1)
        expected = filtered[..., :, None] * ways * (later * nats.exp()[..., None])[..., None, :]
        counted = before.is_clone[..., :, None] & after.is_clone[..., None, :] & kept[:, 1:, None, None]
        self._move_counts(before, after, expected, counted, tokens=int(kept[:, 1:].sum()))
        return nats.where(kept[:, 1:], 0.0), (sequence[:, -2], filtered[:, -1])

    def _move_counts(self, before: Window, after: Window, expected: Tensor, counted: Tensor, tokens: int) -> None:
        """Move the counts towards the expected ones; what all lose is kept in one number, the scale."""
        gamma = self.next_step_size(tokens)
        self.scale *= 1 - gamma
        if self.scale < 1e-6:
            self.transition_counts *= self.scale
            self.leaving_counts *= self.scale
            self.scale.fill_(1.0)
        values = expected[counted] * (gamma * int(self.training_tokens) / tokens / self.scale)
        origins = before.states[..., :, None].expand_as(counted)[counted]
        ends = after.states[..., None, :].expand_as(counted)[counted]
        self.transition_counts.view(-1).index_add_(0, origins * self.states + ends, values)
        self.leaving_counts.index_add_(0, origins, values)

    def probabilities(self) -> Tables:
        """Return the model written out, with all the transitions that no step needs together."""
        everywhere = torch.arange(self.states, device=self.device)
        ways = self.scale * self.transition_counts + self.pseudo_count * self._prior()
        owner = torch.nn.functional.one_hot(self._owner(), self.vocabulary_size)
        return Tables(self._prior(), ways / self._leaving(everywhere)[:, None], owner.T.to(ways.dtype).contiguous())

    def _filter(
        self, tokens: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time clone"], State]:
        """Return the belief in the clones of each token once it is read, and the state after the last one."""
        last, belief = state
        window = self._window(torch.cat([last[:, None].clamp_min(0), tokens], dim=1))
        before, after = (Window(*(part[:, cut] for part in window)) for cut in (slice(-1), slice(1, None)))
        ways = self._blocks(before, after)
        nothing_read = (last == NOTHING_READ)[:, None]
        ways[:, 0] = ways[:, 0].where(~nothing_read[..., None], after.is_clone[:, 0, None].to(ways.dtype))
        belief = belief.where(~nothing_read, 1.0)
        beliefs, _ = filter_blocks(belief, ways)
        return beliefs, (tokens[:, -1], beliefs[:, -1])

    def _blocks(self, before: Window, after: Window) -> Float[Tensor, "batch time clone clone"]:
        """Return p(clone of the second token | clone of the first), 0 at states of other tokens."""
        width = after.states.shape[-1]
        neighbours = self.transition_counts.unfold(1, width, 1)  # [state, first, clone] without a copy
        counts = neighbours[before.states, after.first[..., None]]
        ways = counts * self.scale + self.pseudo_count * self._prior()[after.states][..., None, :]
        return ways * after.is_clone[..., None, :] / self._leaving(before.states)[..., None]

    def _window(self, tokens: Int[Tensor, "*place"]) -> Window:
        clones, first = self._clones(), self.first_clone[tokens]
        width = int(clones.max())
        start = first.clamp_max(self.states - width)
        states = start[..., None] + torch.arange(width, device=first.device)
        is_clone = (states >= first[..., None]) & (states < self.first_clone[tokens + 1][..., None])
        return Window(start, states, is_clone)

    def _clones(self) -> Int[Tensor, " token"]:
        return self.first_clone.diff()

    def _owner(self) -> Int[Tensor, " state"]:
        """Return the token of each state."""
        return torch.repeat_interleave(self._clones())

    def _prior(self) -> Float[Tensor, " state"]:
        """Return the share of each state if its token's share fell to its clones alike."""
        return (normalise(self.unigram) / self._clones())[self._owner()]

    def _leaving(self, states: Int[Tensor, "*place"]) -> Float[Tensor, "*place"]:
        """Return the counts of all transitions out of states, pseudo-counts included."""
        return self.scale * self.leaving_counts[states] + self.pseudo_count


def allocate_clones(shares: np.ndarray, states: int) -> np.ndarray:
    """Return how many clones each token has, int64 [token]: one, and of the others by the square root of its share.

    Args:
        shares: of the tokens in the text.
        states: how many clones there are in all.
    """
    wanted = (states - len(shares)) * np.sqrt(shares) / np.sqrt(shares).sum()
    clones: np.ndarray = 1 + np.floor(wanted).astype(np.int64)
    largest_rests = np.argsort(np.floor(wanted) - wanted, kind="stable")
    clones[largest_rests[: states - int(clones.sum())]] += 1
    return clones


def filter_blocks(
    belief: Float[Tensor, "batch clone"], ways: Float[Tensor, "batch time clone clone"]
) -> tuple[Float[Tensor, "batch time clone"], Float[Tensor, "batch time"]]:
    """Return the belief in the clones after each token, and -ln p(token | those before)."""
    beliefs, scales = [], []
    for way in ways.unbind(dim=1):
        joint = torch.bmm(belief[:, None], way)[:, 0]
        scales.append(joint.sum(dim=-1))
        belief = joint / scales[-1][:, None]
        beliefs.append(belief)
    return torch.stack(beliefs, dim=1), -torch.stack(scales, dim=1).log()


def smooth_blocks(
    ways: Float[Tensor, "batch time clone clone"], nats: Float[Tensor, "batch time"]
) -> Float[Tensor, "batch time clone"]:
    """Return beta, scaled: p(tokens after | clone) / p(tokens after | tokens so far), for each clone of each token."""
    later = torch.ones_like(ways[:, :, 0])
    scaled = nats.exp()
    for time in range(ways.shape[1] - 1, 0, -1):
        ahead = later[:, time] * scaled[:, time, None]
        later[:, time - 1] = torch.bmm(ways[:, time], ahead[..., None])[..., 0]
    return later


MODEL, SPEC = HmmCloned, HmmClonedSpec
