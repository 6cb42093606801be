import pytest
import torch
from torch import Tensor

from nextchapter.corpus.words import count_words
from nextchapter.generation.beams import search
from nextchapter.generation.chapter import draw_opening, write_chapter, write_chapters
from nextchapter.models.protocol import LanguageModel, State
from nextchapter.models.registry import build_model
from nextchapter.spec.tokens import WordsSpec
from nextchapter.spec.writing import WritingSpec
from nextchapter.tokens.protocol import Tokenizer
from nextchapter.tokens.unigram import UnigramTokenizer
from nextchapter.tokens.words import WordsTokenizer


class Recital(LanguageModel):
    """Recites a text over and over, whatever it reads, and ends a chapter at each place where `ends` says so."""

    def __init__(self, tokenizer: Tokenizer, text: str, ends: bool) -> None:
        super().__init__()
        self.vocabulary_size = tokenizer.vocabulary_size
        self.place = torch.nn.Parameter(torch.zeros(1))
        self.script = tokenizer.encode(text) + ([tokenizer.end_of_chapter] if ends else [])

    def initial_state(self, batch: int) -> State:
        return torch.full((batch, 1), -1.0)

    def forward(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        log_probs = torch.full((*tokens.shape, self.vocabulary_size), -30.0)
        for time in range(tokens.shape[1]):
            state = state + 1
            place = int(state[0, 0])
            log_probs[:, time, self.script[place % len(self.script)]] = 0.0
            log_probs[:, time, self.script[(place + 1) % len(self.script)]] = -20.0  # should the first be barred
        return log_probs, state


def test_a_chapter_ends_where_the_model_ends_it_but_not_too_early(tokenizer: UnigramTokenizer) -> None:
    model = Recital(tokenizer, "the cat sat. the dog sat.", ends=True)
    spec = WritingSpec(words_min=10, words_max=100, temperature=0.0)
    chapter = write_chapter(model, tokenizer, "a", spec)
    assert chapter.ended_by == "end-of-chapter"
    assert chapter.words >= 10
    assert chapter.text.endswith("the dog sat.")
    assert count_words(chapter.text) == chapter.words


def test_a_chapter_that_is_not_ended_stops_with_a_sentence(tokenizer: UnigramTokenizer) -> None:
    model = Recital(tokenizer, " the cat and the dog sat on the mat. a hat is", ends=False)
    chapter = write_chapter(model, tokenizer, "now", WritingSpec(words_min=20, words_max=40, temperature=0.0))
    assert chapter.ended_by == "length"
    assert chapter.text.endswith("mat.")
    assert 40 <= chapter.words <= 55
    assert chapter.text.startswith("now")


def test_a_sentence_may_end_with_the_mark_of_another_script(tokenizer: UnigramTokenizer) -> None:
    model = Recital(tokenizer, " राम घर गया। फिर", ends=False)
    chapter = write_chapter(model, tokenizer, "now", WritingSpec(words_min=20, words_max=40, temperature=0.0))
    assert chapter.text.endswith("गया।")
    assert chapter.words < 1.25 * 40


def test_a_chapter_is_not_cut_to_a_sentence_that_ends_too_early(tokenizer: UnigramTokenizer) -> None:
    model = Recital(tokenizer, " the dog", ends=False)
    chapter = write_chapter(model, tokenizer, "Mr. Cat", WritingSpec(words_min=20, words_max=40, temperature=0.0))
    assert chapter.words > 20


def test_a_text_without_sentences_stops_all_the_same(tokenizer: UnigramTokenizer) -> None:
    model = Recital(tokenizer, " the dog", ends=False)
    chapter = write_chapter(model, tokenizer, "the", WritingSpec(words_min=20, words_max=40, temperature=0.0))
    assert 40 < chapter.words <= 52


@pytest.mark.parametrize("opening", ["the dog", "Ünïcödé 漢字 \N{GRINNING FACE}", "\u2581", "  two  spaces\n\nhere"])
def test_any_opening_is_continued_and_the_same_seed_writes_the_same(tokenizer: UnigramTokenizer, opening: str) -> None:
    torch.manual_seed(0)
    model = build_model({"kind": "lstm", "hidden": 16, "embedding": 8}, tokenizer.vocabulary_size).eval()
    spec = WritingSpec(words_min=20, words_max=30, seed=3)
    first, second = (write_chapter(model, tokenizer, opening, spec) for _ in range(2))
    assert first == second
    assert first.text.startswith(opening.strip())
    assert "\N{REPLACEMENT CHARACTER}" not in first.text
    assert write_chapter(model, tokenizer, opening, spec.model_copy(update={"seed": 4})) != first


def test_the_opening_word_is_a_whole_word_that_opens_a_paragraph(tokenizer: UnigramTokenizer) -> None:
    texts = ['"Oh! no," said she.\n\nEmma\'s sister-in-law came.', "Отец ушёл.\n\n***\n\n漢字は"]
    drawn = {draw_opening(texts, seed, tokenizer) for seed in range(60)}
    assert drawn == {"Oh", "Emma's", "Отец", "漢"}
    assert draw_opening(texts, 5, tokenizer) == draw_opening(texts, 5, tokenizer)
    with pytest.raises(ValueError, match="no word"):
        draw_opening(["***"], 1, tokenizer)


def test_where_each_line_ends_like_a_chapter_the_lines_become_paragraphs() -> None:
    lines = "the cat sat .\na dog <unk> ran .\n"
    tokenizer = WordsTokenizer.train([lines], WordsSpec(pretokenized=True, minimum_count=1))
    model = Recital(tokenizer, "the cat sat .\na dog ran .\n", ends=False)
    chapter = write_chapter(model, tokenizer, "the", WritingSpec(words_min=10, words_max=14, temperature=0.0))
    assert chapter.ended_by == "length"
    assert chapter.text.split("\n\n")[:3] == ["the cat sat .", "a dog ran .", "the cat sat ."]
    assert chapter.words >= 14
    texts = [" \n = a cat = \n <unk> dog \n , . \n unheard \n"]
    assert {draw_opening(texts, seed, tokenizer) for seed in range(20)} == {"a", "dog"}


def test_a_model_that_returns_its_own_table_is_left_as_it_was(tokenizer: UnigramTokenizer) -> None:
    model = build_model({"kind": "unigram"}, tokenizer.vocabulary_size)
    before = model.get_buffer("log_probs").clone()
    write_chapter(model, tokenizer, "now", WritingSpec(words_min=5, words_max=20))
    torch.testing.assert_close(model.get_buffer("log_probs"), before, rtol=0, atol=0)


def _random_lstm(tokenizer: Tokenizer) -> LanguageModel:
    torch.manual_seed(0)
    return build_model({"kind": "lstm", "hidden": 16, "embedding": 8}, tokenizer.vocabulary_size).eval()


def test_candidates_are_what_each_would_be_alone(tokenizer: UnigramTokenizer) -> None:
    model, spec = _random_lstm(tokenizer), WritingSpec(words_min=10, words_max=20, seed=3)
    several = write_chapters(model, tokenizer, "the dog", spec.model_copy(update={"candidates": 4}))
    assert len({chapter.text for chapter in several}) == 4
    assert several[0].text == write_chapter(model, tokenizer, "the dog", spec).text
    fewer = write_chapters(model, tokenizer, "the dog", spec.model_copy(update={"candidates": 3}))
    assert [chapter.text for chapter in fewer] == [chapter.text for chapter in several[:3]]


def test_the_loop_guard_breaks_off_what_the_model_would_say_for_ever(tokenizer: UnigramTokenizer) -> None:
    model = Recital(tokenizer, " the dog sat", ends=False)
    settings = {"words_min": 20, "words_max": 60, "temperature": 0.0}
    looping = write_chapter(model, tokenizer, "now", WritingSpec(**settings, loop_guard=False)).text
    guarded = write_chapter(model, tokenizer, "now", WritingSpec(**settings)).text
    assert "the dog sat the dog sat the dog sat the dog sat the dog sat" in looping
    assert "the dog sat the dog sat the dog sat the dog sat the dog sat" not in guarded


class Chain(LanguageModel):
    """A Markov chain of order one, from a table of probabilities [token token]."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.vocabulary_size, self.table = len(table), torch.nn.Parameter(table.log())

    def initial_state(self, batch: int) -> State:
        return torch.zeros(batch, 1)

    def forward(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        return self.table[tokens], state


def test_a_beam_search_finds_the_likelier_text_behind_the_less_likely_word() -> None:
    tokenizer = WordsTokenizer.train(["a b c d\n"], WordsSpec(pretokenized=True, minimum_count=1))
    a, b, c, d = tokenizer.encode("a b c d")
    table = torch.full((tokenizer.vocabulary_size,) * 2, 1 / tokenizer.vocabulary_size)
    table[a] = 1e-3
    table[a, b], table[a, c] = 0.6, 0.39
    table[c] = 1e-3
    table[c, d] = 0.99
    model, lengths = Chain(table), {"words_min": 1, "words_max": 3}
    assert write_chapter(model, tokenizer, "a", WritingSpec(**lengths, temperature=0.0)).text.startswith("a b")
    for beams in (2, 8):
        draft, ended_by = search(model, tokenizer, "a", WritingSpec(**lengths, beams=beams))
        assert tokenizer.decode(draft.tokens).strip() == "a c d"
        assert ended_by == "length"


def test_a_beam_search_ends_with_the_chapter(tokenizer: UnigramTokenizer) -> None:
    model = Recital(tokenizer, "the cat sat. the dog sat.", ends=True)
    chapter = write_chapter(model, tokenizer, "a", WritingSpec(words_min=10, words_max=100, beams=3))
    assert chapter.ended_by == "end-of-chapter"
    assert chapter.text.endswith("sat.")
