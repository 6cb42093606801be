from pathlib import Path

from nextchapter.store.events import Event, EventLog, read_events


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
    size = log.flush()
    log.append("train", 20)
    log.close()
    again = EventLog(path, committed_bytes=size)
    again.append("train", 20, note="again")
    again.close()
    assert [(event["step"], event.get("note")) for event in read_events(path)] == [(10, None), (20, "again")]
