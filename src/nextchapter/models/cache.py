"""The neural cache (Grave, Joulin and Usunier, 2017): a memory of what was read, in front of any trained model.

    p_cache(w) ~ sum over i in the last `size` of exp(theta h_t . h_i - decay (t - i)) 1{w = x_{i+1}}
    p(w)       = (1 - lambda) p_model(w) + lambda p_cache(w)

What stood after a vector like the present one is likely to stand here too. softmax(theta h_t . h_i) over stored vectors
is the update of the modern Hopfield network (Ramsauer et al., 2021), which here recalls the token stored with h_i.
A model without hidden vectors has a cache of counts (Kuhn and De Mori, 1990), which may fade with age (Clarkson and
Robinson, 1997): theta has then nothing to weigh. Before anything is stored, p is p_model.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field
from torch import Tensor

from nextchapter.models.interpolation import fit_weights
from nextchapter.models.protocol import IGNORED, LanguageModel, State, Wrapper
from nextchapter.models.scoring import batches, evaluating
from nextchapter.spec.base import RunName
from nextchapter.spec.models import FamilySpec
from nextchapter.tokens.stream import TokenStream

SHARPNESS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Values of theta that are tried, as multiples of 1 / mean |h|^2, so that they suit vectors of any length."""
DECAYS = (0.0, 0.001, 0.003, 0.01, 0.03)
"""Values of decay that are tried, a token."""
BATCH_CHAPTERS, CHUNK_TOKENS = 16, 256
"""How the validation chapters are read; the first chunk also says how long the vectors are."""
BLOCK = 128
"""So many vectors look at the memory at once: time and space grow with the length of a text, not with its square."""


class CacheSpec(FamilySpec):
    """A neural cache in front of another run's model, Grave et al. (2017); heeds `training.device`, `.threads`."""

    kind: Literal["cache"] = "cache"
    """Says which of the families this is."""
    of: RunName
    """Another run of the study, with a seed (`lstm.s1`) or without: then of this run's seed, or of the only one."""
    size: Annotated[int, Field(ge=1, le=20_000)] = 500
    """Tokens that are remembered."""

    @property
    def made_of(self) -> dict[str, str]:
        """Names of the runs whose models it is made of, by the keys that name them."""
        return {"of": self.of}

    def describe(self) -> str:
        """Return how much is remembered, and whose model it is."""
        return f"{self.size:,}, {self.of}"


class Memory(NamedTuple):
    """Pairs of a hidden vector and the token that came after it; the last vector still waits for its token."""

    keys: Float[Tensor, "batch key hidden"]
    """h_i, oldest first."""
    values: Int[Tensor, "batch value"]
    """x_{i+1}: one fewer than keys, or none before anything was read."""

    def extended(self, hidden: Float[Tensor, "batch time hidden"], tokens: Int[Tensor, "batch time"]) -> "Memory":
        """Return the memory with a chunk behind it; before the first token of a chapter there is no vector."""
        keys, values = torch.cat([self.keys, hidden], dim=1), torch.cat([self.values, tokens], dim=1)
        return Memory(keys, values[:, values.shape[1] - keys.shape[1] + 1 :])

    def last(self, size: int) -> "Memory":
        """Return the last pairs, and the vector that waits."""
        return Memory(self.keys[:, -size - 1 :], self.values[:, -size:])


class Recall(NamedTuple):
    """What some successive vectors have in common with those stored before them."""

    asking: slice
    """Which of the times that were asked about these are."""
    values: Int[Tensor, "batch key"]
    """x_{i+1}."""
    similarity: Float[Tensor, "batch time key"]
    """h_t . h_i."""
    age: Float[Tensor, "time key"]
    """t - i."""
    is_stored: Bool[Tensor, "time key"]
    """Whether i is one of the last `size` at time t."""

    @property
    def is_empty(self) -> Bool[Tensor, "time 1"]:
        """Whether nothing is stored yet."""
        return ~self.is_stored.any(dim=-1, keepdim=True)

    def weights(self, theta: Tensor, decay: Tensor) -> Float[Tensor, "batch time key"]:
        """Return what each stored token has of p_cache; NaN where nothing is stored."""
        scores = torch.addcmul(-decay * self.age, theta, self.similarity)
        return scores.masked_fill_(~self.is_stored, -torch.inf).softmax(dim=-1)


def recall(memory: Memory, time: int, size: int) -> Iterator[Recall]:
    """Yield what the last vectors of a memory recall, in blocks of `BLOCK`: attention within a band.

    Args:
        memory: what was stored, and behind it the vectors that ask.
        time: how many of them ask.
        size: how many pairs a vector sees.
    """
    end = memory.keys.shape[1]
    places = torch.arange(end, device=memory.keys.device)
    for start in range(end - time, end, BLOCK):
        stop = min(start + BLOCK, end)
        stored = slice(max(0, start - size), stop - 1)
        age = places[start:stop, None] - places[stored]
        similarity = memory.keys[:, start:stop] @ memory.keys[:, stored].transpose(1, 2)
        asking, is_stored = slice(start - end + time, stop - end + time), (age >= 1) & (age <= size)
        yield Recall(asking, memory.values[:, stored], similarity, age.to(similarity.dtype), is_stored)


class Cache(Wrapper):
    """A model with a memory; the State is the model's own, and the pairs stored."""

    tables = ("interpolation", "theta", "decay")
    interpolation: Tensor
    theta: Tensor
    decay: Tensor

    def __init__(self, vocabulary_size: int, spec: CacheSpec, members: Sequence[LanguageModel]) -> None:
        """Put a memory in front of the one member; its weight, lambda, is 0 until it is fitted."""
        super().__init__(vocabulary_size, members)
        self.size = spec.size
        for name in self.tables:
            self.register_buffer(name, torch.tensor(0.0))

    def initial_state(self, batch: int) -> State:
        """Return the model's initial state and an empty memory."""
        (model,) = self.models
        keys = self.interpolation.new_empty(batch, 0, model.hidden_width)
        return model.initial_state(batch), Memory(keys, keys.new_empty(batch, 0, dtype=torch.int64))

    def forward(
        self, tokens: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time token"], State]:
        """Return ln p(next token) after each token, in nats, and the state after the last one."""
        (model,), (inner, stored) = self.models, state
        log_probs, hidden, inner = model.forward_with_hidden(tokens, inner)
        memory, mixed = Memory(*stored).extended(hidden, tokens), []
        for block in recall(memory, tokens.shape[1], self.size):
            part, weights = log_probs[:, block.asking], block.weights(self.theta, self.decay)
            token_of_each = block.values[:, None].expand(weights.shape)
            cached = torch.zeros_like(part).scatter_add_(2, token_of_each, weights)
            mixed.append(self._mix(part, cached, block))
        return torch.cat(mixed, dim=1), (inner, memory.last(self.size))

    def score(
        self, tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time"], State]:
        """Return -ln p(target); the cache looks for the target only, not at the vocabulary."""
        nats, inner, memory = self._charge(tokens, targets, state)
        mixed = []
        for block in recall(memory, tokens.shape[1], self.size):
            found = block.values[:, None] == targets[:, block.asking, None]
            cached = (block.weights(self.theta, self.decay) * found).sum(dim=-1, keepdim=True)
            mixed.append(self._mix(-nats[:, block.asking, None], cached, block))
        scores = -torch.cat(mixed, dim=1)[..., 0]
        return scores.where(targets != IGNORED, 0.0), (inner, memory.last(self.size))

    def fit(self, stream: TokenStream, end_of_chapter: int) -> None:
        """Try each theta with each decay in one reading of the validation chapters, each pair with its best lambda.

        lambda is found by expectation-maximisation, given what model and cache say of each token.
        """
        with evaluating(self):
            thetas = self._thetas(stream, end_of_chapter)
            log_probs = self._log_probs_of_pairs(stream, end_of_chapter, thetas)
        fitted = [fit_weights(log_probs[:, [0, place]]) for place in range(1, log_probs.shape[1])]
        tried = zip(fitted, itertools.product(thetas.tolist(), DECAYS), strict=True)
        (weights, _), (theta, decay) = min(tried, key=lambda entry: entry[0][1])
        self.interpolation.copy_(weights[1])
        self.theta.fill_(theta)
        self.decay.fill_(decay)

    def _batches(
        self, stream: TokenStream, end_of_chapter: int
    ) -> Iterator[tuple[np.ndarray, Iterator[tuple[Tensor, Tensor]]]]:
        """Yield the validation chapters as they are read, `batches` of as many as the model takes."""
        return batches(stream, end_of_chapter, min(BATCH_CHAPTERS, self.rows_at_once), CHUNK_TOKENS)

    def _charge(
        self, tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time"], State, Memory]:
        """Return -ln p(target) by the model alone, its state, and the memory with all vectors of the chunk."""
        (model,), (inner, stored) = self.models, state
        nats, hidden, inner = model.score_with_hidden(tokens, targets, inner)
        return nats, inner, Memory(*stored).extended(hidden, tokens)

    def _mix(self, log_probs: Tensor, cached: Tensor, block: Recall) -> Tensor:
        """Return ln p of the mixture from ln p_model and p_cache [batch time token]."""
        mixed = torch.logaddexp((1 - self.interpolation).log() + log_probs, (self.interpolation * cached).log())
        return log_probs.where(block.is_empty, mixed)

    def _thetas(self, stream: TokenStream, end_of_chapter: int) -> Float[Tensor, " theta"]:
        """Return the values of theta to try, by the lengths of the vectors in the first chunk of the stream."""
        _, chunks = next(self._batches(stream, end_of_chapter))
        tokens, targets = (part.to(self.device) for part in next(chunks))
        _, _, memory = self._charge(tokens, targets, self.initial_state(len(tokens)))
        mean_square = memory.keys.square().sum(dim=-1).mean()
        return mean_square.new_tensor(SHARPNESS) / mean_square if mean_square else mean_square.new_zeros(1)

    def _log_probs_of_pairs(
        self, stream: TokenStream, end_of_chapter: int, thetas: Float[Tensor, " theta"]
    ) -> Float[Tensor, "token candidate"]:
        """Return ln p of each token by the model, then by the cache with each pair of theta and decay, float64."""
        parts, decays = [], thetas.new_tensor(DECAYS)
        for rows, chunks in self._batches(stream, end_of_chapter):
            state = self.initial_state(len(rows))
            for tokens, targets in chunks:
                targets = targets.to(self.device)
                nats, inner, memory = self._charge(tokens.to(self.device), targets, state)
                for block in recall(memory, tokens.shape[1], self.size):
                    own, wanted = -nats[:, block.asking, None], targets[:, block.asking, None]
                    cached = _target_probs(block, wanted, thetas, decays).log()
                    candidates = torch.cat([own, cached.where(~block.is_empty, own)], dim=-1)
                    parts.append(candidates[wanted[..., 0] != IGNORED].double().cpu())
                state = inner, memory.last(self.size)
        return torch.cat(parts)


def _target_probs(
    block: Recall,
    wanted: Int[Tensor, "batch time 1"],
    thetas: Float[Tensor, " theta"],
    decays: Float[Tensor, " decay"],
) -> Float[Tensor, "batch time pair"]:
    """Return p_cache(target) for each pair of theta and decay, the decays of a theta together."""
    found, fading = block.values[:, None] == wanted, torch.exp(-decays[:, None, None] * block.age)
    probs = []
    for theta in thetas:
        alike = block.weights(theta, torch.zeros_like(theta))
        # Where all that is alike is so old that it has faded to 0, the cache foresees nothing.
        total = torch.einsum("btk,dtk->btd", alike, fading).clamp(min=torch.finfo(alike.dtype).tiny)
        probs.append(torch.einsum("btk,dtk->btd", alike * found, fading) / total)
    return torch.cat(probs, dim=-1)


MODEL, SPEC = Cache, CacheSpec
