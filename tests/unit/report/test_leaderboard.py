from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nextchapter.report.leaderboard import (
    COLUMNS,
    champion_of,
    compare,
    rank_labels,
    read_leaderboard,
    share_ranks,
)
from nextchapter.store.tables import write_csv


def record(run: str, parameters: int = 5, **more: Any) -> dict[str, Any]:
    base = {
        "run": run,
        "model": {"kind": "gru"},
        "parameters": parameters,
        "tokenizer": "t",
        "seed": 1,
        "device": "cpu",
    }
    return base | {"train_seconds": 1.5, "train_tokens_per_s": 9.0} | more


def metrics(run: str, test: float, valid: float, **more: Any) -> dict[str, Any]:
    scores = {"nats_per_token": 1.0, "perplexity": 2.7, "perplexity_per_word": 9.0, "ci_low": None, "ci_high": None}
    scores |= {"token_accuracy_at_1": 0.3, "token_accuracy_at_5": 0.5, "word_accuracy": None, "bits_per_byte": 2.0}
    scores |= {"expected_calibration_error": 0.04}
    splits = {"valid": valid, "test": test}
    return {
        "run": run,
        "splits": {
            name: scores | {"bits_per_character": bits, "bits_per_character_without_spelling": bits} | more
            for name, bits in splits.items()
        },
    }


def test_the_columns_are_the_agreed_ones(leaderboard_of: Callable[..., pd.DataFrame]) -> None:
    assert ",".join(leaderboard_of({"a.s1": (2.0, 2.0)}).columns) == (
        "rank,run,model,parameters,corpus,tokenizer,train_share,seed,device,train_seconds,train_tokens_per_s,"
        "valid_bits_per_character,test_nats_per_token,test_perplexity,test_perplexity_per_word,"
        "test_bits_per_character,test_bits_per_character_without_spelling,test_bits_per_byte,ci_low,ci_high,"
        "test_token_accuracy_at_1,test_token_accuracy_at_5,test_word_accuracy,test_expected_calibration_error,champion"
    )
    assert tuple(leaderboard_of({"a.s1": (2.0, 2.0)}).columns) == COLUMNS


def test_the_rank_goes_by_test_and_the_champion_by_validation(leaderboard_of: Callable[..., pd.DataFrame]) -> None:
    table = leaderboard_of({"a.s1": (2.5, 2.1), "b.s1": (2.2, 2.3), "c.s1": (2.4, 2.2)})
    assert table["run"].tolist() == ["b.s1", "c.s1", "a.s1"]
    assert table["rank"].tolist() == [1, 2, 3]
    assert table["champion"].tolist() == [False, False, True]
    assert champion_of(table) == {"run": "a.s1", "valid_bits_per_character": 2.1}


def test_equal_scores_share_a_rank_and_the_next_one_is_left_out(leaderboard_of: Callable[..., pd.DataFrame]) -> None:
    table = leaderboard_of({"c.s1": (2.2, 2.0), "b.s1": (2.2, 2.1), "a.s1": (2.3, 2.2)})
    assert list(zip(table["rank"], table["run"], strict=True)) == [(1, "b.s1"), (1, "c.s1"), (3, "a.s1")]


def test_a_tie_on_validation_goes_to_the_smaller_network_and_then_to_the_name() -> None:
    sizes = {"a.s1": 9, "c.s1": 7, "b.s1": 7}
    table = compare([record(run, size) for run, size in sizes.items()], [metrics(run, 2.0, 2.0) for run in sizes], "x")
    assert champion_of(table)["run"] == "b.s1"


def test_ranks_are_shared_where_the_comparisons_say_so_and_the_champion_stays(
    leaderboard_of: Callable[..., pd.DataFrame],
) -> None:
    table = leaderboard_of({"a.s1": (2.0, 2.2), "b.s1": (2.1, 2.1), "c.s1": (2.5, 2.4)})
    pairs = [("a.s1", "b.s1", 0.3), ("a.s1", "c.s1", 0.01), ("b.s1", "c.s1", 0.2)]
    shared = share_ranks(table, pd.DataFrame(pairs, columns=["better", "worse", "p_holm"]))
    assert shared["rank"].tolist() == [1, 1, 3]
    assert rank_labels(shared["rank"].tolist()) == ["=1", "=1", "3"]
    assert shared["run"].tolist() == ["a.s1", "b.s1", "c.s1"]
    assert champion_of(shared)["run"] == "b.s1"


def test_five_hundred_runs_are_ranked(leaderboard_of: Callable[..., pd.DataFrame]) -> None:
    scores = {f"run-{number}.s1": (2 + (number * 7919 % 500) / 1000, 2.0 + number) for number in range(500)}
    table = leaderboard_of(scores)
    assert table["rank"].tolist() == list(range(1, 501))
    assert [scores[run][0] for run in table["run"]] == sorted(test for test, _ in scores.values())
    assert table["champion"].sum() == 1


def test_what_is_written_is_read_back_with_names_as_text_and_gaps_as_gaps(tmp_path: Path) -> None:
    table = compare(
        [record("2026.s1", tokenizer="NA"), record("null.s1", tokenizer="007")],
        [metrics("2026.s1", 2.125, 2.0), metrics("null.s1", 1 / 3, 2.0, perplexity=None, perplexity_per_word=None)],
        "nan",
    )
    write_csv(tmp_path / "leaderboard.csv", table)
    back = read_leaderboard(tmp_path / "leaderboard.csv")
    assert back["run"].tolist() == ["null.s1", "2026.s1"]
    assert back["tokenizer"].tolist() == ["007", "NA"]
    assert back["corpus"].tolist() == ["nan", "nan"]
    assert back["test_bits_per_character"].tolist() == [1 / 3, 2.125]
    assert back["ci_low"].isna().all()
    assert back["test_perplexity"].isna().tolist() == [True, False]
    assert back["champion"].tolist() == table["champion"].tolist()


@pytest.mark.parametrize(("runs", "scored"), [([], []), (["a"], ["b"]), (["a", "b"], ["b", "a"]), (["a"], [])])
def test_metrics_of_other_runs_are_refused(runs: list[str], scored: list[str]) -> None:
    with pytest.raises(ValueError, match=r"same runs"):
        compare([record(run) for run in runs], [metrics(run, 2, 2) for run in scored], "x")
