import math

import pytest
import torch

from nextchapter.generation.chapter import Chapter
from nextchapter.generation.choice import MEASURES, choose_candidate, judge_candidates
from nextchapter.models.registry import build_model
from nextchapter.tokens.unigram import UnigramTokenizer

TRAINING = [
    "The dog of the house was not at home, and she had it with her. " * 8,
    "It was as you had said to him. " * 9,
]


def _judged(*rows: tuple[float, ...]) -> list[dict[str, float]]:
    return [dict(zip(MEASURES, row, strict=True)) for row in rows]


@pytest.mark.parametrize(
    ("judged", "chosen"),
    [
        (_judged((1.0, 0.1, 5, 0.5, 0.0)), 0),
        (_judged((1.0, 0.3, 5, 0.5, 0.0), (2.0, 0.1, 3, 0.4, 0.0)), 1),
        (
            _judged((1.0, 0.3, 5, 0.5, 0.0), (2.0, 0.1, 5, 0.6, 0.0), (3.0, 0.2, 9, 0.7, 0.0)),
            0,
        ),  # places 0+2+0+0, 1+0+0+1, 2+1+2+2
        (_judged((2.0, 0.1, 5, 0.5, 0.0), (1.0, 0.2, 5, 0.5, 0.0)), 1),  # one place each: the likelier
        (_judged((2.0, 0.1, 5, 0.5, 0.01), (1.0, 0.2, 5, 0.5, 0.05)), 0),  # 1+0+0+0+0, 0+1+0+0+1
        (_judged((1.0, 0.1, 5, 0.5, 0.0), (1.0, 0.1, 5, 0.5, 0.0)), 0),
    ],
)
def test_the_least_sum_of_places_wins(judged: list[dict[str, float]], chosen: int) -> None:
    assert choose_candidate(judged) == chosen


def test_a_network_is_asked_without_gradients(tokenizer: UnigramTokenizer) -> None:
    model = build_model({"kind": "gru", "hidden": 8, "embedding": 8}, tokenizer.vocabulary_size).eval()
    chapters = [Chapter(text, 8, "length") for text in (TRAINING[0][:40], TRAINING[1][:40])]
    judged = judge_candidates(model, tokenizer, chapters, TRAINING)
    assert judged[0]["bits_per_character"] != judged[1]["bits_per_character"]
    assert choose_candidate(judged) in (0, 1)


def test_a_chapter_is_judged_by_itself_and_by_the_shelf(tokenizer: UnigramTokenizer) -> None:
    copied, looping, other = (
        TRAINING[0][:300],
        "zebra " * 60,
        "She was not as you had it, but he is so in all but her. " * 5,
    )
    torch.manual_seed(0)
    model = build_model({"kind": "unigram"}, tokenizer.vocabulary_size)
    chapters = [Chapter(text.strip(), len(text.split()), "length") for text in (copied, looping, other)]
    judged = judge_candidates(model, tokenizer, chapters, TRAINING)
    assert [tuple(measures) for measures in judged] == [MEASURES] * 3
    assert judged[0]["longest_copied_words"] == pytest.approx(len(copied.split()), abs=1)
    assert judged[1]["longest_copied_words"] == 0
    assert judged[1]["repeated_4gram_share"] > 0.9
    assert judged[0]["delta"] < judged[1]["delta"]
    assert judged[0]["unseen_word_share"] <= 1 / chapters[0].words  # the last word is cut
    assert judged[1]["unseen_word_share"] == 1
    assert judged[2]["unseen_word_share"] == pytest.approx(7 / 15)  # but, he, is, so, in, all, but
    tokens = len(tokenizer.encode(chapters[2].text))
    uniform = tokens * math.log2(tokenizer.vocabulary_size) / len(chapters[2].text)
    assert judged[2]["bits_per_character"] == pytest.approx(uniform, rel=1e-3)  # not fitted: all tokens alike
