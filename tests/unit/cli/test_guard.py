import asyncio

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from nextchapter.cli.guard import HEADERS, Guard, is_own_host

JSON = {"content-type": "application/json"}


def client(host: str = "127.0.0.1") -> TestClient:
    return TestClient(Guard(PlainTextResponse("let through"), host, 2), base_url="http://127.0.0.1:8765")


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1:8765", True), ("localhost:8765", True), ("LOCALHOST", True), ("[::1]:8765", True),
     ("192.168.0.7:80", True), ("shelf.lan:8765", True), ("evil.example:8765", False),
     ("127.0.0.1.evil.example", False), ("localhost.evil.example", False), ("", False), ("[::1", False)],
)  # fmt: skip
def test_a_name_that_someone_pointed_at_this_machine_is_not_answered(host: str, own: bool) -> None:
    assert is_own_host(host, "shelf.lan") is own
    answer = client("shelf.lan").get("/", headers={"host": host})
    assert answer.status_code == (200 if own else 400)
    assert own or "does not answer to the name" in answer.json()["problem"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [(JSON, 200), (JSON | {"origin": "http://127.0.0.1:8765"}, 200), (JSON | {"origin": "http://127.0.0.1:9999"}, 403),
     (JSON | {"origin": "https://evil.example"}, 403), (JSON | {"origin": "null"}, 403), ({}, 415),
     ({"content-type": "text/plain"}, 415), ({"content-type": "application/json; charset=utf-8"}, 200)],
)  # fmt: skip
def test_only_the_page_itself_and_programs_may_ask(headers: dict[str, str], status: int) -> None:
    assert client().post("/", headers=headers).status_code == status


@pytest.mark.parametrize("headers", [{}, {"host": "evil.example"}])
def test_every_answer_tells_the_browser_what_the_page_may_do(headers: dict[str, str]) -> None:
    answer = client().get("/", headers=headers)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_so_many_texts_at_once_and_no_more() -> None:
    """Two requests wait for the reader; the third is told so, and may come again when one has ended."""
    free = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await free.wait()
        await PlainTextResponse("done")(scope, receive, send)

    guard = Guard(slow, "127.0.0.1", most_at_once=2)

    async def post() -> int:
        told: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request"}

        async def send(message: Message) -> None:
            told.append(message)

        headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
        await guard({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive, send)
        return int(told[0]["status"])

    async def three() -> list[int]:
        waiting = [asyncio.create_task(post()) for _ in range(2)]
        await asyncio.wait(waiting, timeout=0)
        refused = await post()
        free.set()
        return [refused, *await asyncio.gather(*waiting), await post()]

    assert asyncio.run(three()) == [429, 200, 200, 200]


def test_a_text_that_fails_frees_its_place() -> None:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("broken")

    broken = TestClient(Guard(fail, "127.0.0.1", 1), base_url="http://127.0.0.1", raise_server_exceptions=False)
    assert [broken.post("/", headers=JSON).status_code for _ in range(3)] == [500, 500, 500]
