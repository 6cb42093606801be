"""The leaderboard: one row a run, ranked by bits a character on chapters that no run has seen."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nextchapter.evaluation.comparison import shared_ranks

_JUDGED = (
    "test_token_accuracy_at_1",
    "test_token_accuracy_at_5",
    "test_word_accuracy",
    "test_expected_calibration_error",
)
COLUMNS = (
    "rank",
    "run",
    "model",
    "parameters",
    "corpus",
    "tokenizer",
    "train_share",
    "seed",
    "device",
    "train_seconds",
    "train_tokens_per_s",
    "valid_bits_per_character",
    "test_nats_per_token",
    "test_perplexity",
    "test_perplexity_per_word",
    "test_bits_per_character",
    "test_bits_per_character_without_spelling",
    "test_bits_per_byte",
    "ci_low",
    "ci_high",
    *_JUDGED,
    "champion",
)
_TEXT = ("run", "model", "corpus", "tokenizer", "device")
_MAY_BE_MISSING = ("test_perplexity", "test_perplexity_per_word", "ci_low", "ci_high", "test_word_accuracy")


def compare(provenance: Sequence[Mapping[str, Any]], metrics: Sequence[Mapping[str, Any]], corpus: str) -> pd.DataFrame:
    """Return the leaderboard of some runs, best first.

    The rank is by bits a character on the test split, equal scores sharing one. The champion is chosen on the
    validation split: the lowest bits a character there, then fewer parameters, then the name.

    Args:
        provenance: the runs' `run.json`.
        metrics: their `metrics.json`, in the same order.
        corpus: name of the corpus.

    Raises:
        ValueError: there is no run, or the two lists are not of the same runs.
    """
    table = pd.DataFrame([_row(*pair, corpus) for pair in pair_records(provenance, metrics)])
    chosen = table.sort_values(["valid_bits_per_character", "parameters", "run"]).index[0]
    table["champion"] = table.index == chosen
    table["rank"] = table["test_bits_per_character"].rank(method="min").astype(int)
    return table.sort_values(["rank", "parameters", "run"], ignore_index=True)[list(COLUMNS)]


def pair_records(
    provenance: Sequence[Mapping[str, Any]], metrics: Sequence[Mapping[str, Any]]
) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Return the `run.json` and the `metrics.json` of each run.

    Raises:
        ValueError: there is no run, or the two lists are not of the same runs.
    """
    names, scored = [record["run"] for record in provenance], [record["run"] for record in metrics]
    if names != scored or not names:
        raise ValueError(f"run.json and metrics.json must be of the same runs, at least one: {names} and {scored}")
    return list(zip(provenance, metrics, strict=True))


def _row(run: Mapping[str, Any], scores: Mapping[str, Any], corpus: str) -> dict[str, Any]:
    valid, test = scores["splits"]["valid"], scores["splits"]["test"]
    return {
        "run": run["run"],
        "model": run["model"]["kind"],
        "parameters": run["parameters"],
        "corpus": corpus,
        "tokenizer": run["tokenizer"],
        "train_share": run.get("train_share", 1.0),
        "seed": run["seed"],
        "device": run["device"],
        "train_seconds": run["train_seconds"],
        "train_tokens_per_s": run["train_tokens_per_s"],
        "valid_bits_per_character": valid["bits_per_character"],
        "test_nats_per_token": test["nats_per_token"],
        "test_perplexity": test["perplexity"],
        "test_perplexity_per_word": test["perplexity_per_word"],
        "test_bits_per_character": test["bits_per_character"],
        "test_bits_per_character_without_spelling": test["bits_per_character_without_spelling"],
        "test_bits_per_byte": test["bits_per_byte"],
        "ci_low": test["ci_low"],
        "ci_high": test["ci_high"],
        **{name: test[name.removeprefix("test_")] for name in _JUDGED},
    }


def share_ranks(leaderboard: pd.DataFrame, comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the leaderboard with ranks that runs share where what parts them may be chance.

    Args:
        leaderboard: best first.
        comparisons: of each two of its runs.
    """
    return leaderboard.assign(rank=shared_ranks(list(leaderboard["run"]), comparisons))


def rank_labels(ranks: Sequence[int]) -> list[str]:
    """Return ranks as they are shown: `=2` where more than one run has rank 2."""
    counts = Counter(ranks)
    return [f"={rank}" if counts[rank] > 1 else str(rank) for rank in ranks]


def champion_of(leaderboard: pd.DataFrame) -> dict[str, Any]:
    """Return the champion's name and the score that it was chosen by."""
    row = leaderboard[leaderboard["champion"]].iloc[0]
    return {"run": str(row["run"]), "valid_bits_per_character": float(row["valid_bits_per_character"])}


def read_leaderboard(path: Path) -> pd.DataFrame:
    """Return the leaderboard in a CSV file; names stay text even where they look like numbers or like nothing."""
    missing = dict.fromkeys(_MAY_BE_MISSING, "")
    return pd.read_csv(path, dtype=dict.fromkeys(_TEXT, str), keep_default_na=False, na_values=missing)
