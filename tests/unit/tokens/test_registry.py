from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.spec.base import SpecError
from nextchapter.tokens.protocol import Tokenizer
from nextchapter.tokens.registry import load_tokenizer, train_tokenizer

OPEN: list[dict[str, Any]] = [
    {"kind": "bytes"},
    {"kind": "characters", "minimum_count": 2},
    {"kind": "unigram", "vocabulary_size": 400},
    {"kind": "bpe", "vocabulary_size": 400},
]
KINDS = [*OPEN, {"kind": "words", "minimum_count": 2}, {"kind": "words", "pretokenized": True}]
TRICKY = "ab. é漢\N{GRINNING FACE}\u2581 \n\t\r\0\u0301\u00a0\"'"


def _name(spec: dict[str, Any]) -> str:
    return spec["kind"] + "-lines" * spec.get("pretokenized", False)


@pytest.fixture(scope="module", params=KINDS, ids=_name)
def any_kind(request: pytest.FixtureRequest, salad: str) -> tuple[dict[str, Any], Tokenizer]:
    return request.param, train_tokenizer([salad], request.param)


@pytest.fixture(scope="module", params=OPEN, ids=_name)
def open_kind(request: pytest.FixtureRequest, salad: str) -> Tokenizer:
    return train_tokenizer([salad], request.param)


@given(text=st.text() | st.text(alphabet=TRICKY))
def test_any_text_comes_back_from_an_open_tokenizer_and_its_characters_are_counted(
    open_kind: Tokenizer, text: str
) -> None:
    encoded = open_kind.encode_text(text)
    assert open_kind.decode(encoded.tokens) == text
    assert open_kind.decode([*open_kind.encode(text), open_kind.end_of_chapter]) == text
    assert open_kind.count_characters(encoded.tokens).sum() == encoded.characters == len(text)
    assert open_kind.end_of_chapter not in encoded.tokens
    assert open_kind.unknown is None
    assert (encoded.unknown_characters, encoded.spelling_nats) == (0, 0.0)


@given(text=st.text(alphabet=TRICKY, max_size=30))
def test_a_text_may_be_cut_before_a_boundary(any_kind: tuple[dict[str, Any], Tokenizer], text: str) -> None:
    tokenizer = any_kind[1]
    tokens = tokenizer.encode(text)
    whole = tokenizer.decode(tokens)
    for place, token in enumerate(tokens):
        if tokenizer.is_boundary(token):
            assert tokenizer.decode(tokens[:place]) + tokenizer.decode(tokens[place:]) == whole


def test_training_twice_gives_equal_files_that_load_as_what_they_are(
    any_kind: tuple[dict[str, Any], Tokenizer], salad: str, tmp_path: Path
) -> None:
    spec, tokenizer = any_kind
    tokenizer.save(tmp_path / "a")
    train_tokenizer([salad], spec).save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    loaded = load_tokenizer(tmp_path / "a")
    assert (type(loaded), loaded.kind, loaded.vocabulary_size) == (
        type(tokenizer),
        spec["kind"],
        tokenizer.vocabulary_size,
    )
    assert loaded.encode(salad[:500]) == tokenizer.encode(salad[:500])
    assert len({loaded.token_text(token) for token in range(loaded.vocabulary_size)}) > 200
    assert loaded.token_characters()[loaded.end_of_chapter] == spec.get("pretokenized", False)


def test_a_lone_surrogate_is_refused(any_kind: tuple[dict[str, Any], Tokenizer]) -> None:
    with pytest.raises(ValueError, match=r"lone surrogate '\\ud800' at character 1"):
        any_kind[1].encode("a\ud800")


@pytest.mark.parametrize("spec", [spec for spec in KINDS if spec["kind"] != "bytes"], ids=_name)
def test_nothing_to_learn_from_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match="training chapters hold no"):
        train_tokenizer([""], spec)


@pytest.mark.parametrize("kind", ["characters", "words"])
def test_a_count_that_nothing_reaches_is_refused_with_one_that_works(kind: str) -> None:
    with pytest.raises(SpecError, match=r"minimum_count: found 9; no .* more than 2 times .* to 2 or less"):
        train_tokenizer(["aa bb aa"] if kind == "words" else ["aab"], {"kind": kind, "minimum_count": 9})


@pytest.mark.parametrize("content", [b"", b"weights", b'{"kind":3}\n', b'{"kind":"words"}'])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ValueError, match="holds no tokenizer"):
        load_tokenizer(tmp_path / "file")


def test_a_class_refuses_the_file_of_another_kind(tmp_path: Path, salad: str) -> None:
    from nextchapter.tokens.unigram import UnigramTokenizer

    train_tokenizer([salad], {"kind": "bytes"}).save(tmp_path / "t")
    with pytest.raises(ValueError, match="of kind 'bytes', not 'unigram'"):
        UnigramTokenizer.load(tmp_path / "t")
