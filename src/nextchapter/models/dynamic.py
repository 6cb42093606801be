"""Dynamic evaluation (Krause, Kahembwe, Murray and Renals, 2018): a network that goes on learning from what it reads.

A text is read in segments s_1, s_2, ... of a set length. Once s_i and the token behind it are known, the weights theta
take a step, and what follows is foreseen with them (the paper's "RMS with a global prior"):

    theta_i = theta_{i-1} - eta grad L(s_i) / RMS_g + lambda RMS_norm (theta_g - theta_{i-1})

theta_g are the trained weights, L is the mean -ln p of a segment's tokens, RMS_g the root of a weight's mean squared
gradient over batches of the training split, plus epsilon, and RMS_norm = RMS_g / mean(RMS_g), but no more than
1 / lambda, as no step back may lead past theta_g. Each row of a batch has weights of its own: they are in its state.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.func import functional_call

from nextchapter.models.protocol import LanguageModel, State, Wrapper, detach_state, join_states, split_state
from nextchapter.models.scoring import evaluating, score_chapters
from nextchapter.spec.base import RunName
from nextchapter.spec.models import FamilySpec
from nextchapter.tokens.stream import TokenStream

LEARNING_RATES = (1e-4, 2e-4, 4e-4, 8e-4, 1.6e-3)
"""Values of eta that are tried, with the middle one of lambda."""
DECAYS = (0.0, 0.003, 0.01, 0.03, 0.1)
"""Values of lambda that are tried, with the best one of eta."""
EPSILON = 0.1
"""epsilon, as a share of mean(RMS_g): it limits the steps of weights that training hardly ever moved."""
TUNING_TOKENS = 10_000
"""So many validation tokens are read for each pair of eta and lambda."""
STATISTICS_TOKENS, STATISTICS_ROWS = 100_000, 16
"""Training tokens that RMS_g is taken from, and how many segments make a batch."""
CHUNK_TOKENS = 256


class DynamicSpec(FamilySpec):
    """Another run's network, learning from what it reads, Krause et al. (2018); heeds `training.device`, `.threads`."""

    reading_cost: ClassVar[float] = 12.0  # 4 times a training token of the network: docs/models/wrappers.md

    kind: Literal["dynamic"] = "dynamic"
    """Says which of the families this is."""
    of: RunName
    """Another run of the study, with a seed (`lstm.s1`) or without: then of this run's seed, or of the only one."""
    segment: Annotated[int, Field(ge=1, le=1000)] = 70
    """Tokens that are read between two steps of learning; fewer adapt sooner and take longer."""

    @property
    def made_of(self) -> dict[str, str]:
        """Names of the runs whose models it is made of, by the keys that name them."""
        return {"of": self.of}

    def objection_to(self, member: FamilySpec) -> str:
        """Return why a model can't go on learning, if so: only weights of its own are moved, and only by gradients."""
        if member.has_gradient:
            return ""
        return f"of the kind {member.kind}; allowed: a network that is trained by gradient"

    def describe(self) -> str:
        """Return how often it learns, and whose model it is."""
        return f"every {self.segment}, {self.of}"


class Adapted(NamedTuple):
    """Where a row stands: the weights that it has learnt, and the segment that it is in."""

    weights: Float[Tensor, "batch parameter"]
    """theta: all parameters, one behind the other."""
    before: State
    """The model's state before the segment."""
    now: State
    """The model's state after the last token."""
    segment: Int[Tensor, "batch time"]
    """What was read of the segment."""


class Dynamic(Wrapper):
    """A network with weights that follow the text; the State holds those of each row."""

    tables = ("learning_rate", "decay")
    learning_rate: Tensor
    decay: Tensor
    rms: Tensor

    def __init__(self, vocabulary_size: int, spec: DynamicSpec, members: Sequence[LanguageModel]) -> None:
        """Let the one member learn; eta and lambda are 0 until they are fitted.

        Raises:
            ValueError: the member has no weights that a gradient can move.
        """
        super().__init__(vocabulary_size, members)
        (model,) = self.models
        sizes = [parameter.numel() for parameter in model.parameters()]
        if not sizes:
            raise ValueError(f"found {type(model).__name__}; it must have weights that a gradient can move")
        self.hidden_width, self.rows_at_once, self.segment = model.hidden_width, 1, spec.segment
        self.register_buffer("learning_rate", torch.tensor(0.0))
        self.register_buffer("decay", torch.tensor(0.0))
        self.register_buffer("rms", torch.ones(sum(sizes)))
        for part in model.modules():
            if isinstance(part, nn.Embedding):
                part.sparse = True  # else each step fills, and adds, a gradient of the whole vocabulary

    def prepare(self, stream: TokenStream, end_of_chapter: int) -> None:
        """Measure RMS_g on training text, rows of which are read on from segment to segment."""
        del end_of_chapter
        segment = min(self.segment, len(stream.tokens) - 1)
        tokens = torch.from_numpy(_spread_rows(stream.tokens, segment)).to(self.device)
        mean_square = torch.zeros_like(self.rms)
        with evaluating(self):
            (trained,), state = self._trained(1), self.models[0].initial_state(len(tokens))
            starts = range(0, tokens.shape[1] - 1, segment)
            for start in starts:
                piece = tokens[:, start : start + segment + 1]
                gradients, state = self._gradients(trained, piece[:, :-1], piece[:, 1:], state)
                for square, gradient in zip(self._parts(mean_square), gradients, strict=True):
                    square.addcmul_(gradient, gradient, value=1 / len(starts))
        rms = mean_square.sqrt()
        self.rms.copy_(rms + EPSILON * self._mean(rms))

    def fit(self, stream: TokenStream, end_of_chapter: int) -> None:
        """Try each eta, then each lambda, on whole validation chapters as far as `TUNING_TOKENS` go."""
        chosen = _spread_chapters(stream, TUNING_TOKENS)

        def nats(learning_rate: float, decay: float) -> float:
            self.learning_rate.fill_(learning_rate)
            self.decay.fill_(decay)
            scores = score_chapters(self, chosen, end_of_chapter, self.rows_at_once, CHUNK_TOKENS)
            total = float(sum(chapter.sum() for chapter in scores))
            return math.inf if math.isnan(total) else total  # the weights ran away

        middle = DECAYS[len(DECAYS) // 2]
        tried = {(rate, middle): nats(rate, middle) for rate in (0.0, *LEARNING_RATES)}
        best, _ = min(tried, key=tried.__getitem__)
        tried |= {(best, decay): nats(best, decay) for decay in DECAYS if best and decay != middle}
        rate, decay = min(tried, key=tried.__getitem__)
        self.learning_rate.fill_(rate)
        self.decay.fill_(decay)

    def initial_state(self, batch: int) -> State:
        """Return the model's initial state, the trained weights, and a segment of which nothing was read."""
        start = self.models[0].initial_state(batch)
        return Adapted(self._trained(batch), start, start, torch.empty(batch, 0, dtype=torch.int64, device=self.device))

    def forward(
        self, tokens: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time token"], State]:
        """Return ln p(next token) after each token, in nats, and the state after the last one."""
        log_probs, _, state = self.forward_with_hidden(tokens, state)
        return log_probs, state

    def forward_with_hidden(
        self, tokens: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time token"], Float[Tensor, "batch time hidden"], State]:
        """Return what `forward` does, and the vectors of the member."""
        return self._read("forward_with_hidden", state, tokens)

    def score(
        self, tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time"], State]:
        """Return -ln p(target), in nats; what is learnt follows from the tokens, whatever the targets."""
        nats, _, state = self.score_with_hidden(tokens, targets, state)
        return nats, state

    def score_with_hidden(
        self, tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time"], Float[Tensor, "batch time hidden"], State]:
        """Return what `score` does, and the vectors of the member."""
        return self._read("score_with_hidden", state, tokens, targets)

    def _read(self, method: str, state: State, *texts: Int[Tensor, "batch time"]) -> tuple[Tensor, Tensor, State]:
        """Return what a method of the member makes of tokens, or tokens and targets, row by row: each has weights."""
        rows = zip(split_state(state, len(texts[0])), *(text.tensor_split(len(text)) for text in texts), strict=True)
        outputs, hidden, states = zip(
            *(self._read_row(method, Adapted(*row), *text) for row, *text in rows), strict=True
        )
        return torch.cat(outputs), torch.cat(hidden), join_states(states) if len(states) > 1 else states[0]

    def _read_row(self, method: str, state: Adapted, *texts: Int[Tensor, "1 time"]) -> tuple[Tensor, Tensor, Adapted]:
        """Return what a method of the member makes of one row, which learns wherever a segment has ended."""
        outputs: list[Tensor] = []
        hiddens: list[Tensor] = []
        rates: Tensor | None = None
        start, time = 0, texts[0].shape[1]
        while start < time:
            if state.segment.shape[1] == self.segment:
                if rates is None:  # from here on the weights are no one else's
                    state, rates = state._replace(weights=state.weights.clone()), self._decay_rates()
                state = self._learn(state, texts[0][:, start : start + 1], rates)
            stop = min(time, start + self.segment - state.segment.shape[1])
            piece = [text[:, start:stop] for text in texts]
            output, hidden, now = self._call(method, self._parts(state.weights[0]), *piece, state.now)
            outputs.append(output)
            hiddens.append(hidden)
            state = state._replace(now=now, segment=torch.cat([state.segment, piece[0]], dim=1))
            start = stop
        return torch.cat(outputs, dim=1), torch.cat(hiddens, dim=1), state

    @torch.no_grad()
    def _learn(self, state: Adapted, following: Int[Tensor, "1 1"], rates: Float[Tensor, " parameter"]) -> Adapted:
        """Move the weights in place by a segment and the token behind it, and begin the next segment."""
        targets, weights = torch.cat([state.segment[:, 1:], following], dim=1), state.weights[0]
        gradients, _ = self._gradients(weights, state.segment, targets, state.before)
        parts = zip(*map(self._parts, (weights, rates, self.rms)), gradients, self.models[0].parameters(), strict=True)
        for moved, rate, rms, gradient, trained in parts:
            moved.lerp_(trained, rate).addcdiv_(gradient, rms, value=-float(self.learning_rate))
        return Adapted(state.weights, state.now, state.now, state.segment[:, :0])

    def _gradients(
        self,
        weights: Float[Tensor, " parameter"],
        tokens: Int[Tensor, "batch time"],
        targets: Int[Tensor, "batch time"],
        state: State,
    ) -> tuple[list[Tensor], State]:
        """Return the gradient of the mean -ln p(target) for each parameter, and the state after the last token."""
        # cuDNN's loops have no backward pass in evaluation mode; torch's own have.
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            leaves = [part.detach().requires_grad_() for part in self._parts(weights)]
            nats, state = self._call("score", leaves, tokens, targets, state)
            gradients = torch.autograd.grad(nats.mean(), leaves, materialize_grads=True)
        return [gradient.to_dense() if gradient.is_sparse else gradient for gradient in gradients], detach_state(state)

    def _call(self, method: str, parts: list[Tensor], *arguments: Any) -> Any:
        """Return what a method of the member returns with other parameters."""
        (model,) = self.models
        named = {f"model.{name}": part for (name, _), part in zip(model.named_parameters(), parts, strict=True)}
        return functional_call(_Caller(model, method), named, arguments)

    def _trained(self, batch: int) -> Float[Tensor, "batch parameter"]:
        """Return theta_g for each row, in memory once."""
        flat = torch.cat([parameter.detach().flatten() for parameter in self.models[0].parameters()])
        return flat.expand(batch, -1)

    def _parts(self, flat: Float[Tensor, " parameter"]) -> list[Tensor]:
        """Return the numbers of each parameter in its own shape, without copying them."""
        shapes = [parameter.shape for parameter in self.models[0].parameters()]
        parts = torch.split(flat, [shape.numel() for shape in shapes])
        return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]

    def _decay_rates(self) -> Float[Tensor, " parameter"]:
        """Return lambda RMS_norm, at most 1."""
        return (self.rms * (self.decay / self._mean(self.rms))).clamp_(max=1)

    def _mean(self, flat: Float[Tensor, " parameter"]) -> Tensor:
        """Return the mean over parameters of the mean in each: a large one weighs no more (the authors' program)."""
        return torch.stack([part.mean() for part in self._parts(flat)]).mean()


class _Caller(nn.Module):
    """A method of a model as a module, which is what `functional_call` takes."""

    def __init__(self, model: LanguageModel, method: str) -> None:
        super().__init__()
        self.model, self.method = model, method

    def forward(self, *arguments: Any) -> Any:
        return getattr(self.model, self.method)(*arguments)


def _spread_rows(tokens: np.ndarray, segment: int) -> np.ndarray:
    """Return rows of whole segments and a token behind, evenly spread over a text, int64 [batch time]."""
    rows = min(STATISTICS_ROWS, (len(tokens) - 1) // segment)
    length = min(STATISTICS_TOKENS, len(tokens) - 1) // (rows * segment) * segment
    starts = np.linspace(0, len(tokens) - 1 - length, rows).astype(int)
    return np.stack([tokens[start : start + length + 1] for start in starts]).astype(np.int64)


def _spread_chapters(stream: TokenStream, tokens: int) -> TokenStream:
    """Return chapters from all over a split that hold so many tokens together, the last of them cut."""
    chapters, left = [], tokens
    for index in range(0, stream.chapters, max(1, len(stream.tokens) // tokens)):
        chapters.append(stream.chapter(index)[:left])
        left -= len(chapters[-1])
    return TokenStream(np.concatenate(chapters), np.cumsum([0, *map(len, chapters)]))


MODEL, SPEC = Dynamic, DynamicSpec
