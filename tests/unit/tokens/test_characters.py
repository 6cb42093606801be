from nextchapter.spec.tokens import CharactersSpec
from nextchapter.tokens.characters import CharactersTokenizer


def test_frequent_characters_are_tokens_and_the_others_bytes() -> None:
    tokenizer = CharactersTokenizer.train(["bab\n", "ba漢é\n"], CharactersSpec(minimum_count=2))
    assert [tokenizer.token_text(token) for token in range(257, tokenizer.vocabulary_size)] == ["\n", "a", "b"]
    assert tokenizer.encode("aé漢b") == [258, *"é漢".encode(), 259]
    assert tokenizer.token_text(0xC3) == "<0xC3>"
    assert tokenizer.token_characters()[tokenizer.encode("aé漢b")].tolist() == [1, 1, 0, 1, 0, 0, 1]


def test_what_a_model_writes_of_half_a_character_is_marked() -> None:
    tokenizer = CharactersTokenizer("a")
    assert tokenizer.decode([257, 0xC3, 257]) == "a\N{REPLACEMENT CHARACTER}a"
