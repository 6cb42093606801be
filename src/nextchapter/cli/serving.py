"""`nextchapter play`: a server on this machine that ends with Ctrl-C."""

import contextlib
import socket
import sys
from ipaddress import ip_address
from types import FrameType

import uvicorn

from nextchapter.cli.playing import Desk, build_app
from nextchapter.cli.runs import RESULTS, RunNotFoundError


def serve(study: str | None, host: str, port: int) -> None:
    """Serve the page until Ctrl-C.

    Args:
        study: offer the runs of this one alone; None offers those of all.
        host: name or address to listen at.
        port: 0 takes any that is free.

    Raises:
        ValueError: there is no such study, or nothing can listen at this address.
    """
    if study is not None and not (RESULTS / study / "runs").is_dir():
        raise RunNotFoundError(f"no study of the name {study!r} in {RESULTS}/; `make run` makes one")
    with listen(host, port) as listening, contextlib.suppress(KeyboardInterrupt):
        if not ip_address(listening.getsockname()[0]).is_loopback:
            print("nextchapter: all who reach this machine can use the page; it asks for no password", file=sys.stderr)
        print(f"The page is at {page_address(listening)} (Ctrl-C ends it)", flush=True)
        Server(Desk(study), host).run(sockets=[listening])


class Server(uvicorn.Server):
    """A server that lets the texts under way end when it is told to end itself."""

    def __init__(self, desk: Desk, host: str) -> None:
        """Serve the page of a desk."""
        wait_s = 5  # for a text that is being read
        config = uvicorn.Config(build_app(desk, host), log_level="warning", ws="none", lifespan="off",
                                server_header=False, timeout_graceful_shutdown=wait_s)  # fmt: skip
        super().__init__(config)
        self._desk = desk

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Do what Ctrl-C asks for."""
        self._desk.closing = True
        super().handle_exit(sig, frame)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        ValueError: the port is taken, or the address is none of this machine.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server((str(address[0]), int(address[1])), family=family)
    except OSError as error:
        where = f"port {port} of {host} can't be listened at ({error.strerror})"
        raise ValueError(f"{where}; choose another with --port, 0 takes any that is free") from error


def page_address(listening: socket.socket) -> str:
    """Return where a browser on this machine finds the page."""
    host, port = listening.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = "localhost"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
