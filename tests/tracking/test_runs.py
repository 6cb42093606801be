import pytest

from nextchapter.tracking.runs import describe_run


@pytest.mark.parametrize(
    ("share", "told"),
    [({}, "trained on 90,000 tokens in 12 s"),
     ({"train_share": 0.125}, "trained on 90,000 tokens of 0.125 of the training chapters in 12 s")],
)  # fmt: skip
def test_the_description_tells_of_a_share_of_the_chapters(share: dict[str, float], told: str) -> None:
    run = {
        "model": {"kind": "gru"}, "parameters": 5000, "seed": 1, "tokenizer": "t", "vocabulary_size": 2000,
        "tokens": 90_000, "train_seconds": 12.3, "device": "cpu", "stopped_by": "budget", "steps": 9, "best_step": 8,
    }  # fmt: skip
    test = {"bits_per_character": 2.0, "ci_low": None, "ci_high": None, "perplexity": 9.0, "chapters": 3}
    assert told in describe_run(run | share, {"splits": {"test": test}})
