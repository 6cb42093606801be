import json
from pathlib import Path

import numpy as np
import pytest
import torch

from nextchapter.models import arpa
from nextchapter.models.ngram import Ngram, NgramSpec
from nextchapter.models.registry import build_model, save_model
from nextchapter.models.scoring import score_chapters
from nextchapter.tokens.stream import TokenStream
from nextchapter.tokens.unigram import UnigramTokenizer

END = 1
TEXTS = ["<unk>", "<end>", "A", " the", "\n", "A", " \t", "œuvre", "</s>"]
WORDS = ["<unk>#0", "<end>", "A#2", "▁the", "␊", "A", "▁␉", "œuvre", "</s>#8"]


def stream(seed: int, chapters: int = 9) -> TokenStream:
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, 30, size=chapters)
    lengths[0] = 1  # an empty chapter: <s> </s>
    tokens = generator.choice([2, 3, 4, 5, 6, 7], p=[0.4, 0.3, 0.15, 0.1, 0.04, 0.01], size=lengths.sum())
    tokens[np.cumsum(lengths) - 1] = END
    return TokenStream(tokens.astype(np.uint16), np.concatenate([[0], np.cumsum(lengths)]))


def fitted(order: int) -> Ngram:
    model = Ngram(len(TEXTS), NgramSpec(order=order)).eval()
    model.fit(stream(0), END)
    return model


def test_every_token_gets_a_word_of_its_own_without_white_space() -> None:
    assert arpa.arpa_words(TEXTS) == WORDS
    assert arpa.arpa_words(TEXTS, unknown=0) == ["<unk>", *WORDS[1:]]
    assert arpa.arpa_words(["[UNK]", "<unk>"], unknown=0) == ["<unk>", "<unk>#1"]


@pytest.mark.parametrize("order", [2, 3, 4, 5, 6])
def test_kenlm_reads_the_file_and_scores_alike(order: int, tmp_path: Path) -> None:
    kenlm = pytest.importorskip("kenlm", reason="the optional package kenlm is not installed")
    model = fitted(order)
    arpa.save_arpa(tmp_path / "a.arpa", model, WORDS, END)
    reader = kenlm.Model(str(tmp_path / "a.arpa"))
    assert reader.order == order
    test = stream(1)
    for index, nats in enumerate(score_chapters(model, test, END, 4, 7)):
        sentence = " ".join(WORDS[token] for token in test.chapter(index)[:-1])
        scores = [score for score, _, _ in reader.full_scores(sentence, bos=True, eos=True)]
        np.testing.assert_allclose(np.array(scores) * -np.log(10), nats, atol=1e-4)
        assert reader.score(sentence) * -np.log(10) == pytest.approx(nats.sum(), abs=1e-4)
    assert next(iter(reader.full_scores("nobody", bos=False, eos=False)))[0] == -100


@pytest.mark.parametrize("order", [2, 3, 5])
def test_kenlm_scores_words_it_does_not_know_as_the_unknown_word(order: int, tmp_path: Path) -> None:
    """The vocabulary is closed: the token 3 is what all unknown words became in training."""
    kenlm = pytest.importorskip("kenlm", reason="the optional package kenlm is not installed")
    words, model = arpa.arpa_words(TEXTS, unknown=3), fitted(order)
    arpa.save_arpa(tmp_path / "a.arpa", model, words, END)
    assert f"ngram 1={len(TEXTS) + 1}\n" in (tmp_path / "a.arpa").read_text(encoding="utf-8")
    reader, test = kenlm.Model(str(tmp_path / "a.arpa")), stream(1)
    unknown = 0
    for index, nats in enumerate(score_chapters(model, test, END, 4, 7)):
        tokens = test.chapter(index)[:-1]
        sentence = " ".join(f"nobody{place}" if token == 3 else words[token] for place, token in enumerate(tokens))
        scores, _, is_unknown = zip(*reader.full_scores(sentence, bos=True, eos=True), strict=True)
        np.testing.assert_allclose(np.array(scores) * -np.log(10), nats, atol=1e-4)
        assert list(is_unknown[:-1]) == (tokens == 3).tolist()
        unknown += sum(is_unknown)
    assert unknown > 10


def test_the_file_says_what_the_tables_hold(tmp_path: Path) -> None:
    model = fitted(2)
    arpa.save_arpa(tmp_path / "a.arpa", model, WORDS, END)
    counts, unigrams, bigrams = (tmp_path / "a.arpa").read_text(encoding="utf-8").split("\n\n")[:3]
    held = len(model.get_buffer("keys_2"))
    assert counts == f"\\data\\\nngram 1={len(TEXTS) + 2}\nngram 2={held}"
    lines = [line.split("\t") for line in unigrams.splitlines()[1:]]
    assert [line[1] for line in lines] == ["<unk>", "<s>", "<unk>#0", "</s>", *WORDS[2:]]
    assert [line[0] for line in lines[:2]] == ["-100", "-99"]
    assert sum(10 ** float(line[0]) for line in lines) == pytest.approx(1, abs=1e-6)
    assert len(bigrams.splitlines()) == held + 1
    assert "<s> </s>" in bigrams
    log_probs, _ = model(torch.tensor([[3]]), model.initial_state(1))
    after_the = [line.split() for line in bigrams.splitlines() if "\t▁the " in line]
    assert len(after_the) > 2
    for log10_prob, _, word in after_the:
        token = END if word == "</s>" else WORDS.index(word)
        assert float(log10_prob) == pytest.approx(log_probs[0, 0, token].item() / np.log(10), abs=1e-5)


def test_words_that_could_not_be_told_apart_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="found 8 different words; there must be 9"):
        arpa.save_arpa(tmp_path / "a.arpa", fitted(2), [*WORDS[:-1], "A"], END)
    assert not list(tmp_path.iterdir())


def test_a_run_is_exported_from_the_command_line(
    tokenizer: UnigramTokenizer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, tokens = tmp_path / "runs/ngram.s1", tmp_path / "tokens/t"
    run.mkdir(parents=True)
    tokens.mkdir(parents=True)
    tokenizer.save(tokens / "tokenizer.model")
    (run / "run.json").write_text(json.dumps({"tokenizer": "t"}))
    spec = {"kind": "ngram", "order": 3}
    save_model(run / "model.safetensors", build_model(spec, tokenizer.vocabulary_size), spec)
    assert arpa.main([str(run), str(tmp_path / "a.arpa")]) == 0
    assert f"ngram 1={tokenizer.vocabulary_size + 2}\n" in (tmp_path / "a.arpa").read_text(encoding="utf-8")
    save_model(run / "model.safetensors", build_model({"kind": "uniform"}, 9), {"kind": "uniform"})
    for folder in (run, tmp_path):
        assert arpa.main([str(folder), str(tmp_path / "b.arpa")]) == 1
        assert "holds no n-gram model" in capsys.readouterr().err
