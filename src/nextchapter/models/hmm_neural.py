"""The neural hidden Markov model (Chiu and Rush, 2020), with low-rank transitions (Chiu, Deng and Rush, 2021).

Tokens fall into classes, and each class has its own block of states, which emit no other tokens; so a token leaves only
one block in question. The transition matrix is a product of two factors, each a softmax, and so is itself stochastic:

    A_ij = sum over r of p(r | i) p(j | r)

All entries come from vectors of states, tokens and ranks through small residual networks, trained by gradient. Because
of the factors, what is believed of the next state is a distribution over r alone, which is the State. While training,
some states of each block are left out at each step (state dropout).
"""

from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from nextchapter.models.hidden_markov import HiddenMarkovModel, Tables, normalise
from nextchapter.models.protocol import IGNORED, State
from nextchapter.spec.models import MOST_DESCRIBED, FamilySpec, Weights
from nextchapter.tokens.stream import TokenStream

CONTEXT_WIDTH = 32
"""Of the random vectors whose means say in which contexts a token stands."""


class HmmNeuralSpec(FamilySpec):
    """The neural hidden Markov model, Chiu and Rush (2020), with low-rank transitions, Chiu, Deng and Rush (2021)."""

    takes_bfloat16: ClassVar[bool] = False

    kind: Literal["hmm-neural"] = "hmm-neural"
    """Says which of the families this is."""
    classes: Annotated[int, Field(ge=1, le=4096)] = 64
    """Number of token classes; tokens of a class stand in like contexts."""
    states_per_class: Annotated[int, Field(ge=1, le=4096)] = 32
    """Number of hidden states that may emit the tokens of a class."""
    rank: Annotated[int, Field(ge=1, le=4096)] = 64
    """Rank of the transition matrix."""
    embedding: Annotated[int, Field(ge=1, le=16384)] = 128
    """Width of the vectors of states, tokens and ranks."""
    state_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Share of the states of each class left out in a training step."""

    def weights(self, vocabulary_size: int) -> Weights:
        """Return the numbers of weights: the vectors, and three residual networks of two layers."""
        vectors = (self.classes * self.states_per_class + vocabulary_size) * self.embedding
        products = 2 * self.rank * self.embedding + 6 * self.embedding**2
        return Weights(looked_up=vectors, recurrent=products, biases=6 * self.embedding + self.rank)

    def operations_per_token(self, vocabulary_size: int, sequences: int, length: int) -> float:
        """Return those of looking up two blocks, of all factors once a step, and of starting each step in time."""
        states, block = self.classes * self.states_per_class, self.states_per_class * self.rank
        networks = 6 * states * self.embedding**2 + 2 * states * self.rank * self.embedding
        emissions = vocabulary_size * self.states_per_class * (self.embedding + self.rank)
        factors = 4.5 * (networks + emissions) + 750 * vocabulary_size * self.embedding
        return 940 * block + factors / (sequences * length) + 1.5e7 / sequences

    @property
    def described_states(self) -> int:
        """Number of hidden states, if their transitions can be written out."""
        states = self.classes * self.states_per_class
        return states if states <= MOST_DESCRIBED else 0

    def describe(self) -> str:
        """Return the number of states and the rank."""
        return f"{self.classes} x {self.states_per_class} states, rank {self.rank}"


class Factors(NamedTuple):
    """The probabilities of the model, block by block."""

    emission: Float[Tensor, "token clone"]
    """p(token | state), for the states of the token's block."""
    onward: Float[Tensor, "block clone rank"]
    """p(r | state)."""
    into: Float[Tensor, "block rank clone"]
    """p(state | r); all blocks together sum to one."""
    tokens: Float[Tensor, "token rank"]
    """p(next token | r)."""


class Residual(nn.Module):
    """x + W_2 relu(W_1 x + b_1) + b_2."""

    def __init__(self, width: int) -> None:
        """Build the two layers."""
        super().__init__()
        self.inner, self.outer = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, vectors: Float[Tensor, "*rows width"]) -> Float[Tensor, "*rows width"]:
        """Return the vectors, changed."""
        change: Tensor = self.outer(functional.relu(self.inner(vectors)))
        return vectors + change


class HmmNeural(HiddenMarkovModel):
    """Blocks of states by token class; the State is p(r) of the next transition [batch rank]."""

    class_of: Tensor
    slot_of: Tensor

    def __init__(self, vocabulary_size: int, spec: HmmNeuralSpec) -> None:
        """Draw the vectors; until `prepare` has seen a text, a class is a range of tokens."""
        super().__init__()
        self.vocabulary_size, self.state_dropout = vocabulary_size, spec.state_dropout
        blocks, width = min(spec.classes, vocabulary_size), spec.embedding
        self.slots = -(-vocabulary_size // blocks)
        self.state_vectors = nn.Parameter(torch.randn(blocks, spec.states_per_class, width))
        self.token_vectors = nn.Parameter(torch.randn(vocabulary_size, width) / width**0.5)
        self.onward_vectors = nn.Parameter(torch.randn(spec.rank, width) / width**0.5)
        self.into_vectors = nn.Parameter(torch.randn(spec.rank, width) / width**0.5)
        self.start = nn.Parameter(torch.zeros(spec.rank))
        self.emitting, self.leaving, self.entering = Residual(width), Residual(width), Residual(width)
        self.register_buffer("class_of", torch.zeros(vocabulary_size, dtype=torch.int64))
        self.register_buffer("slot_of", torch.zeros(vocabulary_size, dtype=torch.int64))
        self._place_tokens(np.arange(vocabulary_size))

    def prepare(self, stream: TokenStream, end_of_chapter: int) -> None:
        """Put tokens that stand in like contexts into the same class."""
        del end_of_chapter
        self._place_tokens(order_by_context(context_vectors(stream.tokens, self.vocabulary_size)))

    def _place_tokens(self, order: np.ndarray) -> None:
        """Cut the tokens, in an order, into classes of almost equal size."""
        blocks = len(self.state_vectors)
        classes = np.arange(self.vocabulary_size) * blocks // self.vocabulary_size
        slots = np.arange(self.vocabulary_size) - np.searchsorted(classes, classes)
        self.class_of[torch.from_numpy(order)] = torch.from_numpy(classes).to(self.device)
        self.slot_of[torch.from_numpy(order)] = torch.from_numpy(slots).to(self.device)

    def initial_state(self, batch: int) -> State:
        """Return p(r) before the first token."""
        return self.start.softmax(dim=0).expand(batch, -1)

    def forward(
        self, tokens: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time token"], State]:
        """Return ln p(next token) after each token."""
        factors = self.factors()
        ranks = self._filter(tokens, state, factors)
        return (ranks @ factors.tokens.T).log(), ranks[:, -1]

    def score(
        self, tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time"], State]:
        """Return -ln p(target), for which one row of p(token | r) is enough."""
        factors = self.factors()
        ranks = self._filter(tokens, state, factors)
        kept = targets != IGNORED
        chosen = (ranks * functional.embedding(targets.where(kept, 0), factors.tokens)).sum(dim=-1)
        return -chosen.log().where(kept, 0.0), ranks[:, -1]

    def factors(self) -> Factors:
        """Return the probabilities that the vectors say; while training, without the states dropped."""
        states = self.state_vectors
        members = states.new_zeros(len(states), self.slots, states.shape[-1])
        members = members.index_put((self.class_of, self.slot_of), self.token_vectors)
        filled = torch.zeros(members.shape[:2], dtype=torch.bool, device=self.device)
        filled[self.class_of, self.slot_of] = True
        logits = self.emitting(states) @ members.transpose(1, 2)  # [block clone slot]
        emission = logits.masked_fill(~filled[:, None], -torch.inf).softmax(dim=-1).transpose(1, 2)
        onward = (self.leaving(states) @ self.onward_vectors.T).softmax(dim=-1)
        into = self._drop(self.entering(states) @ self.into_vectors.T).flatten(0, 1).softmax(dim=0)
        into = into.view(*states.shape[:2], -1).transpose(1, 2)
        by_rank = emission @ into.transpose(1, 2)  # [block slot rank]
        place = (self.class_of, self.slot_of)
        return Factors(emission[place], onward, into.contiguous(), by_rank[place])

    def probabilities(self) -> Tables:
        """Return the model written out as tables."""
        factors = self.factors()
        blocks, _, clones = factors.into.shape
        into = factors.into.transpose(0, 1).flatten(1)  # [rank state]
        emission = into.new_zeros(self.vocabulary_size, blocks, clones)
        emission[torch.arange(self.vocabulary_size, device=self.device), self.class_of] = factors.emission
        return Tables(self.start.softmax(dim=0) @ into, factors.onward.flatten(0, 1) @ into, emission.flatten(1))

    def _drop(self, logits: Float[Tensor, "block clone rank"]) -> Float[Tensor, "block clone rank"]:
        """Leave out the same number of states of each block while training, and never all."""
        blocks, clones, _ = logits.shape
        dropped = int(self.state_dropout * clones) if self.training else 0
        if not dropped:
            return logits
        places = torch.rand(blocks, clones, device=logits.device).argsort(dim=1)[:, :dropped]
        mask = torch.zeros(blocks, clones, dtype=torch.bool, device=logits.device).scatter_(1, places, True)
        return logits.masked_fill(mask[..., None], -torch.inf)

    def _filter(
        self, tokens: Int[Tensor, "batch time"], ranks: Float[Tensor, "batch rank"], factors: Factors
    ) -> Float[Tensor, "batch time rank"]:
        """Return p(r) after each token: into the block of the token, weighted by its emissions, and onward."""
        blocks = self.class_of[tokens]
        emitted = functional.embedding(tokens, factors.emission)
        into = functional.embedding(blocks, factors.into.flatten(1)).view(*tokens.shape, *factors.into.shape[1:])
        onward = functional.embedding(blocks, factors.onward.flatten(1)).view(*tokens.shape, *factors.onward.shape[1:])
        outputs = []
        for emission, enter, leave in zip(emitted.unbind(1), into.unbind(1), onward.unbind(1), strict=True):
            belief = normalise((ranks[:, None] @ enter)[:, 0] * emission)
            ranks = (belief[:, None] @ leave)[:, 0]
            outputs.append(ranks)
        return torch.stack(outputs, dim=1)


def context_vectors(tokens: np.ndarray, vocabulary_size: int) -> Float[np.ndarray, "token context"]:
    """Return for each token the mean of random vectors of the tokens before it, and of those behind it.

    A random projection of the counts of neighbours (Johnson and Lindenstrauss, 1984), in memory for any vocabulary.
    """
    random = np.random.default_rng(0).standard_normal((vocabulary_size, CONTEXT_WIDTH)).T
    pairs = ((tokens[1:], tokens[:-1]), (tokens[:-1], tokens[1:]))
    sums = [np.bincount(word, row[beside], minlength=vocabulary_size) for word, beside in pairs for row in random]
    counts = np.bincount(tokens, minlength=vocabulary_size)
    return np.stack(sums, axis=1) / np.sqrt(counts + 1)[:, None]


def order_by_context(vectors: Float[np.ndarray, "token context"]) -> Int[np.ndarray, " token"]:
    """Return the tokens so that alike ones stand together: halves along the first principal axis, over and over."""

    def order(tokens: np.ndarray) -> np.ndarray:
        if len(tokens) <= 2:
            return tokens
        centred = vectors[tokens] - vectors[tokens].mean(axis=0)
        axis = np.linalg.eigh(centred.T @ centred)[1][:, -1]
        sorted_tokens = tokens[np.argsort(centred @ axis, kind="stable")]
        middle = len(tokens) // 2
        return np.concatenate([order(sorted_tokens[:middle]), order(sorted_tokens[middle:])])

    return order(np.arange(len(vectors)))


MODEL, SPEC = HmmNeural, HmmNeuralSpec
