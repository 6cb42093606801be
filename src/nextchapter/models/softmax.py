"""What the networks share behind their hidden state: the softmax over the vocabulary, and its cross-entropy."""

from abc import abstractmethod

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from nextchapter.models.protocol import IGNORED, LanguageModel, State


class SoftmaxLanguageModel(LanguageModel):
    """p(next token) = softmax(logits); a family gives the logits."""

    @abstractmethod
    def logits(
        self, tokens: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time token"], State]:
        """Return the unnormalised ln p(next token) after each token, and the state after the last one."""

    def forward(
        self, tokens: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time token"], State]:
        """Return ln p(next token) after each token, in nats, and the state after the last one."""
        logits, state = self.logits(tokens, state)
        return functional.log_softmax(logits, dim=-1), state

    def score(
        self, tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time"], State]:
        """Return -ln p(target), in nats; the normalised probabilities are never stored."""
        logits, state = self.logits(tokens, state)
        flat = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none")
        return flat.view_as(targets), state
