from nextchapter.tokens.bytes import BytesTokenizer
from nextchapter.tokens.in_place import texts_in_place


def test_the_texts_of_tokens_make_up_the_text_and_half_a_letter_is_spelled() -> None:
    tokenizer = BytesTokenizer()
    assert texts_in_place(tokenizer, tokenizer.encode("a b")) == ["a", " ", "b"]
    assert texts_in_place(tokenizer, tokenizer.encode("é")) == ["<0xC3>", "<0xA9>"]
    assert texts_in_place(tokenizer, []) == []
