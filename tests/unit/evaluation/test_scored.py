import numpy as np

from nextchapter.evaluation.scored import account_chapters
from nextchapter.evaluation.spelling import charge_spelling
from nextchapter.spec.tokens import WordsSpec
from nextchapter.tokens.bytes import BytesTokenizer
from nextchapter.tokens.stream import TokenStream
from nextchapter.tokens.words import WordsTokenizer

TEXTS = ["né ou", "the cat"]


def test_the_account_of_an_open_tokenizer_is_what_the_tokens_cost() -> None:
    tokenizer = BytesTokenizer()
    chapters = [np.append(tokenizer.encode_array(text), 256) for text in TEXTS]
    stream = TokenStream(np.concatenate(chapters), np.array([0, 7, 15]))
    scored = account_chapters([np.ones(7), np.ones(8)], stream, tokenizer, TEXTS, None)
    assert scored.ends[0].tolist() == [1, 2, 2, 3, 4, 5, 5]
    assert [int(chapter.sum()) for chapter in scored.characters] == [5, 7]
    assert scored.paid_nats is scored.nats


def test_unknown_words_are_paid_for_and_stand_where_they_stand() -> None:
    tokenizer = WordsTokenizer.train(["the cat the cat sat"], WordsSpec(minimum_count=2))
    text = "the crocodile, the cat"
    encoded = tokenizer.encode_text(text)
    tokens = np.append(encoded.tokens, tokenizer.end_of_chapter)
    stream = TokenStream(tokens, np.array([0, len(tokens)]))
    counted = {"nats": [encoded.spelling_nats], "characters": [encoded.unknown_characters]}
    spelling = charge_spelling(stream, tokenizer.unknown, counted)
    scored = account_chapters([np.zeros(len(tokens))], stream, tokenizer, [text], spelling)
    assert scored.paid_nats[0].sum() == encoded.spelling_nats
    assert scored.characters[0].sum() == len(text)
    places = dict(zip([tokenizer.token_text(token) for token in tokens], scored.ends[0].tolist(), strict=True))
    assert (places["cat"], places["<end-of-chapter>"]) == (len(text), len(text))
    assert scored.ends[0][list(tokens).index(tokenizer.unknown)] == len("the crocodile")
