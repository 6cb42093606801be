"""Sampled softmax: a part of the vocabulary, drawn for a batch and shared by its places, stands for the whole.

Importance sampling of the denominator (Bengio and Senecal, 2008; Jean et al., 2015, arXiv 1412.2007), with tokens drawn
without replacement, each by itself (Poisson sampling), and weighed as Horvitz and Thompson (1952) do:

    A          tokens drawn, token j with probability pi_j = min(1, c q_j), where c gives sum_j pi_j = `sampled_softmax`
    Z          = exp(z_y) + sum over j in A, j != y, of exp(z_j) / pi_j         E[Z] = sum over all j of exp(z_j)
    loss       = ln Z - z_y

So frequent tokens are always there and none is computed twice. Since E[ln Z] <= ln E[Z], the loss is a little below
that of the whole softmax; with as many draws as there are tokens it is that. Scores outside of training are exact.

With AdamW in one process the gradients of the tables of vectors are sparse: they have the rows of the tokens drawn and
read, and only those are moved. Several processes draw apart, so that their gradients have most rows.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from nextchapter.models.protocol import HiddenLanguageModel
from nextchapter.models.softmax import SoftmaxLanguageModel
from nextchapter.spec.training import TrainingSpec
from nextchapter.training.batches import Batches
from nextchapter.training.objective import Loss


class SampledLoss(Loss):
    """The cross-entropy over the target and the tokens that were drawn."""

    def __init__(self, model: HiddenLanguageModel, spec: TrainingSpec, batches: Batches) -> None:
        """Fix the probability that a token is drawn."""
        if not (isinstance(model, SoftmaxLanguageModel) and spec.sampled_softmax):
            raise TypeError(f"sampled softmax needs a softmax and a number of draws; found {type(model).__name__}")
        size = model.vocabulary_size
        proposal = batches.token_counts(size).double() + 1 if spec.sampled_from == "unigram" else log_uniform(size)
        self.model, self.by_rows = model, spec.optimiser == "adamw" and spec.processes == 1
        if self.by_rows and isinstance(table := getattr(model, "embedding", None), nn.Embedding):
            table.sparse = True  # its gradient has the rows of the tokens that were read, beside those drawn here
        self.inclusion = inclusion_probabilities(proposal, spec.sampled_softmax).float().to(model.device)

    def __call__(
        self, hidden: Float[Tensor, "batch time hidden"], targets: Int[Tensor, "batch time"]
    ) -> tuple[Float[Tensor, "batch time"], Tensor | float]:
        """Return ln Z - z_y at each place; tokens are drawn by torch's global generator."""
        features, weight, bias = self.model.output_layer(hidden.flatten(0, 1))  # [place width], ...
        own = targets.flatten().clamp_min(0)
        drawn = (torch.rand_like(self.inclusion) < self.inclusion).nonzero()[:, 0]
        rows = functional.embedding(torch.cat([drawn, own]), weight, sparse=self.by_rows and weight.is_leaf)
        own_logits = (features * rows[len(drawn) :]).sum(dim=-1) + bias[own]
        correction = bias[drawn] - self.inclusion[drawn].log()
        logits = torch.addmm(correction, features, rows[: len(drawn)].T)  # [place drawn]
        column = torch.full_like(self.inclusion, -1, dtype=torch.int64)
        column[drawn] = torch.arange(len(drawn), device=drawn.device)
        place = (column[own] >= 0).nonzero()[:, 0]
        logits[place, column[own[place]]] = -torch.inf  # the target counts once, by itself
        logits = torch.cat([own_logits[:, None], logits], dim=1)
        nats = functional.cross_entropy(logits, torch.zeros_like(own), reduction="none")
        return nats.view_as(targets) * (targets >= 0), 0.0


def log_uniform(tokens: int) -> Float[Tensor, " token"]:
    """Return ln((j + 2) / (j + 1)) for the tokens j: Zipf's law for a vocabulary with frequent tokens first."""
    place = torch.arange(tokens, dtype=torch.float64)
    return torch.log((place + 2) / (place + 1))


def inclusion_probabilities(proposal: Float[Tensor, " token"], draws: int) -> Float[Tensor, " token"]:
    """Return min(1, c q_j) with the c for which they add up to `draws`; all are 1 where there are no more tokens.

    Args:
        proposal: q, positive, of any sum.
        draws: how many tokens are to be drawn on average.
    """
    if draws >= len(proposal):
        return torch.ones_like(proposal)
    ordered = proposal.sort(descending=True).values
    rest = ordered.flip(0).cumsum(0).flip(0)  # what the k-th and all after it have
    factors = (draws - torch.arange(len(ordered))) / rest
    certain = int((factors * ordered <= 1).int().argmax())
    return (factors[certain] * proposal).clamp_max(1)


LOSS = SampledLoss
