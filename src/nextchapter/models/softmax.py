"""What the networks share behind their hidden state: the softmax over the vocabulary, and its cross-entropy."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from nextchapter.models.protocol import IGNORED, HiddenLanguageModel


class OutputLayer(NamedTuple):
    """The last affine map: logits = features weight^T + bias."""

    features: Float[Tensor, "... width"]
    weight: Float[Tensor, "token width"]
    bias: Float[Tensor, " token"]


class SoftmaxLanguageModel(HiddenLanguageModel):
    """p(next token) = softmax(logits); a family gives the hidden state, and the logits that follow from it."""

    @abstractmethod
    def output_layer(self, hidden: Float[Tensor, "... hidden"]) -> OutputLayer:
        """Return what the logits are the product of, for those who need only some of them."""

    def logits(self, hidden: Float[Tensor, "... hidden"]) -> Float[Tensor, "... token"]:
        """Return the unnormalised ln p(next token | h_t)."""
        return functional.linear(*self.output_layer(hidden))

    def predict(self, hidden: Float[Tensor, "batch time hidden"]) -> Float[Tensor, "batch time token"]:
        """Return ln p(next token | h_t), in nats."""
        return functional.log_softmax(self.logits(hidden), dim=-1)

    def cross_entropy(
        self, hidden: Float[Tensor, "batch time hidden"], targets: Int[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time"]:
        """Return -ln p(target | h_t), in nats; the normalised probabilities are never stored."""
        logits = self.logits(hidden)
        flat = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none")
        return flat.view_as(targets)


@torch.no_grad()
def start_bias(bias: Float[Tensor, " token"], counts: Int[Tensor, " token"]) -> None:
    """Let b_s start as ln((n_j + 1) / (N + V)), n_j being how often token j stands in the training split.

    The network then begins as a model of single frequencies and need not learn them step by step.
    """
    bias.copy_(torch.log((counts + 1) / (counts.sum() + len(counts))))


class OtherOutput(nn.Module, ABC):
    """An output layer that takes the softmax's place: p(next token | h_t) without logits of all tokens."""

    @abstractmethod
    def prepare(self, counts: Int[Tensor, " token"]) -> None:
        """Hear how often each token stands in the training split."""

    @abstractmethod
    def predict(self, hidden: Float[Tensor, "batch time hidden"]) -> Float[Tensor, "batch time token"]:
        """Return ln p(next token | h_t), in nats."""

    @abstractmethod
    def cross_entropy(
        self, hidden: Float[Tensor, "batch time hidden"], targets: Int[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time"]:
        """Return -ln p(target | h_t), in nats, 0 where the target is `IGNORED`."""
