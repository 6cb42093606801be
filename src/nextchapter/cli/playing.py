"""What stands behind the page of `nextchapter play`, on which a person lets runs write and read.

All work on models is done by one thread: none is asked twice at a time, and texts that are written side by side take
turns, a word each. A text is written no faster than its reader takes it, and no further once the reader has gone.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from nextchapter.cli.guard import Guard, problem
from nextchapter.cli.loaded import Loaded, LoadedRuns
from nextchapter.cli.runs import RunNotFoundError, Standing, find_run, list_runs
from nextchapter.cli.scoring import score_loaded
from nextchapter.cli.writing import random_opening
from nextchapter.generation.telling import Piece, Word, tell_words
from nextchapter.generation.writer import Writer
from nextchapter.report.predictions import shown
from nextchapter.spec.base import Spec, canonical_json
from nextchapter.spec.study import check_spec
from nextchapter.spec.writing import WritingSpec, lengths_for
from nextchapter.tokens.protocol import Tokenizer

PAGE = Path(__file__).parent / "page"
OPENING_CHARACTERS, TEXT_CHARACTERS, WORDS = 2_000, 20_000, 2_000
"""A request may hold, or ask for, no more."""
BODY_BYTES = 256_000
RUNS_KEPT, TEXTS_AT_ONCE = 4, 4
"""So many runs stay in memory; so many requests to write or to read are under way at a time."""
_WHAT = "what was asked for"
Result = TypeVar("Result")


def at_most(characters: int) -> AfterValidator:
    """Return the check of a text's length; its message does not repeat the text."""

    def check(text: str) -> str:
        if len(text) > characters:
            raise ValueError(f"found {len(text):,} characters; at most {characters:,} are allowed")
        return text

    return AfterValidator(check)


class WriteRequest(Spec):
    """What a person asks a run to write."""

    run: Annotated[str, at_most(200)]
    opening: Annotated[str, at_most(OPENING_CHARACTERS)] = ""
    words: Annotated[int, Field(ge=1, le=WORDS)] = 200
    temperature: float = WritingSpec.model_fields["temperature"].default
    top_p: float = WritingSpec.model_fields["top_p"].default
    min_p: float = WritingSpec.model_fields["min_p"].default
    seed: int = WritingSpec.model_fields["seed"].default

    @property
    def writing(self) -> WritingSpec:
        """The same in the terms of the configuration.

        Raises:
            SpecError: a value is not allowed there.
        """
        values = self.model_dump(include={"temperature", "top_p", "min_p", "seed"})
        return check_spec(WritingSpec, {**values, **lengths_for(self.words)}, whole=_WHAT)


class ScoreRequest(Spec):
    """What a person asks a run to read."""

    run: Annotated[str, at_most(200)]
    text: Annotated[str, at_most(TEXT_CHARACTERS)]


class Desk:
    """Answers the page: which runs there are, what one of them writes, how one of them reads."""

    closing: bool = False
    """Set when the server is to end: the texts under way then end with the word that they are at."""

    def __init__(self, study: str | None = None) -> None:
        """Load nothing yet.

        Args:
            study: offer the runs of this one alone; None offers those of all.
        """
        self._study = study
        self._loaded = LoadedRuns(RUNS_KEPT)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="models")

    async def runs(self, request: Request) -> Response:  # noqa: ARG002 - the same for all
        """Return the runs to choose from, what a request may hold, and what is usual."""
        defaults = {key: field.default for key, field in WriteRequest.model_fields.items() if not field.is_required()}
        limits = {"opening": OPENING_CHARACTERS, "text": TEXT_CHARACTERS, "words": WORDS}
        listed = [_describe_run(standing) for standing in self._standings()]
        return JSONResponse({"runs": listed, "limits": limits, "defaults": defaults})

    async def write(self, request: Request) -> Response:
        """Return a text as lines of JSON: its opening, each word as soon as it is written, how it ended."""
        asked = check_spec(WriteRequest, await read_json(request), whole=_WHAT)
        lines = await self._ask(self._begin, asked)
        return StreamingResponse(self._stream(lines), media_type="application/x-ndjson")

    async def score(self, request: Request) -> Response:
        """Return how well a run foresees a text, and the bits of each word."""
        asked = check_spec(ScoreRequest, await read_json(request), whole=_WHAT)
        return JSONResponse(await self._ask(self._read, asked))

    async def _ask(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Return what a function returns that works with models."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    async def _stream(self, lines: Iterator[dict[str, Any]]) -> AsyncIterator[str]:
        while not self.closing and (line := await self._ask(next, lines, None)) is not None:
            yield canonical_json(line) + "\n"

    def _begin(self, asked: WriteRequest) -> Iterator[dict[str, Any]]:
        spec, loaded = asked.writing, self._load(asked.run)
        opening = asked.opening if asked.opening.strip() else random_opening(loaded, spec.seed)
        writer = Writer(loaded.model, loaded.tokenizer, opening, spec)
        return _told(writer, opening, loaded.tokenizer)

    def _read(self, asked: ScoreRequest) -> dict[str, Any]:
        scored = score_loaded(self._load(asked.run), asked.text)
        gaps = gaps_between([item["text"] for item in scored["surprises"]], asked.text)
        words = [{**item, "before": gap} for item, gap in zip(scored.pop("surprises"), gaps, strict=True)]
        return {**scored, "surprises": words}

    def _load(self, name: str) -> Loaded:
        """Return the run `study/name`. Only finished runs are looked through: a request opens no other file."""
        for standing in self._standings():
            if _address(standing) == name:
                return self._loaded.get(find_run(str(standing.run.folder)))
        raise RunNotFoundError(f"there is no finished run {name!r} any more; load the page anew")

    def _standings(self) -> list[Standing]:
        return list_runs(self._study)


def _address(standing: Standing) -> str:
    return f"{standing.run.study}/{standing.run.name}"


def _describe_run(standing: Standing) -> dict[str, Any]:
    return {
        "address": _address(standing),
        "name": standing.run.name,
        "study": standing.run.study,
        "champion": standing.champion,
        "bits_per_character": standing.bits_per_character,
    }


def _told(writer: Writer, opening: str, tokenizer: Tokenizer) -> Iterator[dict[str, Any]]:
    """Yield what the page is told of a text."""
    yield {"opening": opening}
    for word in tell_words(writer, tokenizer):
        yield _describe_word(word, tokenizer)
    yield {"ended_by": writer.ended_by[0], "words": writer.drafts[0].words}


def _describe_word(word: Word, tokenizer: Tokenizer) -> dict[str, Any]:
    pieces = [_describe_piece(piece, tokenizer) for piece in word.pieces]
    return {"word": word.text, "probability": word.probability, "pieces": pieces}


def _describe_piece(piece: Piece, tokenizer: Tokenizer) -> dict[str, Any]:
    before = tokenizer.token_text(piece.before)

    def look(token: int, probability: float) -> dict[str, Any]:
        text = shown(tokenizer.token_text(token), before)
        return {"text": text, "probability": probability, "written": token == piece.token}

    return {**look(piece.token, piece.probability), "alternatives": [look(*other) for other in piece.alternatives]}


def gaps_between(words: list[str], text: str) -> list[str]:
    """Return the white space before each word of a text.

    Where the words are not those of the text, since a closed vocabulary lacks some, it is a space before each.
    """
    gaps, end = [], 0
    for word in words:
        start = text.find(word, end)
        if start < 0 or text[end:start].strip():
            return [" "] * len(words)
        gaps.append(text[end:start])
        end = start + len(word)
    return gaps


async def read_json(request: Request) -> Any:
    """Return the JSON that a request holds.

    Raises:
        HTTPException: it holds none, or more than is read.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise HTTPException(413, f"a request holds at most {BODY_BYTES:,} bytes")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the request holds no JSON: {error}") from error


def _tell_status(_: Request, error: Exception) -> Response:
    return problem(error.status_code, error.detail) if isinstance(error, HTTPException) else problem(500, str(error))


def _tell_mistake(_: Request, error: Exception) -> Response:
    return problem(404 if isinstance(error, RunNotFoundError) else 400, str(error))


def build_app(desk: Desk, host: str = "127.0.0.1") -> Starlette:
    """Return the page and what stands behind it, as an ASGI application.

    Args:
        desk: what answers the page.
        host: the name or address at which the server listens.
    """
    return Starlette(
        routes=[
            Route("/api/runs", desk.runs),
            Route("/api/write", desk.write, methods=["POST"]),
            Route("/api/score", desk.score, methods=["POST"]),
            Mount("/", StaticFiles(directory=PAGE, html=True)),
        ],
        middleware=[Middleware(Guard, host=host, most_at_once=TEXTS_AT_ONCE)],
        exception_handlers={ValueError: _tell_mistake, OSError: _tell_status, HTTPException: _tell_status},
    )
