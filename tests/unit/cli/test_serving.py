import inspect
import signal
import socket
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests

from nextchapter.cli.app import main, play
from nextchapter.cli.serving import listen, page_address

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what is tested
PLAY = [sys.executable, "-c", "import sys; from nextchapter.cli.app import main; sys.exit(main(sys.argv[1:]))", "play"]


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), (EVERYWHERE, "localhost")]
)
def test_the_address_is_one_that_a_browser_here_opens(host: str, shown: str) -> None:
    with listen(host, 0) as listening:
        assert page_address(listening) == f"http://{shown}:{listening.getsockname()[1]}/"


def test_only_this_machine_is_served_unless_another_address_is_asked_for() -> None:
    with listen(inspect.signature(play).parameters["host"].default, 0) as listening:
        assert ip_address(listening.getsockname()[0]).is_loopback


def test_a_port_that_is_taken_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["play", "--port", str(port)]) == 1
    told = capsys.readouterr().err
    assert f"port {port} of 127.0.0.1 can't be listened at" in told
    assert "choose another with --port" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["--study", "nowhere"], "no study of the name 'nowhere'"), (["--host", "192.0.2.1"], "of 192.0.2.1 can't be")],
)
def test_what_can_not_be_served_is_told(
    results: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["play", *arguments]) == 1
    assert told in capsys.readouterr().err


def test_the_server_answers_until_it_is_interrupted(results: Path) -> None:
    command = [*PLAY, "--port", "0", "--host", EVERYWHERE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        address = server.stdout.readline().split()[4]
        begun = requests.post(
            f"{address}api/write",
            json={"run": "tales/solo.s1", "words": 2000, "opening": "The"},
            stream=True,
            timeout=60,
        )
        assert next(begun.iter_lines()) == b'{"opening":"The"}'
        server.send_signal(signal.SIGINT)
        _, complaints = server.communicate(timeout=60)
    assert server.returncode == 0
    assert "all who reach this machine can use the page" in complaints
    assert "Traceback" not in complaints
