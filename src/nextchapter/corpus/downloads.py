"""A file behind an address: fetched once, resumed after a cut, and believed only when its digest is right."""

import contextlib
import hashlib
import http.client
import logging
import os
import re
import shutil
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import (
    HTTPError,
    InvalidHeader,
    LocationValueError,
    MaxRetryError,
    ProtocolError,
    ReadTimeoutError,
)
from urllib3.util import Retry

from nextchapter.spec.redaction import public_address
from nextchapter.store.files import atomic_path, sha256_of, write_text
from nextchapter.store.locks import only_writer

LOGGER = logging.getLogger(__name__)
MAX_REDIRECTS = 5
HINTS = {
    401: "; its name and password belong in ~/.netrc",
    403: "; it may want a name and password, which belong in ~/.netrc",
    404: "; check corpus.source.files",
    407: "; the proxy's name and password belong in HTTP_PROXY or HTTPS_PROXY",
}
_CHUNK_BYTES = 1 << 16
_UNUSABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    LocationValueError,
)
_CONTENT_RANGE = re.compile(r"bytes (?P<start>\d{1,18})-\d{1,18}/(?P<total>\d{1,18}|\*)")


class DownloadError(RuntimeError):
    """The file can't be had, or is not what it should be; the message says what to do and holds no password."""


class _TransientError(Exception):
    """A request failed in a way that another one may not."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Patience:
    """How long a download waits for its server, and how often it asks again."""

    connect_timeout_s: float = 20
    read_timeout_s: float = 30
    """Longest silence of the server."""
    interval_s: float = 30
    """Time between two lines of progress."""
    interval_bytes: int = 1 << 14
    """What has to arrive in that time; a server that drips is asked again."""
    retries: int = 6
    """Failures in turn that are put up with."""
    renewing_bytes: int = 1 << 20
    """Whenever so many have arrived, failures are counted anew."""
    backoff_s: float = 1
    """The first retry comes at once, the next after 2, 4, 8, ... times this."""
    jitter_s: float = 1
    """Largest random time added to it, so that many machines do not ask in step."""
    backoff_max_s: float = 60
    retry_after_max_s: float = 120
    """Longest wait that a server can ask for."""
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def retry(self) -> Retry:
        """Return the policy that counts failures and spaces the requests."""
        return Retry(
            total=self.retries,
            backoff_factor=self.backoff_s,
            backoff_jitter=self.jitter_s,
            backoff_max=self.backoff_max_s,
        )


def fetch_file(
    url: str, sha256: str, target: Path, max_bytes: int = 2_000_000_000, patience: Patience = Patience()
) -> None:
    """Fetch a file unless it is there.

    What has arrived is kept in `target.part`, also when the process is killed, and the next call goes on behind it.

    Args:
        url: its address, http or https; proxies, ~/.netrc and certificates are those of the environment.
        sha256: its digest, which alone decides whether it is right.
        target: where it belongs.
        max_bytes: a longer body is refused.
        patience: how long to wait, and how often to ask.

    Raises:
        DownloadError: it can't be had, is too long, or has another digest; or `target` has.
        OSError: it can't be written; what is written stays usable.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with only_writer(target):
        if target.is_file():
            found = sha256_of(target)
            if found != sha256:
                raise DownloadError(
                    f"{target} has the SHA-256 {found}; expected {sha256}; delete the file to fetch it again"
                )
            return
        with _Part(target.with_name(f"{target.name}.part"), sha256) as part, _Session() as session:
            _Transfer(session, url, part, max_bytes, patience).complete()
            part.move_to(target)


def link_file(source: Path, target: Path) -> None:
    """Give a file a second name, atomically; a copy where the file system has no hard links."""
    with atomic_path(target) as temporary:
        temporary.unlink()
        try:
            temporary.hardlink_to(source)
        except OSError:
            shutil.copyfile(source, temporary)


class _Session(requests.Session):
    """A session that trusts the environment's certificates and leaves redirects to its caller."""

    def __init__(self) -> None:
        super().__init__()
        names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
        name = next(filter(os.environ.get, names), None)
        if name is not None:
            self.verify = os.environ[name]
            if not Path(self.verify).exists():
                raise DownloadError(f"{name} names {self.verify}; there is no such file of certificates")

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Find none: requests would read the body of a redirect, however long, into memory."""


class _Part:
    """The bytes of a file that have arrived; they stay beside its place until all are there."""

    def __init__(self, path: Path, sha256: str) -> None:
        self.path = path
        self.sha256 = sha256
        self.spliced = False
        """Whether the bytes come from more than one response."""
        self._validator = path.with_name(f"{path.name}.validator")

    def __enter__(self) -> Self:
        self._file = self.path.open("a+b", buffering=0)  # a kill loses nothing, and closing can't fail
        self._file.seek(0)
        self._hash = hashlib.file_digest(self._file, "sha256")
        self.size = self._file.tell()
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if not self.size:
            self.discard()

    @property
    def digest(self) -> str:
        """The SHA-256 of what is here."""
        return self._hash.hexdigest()

    @property
    def right(self) -> bool:
        """Whether this is the file."""
        return self.digest == self.sha256

    @property
    def range_headers(self) -> dict[str, str]:
        """The headers that ask for the rest, on condition that it belongs to the same version of the file."""
        if not self.size:
            return {}
        validator = self._validator.read_text(encoding="utf-8") if self._validator.is_file() else ""
        return {"Range": f"bytes={self.size}-", **({"If-Range": validator} if validator else {})}

    def restart(self, validator: str = "") -> None:
        """Forget what is here; what comes next is of the version that the server calls so."""
        self._file.truncate(0)
        self._hash, self.size, self.spliced = hashlib.sha256(), 0, False
        if validator:
            write_text(self._validator, validator)
        else:
            self._validator.unlink(missing_ok=True)

    def append(self, chunk: bytes) -> None:
        """Write what has arrived.

        Raises:
            OSError: the disk is full; the error names the file.
        """
        rest = memoryview(chunk)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        self._hash.update(chunk)
        self.size += len(chunk)

    def move_to(self, target: Path) -> None:
        """Put the file in its place, atomically."""
        os.fsync(self._file.fileno())
        self.path.replace(target)
        self._validator.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove what is here."""
        self.path.unlink(missing_ok=True)
        self._validator.unlink(missing_ok=True)


class _Transfer:
    """The requests that complete a part."""

    def __init__(self, session: requests.Session, url: str, part: _Part, max_bytes: int, patience: Patience) -> None:
        self.session = session
        self.url = url
        self.shown = public_address(url)
        self.part = part
        self.max_bytes = max_bytes
        self.patience = patience

    def complete(self) -> None:
        """Fetch what is missing; once more, from the start, where the pieces are right and the whole is not."""
        self._fetch()
        if self.part.spliced and not self.part.right:
            LOGGER.warning("%s: the pieces make another file than the one expected; starting over", self.shown)
            self.part.restart()
            self._fetch()
        if not self.part.right:
            self.part.discard()
            raise DownloadError(
                f"{self.shown} has the SHA-256 {self.part.digest} ({self.part.size} bytes); "
                f"expected {self.part.sha256} (corpus.source.files); nothing was kept"
            )

    def _fetch(self) -> None:
        """Send requests until one is answered to its end, or the digest says that nothing is missing."""
        retry, renewed_at = self.patience.retry(), self.part.size
        while not self.part.right:
            try:
                self._fetch_rest()
            except _TransientError as error:
                if self.part.size >= renewed_at + self.patience.renewing_bytes:
                    retry, renewed_at = self.patience.retry(), self.part.size
                retry = self._wait(retry, error)
            else:
                return

    def _wait(self, retry: Retry, error: _TransientError) -> Retry:
        """Wait as long as the server asks, or else longer each time; return the policy with one retry less."""
        try:
            retry = retry.increment("GET", error=error)
        except MaxRetryError:
            kept = f"; {_size(self.part.size)} are kept, call again to go on" if self.part.size else ""
            raise DownloadError(
                f"can't fetch {self.shown}: {error}, after {self.patience.retries} retries{kept}"
            ) from error
        pause_s = retry.get_backoff_time() if error.retry_after_s is None else error.retry_after_s
        LOGGER.warning("%s: %s; trying again in %.0f s", self.shown, error, pause_s)
        self.patience.sleep(pause_s)
        return retry

    def _fetch_rest(self) -> None:
        """Send one request for what is missing, and append its answer."""
        try:
            with contextlib.closing(self._open()) as response:
                total = self._accept(response)
                self._append_body(response)
        except (requests.RequestException, HTTPError) as error:
            raise self._explain(error) from error
        if total is not None and self.part.size < total:
            raise _TransientError(f"the server sent {self.part.size} of {total} bytes")

    def _open(self) -> requests.Response:
        """Return the answer to a request for what is missing, redirects followed, its body still to be read."""
        headers = {"User-Agent": "nextchapter", "Accept-Encoding": "identity", **self.part.range_headers}
        timeouts = (self.patience.connect_timeout_s, self.patience.read_timeout_s)
        url = self.url
        for _ in range(MAX_REDIRECTS + 1):
            response = self.session.get(url, headers=headers, stream=True, timeout=timeouts)
            if not response.is_redirect:
                return response
            response.close()
            url = self._redirected(url, response.headers["Location"])
        raise DownloadError(f"can't fetch {self.shown}: it redirects more than {MAX_REDIRECTS} times")

    def _redirected(self, url: str, location: str) -> str:
        """Return the address that a redirect names; what was asked for in secret is not asked for in the open."""
        allowed = ("https",) if url.startswith("https:") else ("http", "https")
        try:
            target = urljoin(url, location.encode("latin-1").decode("utf-8", "replace"))  # http.client reads Latin-1
            scheme = urlsplit(target).scheme
        except ValueError:
            raise DownloadError(f"can't fetch {self.shown}: it redirects to a malformed address") from None
        if scheme not in allowed:
            raise DownloadError(
                f"can't fetch {self.shown}: it redirects to {public_address(target)}; "
                f"allowed here is {' or '.join(allowed)}"
            )
        return target

    def _accept(self, response: requests.Response) -> int | None:
        """Make the part ready for the body of an answer; return the size of the whole file, where it is told.

        Raises:
            _TransientError: the server may give another answer to another request.
            DownloadError: it will not.
        """
        status = response.status_code
        told = f"the server answered {status} {http.client.responses.get(status, '')}".rstrip()
        if status in (408, 425, 429) or status >= 500:
            raise _TransientError(told, self._retry_after_s(response))
        if status == 416 and self.part.size:
            self.part.restart()
            raise _TransientError(f"{told}; starting over")
        if status not in (200, 206):
            raise DownloadError(f"can't fetch {self.shown}: {told}{HINTS.get(status, '')}")
        start, total = _extent(response)
        if total is not None:
            self._refuse_more_than_allowed(total)
        if start == self.part.size > 0:
            self.part.spliced = True
            LOGGER.info("%s: going on at %s of %s", self.shown, _size(start), _size(total))
            return total
        self.part.restart(_validator_of(response))
        if start:
            raise _TransientError("the server sent another range than asked for")
        LOGGER.info("fetching %s, %s", self.shown, _size(total))
        return total

    def _append_body(self, response: requests.Response) -> None:
        marked_s, marked_bytes = self.patience.clock(), self.part.size
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=False):  # read() would wait for a full chunk
            self._refuse_more_than_allowed(self.part.size + len(chunk))
            self.part.append(chunk)
            passed_s = self.patience.clock() - marked_s
            if passed_s >= self.patience.interval_s:
                arrived = self.part.size - marked_bytes
                if arrived < self.patience.interval_bytes:
                    raise _TransientError(f"only {arrived} bytes in {passed_s:.0f} s")
                LOGGER.info("%s: %s so far", self.shown, _size(self.part.size))
                marked_s, marked_bytes = marked_s + passed_s, self.part.size

    def _refuse_more_than_allowed(self, size: int) -> None:
        if size > self.max_bytes:
            self.part.discard()
            raise DownloadError(
                f"{self.shown} is longer than the {_size(self.max_bytes)} allowed (corpus.source.max_file_mb); "
                "nothing was kept"
            )

    def _retry_after_s(self, response: requests.Response) -> float | None:
        try:
            asked_for_s = self.patience.retry().get_retry_after(response.raw)
        except (InvalidHeader, ValueError, OverflowError):
            return None
        return None if asked_for_s is None else min(asked_for_s, self.patience.retry_after_max_s)

    def _explain(self, error: Exception) -> Exception:
        """Return an error in words that hold no address: those of the libraries quote it, password and all."""
        causes = list(_causes(error))
        if isinstance(error, _UNUSABLE):
            return DownloadError(f"can't fetch {self.shown}: it, a redirect or the address of the proxy is malformed")
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
            return DownloadError(f"can't fetch {self.shown}: {_reason(causes)}; SSL_CERT_FILE names other certificates")
        if isinstance(error, (requests.ReadTimeout, ReadTimeoutError)):
            return _TransientError(f"the server was silent for {self.patience.read_timeout_s:g} s")
        if isinstance(error, requests.ConnectTimeout):
            return _TransientError(f"no connection within {self.patience.connect_timeout_s:g} s")
        proxy = "the proxy: " if isinstance(error, requests.exceptions.ProxyError) else ""
        return _TransientError(proxy + _reason(causes))


def _extent(response: requests.Response) -> tuple[int, int | None]:
    """Return where in the file the body of an answer starts, and the size of the whole file where it is told."""
    if response.status_code == 200:
        return 0, response.raw.length_remaining
    told = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if told is None:
        raise _TransientError("the server sent a range and does not tell which")
    return int(told["start"]), None if told["total"] == "*" else int(told["total"])


def _validator_of(response: requests.Response) -> str:
    """Return what If-Range may name (RFC 9110, 13.1.5): a strong ETag, or else the date of the last change."""
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified", "")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _reason(causes: Sequence[BaseException]) -> str:
    """Return what the operating system said, or else what kind of error it was."""
    for cause in reversed(causes):
        if isinstance(cause, OSError) and not isinstance(cause, requests.RequestException):
            return cause.strerror or str(cause)
        if isinstance(cause, ProtocolError):
            return "the connection was cut"
    return type(causes[0]).__name__


def _size(size_bytes: int | None) -> str:
    if size_bytes is None:
        return "unknown size"
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 100_000 else f"{size_bytes} bytes"
