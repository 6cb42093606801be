"""What the networks share behind their hidden state: the softmax over the vocabulary, and its cross-entropy."""

from abc import abstractmethod

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from nextchapter.models.protocol import IGNORED, HiddenLanguageModel


class SoftmaxLanguageModel(HiddenLanguageModel):
    """p(next token) = softmax(logits); a family gives the hidden state, and the logits that follow from it."""

    @abstractmethod
    def logits(self, hidden: Float[Tensor, "batch time hidden"]) -> Float[Tensor, "batch time token"]:
        """Return the unnormalised ln p(next token | h_t)."""

    def predict(self, hidden: Float[Tensor, "batch time hidden"]) -> Float[Tensor, "batch time token"]:
        """Return ln p(next token | h_t), in nats."""
        return functional.log_softmax(self.logits(hidden), dim=-1)

    def charge(
        self, hidden: Float[Tensor, "batch time hidden"], targets: Int[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time"]:
        """Return -ln p(target | h_t), in nats; the normalised probabilities are never stored."""
        logits = self.logits(hidden)
        flat = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none")
        return flat.view_as(targets)
