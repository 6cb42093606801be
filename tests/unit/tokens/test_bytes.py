from nextchapter.tokens.bytes import BytesTokenizer


def test_tokens_are_the_bytes_of_utf8() -> None:
    tokenizer = BytesTokenizer()
    assert tokenizer.encode("aé\n") == [97, 0xC3, 0xA9, 10]
    assert [tokenizer.token_text(token) for token in (97, 0xC3, 10, 256)] == ["a", "<0xC3>", "\n", "<end-of-chapter>"]
    assert tokenizer.decode([97, 256, 98]) == "ab"
