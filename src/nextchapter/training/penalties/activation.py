"""Activation regularisation (Merity, McCann and Socher, 2017, arXiv 1708.01009): small outputs, which change slowly.

AR  = alpha * mean (m * h_t)^2          h_t of the last recurrent layer, m its dropout mask
TAR = beta  * mean (h_t - h_{t+1})^2    without the mask
"""

from jaxtyping import Float
from torch import Tensor, nn

from nextchapter.models.protocol import HiddenLanguageModel
from nextchapter.models.recurrent import RecurrentLanguageModel
from nextchapter.spec.training import TrainingSpec
from nextchapter.training.objective import Penalty


class ActivationPenalty(Penalty):
    """AR and TAR of a recurrent network; another model has none."""

    def __init__(self, model: HiddenLanguageModel, spec: TrainingSpec) -> None:
        """Keep what the last layer returns, as it is before dropout."""
        self.alpha, self.beta = spec.activation_regularisation, spec.temporal_activation_regularisation
        self._outputs: Tensor | None = None
        self._is_recurrent = isinstance(model, RecurrentLanguageModel)
        if isinstance(model, RecurrentLanguageModel) and self.beta:
            model.cells[-1].register_forward_hook(self._keep)

    def charge(self, hidden: Float[Tensor, "batch time hidden"], kept: Tensor) -> Tensor | float:
        """Return both, summed over the places where a target stands; of a single step TAR is 0."""
        if not self._is_recurrent:
            return 0.0
        penalty = self.alpha * (hidden.square().mean(dim=-1) * kept).sum()
        outputs, self._outputs = self._outputs, None
        if outputs is not None:
            change = (outputs[:, 1:] - outputs[:, :-1]).square().mean(dim=-1)
            penalty = penalty + self.beta * (change * kept[:, 1:]).sum()
        return penalty

    def _keep(self, cell: nn.Module, inputs: object, outputs: tuple[Tensor, object]) -> None:
        del inputs
        if cell.training:  # what a validation returns is no step's
            self._outputs = outputs[0]


PENALTY = ActivationPenalty
