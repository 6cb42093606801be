"""The protocol: every language model is a state machine over tokens.

An Elman network's hidden vector, an LSTM's (h, c), a hidden Markov model's belief, an n-gram's last tokens: each is a
`State`. Because all models share it there is one trainer, one scorer and one writer.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from nextchapter.tokens.stream import TokenStream

State = Any
"""A tensor with `batch` as its first axis, or a tuple of states."""

Advance = Callable[[Sequence[int], State], tuple[Float[Tensor, "batch token"], State]]
"""From the token of each row and a state to ln p(next token), in nats, and the state after it."""

IGNORED = -100
"""As a target: nothing stands here (padding); its score is 0 nats."""


class LanguageModel(nn.Module, ABC):
    """p(next token | state), and how the state moves on.

    What holds for every model, and is tested: `forward` equals repeated `step`; a sequence scored in chunks, the state
    carried, equals the sequence scored whole; the rows of a batch do not touch each other.
    """

    vocabulary_size: int
    hidden_width: int = 0
    """Length of the vector h_t that it predicts from and shows to others; 0 where it shows none."""
    rows_at_once: int = 65_536
    """The most rows that lie side by side when a text is scored: fewer where the state of one is large."""

    @property
    def device(self) -> torch.device:
        """Where the model is computed: where its first parameter or buffer lies."""
        return next(tensor for group in (self.parameters(), self.buffers()) for tensor in group).device

    def prepare(self, stream: TokenStream, end_of_chapter: int) -> None:
        """Take from the training split what must be known before the first step, such as how frequent tokens are."""

    @abstractmethod
    def initial_state(self, batch: int) -> State:
        """Return the state before the first token: h_0 = 0 in a recurrent network."""

    @abstractmethod
    def forward(
        self, tokens: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time token"], State]:
        """Return ln p(next token) after each token, in nats, and the state after the last one."""

    def step(self, token: Int[Tensor, " batch"], state: State) -> tuple[Float[Tensor, "batch token"], State]:
        """Return ln p(next token) after one more token, in nats, and the state after it."""
        log_probs, state = self(token[:, None], state)
        return log_probs[:, 0], state

    def prepared_step(self) -> Advance:
        """Return what `step` does for a model in evaluation, as a writer needs it, who draws the tokens one by one.

        A model may override this to keep what the next steps need again; its weights must stay as they are meanwhile.
        """

        def advance(tokens: Sequence[int], state: State) -> tuple[Float[Tensor, "batch token"], State]:
            return self.step(torch.tensor(tokens, device=self.device), state)

        return advance

    def score(
        self, tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time"], State]:
        """Return -ln p(target), in nats, at each place, 0 where the target is `IGNORED`, and the state after.

        A model may override this so as not to hold `log_probs` for the whole vocabulary.
        """
        log_probs, state = self(tokens, state)
        kept = targets != IGNORED
        chosen = log_probs.gather(-1, targets.where(kept, 0)[..., None])[..., 0]
        return -chosen.where(kept, 0.0), state

    def forward_with_hidden(
        self, tokens: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time token"], Float[Tensor, "batch time hidden"], State]:
        """Return what `forward` does, and between them h_t, for what stores the vectors, as the neural cache does."""
        log_probs, state = self(tokens, state)
        return log_probs, log_probs.new_empty(*tokens.shape, 0), state

    def score_with_hidden(
        self, tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time"], Float[Tensor, "batch time hidden"], State]:
        """Return what `score` does, and h_t between them."""
        nats, state = self.score(tokens, targets, state)
        return nats, nats.new_empty(*tokens.shape, 0), state


class HiddenLanguageModel(LanguageModel):
    """A model that reads a text into a vector h_t, on which alone p(next token) depends.

    Reading and predicting are apart, so that one who needs the vectors as well computes them once.
    """

    @abstractmethod
    def read(self, tokens: Int[Tensor, "batch time"], state: State) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """Return h_t after each token, and the state after the last one."""

    @abstractmethod
    def predict(self, hidden: Float[Tensor, "batch time hidden"]) -> Float[Tensor, "batch time token"]:
        """Return ln p(next token | h_t), in nats."""

    @abstractmethod
    def cross_entropy(
        self, hidden: Float[Tensor, "batch time hidden"], targets: Int[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time"]:
        """Return -ln p(target | h_t), in nats, 0 where the target is `IGNORED`."""

    def forward(
        self, tokens: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time token"], State]:
        """Return ln p(next token) after each token, in nats, and the state after the last one."""
        log_probs, _, state = self.forward_with_hidden(tokens, state)
        return log_probs, state

    def score(
        self, tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time"], State]:
        """Return -ln p(target), in nats, and the state after the last token."""
        nats, _, state = self.score_with_hidden(tokens, targets, state)
        return nats, state

    def forward_with_hidden(
        self, tokens: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time token"], Float[Tensor, "batch time hidden"], State]:
        """Return what `forward` does, and h_t between them."""
        hidden, state = self.read(tokens, state)
        return self.predict(hidden), hidden, state

    def score_with_hidden(
        self, tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time"], Float[Tensor, "batch time hidden"], State]:
        """Return what `score` does, and h_t between them."""
        hidden, state = self.read(tokens, state)
        return self.cross_entropy(hidden, targets), hidden, state


class OnlineLearner(LanguageModel):
    """A model that learns without gradients: from each batch it moves its own buffers.

    All that it has learnt, sums and counters included, lies in buffers, so that a checkpoint holds it.
    """

    tables: ClassVar[tuple[str, ...]]
    """Names of the buffers whose entries are what it learns."""

    @abstractmethod
    def learn(
        self, tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time"], State]:
        """Score a batch as `score` does, then learn from it.

        Args:
            tokens: what is read.
            targets: the tokens that follow each, so the same moved by one, or `IGNORED`.
            state: before the first token.
        """


class CountedModel(LanguageModel):
    """A model that is fitted once, from the whole training split; what it then holds are buffers of any size."""

    @abstractmethod
    def fit(self, stream: TokenStream, end_of_chapter: int) -> None:
        """Learn from the training chapters; what was learnt before is replaced."""

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the buffers whose entries are what it has learnt, as its number of parameters counts them."""
        return tuple(name for name, buffer in self.named_buffers() if buffer.is_floating_point())

    def allocate(self, shapes: Mapping[str, torch.Size]) -> None:
        """Make the buffers as large as those of a fitted model; buffers that it has not are left out."""
        for name, buffer in dict(self.named_buffers()).items():
            if name in shapes:
                self.register_buffer(name, buffer.new_empty(shapes[name]))


class Wrapper(LanguageModel):
    """A model made of trained models, its members; of its own it has a few numbers, fitted on the validation split.

    The members stay as they are. They are part of the model, and of its file, so that it needs no other.
    """

    tables: ClassVar[tuple[str, ...]]
    """Names of the buffers that `fit` sets."""

    def __init__(self, vocabulary_size: int, members: Sequence[LanguageModel]) -> None:
        """Take the members in.

        Raises:
            ValueError: a member has another vocabulary.
        """
        super().__init__()
        sizes = [member.vocabulary_size for member in members]
        if set(sizes) != {vocabulary_size}:
            raise ValueError(f"the members have vocabularies of {sizes} tokens; all must have {vocabulary_size}")
        self.vocabulary_size = vocabulary_size
        self.rows_at_once = min(member.rows_at_once for member in members)
        self.members = nn.ModuleList(members)

    @property
    def models(self) -> list[LanguageModel]:
        """The members."""
        return [member for member in self.members if isinstance(member, LanguageModel)]

    @abstractmethod
    def fit(self, stream: TokenStream, end_of_chapter: int) -> None:
        """Fit the numbers of its own to the validation chapters; what was fitted before is replaced."""


def map_state(change: Callable[[Tensor], Tensor], state: State) -> State:
    """Return the state with a function applied to each of its tensors."""
    if isinstance(state, tuple):
        return tuple(map_state(change, part) for part in state)
    return change(state)


def detach_state(state: State) -> State:
    """Return the state cut off from the graph: no gradient runs back through it."""
    return map_state(torch.Tensor.detach, state)


def replace_rows(state: State, rows: Bool[Tensor, " batch"], other: State) -> State:
    """Return the state with some rows of the batch taken from another."""
    if isinstance(state, tuple):
        return tuple(replace_rows(part, rows, of_other) for part, of_other in zip(state, other, strict=True))
    return torch.where(rows.view(-1, *[1] * (state.ndim - 1)), other, state)


def split_state(state: State, parts: int) -> list[State]:
    """Return the states of so many parts of the batch, the first ones a row longer where it does not divide evenly."""
    if isinstance(state, tuple):
        split = [split_state(value, parts) for value in state]
        return [tuple(values[part] for values in split) for part in range(parts)]
    return list(state.tensor_split(parts))


def join_states(states: Sequence[State]) -> State:
    """Return the state of a batch from those of its parts."""
    if isinstance(states[0], tuple):
        return tuple(join_states(parts) for parts in zip(*states, strict=True))
    return torch.cat(list(states))


def count_parameters(model: nn.Module) -> int:
    """Return the number of parameters that a model holds and uses, whether or not training moves them.

    A shared matrix counts once, frozen token vectors count like trained ones, and so does each entry of a table.
    """
    learners = [part for part in model.modules() if isinstance(part, (CountedModel, OnlineLearner, Wrapper))]
    tables = [part.get_buffer(name) for part in learners for name in part.tables]
    return sum(tensor.numel() for tensor in [*model.parameters(), *tables])
