import os
import sys
import time
from pathlib import Path

import pytest

from nextchapter.corpus.document import UnreadableBookError
from nextchapter.corpus.formats.child import run_child


def run(program: str, data: bytes = b"", timeout_s: float = 60.0) -> tuple[int, bytes, str]:
    outcome = run_child([sys.executable, "-c", program], data, timeout_s, 1000, {"note": "é"})
    return outcome.code, outcome.output, outcome.errors


def test_a_program_gets_its_input_and_files_and_its_end_is_told() -> None:
    program = "import sys; print(sys.stdin.read() + open('note', encoding='utf-8').read() == 'booké'); sys.exit('why')"
    assert run(program, b"book") == (1, b"True\n", "why")


def test_its_folder_goes_with_it() -> None:
    folder = Path(run("import os; open('more', 'w'); print(os.getcwd())")[1].decode().strip())
    assert not folder.exists()


def test_too_much_output_is_refused() -> None:
    with pytest.raises(UnreadableBookError, match="larger than 1,000 bytes"):
        run("print('x' * 2000)")


def test_what_takes_too_long_is_killed_with_all_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    program = f"""import signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
open({str(pids)!r}, "w").write(str(child.pid))
signal.pause()"""
    with pytest.raises(UnreadableBookError, match="more than 2 s"):
        run(program, timeout_s=2.0)
    deadline = time.monotonic() + 20
    while _is_alive(pids.read_text()) and time.monotonic() < deadline:  # the kernel ends it a moment later
        os.sched_yield()
    assert not _is_alive(pids.read_text())


def _is_alive(pid: str) -> bool:
    try:
        return Path("/proc", pid, "stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_crash_is_a_negative_status() -> None:
    assert run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")[0] == -9
