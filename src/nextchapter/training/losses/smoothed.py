"""Label smoothing (Szegedy et al., 2016, arXiv 1512.00567, section 7): a share of each target goes to all tokens.

    loss_t = (1 - e) * -ln p(target) + e * mean over the vocabulary of -ln p(token)

The reported nats are those of the target alone, so that losses with and without smoothing compare.
"""

from jaxtyping import Float, Int
from torch import Tensor

from nextchapter.models.protocol import HiddenLanguageModel
from nextchapter.spec.training import TrainingSpec
from nextchapter.training.batches import Batches
from nextchapter.training.objective import Loss


class SmoothedLoss(Loss):
    """The cross-entropy with smoothed targets; holds ln p of the whole vocabulary."""

    def __init__(self, model: HiddenLanguageModel, spec: TrainingSpec, batches: Batches) -> None:
        """Take the share e."""
        del batches
        self.model, self.share = model, spec.label_smoothing

    def __call__(
        self, hidden: Float[Tensor, "batch time hidden"], targets: Int[Tensor, "batch time"]
    ) -> tuple[Float[Tensor, "batch time"], Tensor | float]:
        """Return the nats of each target, and e times what those of an even guess exceed them by."""
        log_probs, kept = self.model.predict(hidden), targets >= 0
        nats = -log_probs.gather(-1, targets.clamp_min(0)[..., None])[..., 0] * kept
        even = -log_probs.mean(dim=-1) * kept
        return nats, self.share * (even - nats).sum()


LOSS = SmoothedLoss
