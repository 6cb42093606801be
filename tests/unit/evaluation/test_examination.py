import random

import pytest

from nextchapter.evaluation.examination import WORDS_MAX, Sources, examine
from nextchapter.spec.examination import ExaminationSpec

SPEC = ExaminationSpec(max_copied_words=5, frequent_words=10, passages=8)


def written(words: str, count: int, seed: int) -> str:
    generator = random.Random(seed)
    return ". ".join(" ".join(generator.choices(words.split(), k=10)).capitalize() for _ in range(count // 10))


HERS, HIS = "she her was not the the a and cat dog sun", "he his is and and of of boat sea salt the"
TRAINING = [written(HERS, 400, 1), written(HERS, 300, 2)]


def sources(**authors: str) -> Sources:
    own = {"Her": "\n\n".join(TRAINING), **authors}
    return Sources(TRAINING, TRAINING[0], [written(HERS, 500, 3), written(HERS, 300, 4)], own, "Her")


def test_a_chapter_is_measured_beside_real_passages_of_its_length() -> None:
    text = written(HERS, 100, 5)
    found = examine(text, sources(Him=written(HIS, 500, 6)), SPEC)
    assert (found.words, found.compared_words, found.passages) == (100, 100, 8)
    assert found.nearest_is_author_share == 1.0
    assert found.deltas["Her"] < found.deltas["Him"]
    assert found.measures["delta_to_nearest_other"]["chapter"] == found.deltas["Him"]
    assert found.ceiling["copied_16gram_share"] == 1.0
    assert found.ceiling["longest_copied_words"] == 100
    for values in found.measures.values():
        assert values["low"] <= values["median"] <= values["high"] <= values["most"]
    assert [point["words"] for point in found.curve] == list(range(10, 101, 10))
    assert found.curve[-1]["chapter"] / 100 == found.measures["distinct_1"]["chapter"]


def test_what_is_copied_is_quoted_and_its_place_told() -> None:
    copied = " ".join(TRAINING[1].split()[50:90])
    found = examine(f"Nothing here. {copied} and nobody there.", sources(), SPEC)
    assert found.copied_text.rstrip(".") in TRAINING[1]
    assert found.measures["longest_copied_words"]["chapter"] >= 40
    assert found.copied_from == 1
    assert "delta_to_nearest_other" not in found.measures
    assert found.nearest_is_author_share is None


def test_copies_are_found_beyond_what_is_compared() -> None:
    text = written("x y z", WORDS_MAX + 10, 9) + ". " + TRAINING[0]
    held_out = [written(HERS, WORDS_MAX * 2 + 50, 4)]
    found = examine(text, sources()._replace(held_out=held_out), SPEC)
    assert found.compared_words == WORDS_MAX
    assert found.measures["longest_copied_words"]["chapter"] == 400


def test_a_chapter_longer_than_all_real_ones_is_cut_to_them() -> None:
    found = examine(written(HERS, 900, 5), sources(), SPEC)
    assert (found.words, found.compared_words, found.passages) == (900, 800, 1)


def test_no_word_is_refused() -> None:
    with pytest.raises(ValueError, match="no word"):
        examine("...", sources(), SPEC)
