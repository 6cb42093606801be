import errno
import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nextchapter.stages.command import LOGGER, Job, StageError, execute
from nextchapter.store.checksums import checksum_path, find_damage, record_checksum
from nextchapter.store.files import atomic_path, write_text

SECRETS = {"MLFLOW_TRACKING_TOKEN": "hunter2", "MLFLOW_TRACKING_URI": "https://me:swordfish@host/mlflow"}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.txt").write_text("abc")
    record_checksum("in.txt")


def _copy(job: Job) -> None:
    write_text(job.path("copy"), job.path("text").read_text())


def _call(work: Callable[[Job], None]) -> int:
    return execute(work, ["text"], ["copy"], ["--text", "in.txt", "--copy", "out.txt"])


def test_what_a_stage_makes_gets_a_checksum() -> None:
    assert _call(_copy) == 0
    assert checksum_path("out.txt").is_file()
    assert find_damage("out.txt") is None


def test_a_damaged_input_is_told_in_one_line_and_nothing_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    Path("in.txt").write_text("ab")
    assert _call(_copy) == 1
    told = capsys.readouterr().err
    assert "in.txt is damaged: it has 2 bytes, and had 3 when it was written. `make run` makes it again" in told
    assert told.count("\n") == 1
    assert not Path("out.txt").exists()


def test_a_file_made_again_is_not_judged_by_its_old_checksum() -> None:
    assert _call(_copy) == 0
    Path("in.txt").write_text("abcd")
    record_checksum("in.txt")

    def look(job: Job) -> None:
        assert not checksum_path("out.txt").exists()  # if it is killed now, the next reader finds nothing wrong
        _copy(job)

    assert _call(look) == 0
    assert find_damage("out.txt") is None


def test_what_killed_processes_left_is_removed() -> None:
    left = [Path(".out.txt.abcd1234.part"), Path(".checksums/.out.txt.abcd1234.part")]
    for path in left:
        path.touch()
    assert _call(_copy) == 0
    assert not any(path.exists() for path in left)


@pytest.fixture
def _ctrl_c() -> Iterator[None]:
    """Let Ctrl-C work: a shell starts its background jobs, such as this call of pytest may be one, without it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ctrl_c")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stage_that_is_asked_to_stop_leaves_no_half_file_and_no_lock(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def stop(job: Job) -> None:
        with atomic_path(job.path("copy")):
            os.kill(os.getpid(), number)

    assert _call(stop) == 130
    assert capsys.readouterr().err.endswith("stopped; what is finished is kept\n")
    assert signal.getsignal(signal.SIGTERM) is before
    assert not list(Path().glob(".out*"))
    assert _call(_copy) == 0


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EACCES, "no permission"),
        (errno.ENOSYS, "the disk has no file locks"),
    ],
)
def test_what_a_person_can_put_right_is_told_without_a_traceback(
    number: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(job: Job) -> None:
        raise OSError(number, os.strerror(number), str(job.path("copy")))

    assert _call(fail) == 1
    told = capsys.readouterr().err
    assert f"{message}: [Errno {number}]" in told
    assert "'out.txt'" in told
    assert "Traceback" not in told


def _refused(job: Job) -> None:
    LOGGER.info("asking https://me:swordfish@host/mlflow?key=1")
    raise StageError("no entry for Bearer hunter2")


def _broken(job: Job) -> None:
    logging.getLogger("nextchapter.tracking.publisher").warning("the header is %r", "Bearer hunter2")
    raise RuntimeError("Invalid header 'Bearer hunter2' for https://me:swordfish@host/a?b=c")


@pytest.mark.parametrize(
    ("work", "told"),
    [
        (_refused, ["asking https://host/mlflow?***", "no entry for Bearer ***"]),
        (_broken, ["the header is 'Bearer ***'", "RuntimeError: Invalid header 'Bearer ***' for https://host/a?***"]),
    ],
)
def test_neither_a_message_nor_a_traceback_tells_a_secret(
    work: Callable[[Job], None], told: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    assert execute(work, [], ["record"], ["--record", "a.json", "--log", "a.log"]) == 1
    for text in (capsys.readouterr().err, Path("a.log").read_text()):
        assert [line for line in told if line in text] == told
        assert "hunter2" not in text
        assert "swordfish" not in text
