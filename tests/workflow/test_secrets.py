"""What must stay secret is in no file that a study writes, whether its jobs end well or not."""

import hashlib
import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

BOOK = "\n\n\n".join(f"CHAPTER {number}\n\nThe cat sat on the mat. {'It ran and ran. ' * 40}" for number in range(1, 6))


class _Shop(http.server.BaseHTTPRequestHandler):
    """Sells one book to those who have a name, a password and a token."""

    def do_GET(self) -> None:
        is_known = self.headers["Authorization"] == "Basic bWU6czNjcmV0LWxvZ2lu"  # me:s3cret-login
        self.send_response(200 if is_known and self.path == "/book.txt?token=s3cret-query" else 403)
        self.end_headers()
        self.wfile.write(BOOK.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def shop() -> Iterator[str]:
    """Return the address of the book, with all that it takes to get it."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Shop) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://me:s3cret-login@127.0.0.1:{server.server_port}/book.txt?token=s3cret-query"
        server.shutdown()


def files_that_hold(text: bytes, folder: Path) -> list[Path]:
    """Return all that was written below a folder, what was given apart, in which a text stands."""
    given = {folder / "config", folder / "src"}
    files = (path for path in folder.rglob("*") if path.is_file() and not given & set(path.parents))
    return [path for path in files if text in path.read_bytes()]


@pytest.mark.parametrize("fails", [False, True], ids=["fetched", "refused"])
def test_the_secrets_of_a_configuration_are_written_nowhere(
    make_project: Callable[[], Any], shop: str, fails: bool
) -> None:
    project = make_project()
    digest = "0" * 64 if fails else hashlib.sha256(BOOK.encode()).hexdigest()
    source = {"kind": "url", "files": [{"url": shop, "sha256": digest}]}
    store = "postgresql+nothing://me:s3cret/#store@127.0.0.1:9/runs?sslkey=s3cret-key"
    project.configure(corpus={"name": "shop", "source": source}, tracking={"uri": store})
    until = ["fetch_books"] if fails else ["clean_books", "create_experiment"]
    with project.start("--cores", "2", "--printshellcmds", "--until", *until) as process:
        output, _ = process.communicate()
    assert process.returncode == int(fails), output
    assert "127.0.0.1" in output
    assert "s3cret" not in output
    assert files_that_hold(b"s3cret", project.folder) == []
    if fails:
        assert not list(project.folder.rglob("book.txt"))
    else:
        record = (project.folder / "results/shop/mlflow.json").read_text()
        assert '"published": false' in record
        assert '"tracking_uri": "postgresql+nothing://127.0.0.1:9/runs"' in record
