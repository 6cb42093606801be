from pathlib import Path

import numpy as np
import pytest
import torch

from nextchapter.models.protocol import IGNORED
from nextchapter.tokens.stream import TokenStream, write_stream
from nextchapter.training.batches import ChapterBatches, StreamBatches, draw_cuts

END = 1
CHAPTERS = [list(range(100, 117)), list(range(200, 203)), [300], list(range(400, 429))]


@pytest.fixture
def stream(tmp_path: Path) -> TokenStream:
    return write_stream(tmp_path / "train.bin", CHAPTERS, END, "uint16")


@pytest.mark.parametrize(("batch_size", "truncation"), [(1, 7), (2, 5), (3, 100), (4, 1)])
def test_streams_read_the_chapters_one_behind_the_other(stream: TokenStream, batch_size: int, truncation: int) -> None:
    batches = StreamBatches(stream, END, batch_size, truncation, seed=4)
    for epoch in range(3):
        steps = [batches.batch(epoch * batches.steps_per_epoch + step) for step in range(batches.steps_per_epoch)]
        targets = torch.cat([batch.targets for batch in steps], dim=1)
        tokens = torch.cat([batch.tokens for batch in steps], dim=1)
        order = np.random.default_rng([4, epoch]).permutation(4)
        text = np.concatenate([stream.chapter(index) for index in order]).astype(np.int64)
        length = len(text) // batch_size
        for row in range(batch_size):
            start = row * length
            assert targets[row].tolist() == text[start : start + length].tolist()
            before = [END, *text][start : start + length]
            assert tokens[row].tolist() == list(before)
        assert steps[0].fresh.all()
        assert not any(batch.fresh.any() for batch in steps[1:])
        assert sum(batch.count for batch in steps) == batches.tokens_per_epoch == length * batch_size


def test_a_batch_is_a_function_of_its_step_alone(stream: TokenStream) -> None:
    steps = list(range(12))
    forwards, backwards = (StreamBatches(stream, END, 2, 5, seed=9) for _ in range(2))
    first = {step: forwards.batch(step) for step in steps}
    second = {step: backwards.batch(step) for step in reversed(steps)}
    assert all(torch.equal(first[step].tokens, second[step].tokens) for step in steps)


def test_a_share_of_the_streams_forgets_its_state_before_a_step_and_reads_the_same_text(stream: TokenStream) -> None:
    batches, plain = StreamBatches(stream, END, 3, 2, 9, state_reset=0.2), StreamBatches(stream, END, 3, 2, 9)
    later = [step for step in range(2000) if step % batches.steps_per_epoch]
    fresh = torch.stack([batches.batch(step).fresh for step in later]).double()
    assert fresh.mean(dim=0).tolist() == pytest.approx([0.2] * 3, abs=0.04)
    assert abs(torch.corrcoef(fresh.T)[0, 1]) < 0.1  # each stream by itself
    assert all(torch.equal(batches.batch(step).tokens, plain.batch(step).tokens) for step in range(20))
    assert torch.equal(batches.batch(later[5]).fresh.double(), fresh[5])


def test_random_lengths_fill_each_epoch_with_as_many_steps(tmp_path: Path) -> None:
    stream = write_stream(tmp_path / "long.bin", [list(range(2, 30000)), list(range(2, 12000))], END, "uint16")
    batches, fixed = StreamBatches(stream, END, 2, 70, 3, random_truncation=True), StreamBatches(stream, END, 2, 70, 3)
    assert batches.steps_per_epoch == fixed.steps_per_epoch
    epochs = []
    for epoch in range(2):
        steps = [batches.batch(epoch * batches.steps_per_epoch + step) for step in range(batches.steps_per_epoch)]
        lengths = np.array([batch.tokens.shape[1] for batch in steps])
        assert [batch.rate_scale for batch in steps] == pytest.approx(lengths / 70)
        assert sum(batch.count for batch in steps) == batches.tokens_per_epoch
        whole = [fixed.batch(epoch * batches.steps_per_epoch + step) for step in range(batches.steps_per_epoch)]
        for name in ("tokens", "targets"):
            texts = [torch.cat([getattr(batch, name) for batch in some], dim=1) for some in (steps, whole)]
            assert torch.equal(*texts)
        epochs.append(lengths)
    assert not np.array_equal(*epochs)
    halves = np.concatenate(epochs) < 52
    assert 0.02 < halves.mean() < 0.09
    assert np.concatenate(epochs)[~halves].std() == pytest.approx(5, rel=0.15)
    again = StreamBatches(stream, END, 2, 70, 3, random_truncation=True)
    for step in (batches.steps_per_epoch + 7, 3):
        assert torch.equal(again.batch(step).tokens, batches.batch(step).tokens)


def test_no_step_is_empty_however_short_the_streams() -> None:
    for length in range(11, 60):
        for seed in range(40):
            steps = -(-length // 10)
            assert np.diff(draw_cuts(np.random.default_rng(seed), steps, length, 10)).min() >= 1


def test_a_shelf_smaller_than_the_batch_gets_fewer_streams(tmp_path: Path) -> None:
    tiny = write_stream(tmp_path / "t.bin", [[5, 6]], END, "uint16")
    batch = StreamBatches(tiny, END, batch_size=64, truncation=32, seed=0).batch(0)
    assert batch.targets.tolist() == [[5, 6, 1]]


def test_whole_chapters_each_begin_afresh_and_are_padded(stream: TokenStream) -> None:
    batches = ChapterBatches(stream, END, batch_size=3, seed=2)
    assert batches.steps_per_epoch == 2
    seen = []
    for step in range(2):
        batch = batches.batch(step)
        assert batch.fresh.tolist() == [True] * len(batch.tokens)
        assert batch.count == int((batch.targets != IGNORED).sum())
        for tokens, targets in zip(batch.tokens.tolist(), batch.targets.tolist(), strict=True):
            chapter = [token for token in targets if token != IGNORED]
            assert tokens[: len(chapter)] == [END, *chapter[:-1]]
            seen.append(chapter)
    assert sorted(seen) == sorted([*chapter, END] for chapter in CHAPTERS)
