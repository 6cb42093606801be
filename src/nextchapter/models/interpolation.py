"""Interpolation of models: p(w) = sum over m of weight_m p_m(w), with weights by expectation-maximisation.

Jelinek and Mercer (1980). For a text of N tokens, with p_m(w_n) given,

    E-step   r_nm = weight_m p_m(w_n) / sum over k of weight_k p_k(w_n)
    M-step   weight_m = mean over n of r_nm

No step lowers the likelihood, which is concave in the weights: what they run to is the best there is.
"""

import torch
from jaxtyping import Float
from torch import Tensor

STEPS_MAX = 2000
LEAST_GAIN_NATS = 1e-10
"""A step that gains less a token is the last one."""


def fit_weights(log_probs: Float[Tensor, "token member"]) -> tuple[Float[Tensor, " member"], float]:
    """Return the weights under which a text is most probable, and its mean -ln p a token then.

    Args:
        log_probs: ln p of each token by each member, float64; at least one member foresees it at all.
    """
    members = log_probs.shape[1]
    most = log_probs.amax(dim=1, keepdim=True)
    probs, floor = (log_probs - most).exp(), -float(most.mean())  # scaled a token: that changes no step
    weights, nats = log_probs.new_full((members,), 1 / members), torch.inf
    for _ in range(STEPS_MAX):
        better, after = step_weights(probs, weights)
        gain, nats = nats - after, after
        if gain < LEAST_GAIN_NATS:
            break
        weights = better
    return weights, nats + floor


def step_weights(
    probs: Float[Tensor, "token member"], weights: Float[Tensor, " member"]
) -> tuple[Float[Tensor, " member"], float]:
    """Return the weights after one step of EM, and the mean -ln p a token before it."""
    total = probs @ weights
    better = weights * (probs.T @ total.reciprocal()) / len(probs)
    return better / better.sum(), -float(total.log().mean())
