"""Fixtures of the report's tests: tables, passages, and questions that can be asked of a figure or a page."""

import json
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from nextchapter.report import figures
from nextchapter.report.leaderboard import compare

VOID_TAGS = {"meta", "br", "link", "img"}


def run_record(run: str, **changes: Any) -> dict[str, Any]:
    """Return a `run.json` with what the report reads of it."""
    record = {
        "run": run, "model": {"kind": "lstm", "hidden": 384, "layers": 1, "embedding": 192, "tied": True},
        "parameters": 1_000_000, "tokenizer": "unigram-2k", "vocabulary_size": 2000, "device": "cpu",
        "seed": int(run.rpartition(".s")[2]),
        "train_seconds": 100.0, "train_tokens_per_s": 12_000.0,
    }  # fmt: skip
    return record | changes


def metrics_record(run: str, test: float, valid: float, **changes: Any) -> dict[str, Any]:
    """Return a `metrics.json` with the given bits a character."""

    def split(bits: float) -> dict[str, Any]:
        scores = {"nats_per_token": 4.0, "perplexity": 54.6, "perplexity_per_word": 400.0, "bits_per_character": bits}
        scores |= {"bits_per_character_without_spelling": bits, "bits_per_byte": bits, "word_accuracy": 0.25}
        scores |= {"token_accuracy_at_1": 0.3, "token_accuracy_at_5": 0.5, "expected_calibration_error": 0.04}
        return scores | {"ci_low": bits - 0.02, "ci_high": bits + 0.02} | changes

    return {"run": run, "splits": {"valid": split(valid), "test": split(test)}}


@pytest.fixture
def leaderboard_of() -> Callable[..., pd.DataFrame]:
    """Return a function that makes the leaderboard of runs, given name to test and validation score."""

    def make(scores: dict[str, tuple[float, float]], **changes: Any) -> pd.DataFrame:
        records = [run_record(run, **changes) for run in scores]
        metrics = [metrics_record(run, *bits) for run, bits in scores.items()]
        return compare(records, metrics, "austen")

    return make


@pytest.fixture
def run_of(results_tree: Callable[..., Path]) -> Callable[..., dict[str, Any]]:
    """Return a function that reads a run's record, its model's specification changed."""
    folder = results_tree() / "runs"

    def read(run: str, **model: Any) -> dict[str, Any]:
        record = json.loads((folder / run / "run.json").read_text())
        return record | {"model": record["model"] | model}

    return read


@pytest.fixture
def in_style() -> Iterator[None]:
    """Draw in the project's style."""
    with mpl.rc_context(figures._STYLE):
        mpl.rcParams["font.family"] = figures.fonts("DejaVu Sans")
        yield


@pytest.fixture
def texts_outside() -> Callable[[Figure], list[str]]:
    """Return a function that lists the texts that a figure cuts off at its edges."""

    def find(figure: Figure) -> list[str]:
        figure.draw_without_rendering()
        width, height = figure.bbox.size
        found = []
        for text in visible_texts(figure):
            box = text.get_window_extent()
            if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1:
                found.append(text.get_text())
        return found

    return find


def visible_texts(figure: Figure) -> list[Text]:
    """Return the texts of a figure; names of ticks beyond the limits of their axis are not drawn and do not count."""
    found = list(figure.texts)
    for axes in figure.axes:
        found += axes.texts
        if axes.axison:
            low, high = sorted(axes.get_ylim())
            ticks = zip(axes.get_yticks(), axes.get_yticklabels(), strict=False)  # an inner panel may name none
            found += [axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]
            found += [label for place, label in ticks if low <= place <= high]
    return [text for text in found if text.get_text()]


class Page(HTMLParser):
    """A page as a browser takes it: its text, its tags, and whether they nest."""

    def __init__(self, html: str) -> None:
        """Read the page."""
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.nests = not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID_TAGS:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            raise AssertionError(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] != "style":
            self.text += data


@pytest.fixture
def read_page() -> Callable[[str], Page]:
    """Return a function that reads a page."""
    return Page
