"""True beside predicted next tokens over a passage."""

import numpy as np
import pandas as pd
import torch

from nextchapter.models.protocol import LanguageModel
from nextchapter.tokens.protocol import Tokenizer

BEST = 5
"""So many of the likeliest tokens are shown."""


@torch.no_grad()
def predict_passage(model: LanguageModel, passage: np.ndarray, tokenizer: Tokenizer) -> pd.DataFrame:
    """Return a row a token: the true one with its probability, and the `BEST` likeliest ones with theirs.

    Args:
        model: the model.
        passage: tokens of the beginning of a chapter.
        tokenizer: turns tokens into text.
    """
    before = np.concatenate([[tokenizer.end_of_chapter], passage[:-1]]).astype(np.int64)
    log_probs, _ = model(torch.from_numpy(before)[None].to(model.device), model.initial_state(1))
    probabilities = log_probs[0].exp().cpu()
    top = probabilities.topk(min(BEST, probabilities.shape[1]), dim=1)
    rows = []
    for place, true in enumerate(passage.tolist()):
        row: dict[str, object] = {
            "position": place,
            "true": tokenizer.token_text(true),
            "true_probability": float(probabilities[place, true]),
        }
        for rank, (value, token) in enumerate(zip(top.values[place], top.indices[place], strict=True), start=1):
            row[f"predicted_{rank}"] = tokenizer.token_text(int(token))
            row[f"probability_{rank}"] = float(value)
        rows.append(row)
    return pd.DataFrame(rows)
