import logging
import subprocess
import sys
from pathlib import Path

import pytest

from nextchapter.store.locks import only_writer

HOLDER = """
import sys, pathlib
from nextchapter.store.locks import only_writer
with only_writer(sys.argv[1], pathlib.Path(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
    pathlib.Path(sys.argv[1]).write_text("the orphan's")
"""


def test_a_second_writer_waits_for_the_first_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    output, locks = tmp_path / "model", tmp_path / "locks"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(output), str(locks)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as orphan:
        assert orphan.stdin is not None
        assert orphan.stdout is not None
        assert orphan.stdout.readline() == "held\n"

        class EndOrphan(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                orphan.stdin.close()

        logger, handler = logging.getLogger("nextchapter.store.locks"), EndOrphan()
        logger.addHandler(handler)
        try:
            with caplog.at_level(logging.WARNING), only_writer(output, locks):
                assert output.read_text() == "the orphan's"  # it had ended its work before we began
        finally:
            logger.removeHandler(handler)
    assert f"process {orphan.pid} on" in caplog.text


def test_locks_of_other_files_are_free(tmp_path: Path) -> None:
    with only_writer(tmp_path / "a", tmp_path / "locks"), only_writer(tmp_path / "b", tmp_path / "locks"):
        assert len(list((tmp_path / "locks").glob("*.holder"))) == 2
    assert not list((tmp_path / "locks").glob("*.holder"))
