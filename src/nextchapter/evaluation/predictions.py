"""True beside predicted next tokens over a passage."""

import numpy as np
import pandas as pd
import torch

from nextchapter.models.protocol import LanguageModel
from nextchapter.tokens.unigram import UnigramTokenizer


@torch.no_grad()
def predict_passage(
    model: LanguageModel,
    chapter: np.ndarray,
    tokenizer: UnigramTokenizer,
    start: int,
    count: int,
    best: int = 5,
) -> pd.DataFrame:
    """Return a row a token: the true one with its probability, and the likeliest ones with theirs.

    The model has read the chapter from its beginning.

    Args:
        model: the model.
        chapter: tokens of the chapter.
        tokenizer: turns tokens into text.
        start: first token of the passage.
        count: length of the passage, in tokens.
        best: how many of the likeliest tokens to show.
    """
    device = model.device
    before = np.concatenate([[tokenizer.end_of_chapter], chapter[: start + count - 1]]).astype(np.int64)
    log_probs, _ = model(torch.from_numpy(before)[None].to(device), model.initial_state(1))
    probabilities = log_probs[0, start:].exp().cpu()
    top = probabilities.topk(min(best, probabilities.shape[1]), dim=1)
    rows = []
    for place, true in enumerate(chapter[start : start + count].tolist()):
        row: dict[str, object] = {
            "position": start + place,
            "true": tokenizer.token_text(true),
            "true_probability": float(probabilities[place, true]),
        }
        for rank, (value, token) in enumerate(zip(top.values[place], top.indices[place], strict=True), start=1):
            row[f"predicted_{rank}"] = tokenizer.token_text(int(token))
            row[f"probability_{rank}"] = float(value)
        rows.append(row)
    return pd.DataFrame(rows)
