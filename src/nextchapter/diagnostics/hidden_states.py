"""What the states of a hidden Markov model stand for: labels of a passage, the tokens of each state, where it leads."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from nextchapter.models.hidden_markov import Tables, posteriors, viterbi

ONE_TOKEN = 0.99
"""A state that emits a token with this probability is told by what comes next as well."""
MOST_STEPS = 200
"""In which the shares of the states settle."""
NAME_TOKENS = 4
BETWEEN = " · "
"""Parts the tokens of a name: commas are tokens themselves."""


class Reading(NamedTuple):
    """How a model reads a passage."""

    path: np.ndarray
    """The Viterbi label of each token [time]."""
    posterior: np.ndarray
    """p(state at each token | passage) [time state]."""


def read_passage(tables: Tables, tokens: np.ndarray, end_of_chapter: int) -> Reading:
    """Return the most probable states of a passage that begins a chapter, and how probable each state is there.

    Args:
        tables: the model.
        tokens: the passage.
        end_of_chapter: the token that says that a chapter begins; it is read and left out.
    """
    begun = np.concatenate([[end_of_chapter], tokens.astype(np.int64)])
    passage = torch.from_numpy(begun).to(tables.start.device)
    path, _ = viterbi(tables, passage)
    return Reading(path[1:].cpu().numpy(), posteriors(tables, passage)[1:].cpu().numpy())


def label_tokens(reading: Reading, texts: Sequence[str]) -> pd.DataFrame:
    """Return a row a token of a passage: its Viterbi label, and what forward-backward says of that state there.

    Args:
        reading: as `read_passage` gives it.
        texts: of each token, white space included.
    """
    places = np.arange(len(texts))
    probable = reading.posterior[places, reading.path]
    return pd.DataFrame({"position": places, "token": texts, "state": reading.path, "posterior": probable})


def list_states(tables: Tables, shares: Float[Tensor, " state"], most_states: int = 50) -> pd.DataFrame:
    """Return a row a state, the most frequent first: its share of time, how long it lasts, and where it leads.

    Args:
        tables: the model.
        shares: of all states.
        most_states: number of rows.
    """
    rows = []
    for state in order_by_share(shares)[:most_states]:
        stays = float(tables.transition[state, state])
        onward, successors = tables.transition[state].sort(descending=True, stable=True)
        leading = zip(successors[:5].tolist(), onward[:5].tolist(), strict=True)
        following = ", ".join(f"{successor} ({probability:.0%})" for successor, probability in leading)
        rows.append((state, float(shares[state]), stays, 1 / max(1 - stays, 1e-9), following))
    return pd.DataFrame(rows, columns=["state", "share", "stays", "mean_tokens", "next_states"])


def list_tokens(tables: Tables, states: Sequence[int], spellings: Sequence[str], most_tokens: int = 10) -> pd.DataFrame:
    """Return of some states the tokens that each emits most and those that come after it, a row a rank.

    A state that emits fewer tokens than there are rows has no token in the others.

    Args:
        tables: the model.
        states: which.
        spellings: text of each token of the vocabulary.
        most_tokens: rows of each.
    """
    rows = []
    for state in states:
        emitted, following = tables.emission[:, state], tables.emission @ tables.transition[state]
        ranked = (distribution.sort(descending=True, stable=True) for distribution in (emitted, following))
        (emit_p, emit), (next_p, follow) = ([part[:most_tokens].tolist() for part in pair] for pair in ranked)
        for rank, (token, p, after, after_p) in enumerate(zip(emit, emit_p, follow, next_p, strict=True), start=1):
            rows.append((state, rank, spellings[token] if p else "", p, spellings[after], after_p))
    columns = ["state", "rank", "token", "probability", "next_token", "next_probability"]
    return pd.DataFrame(rows, columns=columns)


def name_states(tokens: pd.DataFrame) -> dict[int, str]:
    """Return a name for each state in a table of `list_tokens`: what it emits, or what follows its one token."""
    names = {}
    for state, rows in tokens.groupby("state", sort=False):
        top = rows.head(NAME_TOKENS)
        if top["probability"].iloc[0] >= ONE_TOKEN:
            names[int(str(state))] = f"{top['token'].iloc[0]} → {BETWEEN.join(top['next_token'].head(NAME_TOKENS - 1))}"
        else:
            names[int(str(state))] = BETWEEN.join(top["token"][top["probability"] > 0])
    return names


def order_by_share(shares: Float[Tensor, " state"]) -> list[int]:
    """Return all states, the most frequent first."""
    order: list[int] = shares.argsort(descending=True, stable=True).tolist()
    return order


def stationary_shares(tables: Tables) -> Float[Tensor, " state"]:
    """Return the share of time in each state, in the long run: start A^n, as n grows."""
    shares = tables.start
    for _ in range(MOST_STEPS):
        before, shares = shares, shares @ tables.transition
        if (shares - before).abs().sum() < 1e-6:
            break
    return shares
