import gzip
import hashlib
import http.client
import logging
import random
import re
import resource
import shutil
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nextchapter.corpus.downloads import DownloadError, Patience, fetch_file, link_file

BODY = random.Random(0).randbytes(300_000)
OTHER = random.Random(1).randbytes(300_000)
SHA256 = hashlib.sha256(BODY).hexdigest()
Answer = Callable[[Any], None]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))  # no ~/.netrc
    for name in ("NETRC", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def pauses() -> list[float]:
    """Return the list of pauses, in seconds, that `fetch` would have made."""
    return []


@pytest.fixture
def fetch(pauses: list[float]) -> Callable[..., bytes]:
    """Return a function that fetches BODY to `book` without sleeping, and returns what is there then."""

    def run(url: str, sha256: str = SHA256, max_bytes: int = 10_000_000, **patience: Any) -> bytes:
        settings = {"sleep": pauses.append, "read_timeout_s": 20, **patience}
        fetch_file(url, sha256, Path("book"), max_bytes, Patience(**settings))
        return Path("book").read_bytes()

    return run


def whole(body: bytes = BODY, **headers: Any) -> Answer:
    """Send the whole file, whatever was asked for."""
    return lambda request: request.reply(200, body, **headers)


def cut(at: int, body: bytes = BODY, **headers: Any) -> Answer:
    """Announce the whole file and close the connection after so many bytes."""
    return lambda request: request.reply(200, body[:at], Content_Length=len(body), **headers)


def ranged(body: bytes = BODY, etag: str = '"1"', at: int | None = None) -> Answer:
    """Do what the standard asks: the rest of the file if this is still the same one; cut after so many bytes of it."""

    def answer(request: Any) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers["Range"] or "")
        if asked is None or request.headers["If-Range"] not in (None, etag):
            request.reply(200, body[:at], Content_Length=len(body), ETag=etag)
        elif int(asked[1]) >= len(body):
            request.reply(416, Content_Range=f"bytes */{len(body)}")
        else:
            start = int(asked[1])
            extent = f"bytes {start}-{len(body) - 1}/{len(body)}"
            rest = body[start:]
            request.reply(206, rest[:at], Content_Length=len(rest), Content_Range=extent, ETag=etag)

    return answer


def status(code: int, **headers: Any) -> Answer:
    return lambda request: request.reply(code, b"<html>sorry</html>", **headers)


def stall(at: int) -> Answer:
    """Send so many bytes, then nothing until the server is closed."""

    def answer(request: Any) -> None:
        request.reply(200, BODY[:at], Content_Length=len(BODY), ETag='"1"')
        request.server.closing.wait(60)

    return answer


def endless(code: int = 200, **headers: Any) -> Answer:
    """Send zeros until the client hangs up."""

    def answer(request: Any) -> None:
        request.reply(code, Content_Length=None, **headers)
        while not request.server.closing.is_set():
            request.wfile.write(bytes(100_000))

    return answer


def left() -> list[str]:
    return sorted(path.name for path in Path().glob("book*"))


def test_a_file_is_fetched_once(book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [whole()]
    assert fetch(book_server.url()) == BODY
    assert fetch(book_server.url()) == BODY
    assert len(book_server.asked) == 1
    assert left() == ["book"]


def test_a_kept_file_with_another_digest_is_refused(book_server: Any, fetch: Callable[..., bytes]) -> None:
    Path("book").write_bytes(OTHER)
    with pytest.raises(DownloadError, match=f"book has the SHA-256 [0-9a-f]{{64}}; expected {SHA256}; delete the file"):
        fetch(book_server.url())
    assert book_server.asked == []


@pytest.mark.parametrize("headers", [{"ETag": '"1"'}, {"Last_Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}])
def test_a_cut_connection_is_taken_up_where_it_ended(
    headers: dict[str, str], book_server: Any, fetch: Callable[..., bytes], pauses: list[float]
) -> None:
    (validator,) = headers.values()
    book_server.answers = [cut(100_000, **headers), ranged(etag=validator, at=50_000), ranged(etag=validator)]
    assert fetch(book_server.url()) == BODY
    assert book_server.ranges == [None, "bytes=100000-", "bytes=150000-"]
    assert [asked["If-Range"] for _, asked in book_server.asked] == [None, validator, validator]
    assert pauses[0] == 0
    assert 2 <= pauses[1] <= 3
    assert left() == ["book"]


def test_a_weak_etag_is_no_condition(book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [cut(100_000, ETag='W/"1"'), ranged()]
    assert fetch(book_server.url()) == BODY
    assert [asked["If-Range"] for _, asked in book_server.asked] == [None, None]


def test_a_cut_chunked_body_is_noticed(book_server: Any, fetch: Callable[..., bytes]) -> None:
    def chunked(request: Any) -> None:
        request.reply(
            200, b"3000\r\n" + BODY[:0x3000] + b"\r\n1000\r\n", Content_Length=None, Transfer_Encoding="chunked"
        )

    book_server.answers = [chunked, ranged()]
    assert fetch(book_server.url()) == BODY
    assert book_server.ranges == [None, f"bytes={0x3000}-"]


def test_the_next_call_goes_on(book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [ranged(at=100_000)]
    with pytest.raises(DownloadError, match=r"the connection was cut, after 0 retries; 0.1 MB are kept, call again"):
        fetch(book_server.url(), retries=0)
    assert left() == ["book.part", "book.part.validator"]
    book_server.answers = [ranged()]
    assert fetch(book_server.url(), retries=0) == BODY
    assert book_server.ranges == [None, "bytes=100000-"]
    assert left() == ["book"]


def test_a_killed_process_is_taken_up_where_it_ended(book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [stall(200_000)]
    code = "import sys, pathlib, nextchapter.corpus.downloads as d; d.fetch_file(*sys.argv[1:], pathlib.Path('book'))"
    with subprocess.Popen([sys.executable, "-c", code, book_server.url(), SHA256]) as process:
        part = Path("book.part")
        while process.poll() is None and not (part.exists() and part.stat().st_size == 200_000):
            book_server.closing.wait(0.01)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    book_server.answers = [ranged()]
    assert fetch(book_server.url()) == BODY
    assert book_server.ranges == [None, "bytes=200000-"]


def test_what_a_kill_left_whole_is_not_asked_for(book_server: Any, fetch: Callable[..., bytes]) -> None:
    Path("book.part").write_bytes(BODY)
    assert fetch(book_server.url()) == BODY
    assert book_server.asked == []


def test_a_server_that_knows_no_ranges_sends_it_all_again(book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [cut(100_000), whole()]
    assert fetch(book_server.url()) == BODY
    assert book_server.ranges == [None, "bytes=100000-"]


def test_a_range_that_the_server_refuses_starts_over(book_server: Any, fetch: Callable[..., bytes]) -> None:
    Path("book.part").write_bytes(BODY + b"more")
    book_server.answers = [ranged(), ranged()]
    assert fetch(book_server.url()) == BODY
    assert book_server.ranges == ["bytes=300004-", None]


def test_a_file_that_changed_in_between_starts_over(book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [cut(100_000, body=OTHER, ETag='"0"'), ranged(etag='"1"')]
    assert fetch(book_server.url()) == BODY
    assert len(book_server.asked) == 2


def test_pieces_that_do_not_fit_are_fetched_once_more_in_one(book_server: Any, fetch: Callable[..., bytes]) -> None:
    Path("book.part").write_bytes(OTHER[:1000])
    book_server.answers = [ranged()]
    assert fetch(book_server.url()) == BODY
    assert book_server.ranges == ["bytes=1000-", None]


def test_pieces_of_a_file_that_changed_unnoticed_are_too(book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [cut(1000, body=OTHER), ranged()]
    assert fetch(book_server.url()) == BODY
    assert book_server.ranges == [None, "bytes=1000-", None]


def test_pieces_that_never_fit_are_given_up(book_server: Any, fetch: Callable[..., bytes]) -> None:
    Path("book.part").write_bytes(OTHER[:1000])
    book_server.answers = [ranged(body=OTHER)]
    with pytest.raises(DownloadError, match=hashlib.sha256(OTHER).hexdigest()):
        fetch(book_server.url())
    assert book_server.ranges == ["bytes=1000-", None]
    assert left() == []


@pytest.mark.parametrize(
    "extent", [None, "bytes 5-299999/300000", "bytes -/300000", f"bytes 100000-{'9' * 5000}/{'9' * 5000}"]
)
def test_another_range_than_asked_for_is_not_appended(
    extent: str | None, book_server: Any, fetch: Callable[..., bytes]
) -> None:
    book_server.answers = [cut(100_000), lambda request: request.reply(206, b"x", Content_Range=extent), whole()]
    assert fetch(book_server.url()) == BODY


def test_a_server_that_sends_ranges_in_portions_is_asked_for_each(
    book_server: Any, fetch: Callable[..., bytes]
) -> None:
    def portion(request: Any) -> None:
        extent = "bytes 100000-199999/300000"
        request.reply(206, BODY[100_000:200_000], Content_Range=extent)

    book_server.answers = [cut(100_000), portion, ranged()]
    assert fetch(book_server.url()) == BODY
    assert book_server.ranges == [None, "bytes=100000-", "bytes=200000-"]


def test_a_length_that_is_too_long_matters_only_if_bytes_are_missing(
    book_server: Any, fetch: Callable[..., bytes], caplog: pytest.LogCaptureFixture
) -> None:
    book_server.answers = [whole(Content_Length=400_000)]
    assert fetch(book_server.url()) == BODY
    assert len(book_server.asked) == 1
    assert "the connection was cut" in caplog.text


def test_a_length_that_is_too_short_leaves_another_digest(book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [whole(Content_Length=1000)]
    with pytest.raises(DownloadError, match=rf"{hashlib.sha256(BODY[:1000]).hexdigest()} \(1000 bytes\)"):
        fetch(book_server.url())
    assert len(book_server.asked) == 1
    assert left() == []


def test_wrong_bytes_fail_at_once_and_are_not_kept(book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [whole(OTHER)]
    with pytest.raises(
        DownloadError, match=rf"{hashlib.sha256(OTHER).hexdigest()}.*expected {SHA256}.*nothing was kept"
    ):
        fetch(book_server.url())
    assert len(book_server.asked) == 1
    assert left() == []


def test_bytes_are_kept_as_they_are_sent(book_server: Any, fetch: Callable[..., bytes]) -> None:
    packed = gzip.compress(b"a book " * 1000)
    book_server.answers = [whole(packed, Content_Encoding="gzip")]
    assert fetch(book_server.url("/book.txt.gz"), hashlib.sha256(packed).hexdigest()) == packed
    assert book_server.asked[0][1]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(("code", "advice"), [(401, "netrc"), (403, "netrc"), (404, "corpus.source.files"), (410, "")])
def test_what_will_not_change_fails_at_once(
    code: int, advice: str, book_server: Any, fetch: Callable[..., bytes]
) -> None:
    book_server.answers = [status(code)]
    with pytest.raises(DownloadError, match=f"answered {code} {http.client.responses[code]}.*{advice}"):
        fetch(book_server.url())
    assert len(book_server.asked) == 1
    assert left() == []


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_change_is_tried_again(code: int, book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [status(code), status(code), whole()]
    assert fetch(book_server.url()) == BODY
    assert len(book_server.asked) == 3


@pytest.mark.parametrize(
    ("asked_for", "longest", "shortest"),
    [("7", 7, 7), ("86400", 120, 120), ("soon", 0, 0), ("9" * 5000, 0, 0), (formatdate(2**33), 120, 120)],
)
def test_a_server_may_ask_for_patience(
    asked_for: str, longest: float, shortest: float, book_server: Any, fetch: Callable[..., bytes], pauses: list[float]
) -> None:
    book_server.answers = [status(503, Retry_After=asked_for), whole()]
    assert fetch(book_server.url()) == BODY
    assert shortest <= pauses[0] <= longest


def test_pauses_grow_and_tries_end(book_server: Any, fetch: Callable[..., bytes], pauses: list[float]) -> None:
    book_server.answers = [status(502)]
    with pytest.raises(DownloadError, match=r"answered 502 Bad Gateway, after 5 retries$"):
        fetch(book_server.url(), retries=5, backoff_max_s=10)
    assert len(book_server.asked) == 6
    assert [int(pause) for pause in pauses[:3]] in ([0, 2, 4], [0, 2, 5], [0, 3, 4], [0, 3, 5])
    assert 8 <= pauses[3] <= 9
    assert pauses[4] == 10


def test_a_download_that_advances_is_not_given_up(book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [ranged(at=40_000)]
    assert fetch(book_server.url(), retries=1, renewing_bytes=40_000) == BODY
    assert len(book_server.asked) == 8


def test_a_download_that_only_starts_over_is_given_up(book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [cut(200_000)]
    with pytest.raises(DownloadError, match="after 2 retries"):
        fetch(book_server.url(), retries=2, renewing_bytes=100_000)
    assert len(book_server.asked) == 3


def test_no_server_is_tried_again_and_named(book_server: Any, fetch: Callable[..., bytes], pauses: list[float]) -> None:
    url = book_server.url()
    book_server.shutdown()
    book_server.server_close()
    with pytest.raises(DownloadError, match=rf"can't fetch {url}: Connection refused, after 2 retries$"):
        fetch(url, retries=2)
    assert len(pauses) == 2


@pytest.mark.parametrize("at", [0, 100_000])
def test_a_server_that_falls_silent_is_asked_again(at: int, book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [stall(at), ranged()]
    assert fetch(book_server.url(), read_timeout_s=0.2) == BODY
    assert len(book_server.asked) == 2


def test_a_server_that_does_not_even_answer_is_named(book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [lambda request: request.server.closing.wait(60)]
    with pytest.raises(DownloadError, match=r"the server was silent for 0\.2 s, after 0 retries$"):
        fetch(book_server.url(), read_timeout_s=0.2, retries=0)


def test_a_server_that_drips_is_asked_again(
    book_server: Any, fetch: Callable[..., bytes], caplog: pytest.LogCaptureFixture
) -> None:
    def drip(request: Any) -> None:
        request.reply(200, Content_Length=len(BODY))
        while not request.server.closing.wait(0.001):
            request.wfile.write(b"a")

    seconds = iter(range(0, 10_000, 10))
    book_server.answers = [drip, whole()]
    assert fetch(book_server.url(), clock=lambda: next(seconds)) == BODY
    assert re.search(r"only \d+ bytes in 30 s", caplog.text)


def test_a_line_tells_the_size_and_others_the_progress(
    book_server: Any, fetch: Callable[..., bytes], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    book_server.answers = [whole()]
    seconds = iter(range(0, 10**6, 30))
    fetch(book_server.url(), clock=lambda: next(seconds), interval_bytes=1)
    first, *others = [record.getMessage() for record in caplog.records]
    assert first == f"fetching {book_server.url()}, 0.3 MB"
    assert others
    assert all(line.endswith("so far") for line in others)


def test_redirects_are_followed(book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [
        status(302, Location="../b/ä.txt".encode().decode("latin-1")),
        status(308, Location="c"),
        whole(),
    ]
    assert fetch(book_server.url("/a/book.txt")) == BODY
    assert [path for path, _ in book_server.asked] == ["/a/book.txt", "/b/%C3%A4.txt", "/b/c"]


def test_redirects_in_a_loop_end(book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [status(302, Location="/again")]
    with pytest.raises(DownloadError, match="redirects more than 5 times"):
        fetch(book_server.url())
    assert len(book_server.asked) == 6


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a?token=secret", "http://[::1/a"])
def test_a_redirect_leads_to_no_other_kind_of_address(
    target: str, book_server: Any, fetch: Callable[..., bytes]
) -> None:
    book_server.answers = [status(302, Location=target)]
    with pytest.raises(DownloadError, match="it redirects to") as caught:
        fetch(book_server.url())
    assert "secret" not in str(caught.value)


def test_the_body_of_a_redirect_is_not_read(book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [endless(302, Location="/b"), whole()]
    assert fetch(book_server.url()) == BODY


def test_an_endless_body_is_cut_off_and_not_kept(book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [endless()]
    with pytest.raises(DownloadError, match=r"longer than the 1\.0 MB allowed \(corpus\.source\.max_file_mb\)"):
        fetch(book_server.url(), max_bytes=1_000_000)
    assert left() == []


def test_a_body_announced_as_too_long_is_not_waited_for(book_server: Any, fetch: Callable[..., bytes]) -> None:
    book_server.answers = [stall(0)]
    with pytest.raises(DownloadError, match=r"longer than the 0\.3 MB allowed"):
        fetch(book_server.url(), max_bytes=299_999)
    assert left() == []
    book_server.answers = [whole()]
    assert fetch(book_server.url(), max_bytes=300_000) == BODY


def test_a_proxy_is_used_unless_the_host_is_excepted(
    make_server: Callable[[], Any], fetch: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forward(request: Any) -> None:
        asked = urlsplit(request.path)
        connection = http.client.HTTPConnection(asked.netloc)
        connection.request("GET", asked.path)
        request.reply(200, connection.getresponse().read())
        connection.close()

    origin, proxy = make_server(), make_server()
    origin.answers, proxy.answers = [whole()], [forward]
    monkeypatch.setenv("HTTP_PROXY", proxy.url("").replace("//", "//me:hush@"))
    assert fetch(origin.url()) == BODY
    assert [path for path, _ in proxy.asked] == [origin.url()]
    assert proxy.asked[0][1]["Proxy-Authorization"] == "Basic bWU6aHVzaA=="
    Path("book").unlink()
    monkeypatch.setenv("NO_PROXY", "example.org,127.0.0.1")
    assert fetch(origin.url()) == BODY
    assert len(proxy.asked) == 1
    assert len(origin.asked) == 2


def test_a_proxy_that_refuses_is_named_without_its_password(
    make_server: Callable[[], Any], fetch: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = make_server()
    proxy.answers = [status(407)]
    monkeypatch.setenv("HTTP_PROXY", proxy.url("").replace("//", "//me:hush@"))
    with pytest.raises(DownloadError, match=r"answered 407 .*HTTP_PROXY") as caught:
        fetch("http://books.example/a.txt")
    assert "hush" not in str(caught.value)
    proxy.shutdown()
    proxy.server_close()
    with pytest.raises(DownloadError, match="the proxy: Connection refused") as caught:
        fetch("http://books.example/a.txt", retries=1)
    assert "hush" not in str(caught.value)


def test_name_password_and_query_are_sent_and_never_told(
    book_server: Any, fetch: Callable[..., bytes], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    url = book_server.url("/book.txt?token=secret&x=1").replace("//", "//me:hu%40sh@")
    book_server.answers = [status(503), cut(1000), status(302, Location="/b?sig=secret"), stall(0), status(404)]
    with pytest.raises(DownloadError) as caught:
        fetch(url, read_timeout_s=0.2)
    path, headers = book_server.asked[0]
    assert path == "/book.txt?token=secret&x=1"
    assert headers["Authorization"] == "Basic bWU6aHVAc2g="
    told = caplog.text + str(caught.value)
    assert told.count("/book.txt?***") >= 4
    assert not re.search("secret|hu(%40|@)sh|me:", told)


@pytest.mark.parametrize(
    "url", ["http://[::1/x", "http://me:hush@/x", "http://a..b\u2024/x", "https://user:p/w@host/x"]
)
def test_a_malformed_address_is_refused(url: str, fetch: Callable[..., bytes], pauses: list[float]) -> None:
    with pytest.raises(DownloadError, match="malformed") as caught:
        fetch(url)
    assert "hush" not in str(caught.value)
    assert pauses == []


def test_where_the_disk_is_full_the_file_is_named_and_what_is_there_is_used(
    book_server: Any, fetch: Callable[..., bytes]
) -> None:
    """A limit on the size of files stands for a full disk: the last write is short, and the next one fails."""
    book_server.answers = [ranged()]
    code = "import sys, pathlib, nextchapter.corpus.downloads as d; d.fetch_file(*sys.argv[1:], pathlib.Path('book'))"
    limit = 123_456
    done = subprocess.run(
        [sys.executable, "-c", code, book_server.url(), SHA256],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("File too large: 'book.part'")
    assert fetch(book_server.url()) == BODY
    assert book_server.ranges == [None, f"bytes={limit}-"]


def test_two_that_want_one_file_fetch_it_once(book_server: Any, fetch: Callable[..., bytes]) -> None:
    second_waits = threading.Event()

    def after_the_second_came(request: Any) -> None:
        second_waits.wait(20)
        request.reply(200, BODY)

    class Notice(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            second_waits.set()

    book_server.answers = [after_the_second_came]
    logger, notice = logging.getLogger("nextchapter.store.locks"), Notice()
    logger.addHandler(notice)
    threads = [threading.Thread(target=fetch, args=(book_server.url(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logger.removeHandler(notice)
    assert second_waits.is_set()
    assert Path("book").read_bytes() == BODY
    assert len(book_server.asked) == 1


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a file with a key and a certificate that it signed itself, for the loopback address."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("makes its certificate with openssl, which is not installed")
    file = tmp_path / "server.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=books", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(file), "-out", "cert"]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text(file.read_text() + Path("cert").read_text())
    return file


def test_a_secure_address_needs_a_certificate_that_is_known(
    make_server: Callable[[], Any], certificate: Path, fetch: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server, plain = make_server(), make_server()
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.answers, plain.answers = [whole()], [whole()]
    url = server.url().replace("http:", "https:")
    with pytest.raises(DownloadError, match=r"self-signed certificate.*SSL_CERT_FILE"):
        fetch(url)
    monkeypatch.setenv("SSL_CERT_FILE", "missing.pem")
    with pytest.raises(DownloadError, match=r"SSL_CERT_FILE names missing\.pem"):
        fetch(url)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert fetch(url) == BODY
    Path("book").unlink()
    server.answers = [status(302, Location=plain.url())]
    with pytest.raises(DownloadError, match=f"redirects to {plain.url()}; allowed here is https"):
        fetch(url)
    assert plain.asked == []


FAULTS = st.one_of(
    st.integers(0, len(BODY)).map(cut),
    st.integers(0, len(BODY)).map(lambda at: ranged(at=at)),
    st.integers(0, len(BODY)).map(lambda at: ranged(etag='"2"', at=at)),
    st.integers(0, len(BODY) - 1).map(lambda at: cut(at, body=OTHER, ETag='"0"')),
    st.sampled_from([408, 429, 500, 503]).map(status),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=st.lists(FAULTS, max_size=6))
def test_whatever_a_server_does_first_the_file_is_right(
    faults: list[Answer], book_server: Any, fetch: Callable[..., bytes]
) -> None:
    for path in Path().glob("book*"):
        path.unlink()
    book_server.answers = [*faults, ranged()]
    assert fetch(book_server.url(), retries=6) == BODY


def test_a_linked_file_is_the_file_and_replaces_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "b").write_bytes(b"old")
    for _ in range(2):
        link_file(tmp_path / "a", tmp_path / "b")
        assert (tmp_path / "b").samefile(tmp_path / "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_without_hard_links_it_is_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    (tmp_path / "a").write_bytes(b"new")
    link_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"new"
    assert not (tmp_path / "b").samefile(tmp_path / "a")
