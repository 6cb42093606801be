import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from nextchapter.cli.loaded import load
from nextchapter.cli.playing import OPENING_CHARACTERS, PAGE, TEXT_CHARACTERS, WORDS, Desk, build_app, gaps_between
from nextchapter.cli.runs import find_run
from nextchapter.cli.scoring import score_file
from nextchapter.generation.telling import whole_characters
from nextchapter.generation.writer import Writer
from nextchapter.spec.writing import WritingSpec

SOLO = "tales/solo.s1"
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def client(results: Path) -> TestClient:
    return TestClient(build_app(Desk()), base_url="http://127.0.0.1:8765")


def lines_of(client: TestClient, **asked: Any) -> list[dict[str, Any]]:
    answer = client.post("/api/write", json={"run": SOLO, "words": 30, **asked})
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_the_page_offers_the_runs_the_champion_first(client: TestClient) -> None:
    told = client.get("/api/runs").json()
    assert [run["address"] for run in told["runs"]] == [
        "shelf/other.s2", "shelf/net.s1", "shelf/other.s1", "tales/net.s1", SOLO,
    ]  # fmt: skip
    assert [run["champion"] for run in told["runs"]] == [True, False, False, False, False]
    assert told["defaults"]["temperature"] == WritingSpec().temperature


def test_before_the_first_run_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    client = TestClient(build_app(Desk()), base_url="http://127.0.0.1")
    assert client.get("/api/runs").json()["runs"] == []


def test_one_study_can_be_offered_alone(results: Path) -> None:
    client = TestClient(build_app(Desk("tales")), base_url="http://127.0.0.1")
    assert [run["address"] for run in client.get("/api/runs").json()["runs"]] == ["tales/net.s1", SOLO]
    assert client.post("/api/write", json={"run": "shelf/net.s1"}).status_code == 404


def test_the_page_loads_nothing_but_its_own_files(client: TestClient) -> None:
    page = client.get("/").text
    linked = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert sorted(linked) == ["data:,", "page.css", "page.js"]
    assert all(client.get(f"/{name}").status_code == 200 for name in ("page.css", "page.js"))
    assert not re.search(r"https?:|//[a-z]|@import|url\(", client.get("/page.css").text)
    assert "http" not in client.get("/page.js").text


def test_the_page_sets_text_and_never_html() -> None:
    script = (PAGE / "page.js").read_text()
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|srcdoc", script)
    assert not re.findall(r"\son\w+=|style=", (PAGE / "index.html").read_text())


def test_what_is_streamed_is_what_the_writer_writes(client: TestClient) -> None:
    asked = {"temperature": 1.1, "top_p": 0.8, "min_p": 0.01, "seed": 5}
    first, *words, last = lines_of(client, opening="The dog", **asked)
    loaded = load(find_run("solo"))
    writer = Writer(loaded.model, loaded.tokenizer, "The dog", WritingSpec(words_min=10, words_max=30, **asked))
    while writer.step():
        pass
    assert first == {"opening": "The dog"}
    assert "The dog" + "".join(word["word"] for word in words) == whole_characters(writer.drafts[0].text)
    assert last == {"ended_by": writer.ended_by[0], "words": writer.drafts[0].words}


def test_each_word_comes_with_its_chance_and_five_alternatives(client: TestClient) -> None:
    _, *words, _ = lines_of(client, opening="The")
    for word in words:
        product = 1.0
        for piece in word["pieces"]:
            product *= piece["probability"]
            chances = [other["probability"] for other in piece["alternatives"]]
            assert len(chances) == 5
            assert chances == sorted(chances, reverse=True)
            marked = [other["probability"] for other in piece["alternatives"] if other["written"]]
            assert marked == pytest.approx([piece["probability"]] * len(marked), rel=1e-5)
        assert word["probability"] == pytest.approx(product)
    assert any(other["written"] for word in words for piece in word["pieces"] for other in piece["alternatives"])


@pytest.mark.parametrize("opening", ["", "  \n"])
def test_without_an_opening_a_word_of_the_shelf_begins(client: TestClient, opening: str, salad: str) -> None:
    first, *_ = lines_of(client, opening=opening)
    assert first["opening"] in salad
    assert first["opening"].strip()


def test_markup_in_an_opening_comes_back_as_the_text_it_is(client: TestClient) -> None:
    answer = client.post("/api/write", json={"run": SOLO, "words": 5, "opening": ATTACK})
    assert json.loads(answer.text.splitlines()[0]) == {"opening": ATTACK}
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_text_is_read_as_by_the_command_line(client: TestClient) -> None:
    text = f" The dog  of the house\n\nwas {ATTACK} not at home.\n"
    told = client.post("/api/score", json={"run": SOLO, "text": text}).json()
    assert "".join(word["before"] + word["text"] for word in told["surprises"]) + "\n" == text
    words = [{key: word[key] for key in ("text", "bits")} for word in told["surprises"]]
    assert {**told, "surprises": words} == score_file(find_run("solo"), text)


@pytest.mark.parametrize(
    ("words", "text", "gaps"),
    [(["a", "b"], " a\n\nb ", [" ", "\n\n"]), (["a", "."], "a.", ["", ""]), ([], " ", []),
     (["a", "<unk>", "b"], "a strange b", [" ", " ", " "]), (["a", "b"], "a c b", [" ", " "])],
)  # fmt: skip
def test_the_white_space_between_words(words: list[str], text: str, gaps: list[str]) -> None:
    assert gaps_between(words, text) == gaps


@pytest.mark.parametrize(
    ("path", "asked", "status", "told"),
    [
        ("write", {"opening": "x" * (OPENING_CHARACTERS + 1)}, 400, "opening: found 2,001 characters; at most 2,000"),
        ("write", {"words": WORDS + 1}, 400, "words: found 2001; should be less than or equal to 2000"),
        ("write", {"words": 0}, 400, "words: found 0"),
        ("write", {"temperature": -1}, 400, "temperature: found -1.0; should be greater than or equal to 0"),
        ("write", {"beams": 64}, 400, "beams: unknown key"),
        ("write", {"opening": "\ud800"}, 400, "lone surrogate"),
        ("write", {"run": "tales/nowhere"}, 404, "there is no finished run 'tales/nowhere' any more"),
        ("write", {"run": "results/tales/runs/solo.s1"}, 404, "there is no finished run"),
        ("write", {"run": "../../etc/passwd"}, 404, "there is no finished run"),
        ("score", {"text": "x" * (TEXT_CHARACTERS + 1)}, 400, "text: found 20,001 characters; at most 20,000"),
        ("score", {"text": ""}, 400, "the text is empty"),
        ("score", {}, 400, "text: missing"),
        ("score", {"text": "x" * 300_000}, 413, "a request holds at most 256,000 bytes"),
    ],
)
def test_what_is_asked_for_is_bounded_and_the_answer_says_how(
    client: TestClient, path: str, asked: dict[str, Any], status: int, told: str
) -> None:
    answer = client.post(f"/api/{path}", content=json.dumps({"run": SOLO, **asked}), headers=JSON)
    assert (answer.status_code, told in answer.json()["problem"]) == (status, True), answer.text
    assert len(answer.text) < 500


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("body", ["", "no JSON", '"text"', "[" * 100_000, "\xff"])
def test_what_is_no_request_is_told(client: TestClient, body: str) -> None:
    answer = client.post("/api/write", content=body.encode("latin-1"), headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["problem"]


def test_a_run_without_its_tokenizer_is_told(client: TestClient, results: Path) -> None:
    (results / "tales" / "tokens" / "pieces" / "tokenizer.model").unlink()
    answer = client.post("/api/write", json={"run": SOLO})
    assert "the tokenizer of solo.s1 is missing" in answer.json()["problem"]


def test_no_other_file_of_the_folder_is_served(client: TestClient) -> None:
    for path in ("/page.py", "/../guard.py", "/%2e%2e/guard.py", "/..%2fguard.py"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("ends", ["reader", "server"])
def test_nothing_more_is_written_once_the_reader_or_the_server_goes(
    results: Path, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, step = [], Writer.step
    monkeypatch.setattr(Writer, "step", lambda writer: steps.append(1) or step(writer))
    desk = Desk()
    body = json.dumps({"run": SOLO, "opening": "The", "words": WORDS}).encode()
    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/api/write", "headers": headers, "query_string": b""}

    async def read_a_little() -> int:
        gone, parts = asyncio.Event(), list[bytes]()
        messages: list[Message] = [{"type": "http.request", "body": body}]

        async def receive() -> Message:
            if messages:
                return messages.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            parts.append(message.get("body", b""))
            if len(parts) > 5 and ends == "reader":
                gone.set()
            desk.closing = len(parts) > 5 and ends == "server"

        await build_app(desk)(scope, receive, send)
        return len(parts)

    assert asyncio.run(read_a_little()) < 12
    assert len(steps) < 200  # of at least 2,000
