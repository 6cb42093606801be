"""`nextchapter play`: a server on this machine that ends with Ctrl-C."""

import contextlib
import socket
import sys
from ipaddress import ip_address

import uvicorn

from nextchapter.cli.playing import build_app
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
    app = build_app(study=study, host=host)
    config = uvicorn.Config(
        app, log_level="warning", ws="none", lifespan="off", server_header=False, timeout_graceful_shutdown=1
    )
    with listen(host, port) as listening, contextlib.suppress(KeyboardInterrupt):
        if not ip_address(listening.getsockname()[0]).is_loopback:
            print("nextchapter: who can reach this machine can use the page: it asks for no password", file=sys.stderr)
        print(f"The page is at {page_address(listening)} (Ctrl-C ends it)", flush=True)
        uvicorn.Server(config).run(sockets=[listening])


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
