import pytest
import torch
from torch import Tensor

from nextchapter.generation.telling import ALTERNATIVES, Word, goes_on, tell_words, whole_characters
from nextchapter.generation.writer import Writer
from nextchapter.models.protocol import LanguageModel, State
from nextchapter.models.registry import build_model
from nextchapter.spec.tokens import WordsSpec
from nextchapter.spec.writing import WritingSpec
from nextchapter.tokens.bytes import BytesTokenizer
from nextchapter.tokens.protocol import Tokenizer
from nextchapter.tokens.unigram import UnigramTokenizer
from nextchapter.tokens.words import WordsTokenizer

SPEC = WritingSpec(words_min=20, words_max=40, temperature=1.3, top_p=0.5, seed=3)


def writer_of(tokenizer: Tokenizer, opening: str, spec: WritingSpec = SPEC) -> tuple[LanguageModel, Writer]:
    torch.manual_seed(2)
    model = build_model({"kind": "gru", "hidden": 8, "embedding": 8}, tokenizer.vocabulary_size).eval()
    return model, Writer(model, tokenizer, opening, spec)


class Script(LanguageModel):
    """Says with certainty the tokens of a text, one after the other, then ends the chapter."""

    def __init__(self, tokenizer: Tokenizer, text: str) -> None:
        super().__init__()
        self.vocabulary_size = tokenizer.vocabulary_size
        self.tokens = torch.nn.Buffer(torch.tensor([*tokenizer.encode(text), tokenizer.end_of_chapter]))

    def initial_state(self, batch: int) -> State:
        return torch.zeros(batch, dtype=torch.int64)

    def forward(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        places = state[:, None] + torch.arange(tokens.shape[1])
        log_probs = torch.full((*tokens.shape, self.vocabulary_size), -30.0)
        return log_probs.scatter(-1, self.tokens[places][..., None], 0.0), state + tokens.shape[1]


def told_words(tokenizer: Tokenizer, text: str) -> list[Word]:
    spec = WritingSpec(words_min=1, words_max=1000, temperature=0.0)
    return list(tell_words(Writer(Script(tokenizer, text), tokenizer, "", spec), tokenizer))


def test_the_words_are_the_text_that_is_written_without_telling(tokenizer: UnigramTokenizer) -> None:
    words = list(tell_words(writer_of(tokenizer, "The wood")[1], tokenizer))
    _, silent = writer_of(tokenizer, "The wood")
    while silent.step():
        pass
    assert "The wood" + "".join(word.text for word in words) == whole_characters(silent.drafts[0].text)
    assert len(words) > 20


def test_chances_are_those_of_the_model_before_temperature_and_filters(tokenizer: UnigramTokenizer) -> None:
    model, writer = writer_of(tokenizer, "The")
    pieces = [piece for word in tell_words(writer, tokenizer) for piece in word.pieces]
    opening, tokens = tokenizer.encode("The"), writer.drafts[0].tokens
    with torch.no_grad():  # all at once, where the writer went step by step
        read = torch.tensor([[tokenizer.end_of_chapter, *tokens[:-1]]])
        chances = model(read, model.initial_state(1))[0][0, len(opening) :].exp()
    assert [piece.token for piece in pieces] == tokens[len(opening) :]
    assert [piece.before for piece in pieces] == tokens[len(opening) - 1 : -1]
    for place, piece in enumerate(pieces):
        ranked = sorted(chances[place].tolist(), reverse=True)[:ALTERNATIVES]
        assert piece.probability == pytest.approx(chances[place, piece.token].item(), rel=1e-4)
        assert [other.probability for other in piece.alternatives] == pytest.approx(ranked, rel=1e-4)
        assert all(
            chances[place, other.token].item() == pytest.approx(other.probability, rel=1e-4)
            for other in piece.alternatives
        )


def test_the_chance_of_a_word_is_the_product_of_its_pieces(tokenizer: UnigramTokenizer) -> None:
    words = [word for word in tell_words(writer_of(tokenizer, "The")[1], tokenizer) if len(word.pieces) == 2]
    assert words
    assert all(word.probability == word.pieces[0].probability * word.pieces[1].probability for word in words)


def test_letters_and_bytes_are_gathered_to_words() -> None:
    text = "Él don’t stop—never!\n\n日本 it’s well-known."
    words = told_words(BytesTokenizer(), text)
    assert "".join(word.text for word in words) == text
    assert [word.text.strip() for word in words] == [
        "Él", "don’t", "stop", "—", "never", "!", "日", "本", "it’s", "well-known", ".",
    ]  # fmt: skip
    assert [len(word.pieces) for word in words[:2]] == [3, 8]
    assert words[6].text == "\n\n日"


def test_words_of_a_closed_vocabulary_are_told_one_by_one() -> None:
    tokenizer = WordsTokenizer.train(["the cat sat . the dog sat ."] * 5, WordsSpec())
    words = told_words(tokenizer, "the dog sat .")
    assert [word.text.strip() for word in words] == ["the", "dog", "sat", "."]


def test_no_more_is_written_than_was_asked_for(tokenizer: UnigramTokenizer) -> None:
    _, writer = writer_of(tokenizer, "The", WritingSpec(words_min=500, words_max=1000))
    words = tell_words(writer, tokenizer)
    assert len(writer.drafts[0].tokens) == len(tokenizer.encode("The"))
    told = [next(words) for _ in range(3)]
    written = len(writer.drafts[0].tokens) - len(tokenizer.encode("The"))
    assert written == sum(len(word.pieces) for word in told) + 1  # the piece that showed the third word to be whole


@pytest.mark.parametrize(
    ("word", "more", "goes"),
    [("", "a", True), (" ", "\n", True), (" can", "non", True), (" can", " not", False), ("can", "", True),
     (" don", "’", True), (" don’", "t", True), (" don’", " ", False), ("well-", "known", True), ("end", ".", False),
     (".", ".", False), (".", "”", False), ("本", "日", False), ("12", "34", True)],
)  # fmt: skip
def test_what_belongs_to_a_word(word: str, more: str, goes: bool) -> None:
    assert goes_on(word, more) is goes
