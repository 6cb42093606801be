"""A headless Chromium, driven by its DevTools protocol (chromedevtools.github.io/devtools-protocol), and a page."""

import base64
import itertools
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from websockets.sync.client import ClientConnection, connect

from nextchapter.models.registry import build_model, save_model
from nextchapter.spec.tokens import WordsSpec
from nextchapter.store.files import write_json
from nextchapter.tokens.bytes import BytesTokenizer
from nextchapter.tokens.protocol import Tokenizer
from nextchapter.tokens.words import WordsTokenizer

TEXT = "The dog of the house was not at home, and nobody in the house knew where he had been that evening. " * 3

_WAIT_S = 60.0
_WAIT_FOR = """new Promise((done, failed) => {
  const end = Date.now() + %d;
  (function look() {
    if (%s) done(true);
    else if (Date.now() > end) failed(new Error("not seen in time"));
    else setTimeout(look, 20);
  })();
})"""
_KEYS = {"Enter": 13, "Escape": 27, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowRight": 39, "Tab": 9}


class Tab:
    """A tab of the browser; what went wrong in its page is in `errors`, what it asked the network for in `requests`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._numbers, self._session = socket, itertools.count(), ""
        self.errors: list[str] = []
        self.requests: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command, and return its result."""
        message = {"id": next(self._numbers), "method": method, "params": parameters}
        self._socket.send(json.dumps(message | ({"sessionId": self._session} if self._session else {})))
        while True:
            answer = json.loads(self._socket.recv(timeout=_WAIT_S))
            if answer.get("id") == message["id"]:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self._note(answer)

    def _note(self, event: dict[str, Any]) -> None:
        method, told = event["method"], event["params"]
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.errors.append(told["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(told["exceptionDetails"]["exception"].get("description", "an exception"))

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript, awaited where it is a promise."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, f"{expression}: {result['exceptionDetails']}"
        return result["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Wait until a condition holds in the page."""
        self.evaluate(_WAIT_FOR % (_WAIT_S * 1000, condition))

    def open(self, address: str, width: int = 1280, height: int = 900) -> None:
        """Load a page in a window of this size."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=address)
        self.wait_for("document.readyState === 'complete'")

    def press(self, key: str, modifiers: int = 0) -> None:
        """Press a key: 2 is Ctrl."""
        known = {"key": key, "code": key, "windowsVirtualKeyCode": _KEYS[key], "modifiers": modifiers}
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **known, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **known)

    def write(self, text: str) -> None:
        """Type into what has the focus."""
        self.call("Input.insertText", text=text)

    def point_at(self, selector: str) -> tuple[float, float]:
        """Move the pointer onto an element; return where that is."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.evaluate(f"{found}.scrollIntoView({{ block: 'center', behavior: 'instant' }})")
        box = self.evaluate(f"{found}.getBoundingClientRect().toJSON()")
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        return x, y

    def click(self, selector: str) -> None:
        """Click an element with the pointer."""
        x, y = self.point_at(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def screenshot(self, path: Path) -> None:
        """Save what the window shows as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the DevTools address of a browser of its own."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip(f"no Chromium here: none of {', '.join(names)} is installed")
    options = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
        "--no-first-run", "--hide-scrollbars", "--remote-debugging-port=0",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ]  # fmt: skip
    with subprocess.Popen([program, *options], stderr=subprocess.PIPE, text=True) as browser:
        address = next((line.split()[-1] for line in browser.stderr if line.startswith("DevTools listening")), None)
        assert address, "Chromium ended before it listened"
        yield address
        with connect(address) as socket:
            socket.send(json.dumps({"id": 0, "method": "Browser.close"}))
        browser.communicate()


@pytest.fixture
def tab(chromium: str) -> Iterator[Tab]:
    """Return a new tab."""
    with connect(chromium, max_size=None) as socket:
        yield Tab(socket)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two finished runs, one of words and one of bytes; that of words is the champion."""
    folder = tmp_path_factory.mktemp("project")
    study = folder / "results" / "shelf"
    (study / "corpus").mkdir(parents=True)
    pq.write_table(pa.table({"text": [TEXT] * 20}), study / "corpus" / "train.parquet")
    add_run(study, "words.s1", WordsTokenizer.train([TEXT] * 20, WordsSpec()), 1.25)
    add_run(study, "bytes.s1", BytesTokenizer(), 1.5)
    write_json(study / "champion.json", {"run": "words.s1"})
    return folder


def add_run(study: Path, name: str, tokenizer: Tokenizer, bits_per_character: float) -> None:
    """Add a run whose network has learned nothing."""
    torch.manual_seed(1)
    folder, model = study / "runs" / name, {"kind": "gru", "hidden": 8, "embedding": 8}
    folder.mkdir(parents=True)
    save_model(folder / "model.safetensors", build_model(model, tokenizer.vocabulary_size), model)
    tokenizer.save(study / "tokens" / name / "tokenizer.model")
    write_json(folder / "run.json", {"run": name, "study": study.name, "tokenizer": name})
    write_json(folder / "metrics.json", {"splits": {"test": {"bits_per_character": bits_per_character}}})


@pytest.fixture(scope="session")
def address(project: Path) -> Iterator[str]:
    """Return the address of the project's page, served by `nextchapter play`."""
    program = "import sys; from nextchapter.cli.app import main; sys.exit(main(['play', '--port', '0']))"
    with subprocess.Popen([sys.executable, "-c", program], cwd=project, stdout=subprocess.PIPE, text=True) as server:
        yield server.stdout.readline().split()[4]
        server.send_signal(signal.SIGINT)
    assert server.returncode == 0
