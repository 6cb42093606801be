"""Runs that differ in the seed alone, taken together: their mean, and how much of it is the luck of the seed."""

from typing import Any

import pandas as pd
from scipy.special import stdtrit

from nextchapter.spec.study import configuration_of

_MEANS = (
    "train_seconds",
    "valid_bits_per_character",
    "test_nats_per_token",
    "test_perplexity",
    "test_bits_per_character",
    "test_bits_per_byte",
    "test_word_accuracy",
    "test_expected_calibration_error",
)
COLUMNS = (
    "rank",
    "configuration",
    "model",
    "tokenizer",
    "parameters",
    "runs",
    *_MEANS,
    "standard_deviation",
    "seeds_low",
    "seeds_high",
    "ci_low",
    "ci_high",
    "champion",
)


def have_seeds(leaderboard: pd.DataFrame) -> bool:
    """Return whether a leaderboard holds runs that differ in the seed alone."""
    return bool(configurations_of(leaderboard).duplicated().any())


def configurations_of(runs: pd.DataFrame) -> "pd.Series[str]":
    """Return the configuration of each row of a table with the columns `run` and `seed`."""
    named = zip(runs["run"], runs["seed"], strict=True)
    return pd.Series([configuration_of(run, seed) for run, seed in named], index=runs.index, dtype=str)


def compare_configurations(leaderboard: pd.DataFrame) -> pd.DataFrame:
    """Return one row a configuration, the best mean on the test chapters first.

    Two things may make a score what it is by luck. `seeds_low` and `seeds_high` are the 95 % interval of the mean over
    seeds (Student's t), the text being what it is; `ci_low` and `ci_high`, the means of the runs' own intervals, tell
    what other chapters might do to it, and as all runs read the same chapters they move together.

    Args:
        leaderboard: as `nextchapter.report.leaderboard.compare` returns it.
    """
    groups = leaderboard.groupby(configurations_of(leaderboard), sort=True)
    table = pd.DataFrame([_row(str(name), runs) for name, runs in groups])
    table["rank"] = table["test_bits_per_character"].rank(method="min").astype(int)
    return table.sort_values(["rank", "parameters", "configuration"], ignore_index=True)[list(COLUMNS)]


def _row(configuration: str, runs: pd.DataFrame) -> dict[str, Any]:
    first, scores = runs.iloc[0], runs["test_bits_per_character"]
    reach = _reach_of_mean(scores)
    return {
        "configuration": configuration,
        **{name: first[name] for name in ("model", "tokenizer", "parameters")},
        "runs": len(runs),
        **{name: pd.to_numeric(runs[name]).mean(skipna=False) for name in (*_MEANS, "ci_low", "ci_high")},
        "standard_deviation": scores.std(),
        "seeds_low": scores.mean() - reach,
        "seeds_high": scores.mean() + reach,
        "champion": bool(runs["champion"].any()),
    }


def _reach_of_mean(scores: "pd.Series[float]") -> float:
    """Return half the width of the 95 % interval of a mean: t s / sqrt(n); NaN where one score tells no spread."""
    count = len(scores)
    return float(stdtrit(count - 1, 0.975) * scores.std() / count**0.5) if count > 1 else float("nan")
