"""A recurrent layer of one of the language models' families, between continuous inputs and a linear answer."""

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from nextchapter.diagnostics.tasks.task import Task
from nextchapter.models.protocol import map_state
from nextchapter.models.recurrent import RecurrentLanguageModel
from nextchapter.models.registry import build_model


class TaskNetwork(nn.Module):
    """One layer of a family, and a linear layer that answers at each step."""

    def __init__(self, task: Task, model: dict[str, Any]) -> None:
        """Take the cell of a language model whose token vectors are as wide as the task's inputs.

        Args:
            task: what is asked.
            model: specification of a recurrent family; embedding and layers are set here.
        """
        super().__init__()
        own = {"layers": 1, "embedding": task.inputs, "tied": False}
        language_model = build_model({**model, **own}, vocabulary_size=1)
        if not isinstance(language_model, RecurrentLanguageModel):
            raise TypeError(type(language_model))
        (self.cell,) = language_model.cells
        (self._start,) = language_model.initial_state(1)
        self.answer = nn.Linear(model["hidden"], task.outputs)

    def forward(self, inputs: Float[Tensor, "batch time input"]) -> Float[Tensor, "batch time output"]:
        """Return what the network answers at each step."""
        start = map_state(lambda part: part.expand(len(inputs), -1).contiguous(), self._start)
        hidden: Tensor = self.cell(inputs, start)[0]
        outputs: Tensor = self.answer(hidden)
        return outputs
