"""What the states of a hidden Markov model stand for: labels of a passage, and the tokens of each state."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from nextchapter.models.hidden_markov import HiddenMarkovModel, Tables, posteriors, viterbi


@torch.no_grad()
def label_tokens(model: HiddenMarkovModel, tokens: np.ndarray, spellings: Sequence[str]) -> pd.DataFrame:
    """Return a row a token of a passage: its Viterbi label, and what forward-backward says of that state there.

    Args:
        model: any hidden Markov model, in evaluation mode.
        tokens: the passage.
        spellings: text of each token of the vocabulary.
    """
    tables, passage = model.probabilities(), torch.from_numpy(tokens.astype(np.int64)).to(model.device)
    path, _ = viterbi(tables, passage)
    posterior = posteriors(tables, passage)
    return pd.DataFrame({
        "position": np.arange(len(tokens)),
        "token": [spellings[token] for token in tokens],
        "state": path.cpu().numpy(),
        "posterior": posterior.gather(1, path[:, None])[:, 0].cpu().numpy(),
    })  # fmt: skip


@torch.no_grad()
def list_states(
    model: HiddenMarkovModel, spellings: Sequence[str], most_states: int = 50, most_tokens: int = 10
) -> pd.DataFrame:
    """Return the states in which the model is most often, each with the tokens that it emits and that come next.

    Args:
        model: any hidden Markov model, in evaluation mode.
        spellings: text of each token of the vocabulary.
        most_states: number of states.
        most_tokens: rows of each.
    """
    tables = model.probabilities()
    shares = stationary_shares(tables)
    rows = []
    for state in shares.argsort(descending=True, stable=True)[:most_states].tolist():
        emitted = tables.emission[:, state]
        following = tables.emission @ tables.transition[state]
        ranked = (distribution.sort(descending=True, stable=True) for distribution in (emitted, following))
        (emit_p, emit), (next_p, follow) = ([part[:most_tokens].tolist() for part in pair] for pair in ranked)
        for rank, (token, p, after, after_p) in enumerate(zip(emit, emit_p, follow, next_p, strict=True), start=1):
            rows.append((state, float(shares[state]), rank, spellings[token], p, spellings[after], after_p))
    columns = ["state", "share", "rank", "token", "probability", "next_token", "next_probability"]
    return pd.DataFrame(rows, columns=columns)


def stationary_shares(tables: Tables, steps: int = 200) -> Float[Tensor, " state"]:
    """Return the share of time in each state, in the long run: start A^n, as n grows."""
    shares = tables.start
    for _ in range(steps):
        shares = shares @ tables.transition
    return shares
