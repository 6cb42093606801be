import math

import pytest
import torch

from nextchapter.evaluation.surprise import score_text, token_nats
from nextchapter.models.protocol import LanguageModel
from nextchapter.models.registry import build_model
from nextchapter.spec.tokens import CharactersSpec, WordsSpec
from nextchapter.tokens.characters import CharactersTokenizer
from nextchapter.tokens.protocol import Tokenizer
from nextchapter.tokens.unigram import UnigramTokenizer
from nextchapter.tokens.words import WordsTokenizer

TEXT = "“It's the dog,” she said —\n\nfor 漢字 was not all."


def _network(tokenizer: Tokenizer) -> LanguageModel:
    torch.manual_seed(0)
    return build_model({"kind": "lstm", "hidden": 8, "embedding": 8}, tokenizer.vocabulary_size).eval()


def test_the_bits_of_words_and_marks_add_up_to_those_of_the_text(tokenizer: UnigramTokenizer) -> None:
    model = _network(tokenizer)
    scored = score_text(model, tokenizer, TEXT)
    assert [item.text for item in scored.surprises] == [
        *["“", "It's", "the", "dog", ",", "”", "she", "said", "—"],
        *["for", "漢", "字", "was", "not", "all", "."],
    ]
    assert math.fsum(item.bits for item in scored.surprises) == pytest.approx(scored.nats / math.log(2))
    assert scored.bits_per_character == pytest.approx(scored.nats / math.log(2) / len(TEXT))
    assert scored.words == 11


def test_a_word_has_the_bits_of_its_own_characters() -> None:
    tokenizer = CharactersTokenizer.train(["the dog and it"], CharactersSpec(minimum_count=1))
    model = _network(tokenizer)
    tokens = tokenizer.encode_array("the dog")
    costs = token_nats(model, tokens, tokenizer.end_of_chapter) / math.log(2)
    the, dog = score_text(model, tokenizer, "the dog").surprises
    assert (the.bits, dog.bits) == (pytest.approx(costs[:3].sum()), pytest.approx(costs[3:].sum()))


def test_the_score_does_not_depend_on_where_it_is_cut(tokenizer: UnigramTokenizer) -> None:
    model, tokens = _network(tokenizer), tokenizer.encode_array(TEXT * 20)
    assert len(tokens) > 512
    read = torch.tensor([[tokenizer.end_of_chapter, *tokens[:-1].tolist()]])
    whole, _ = model.score(read, torch.tensor([tokens.tolist()]), model.initial_state(1))
    torch.testing.assert_close(
        torch.from_numpy(token_nats(model, tokens, tokenizer.end_of_chapter)), whole[0].double(), rtol=1e-5, atol=1e-5
    )


def test_a_closed_vocabulary_pays_for_spelling_and_is_told_token_by_token() -> None:
    tokenizer = WordsTokenizer.train(["the dog sat. the cat sat."], WordsSpec(minimum_count=1))
    model = _network(tokenizer)
    scored = score_text(model, tokenizer, "the zebra sat.")
    assert scored.nats > scored.token_nats
    assert any("unk" in item.text for item in scored.surprises)
    assert scored.perplexity == pytest.approx(math.exp(scored.token_nats / scored.tokens))


def test_nothing_can_not_be_scored(tokenizer: UnigramTokenizer) -> None:
    with pytest.raises(ValueError, match="empty"):
        score_text(_network(tokenizer), tokenizer, "")
