import errno
import os
from pathlib import Path

import pytest
import torch

from nextchapter.training.checkpoint import CheckpointFile


@pytest.fixture
def saved(tmp_path: Path) -> CheckpointFile:
    checkpoint = CheckpointFile(tmp_path / "checkpoint.pt", "key")
    checkpoint.save({"weights": {"w": torch.arange(500.0)}, "step": 3})
    return checkpoint


def test_a_checkpoint_comes_back(saved: CheckpointFile) -> None:
    content = saved.load()
    assert content is not None
    assert content["step"] == 3
    assert torch.equal(content["weights"]["w"], torch.arange(500.0))


def test_no_flipped_bit_and_no_cut_goes_unnoticed(saved: CheckpointFile, caplog: pytest.LogCaptureFixture) -> None:
    whole = saved.path.read_bytes()
    for place in range(0, len(whole), 97):
        spoiled = bytearray(whole)
        spoiled[place] ^= 1 << place % 8
        for content in (bytes(spoiled), whole[:place]):
            caplog.clear()
            saved.path.write_bytes(content)
            assert saved.load() is None, place
            assert f"{saved.path} is damaged" in caplog.text


def test_removing_a_checkpoint_removes_what_killed_processes_left_of_it(saved: CheckpointFile) -> None:
    part = saved.path.with_name(".checkpoint.pt.abcd1234.part")
    part.touch()
    saved.remove()
    assert not part.exists()
    assert saved.load() is None


def test_a_failed_save_keeps_the_last_good_checkpoint(saved: CheckpointFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        saved.save({"step": 4})
    content = saved.load()
    assert content is not None
    assert content["step"] == 3
