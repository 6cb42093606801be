"""Linear interpolation of models (Jelinek and Mercer, 1980): p(w) = sum over m of weight_m p_m(w).

The weights are fitted on the validation split by expectation-maximisation; the State holds that of each member.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor

from nextchapter.models.interpolation import fit_weights
from nextchapter.models.protocol import IGNORED, LanguageModel, State, Wrapper
from nextchapter.models.scoring import score_chapters
from nextchapter.spec.base import RunName
from nextchapter.spec.models import FamilySpec
from nextchapter.tokens.stream import TokenStream


class EnsembleSpec(FamilySpec):
    """A weighted mean of other runs' probabilities, Jelinek and Mercer (1980); heeds `training.device`, `.threads`."""

    kind: Literal["ensemble"] = "ensemble"
    """Says which of the families this is."""
    members: Annotated[tuple[RunName, ...], Field(min_length=2)]
    """Other runs of the study, with a seed (`lstm.s1`) or without: then of this run's seed, or of the only one."""

    @property
    def made_of(self) -> dict[str, str]:
        """Names of the runs whose models it is made of, by the keys that name them."""
        return {f"members.{place}": name for place, name in enumerate(self.members)}

    def describe(self) -> str:
        """Return the members."""
        return " + ".join(self.members)


class Ensemble(Wrapper):
    """Any number of models with one vocabulary, mixed."""

    tables = ("weights",)
    weights: Tensor

    def __init__(self, vocabulary_size: int, spec: EnsembleSpec, members: Sequence[LanguageModel]) -> None:
        """Begin with equal weights; the members' names in the specification say nothing here."""
        del spec
        super().__init__(vocabulary_size, members)
        self.register_buffer("weights", torch.full((len(members),), 1 / len(members)))

    def fit(self, stream: TokenStream, end_of_chapter: int) -> None:
        """Score the validation chapters by each member, and find the best weights."""
        scores = [score_chapters(member, stream, end_of_chapter, 16, 256) for member in self.models]
        log_probs = [torch.from_numpy(-np.concatenate(chapters)) for chapters in scores]
        weights, _ = fit_weights(torch.stack(log_probs, dim=1))
        self.weights.copy_(weights)

    def initial_state(self, batch: int) -> State:
        """Return the initial states of all members."""
        return tuple(member.initial_state(batch) for member in self.models)

    def forward(
        self, tokens: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time token"], State]:
        """Return ln p(next token) after each token; no more than two members' are held at once."""
        mixed, states = torch.tensor(-torch.inf, device=self.device), []
        for member, weight, old in zip(self.models, self.weights, state, strict=True):
            log_probs, new = member(tokens, old)
            mixed = torch.logaddexp(mixed, log_probs + weight.log())
            states.append(new)
        return mixed, tuple(states)

    def score(
        self, tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time"], State]:
        """Return -ln p(target) from the members' scores of it, without the vocabulary."""
        scored = [member.score(tokens, targets, old) for member, old in zip(self.models, state, strict=True)]
        nats = -torch.stack([self.weights[m].log() - part for m, (part, _) in enumerate(scored)]).logsumexp(dim=0)
        return nats.where(targets != IGNORED, 0.0), tuple(new for _, new in scored)


MODEL, SPEC = Ensemble, EnsembleSpec
