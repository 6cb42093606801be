"""Embedding dropout: whole tokens are dropped, wherever they stand in a batch (Gal and Ghahramani, 2016, section 4.2).

x_t = m[token_t] / (1 - p) * E[token_t],  m ~ Bernoulli(1 - p), one number a token of the vocabulary
"""

from jaxtyping import Float, Int
from torch import Tensor, nn


def look_up(
    table: nn.Embedding, tokens: Int[Tensor, "batch time"], rate: float, training: bool
) -> Float[Tensor, "batch time embedding"]:
    """Return the vectors of tokens; while training, a share of all tokens has zeros, and the others are scaled up."""
    vectors: Tensor = table(tokens)
    if not (training and rate):
        return vectors
    scales = table.weight.new_empty(table.num_embeddings).bernoulli_(1 - rate).div_(1 - rate)
    return vectors * scales[tokens][..., None]
