"""Drawing the next token from a model's distribution."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

FORBIDDEN = -math.inf


def sample(
    log_probs: Float[Tensor, "batch token"],
    generator: torch.Generator,
    temperature: float,
    top_k: int | None = None,
    top_p: float = 1.0,
) -> Int[Tensor, " batch"]:
    """Return a token for each row.

    Args:
        log_probs: ln p(next token), in nats; `FORBIDDEN` where a token may not come.
        generator: on the CPU; the draw depends on it alone.
        temperature: divides ln p; 0 takes the likeliest token.
        top_k: keep this many likeliest tokens.
        top_p: keep the likeliest tokens that hold this much probability, at least one.
    """
    if temperature == 0:
        return log_probs.argmax(dim=-1)
    scaled = keep_top_p(keep_top_k(log_probs.double().cpu() / temperature, top_k), top_p)
    return torch.multinomial(scaled.softmax(dim=-1), 1, generator=generator)[:, 0].to(log_probs.device)


def keep_top_k(log_probs: Float[Tensor, "batch token"], top_k: int | None) -> Float[Tensor, "batch token"]:
    """Forbid all but the `top_k` likeliest tokens."""
    if top_k is None or top_k >= log_probs.shape[-1]:
        return log_probs
    weakest = log_probs.topk(top_k, dim=-1).values[:, -1:]
    return log_probs.masked_fill(log_probs < weakest, FORBIDDEN)


def keep_top_p(log_probs: Float[Tensor, "batch token"], top_p: float) -> Float[Tensor, "batch token"]:
    """Forbid the tail beyond the likeliest tokens that together hold `top_p` (Holtzman et al., 2020)."""
    if top_p >= 1:
        return log_probs
    ordered, order = log_probs.softmax(dim=-1).sort(dim=-1, descending=True)
    tail = ordered.cumsum(dim=-1) - ordered >= top_p
    return log_probs.masked_fill(tail.gather(-1, order.argsort(dim=-1)), FORBIDDEN)
