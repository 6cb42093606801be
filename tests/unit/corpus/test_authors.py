from nextchapter.corpus.authors import AUTHORS_MAX, CHAPTERS_MAX, WORDS_MAX, author_key, choose_chapters, cut_samples


def test_spellings_of_a_name_are_one_author_and_who_wrote_most_comes_first() -> None:
    assert author_key("G.K. Chesterton") == author_key("G. K. CHESTERTON")
    chosen = choose_chapters(["A", "G.K. C", "G. K. C", "A"], [10, 30, 30, 10])
    assert list(chosen.items()) == [("G.K. C", [1, 2]), ("A", [0, 3])]
    assert list(choose_chapters(["A", "B", "A"], [10, 90, 10], first="a")) == ["A", "B"]


def test_a_sample_is_bounded_and_spread_over_all_chapters() -> None:
    names = [f"author {number}" for number in range(AUTHORS_MAX + 5)] + ["author 7"] * 200
    chosen = choose_chapters(names, [5] * len(names))
    assert len(chosen) == AUTHORS_MAX
    places = chosen["author 7"]
    assert len(places) == CHAPTERS_MAX
    assert places[0] < 60
    assert places[-1] > 230
    samples = cut_samples(["word " * WORDS_MAX] * CHAPTERS_MAX)
    assert sum(len(sample.split()) for sample in samples) == WORDS_MAX
