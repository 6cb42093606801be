"""What stands between the page's server and whoever calls it: who may ask, how much at once, and what browsers may do.

The server is for the person at this machine. Another site that is open in the same browser must not reach it: neither
by a form or script of its own (the origin is checked), nor by a name of its own that it points at this machine (DNS
rebinding: only addresses, `localhost` and the name that the server was started with are answered).
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Sent with every answer: the page runs and shows nothing but its own files, and no other page may hold it."""


class Guard:
    """ASGI middleware that refuses what this server is not for, and lets the rest through with `HEADERS`."""

    def __init__(self, app: ASGIApp, host: str, most_at_once: int) -> None:
        """Stand before an application.

        Args:
            app: the application.
            host: the name or address that it was told to listen at.
            most_at_once: this many POST requests are answered at a time.
        """
        self._app, self._host, self._most, self._running = app, host, most_at_once, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers |= HEADERS
            await send(message)

        refused = self._refusal(scope)
        if refused is not None:
            await refused(scope, receive, send_guarded)
        elif scope["method"] == "POST":
            self._running += 1
            try:
                await self._app(scope, receive, send_guarded)
            finally:
                self._running -= 1
        else:
            await self._app(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not is_own_host(host, self._host):
            return problem(400, f"this server does not answer to the name {host!r}; open it by its address")
        if scope["method"] != "POST":
            return None
        if not is_own_origin(headers, host):
            return problem(403, "this request comes from another page; only the page of this server may ask")
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return problem(415, "a request must be JSON, and say so: Content-Type: application/json")
        if self._running >= self._most:
            return problem(429, f"{self._most} texts are under way already; stop one, or wait until one has ended")
        return None


def is_own_host(host: str, started_with: str) -> bool:
    """Return whether a `Host` header names this server: by an address, as `localhost`, or as it was started."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name in ("localhost", started_with.lower()) or bool(ip_address(name))
    except ValueError:  # neither a name of this server nor an address
        return False


def is_own_origin(headers: Headers, host: str) -> bool:
    """Return whether a request comes from a page of this server, or from no page: programs send no origin."""
    return headers.get("origin") in (None, f"http://{host}", f"https://{host}")


def problem(status: int, message: str) -> JSONResponse:
    """Return an answer that says what is wrong."""
    return JSONResponse({"problem": message}, status)
