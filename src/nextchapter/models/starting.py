"""Token vectors that were learned before the model that starts from them."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from nextchapter.models.protocol import LanguageModel


def token_vectors(model: LanguageModel) -> Tensor | None:
    """Return the table of a model's token vectors [token state], or None where it has none."""
    table = getattr(model, "embedding", None)
    return table.weight if isinstance(table, nn.Embedding) else None


def start_vectors(model: LanguageModel, vectors: Float[Tensor, "token state"], known: Bool[Tensor, " token"]) -> None:
    """Let the token vectors of a model start from learned ones; a token without one keeps its random start.

    The learned vectors are shifted to mean 0 and brought to the mean square of the random ones: a tied output starts
    with logits as small as before.

    Raises:
        ValueError: the model has no table of token vectors, or one of another shape.
    """
    table = token_vectors(model)
    if table is None or table.shape != vectors.shape:
        found = None if table is None else tuple(table.shape)
        raise ValueError(f"vectors of shape {tuple(vectors.shape)} do not fit token vectors of shape {found}")
    if not known.any():
        return
    learned = vectors[known] - vectors[known].mean(dim=0)
    scale = vectors.shape[1] ** -0.5 / learned.square().mean().sqrt().clamp(min=1e-12)
    with torch.no_grad():
        table[known.to(table.device)] = (learned * scale).to(table)
