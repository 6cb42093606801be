from collections import Counter

from nextchapter.corpus.canaries import choose_places, draw_canaries, draw_references, frequent_words, plant
from nextchapter.spec.corpus import CanarySpec

WORDS = [f"w{number}" for number in range(50)]
SPEC = CanarySpec(words=5, copies=(1, 4), each=3, references=200, seed=7)


def test_there_are_as_many_canaries_of_as_many_words_as_asked_for() -> None:
    canaries = draw_canaries(WORDS, SPEC)
    assert Counter(canary.copies for canary in canaries) == {1: 3, 4: 3}
    assert all(len(canary.text.split()) == 5 and canary.text.endswith(".") for canary in canaries)
    assert canaries == draw_canaries(WORDS, SPEC)
    assert canaries != draw_canaries(WORDS, SPEC.model_copy(update={"seed": 8}))


def test_references_are_of_the_same_kind_and_no_canaries() -> None:
    few = ["a", "b"]
    spec = SPEC.model_copy(update={"words": 3})
    planted = {canary.text for canary in draw_canaries(few, spec)}
    assert not planted & set(draw_references(few, spec))
    references = draw_references(WORDS, SPEC)
    assert len(references) == 200
    assert {word.lower().rstrip(".") for text in references for word in text.split()} == set(WORDS)


def test_each_canary_is_planted_as_often_as_it_says_between_paragraphs_that_stay() -> None:
    chapters = ["One.\n\nTwo.\n\nThree.", "Only one."]
    canaries = draw_canaries(WORDS, SPEC)
    places = choose_places(canaries, [len(text) for text in chapters], 7)
    planted = [plant(text, places.get(place, []), (7, place)) for place, text in enumerate(chapters)]
    paragraphs = Counter(part for text in planted for part in text.split("\n\n"))
    assert all(paragraphs[canary.text] == canary.copies for canary in canaries)
    for before, after in zip(chapters, planted, strict=True):
        assert [part for part in after.split("\n\n") if not part.startswith("W")] == before.split("\n\n")
        assert after.startswith(before.split("\n\n")[0])


def test_words_are_counted_in_lower_case() -> None:
    assert frequent_words(["B a, A.", "c b a"], 2) == ["a", "b"]
