import hashlib
from pathlib import Path

import pytest

from nextchapter.store.events import Event, EventLog, is_whole, read_events


def test_listeners_get_records_only_when_a_checkpoint_covers_them(tmp_path: Path) -> None:
    heard: list[Event] = []
    log = EventLog(tmp_path / "e.jsonl", listeners=(heard.extend,))
    log.append("train", 10, {"train/loss_nats": 2.5}, tokens=100)
    assert heard == []
    log.flush()
    log.commit()
    log.append("train", 20)
    log.close()
    assert [(event["event"], event["step"], event.get("metrics")) for event in heard] == [
        ("train", 10, {"train/loss_nats": 2.5})
    ]


def test_a_log_opened_again_is_cut_back_to_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    log = EventLog(path)
    log.append("train", 10)
    size, _ = log.flush()
    log.append("train", 20)
    log.close()
    again = EventLog(path, committed_bytes=size)
    again.append("train", 20, note="again")
    again.close()
    assert [(event["step"], event.get("note")) for event in read_events(path)] == [(10, None), (20, "again")]


def test_size_and_checksum_are_those_of_the_file_also_after_it_was_opened_again(tmp_path: Path) -> None:
    path, size = tmp_path / "e.jsonl", 0
    for step in (10, 20, 30):
        log = EventLog(path, committed_bytes=size)
        log.append("train", step, note="é")
        size, digest = log.flush()
        log.append("train", step + 5)
        log.close()
        assert digest == hashlib.sha256(path.read_bytes()[:size]).hexdigest()
    assert [event["step"] for event in read_events(path)] == [10, 20, 30, 35]


@pytest.mark.parametrize("place", [0, 20, -1])
def test_a_log_that_changed_before_its_commit_is_not_whole(tmp_path: Path, place: int) -> None:
    path = tmp_path / "e.jsonl"
    log = EventLog(path)
    log.append("train", 10)
    size, digest = log.flush()
    log.append("train", 20)
    log.close()
    assert is_whole(path, size, digest)
    content = bytearray(path.read_bytes())
    content[range(size)[place]] ^= 1
    path.write_bytes(content)
    assert not is_whole(path, size, digest)
    path.write_bytes(content[: size - 1])
    assert not is_whole(path, size, digest)
    assert not is_whole(tmp_path / "absent", size, digest)
