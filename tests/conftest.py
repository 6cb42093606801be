"""Fixtures that tests of several folders share."""

import csv
import hashlib
import json
import math
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
PASSAGE = " Emma smiled , and answered , “ My dear Harriet , you must not refine too much upon this cha ra de .”"
RUNS = {"elman-384.s1": ("elman", 4.62, 2.31), "gru-384.s1": ("gru", 4.21, 2.11), "lstm-384.s1": ("lstm", 4.15, 2.08)}
CHAPTER = """# CHAPTER XXV

Captain Wentworth was not in the room, and she had no doubt of his being "in love with <b>Anne</b> & the sea."

"You are very kind," said Lady Russell; "but I cannot think of it."

They walked on; and the wind rose."""


@pytest.fixture
def examination_of() -> Callable[..., dict[str, object]]:
    """Return a function that makes an `examination.json`."""
    return examination_record


@pytest.fixture
def results_tree(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes results/NAME as the stages leave it, small, of invented but likely numbers."""

    def make(
        name: str = "austen", runs: dict[str, tuple[str, float, float]] = RUNS, resumed: Sequence[str] = ()
    ) -> Path:
        study = tmp_path / "results" / name
        for place, (run, (kind, loss, bits)) in enumerate(runs.items()):
            folder = study / "runs" / run
            folder.mkdir(parents=True)
            tokens = _write_events(folder / "events.jsonl", loss, 180.0 + 7 * place, run in resumed)
            _write(folder / "run.json", _provenance(run, kind, name, tokens))
            _write(folder / "metrics.json", _metrics(run, bits))
            _write_blocks(folder / "blocks.csv", bits)
            _write(folder / "profile.json", _profile(run, bits))
            _write_predictions(folder / "predictions.csv", place)
            (folder / "chapter.md").write_text(CHAPTER)
            _write(folder / "chapter.json", _facts(run, place))
            _write(folder / "examination.json", examination_record(run))
            points = "".join(f"{n},{n * 0.6},{n * 0.6},{n * 0.7},{n * 0.8}\n" for n in range(10, 901, 10))
            (folder / "type-token.csv").write_text(f"words,chapter,low,median,high\n{points}")
            (folder / "model.safetensors").write_bytes(b"weights")
        (study / "next-chapter.md").write_text(CHAPTER)
        return study

    return make


SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 460 200" width="460pt" height="200pt">'
    '<defs><path id="a" d="M 1.23456 2 L 3 4"/></defs><use href="#a"/><text x="9" y="20">100 % "&amp;"</text></svg>'
)
NO_PARTS: dict[str, Any] = {
    "study": "austen", "recurrent": [], "states": [], "gradients": False, "tasks": [], "embeddings": [], "searches": [],
    "memory": False, "exposure": False, "data_size": False,
}  # fmt: skip


@pytest.fixture
def reported_study(results_tree: Callable[..., Path]) -> Callable[..., tuple[Path, dict[str, Any]]]:
    """Return a function that makes a study's folder with all that its report shows, and the `spec` of `write_report`.

    The figures are all one small drawing.
    """

    def make(name: str = "austen", title: str = "Persuasion", **parts: Any) -> tuple[Path, dict[str, Any]]:
        study, spec = results_tree(name), NO_PARTS | {"study": name} | parts
        _compare(study, name)
        (study / "corpus").mkdir()
        _write(study / "corpus" / "quality.json", _quality(title))
        for figure in _figures(spec):
            (study / figure).parent.mkdir(parents=True, exist_ok=True)
            (study / f"{figure}.svg").write_text(f"<?xml version='1.0'?>\n{SVG}")
        if spec["gradients"]:
            _write(study / "diagnostics/gradients/gradients.json", _gradients())
        for task in spec["tasks"]:
            (study / "diagnostics/tasks" / task).parent.mkdir(parents=True, exist_ok=True)
            trial = {"length": 10, "passed": True, "diverged": False, "error": 0.0, "limit": 0.01, "chance": 0.75,
                     "steps": 50, "clipped_share": 0.0, "learning_rate": 0.01}  # fmt: skip
            record = {"task": task.split("/")[0], "network": task.split("/")[1], "trials": [trial]}
            _write(study / f"diagnostics/tasks/{task}.json", record)
        costs = "run,model,parameters,test_bits_per_character,total_seconds,on_front\n"
        rows = [
            f"{run},{kind},1,{bits},{place + 1}.5,True" for place, (run, (kind, _, bits)) in enumerate(RUNS.items())
        ]
        (study / "figures/costs.csv").write_text(costs + "\n".join(rows) + "\n")
        return study, spec

    return make


def _figures(spec: dict[str, Any]) -> list[str]:
    """Return the figures that a study with these parts has, and no other."""
    figures = [f"figures/{name}" for name in ("leaderboard", "learning-curves", "costs", "calibration", "losses")]
    figures += ["figures/style", "figures/type-token", *(f"runs/{run}/network" for run in RUNS)]
    figures += ["figures/exposure"] * spec["exposure"] + ["figures/data-size"] * spec["data_size"]
    figures += ["diagnostics/hopfield/hopfield"] * spec["memory"] + ["diagnostics/tasks/tasks"] * bool(spec["tasks"])
    if spec["gradients"]:
        figures += [f"diagnostics/gradients/{part}" for part in ("gradients", "jacobian", "gates", "clipping")]
    figures += [f"runs/{run}/{picture}" for run in spec["recurrent"] for picture in ("neurons", "state-path")]
    return figures + [f"runs/{run}/{picture}" for run in spec["states"] for picture in ("states", "posteriors")]


def _compare(study: Path, corpus: str) -> None:
    from nextchapter.stages import compare_runs

    def of_all(file: str) -> list[str]:
        return [f"{study}/runs/{run}/{file}" for run in RUNS]

    inputs = ["--provenance", *of_all("run.json"), "--metrics", *of_all("metrics.json")]
    inputs += ["--examinations", *of_all("examination.json"), "--blocks", *of_all("blocks.csv")]
    tables = [f"--{table}={study}/{table}.csv" for table in ("leaderboard", "configurations", "comparisons")]
    spec = json.dumps({"corpus": corpus})
    assert compare_runs.main(["--spec", spec, *inputs, *tables, f"--champion={study}/champion.json"]) == 0


def _quality(title: str) -> dict[str, Any]:
    book = {"author": "Jane <Austen>", "book": "austen-persuasion", "title": title, "language": "en", "chapters": 24,
            "words": 83_297, "problem": ""}  # fmt: skip
    split = {"chapters": 8, "words": 27_000, "characters": 150_000}
    totals = {"books": 1, "chapters": 24, "words": 83_297, "splits": dict.fromkeys(("train", "valid", "test"), split)}
    leak = {"ngram": 8, "share": 0.0, "sampled": False, "worst": []}
    return {"shelf": "a shelf", "books": [book], "totals": totals, "leak": leak}


def _gradients() -> dict[str, Any]:
    def account(memory: int | None) -> dict[str, Any]:
        jacobian = [{"largest_singular_value": 1.25, "spectral_radius": 0.9}]
        return {"effective_memory": memory, "jacobian": jacobian, "gates": {"forget": {"shut": 0.1, "open": 0.4}}}

    memories = {"elman-384.s1": 14, "gru-384.s1": 38, "lstm-384.s1": None}
    measured: list[dict[str, Any]] = [{"name": run, "trained": account(lag)} for run, lag in memories.items()]
    course = {"loss_nats": [7.6, 6.1], "gradient_norm": [5.0, 1.0], "failed_at": None}
    clipping = {"steps": 120, "clip_norm": 1.0, "plain": course | {"failed_at": 2}, "clipped": course}
    return {"lags": 128, "measured": [*measured, {"name": "Elman, ReLU", "trained": None}], "clipping": clipping}


def _provenance(run: str, kind: str, study: str, tokens: int) -> dict[str, object]:
    model = {"kind": kind, "hidden": 384, "layers": 1, "embedding": 192, "tied": True, "dropout": 0.2}
    more = {"elman": {"activation": "tanh"}, "lstm": {"forget_bias": 1.0}}.get(kind, {})
    return {
        "run": run, "study": study, "model": model | more, "training": {"max_tokens": 2_500_000}, "seed": 1,
        "tokenizer": "unigram-2k", "vocabulary_size": 2000, "inputs": {"train": "5a", "valid": "7b"},
        "device": "cpu", "threads": 1, "steps": 1220,
        "parameters": {"elman": 681_488, "gru": 1_125_392, "lstm": 1_345_000}.get(kind, 1_000_000), "tokens": tokens,
        "train_chapters": 105, "train_tokens": 454_875,
        "stopped_by": "budget", "train_seconds": 187.4, "train_tokens_per_s": 13_312.5, "best_step": 1200,
        "started": 1000.0, "finished": 1190.5, "code": "c0de", "git_commit": "abc123",
        "run_key": hashlib.sha256(run.encode()).hexdigest()[:16],
    }  # fmt: skip


def _metrics(run: str, bits: float) -> dict[str, object]:
    def split(shift: float) -> dict[str, float]:
        value = bits + shift
        nats = value * math.log(2) * 3.6
        return {
            "chapters": 11, "tokens": 44_000, "characters": 158_400, "words": 29_000, "nats": nats * 44_000,
            "nats_per_token": nats, "perplexity": math.exp(nats), "perplexity_per_word": math.exp(nats * 44 / 29),
            "bits_per_character": value, "bits_per_character_without_spelling": value, "spelling_nats": 0.0,
            "ci_low": value - 0.021, "ci_high": value + 0.023, "blocks": 88, "bits_per_byte": value * 0.99,
        }  # fmt: skip

    judged = {
        "judged_tokens": 20_000, "judged_words": 12_000, "token_accuracy_at_1": 0.27, "token_accuracy_at_5": 0.51,
        "word_accuracy": 0.21, "confidence": 0.29, "expected_calibration_error": 0.02,
    }  # fmt: skip
    return {"run": run, "parameters": 1, "splits": {"valid": split(-0.03), "test": split(0.0) | judged}}


def _write_blocks(path: Path, bits: float) -> None:
    """Write 88 blocks of 1,800 characters, whose losses go up and down alike in all runs."""
    nats = [1800 * math.log(2) * (bits + 0.2 * math.sin(1.3 * place)) for place in range(88)]
    rows = [f"{place // 8},1800.0,{value}" for place, value in enumerate(nats)]
    path.write_text("\n".join(["chapter,characters,nats", *rows, ""]))


def _profile(run: str, bits: float) -> dict[str, object]:
    curve = [
        {"low": low / 15, "high": (low + 1) / 15, "tokens": 2000 - 120 * low, "confidence": (low + 0.5) / 15,
         "accuracy": (low + 0.2) / 15}
        for low in range(15)
    ]  # fmt: skip
    place = [
        {"low": low, "high": high, "characters": 12.0 * high, "bits_per_character": bits + 40 / high}
        for low, high in ((0, 100), (100, 200), (200, 400), (400, 800), (800, 1600))
    ]
    truncation = [
        {"low": 6 * part, "high": 6 * part + 6, "tokens": 5000, "nats_per_token": 2 * bits + 0.01 * (part % 3)}
        for part in range(8)
    ]
    frequency = [
        {"low": low, "high": high, "words": words, "bits_per_word": bits * cost, "bits_per_character": bits * cost / 5}
        for low, high, words, cost in (
            (0, 0, 592, 14.0),
            (1, 9, 2100, 9.0),
            (10, 99, 6300, 6.5),
            (100, 999, 12000, 4.0),
        )
    ]
    return {"run": run, "reliability": curve, "place": place, "truncation": truncation, "frequency": frequency}


def _write_events(path: Path, final_loss: float, seconds: float, resumed: bool) -> int:
    """Write a run of 1,220 steps whose loss falls to `final_loss`; a resumed one stood still for a day half-way."""
    steps, tokens_per_step = 1220, 2048
    records: list[dict[str, object]] = [{"time": 1000.0, "event": "start", "step": 0, "tokens": 0}]
    pause = 0.0
    for step in range(10, steps + 1, 10):
        if resumed and step == 610:
            pause = 86_400.0
            at = {"time": 1000.0 + seconds * 600 / steps + pause, "step": 600, "tokens": 600 * tokens_per_step}
            records.append({"event": "resume", **at})
        loss = final_loss + (7.6 - final_loss) * math.exp(-step / 190) - 0.1 * step / steps
        wiggle = 0.09 * math.sin(step * 1.7) + 0.05 * math.sin(step * 0.31)
        at = {"time": 1000.0 + seconds * step / steps + pause, "step": step, "tokens": step * tokens_per_step}
        records.append({**at, "event": "train", "metrics": {"train/loss_nats": loss + wiggle}})
        if step % 200 == 0 or step == steps:
            metrics = {"valid/loss_nats": loss + 0.14, "valid/perplexity": math.exp(loss + 0.14)}
            records.append({**at, "event": "valid", "metrics": metrics})
    records.append({**records[-1], "event": "end"})
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return steps * tokens_per_step


def _write_predictions(path: Path, place: int) -> None:
    words = [f" {word}" for word in PASSAGE.split()]
    others = [" the", " of", " and", " her", ","]
    with path.open("w", newline="", encoding="utf-8") as file:
        ranks = [f"{name}_{rank}" for rank in range(1, 6) for name in ("predicted", "probability")]
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["position", "book", "chapter", "true", "true_probability", *ranks])
        for position, word in enumerate(words):
            right = (position + place) % 3 == 0
            ranked = [word, *others[:4]] if right else others
            shares = [0.41, 0.13, 0.08, 0.05, 0.02]
            cells = [cell for pair in zip(ranked, shares, strict=True) for cell in pair]
            table.writerow([position, "austen-emma", 9, word, 0.41 if right else 0.004, *cells])


def examination_record(run: str, longest: int = 7, **changes: object) -> dict[str, object]:
    """Return an `examination.json`."""
    copying = {"longest_copied_words": float(longest), "copied_4gram_share": 0.2, "copied_8gram_share": 0.01}
    style = {"delta_to_author": 0.66, "delta_to_nearest_other": 0.8, "distinct_1": 0.4, "distinct_2": 0.79,
             "repeated_4gram_share": 0.007, "sentence_words": 21.7, "dialogue_share": 0.5}  # fmt: skip
    ranges = {"low": 0.1, "median": 0.5, "high": 0.9, "most": 0.95}
    return {
        "run": run, "words": 915, "compared_words": 915, "passages": 40, "author": "Jane Austen", "language": "en",
        "measures": {name: {"chapter": value, **ranges} for name, value in {**copying, **style}.items()},
        "copied_text": "<so> it was, and", "copied_from": {"book": "austen-emma", "chapter": 35, "heading": "XVII"},
        "deltas": {"Jane Austen": 0.66, "Herman Melville": 0.9, "Maria Edgeworth": 0.8}, "max_copied_words": 20,
        "flagged": longest > 20, "ceiling": {}, "nearest_is_author_share": 0.9, "other_authors_left_out": "", **changes,
    }  # fmt: skip


def _facts(run: str, place: int) -> dict[str, object]:
    return {
        "run": run, "opening": "Captain" if place else "It was a dark & stormy night", "opening_drawn": bool(place),
        "seed": 1, "heading": "CHAPTER XXV", "after_book": "austen-persuasion", "after_chapter": 24,
        "words": 347 + place, "ended_by": "length" if place == 1 else "end-of-chapter",
    }  # fmt: skip


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an MLflow store with its tables and nothing in them: making one takes seconds, copying it does not."""
    from nextchapter.tracking.store import MlflowClient

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def tracked_project(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder: a project with an empty MLflow store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "results").mkdir()
    shutil.copyfile(empty_store, tmp_path / "results" / "mlflow.db")
    return tmp_path


class BookServer(ThreadingHTTPServer):
    """A server on loopback that answers as the test says, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), BookRequest)
        self.answers: list[Callable[[BookRequest], None]] = []
        """One a request; the last is given again and again."""
        self.asked: list[tuple[str, Message]] = []
        """Path and headers of each request."""
        self.closing = threading.Event()

    def url(self, path: str = "/book.txt") -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    @property
    def ranges(self) -> list[str | None]:
        return [headers["Range"] for _, headers in self.asked]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hangs up is what some tests are about."""


class BookRequest(BaseHTTPRequestHandler):
    """What an answer is given to: it may use `reply`, or write what it likes."""

    server: BookServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        self.server.asked.append((self.path, self.headers))
        answers = self.server.answers
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    def reply(self, status: int, body: bytes = b"", **headers: str | int | None) -> None:
        """Send a whole answer; a header of None is left out."""
        self.send_response(status)
        for name, value in {"Content_Length": len(body), "Connection": "close", **headers}.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def make_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], BookServer]]:
    """Return a function that starts a server; no proxy of the machine stands before it."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    servers: list[BookServer] = []

    def make() -> BookServer:
        servers.append(BookServer())
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return servers[-1]

    yield make
    for server in servers:
        server.closing.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def book_server(make_server: Callable[[], BookServer]) -> BookServer:
    """Return a server."""
    return make_server()
