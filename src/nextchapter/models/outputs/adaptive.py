"""The adaptive softmax (Grave et al., 2017, arXiv 1609.04309): clusters of rare tokens behind narrow projections.

    p(token) = softmax over frequent tokens and clusters; of a cluster's token: p(cluster) * p(token | cluster)

Few targets lie in a cluster, so its matrix is multiplied for these few places only. Exact, in training as in scoring.
"""

import itertools
import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from nextchapter.models.protocol import IGNORED
from nextchapter.models.softmax import OtherOutput
from nextchapter.spec.base import SpecError
from nextchapter.spec.models import AdaptiveSpec


class AdaptiveOutput(OtherOutput):
    """torch's layer over tokens by rank; how frequent each is, is taken from the training split."""

    rank: Tensor

    def __init__(self, inputs: int, vocabulary_size: int, spec: AdaptiveSpec) -> None:
        """Build the layer for inputs of a width; until `prepare` token ids are taken to be ranks.

        Raises:
            SpecError: the vocabulary has no cutoff, or the vectors of its last cluster have no width.
        """
        super().__init__()
        cutoffs = list(spec.cutoffs_below(vocabulary_size))
        if inputs < spec.divisor ** len(cutoffs):
            most = math.floor(100 * inputs ** (1 / len(cutoffs))) / 100
            asked = f"with {len(cutoffs)} clusters and hidden {inputs} it must be at most {most:g}"
            raise SpecError(f"model.adaptive.divisor: found {spec.divisor:g}; {asked}")
        self.layer = nn.AdaptiveLogSoftmaxWithLoss(
            inputs, vocabulary_size, cutoffs, div_value=spec.divisor, head_bias=True
        )
        sizes = torch.tensor([stop - start for start, stop in itertools.pairwise([*cutoffs, vocabulary_size])])
        with torch.no_grad():  # so that a new model is about uniform
            self.layer.head.bias.zero_()[cutoffs[0] :] = sizes.log()
        self.register_buffer("rank", torch.arange(vocabulary_size))

    def prepare(self, counts: Int[Tensor, " token"]) -> None:
        """Rank the tokens by how often they stand in the training split, equal ones by their ids."""
        self.rank[counts.argsort(descending=True, stable=True)] = torch.arange(len(counts), device=self.rank.device)

    def predict(self, hidden: Float[Tensor, "batch time hidden"]) -> Float[Tensor, "batch time token"]:
        """Return ln p(next token | h_t), in nats."""
        by_rank: Tensor = self.layer.log_prob(hidden.flatten(0, 1))
        return by_rank[:, self.rank].view(*hidden.shape[:2], -1)

    def cross_entropy(
        self, hidden: Float[Tensor, "batch time hidden"], targets: Int[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time"]:
        """Return -ln p(target | h_t), in nats, 0 where the target is `IGNORED`."""
        kept = targets != IGNORED
        log_probs: Tensor = self.layer(hidden[kept], self.rank[targets[kept]]).output
        return torch.zeros_like(targets, dtype=log_probs.dtype).masked_scatter(kept, -log_probs)


OUTPUT = AdaptiveOutput
