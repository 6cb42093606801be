"""Writing with the default study's LSTM against a step loop over torch.nn.LSTM: tokens a second of one thread.

Both draw with the same temperature, repetition penalty and top-p. The loop is what one would write by hand: torch's
layer, a linear head, and the usual filters by a full sort. Our side is the whole writer, with the loop guard, the words
counted and the end watched; it is also measured with many texts side by side. The weights are random, but scaled so
that the distributions are as sharp as those of a trained network. All are measured in turn, round by round, in CPU
time; a ratio is of the medians.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from nextchapter.corpus.decoding import decode
from nextchapter.generation.sampling import Sampler
from nextchapter.generation.writer import Writer
from nextchapter.models.protocol import LanguageModel
from nextchapter.models.recurrent import RecurrentLanguageModel
from nextchapter.models.registry import build_model
from nextchapter.spec.writing import WritingSpec
from nextchapter.tokens.protocol import Tokenizer
from nextchapter.tokens.registry import train_tokenizer
from nextchapter.training.devices import prepare_torch

HIDDEN, EMBEDDING, VOCABULARY, TOKENS = 384, 192, 2000, 200
ROWS = 64
"""Texts side by side."""
LOGITS_STD = 3.0
"""Spread of the logits, in nats."""
OPENING = "It was late when the cart came down the hill, and"


class HandWritten(nn.Module):
    """Embedding, torch.nn.LSTM, projection and tied head, a step at a time, with the weights of our model."""

    def __init__(self, model: RecurrentLanguageModel) -> None:
        super().__init__()
        self.embedding, self.projection, self.head = model.embedding, model.projection, model.output
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        [cell] = model.cells
        with torch.no_grad():
            self.lstm.weight_ih_l0.copy_(cell.get_parameter("input_weight"))
            self.lstm.weight_hh_l0.copy_(cell.get_parameter("hidden_weight"))
            self.lstm.bias_ih_l0.copy_(cell.get_parameter("bias"))
            self.lstm.bias_hh_l0.zero_()

    @torch.no_grad()
    def write(self, tokens: list[int], count: int, spec: WritingSpec) -> list[int]:
        written = list(tokens)
        hidden, state = self.lstm(self.embedding(torch.tensor([tokens])))
        for _ in range(count):
            logits = self.head(self.projection(hidden[:, -1]))
            written.append(draw(logits, written[-spec.repetition_window :], spec))
            hidden, state = self.lstm(self.embedding(torch.tensor([written[-1:]])), state)
        return written


def draw(logits: Tensor, before: list[int], spec: WritingSpec) -> int:
    """Draw a token with the filters that the common libraries have."""
    seen = torch.tensor([before])
    scores = logits.gather(1, seen)
    penalised = torch.where(scores < 0, scores * spec.repetition_penalty, scores / spec.repetition_penalty)
    logits = logits.scatter(1, seen, penalised) / spec.temperature
    ordered, order = logits.sort(descending=False)
    removed = ordered.softmax(dim=-1).cumsum(dim=-1) <= 1 - spec.top_p
    logits = logits.masked_fill(removed.scatter(1, order, removed), float("-inf"))
    return int(torch.multinomial(logits.softmax(dim=-1), 1))


def read_books(folder: Path) -> list[str]:
    return [decode(file.read_bytes()).text for file in sorted(folder.rglob("*.txt"))]


def build_ours(tokenizer: Tokenizer) -> RecurrentLanguageModel:
    """Return the default study's LSTM with random weights; its logits have the spread of a trained one's."""
    model = build_model({"kind": "lstm", "hidden": HIDDEN, "embedding": EMBEDDING}, tokenizer.vocabulary_size)
    assert isinstance(model, RecurrentLanguageModel)
    model.eval()
    with torch.no_grad():
        hidden, _ = model.read(torch.randint(tokenizer.vocabulary_size, (1, 100)), model.initial_state(1))
        model.projection.get_parameter("weight").mul_(LOGITS_STD / model.logits(hidden).std())
    return model


def write_ours(model: LanguageModel, tokenizer: Tokenizer, steps: int, spec: WritingSpec, rows: int = 1) -> list[int]:
    writer = Writer(model, tokenizer, OPENING, spec, rows)
    for _ in range(steps):
        writer.step()
    return writer.drafts[0].tokens


def measure(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median CPU seconds of each, all measured in turn."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, work in works.items():
            started = time.process_time()
            work()
            if turn:  # the first round warms up
                times[name].append(time.process_time() - started)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("books", nargs="?", type=Path, default=Path("resources/books"), help="folder of .txt files")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    texts = read_books(options.books)
    if not texts:
        parser.error(f"no .txt file in {options.books}: name a folder of books")
    prepare_torch(1)
    torch.manual_seed(0)
    tokenizer = train_tokenizer(texts, {"kind": "unigram", "vocabulary_size": VOCABULARY})
    spec = WritingSpec(words_min=100_000, words_max=100_000)
    model, prompt = build_ours(tokenizer), tokenizer.encode(OPENING)
    peer = HandWritten(model).eval()
    text = write_ours(model, tokenizer, TOKENS, spec)
    sampler, log_probs = Sampler(spec, 1), model(torch.tensor([text]), model.initial_state(1))[0][0].detach()

    @torch.no_grad()
    def step_only() -> None:
        advance, state = model.prepared_step(), model.initial_state(1)
        for token in text[-TOKENS:]:
            _, state = advance([token], state)

    def draw_only() -> None:
        for place, row in enumerate(log_probs[-TOKENS:].numpy().copy()):
            sampler.draw(row[None], [text[: len(prompt) + place]], [0])

    works: dict[str, tuple[Callable[[], object], int]] = {
        "nn.LSTM, step loop": (lambda: peer.write(prompt, TOKENS, spec), TOKENS),
        "nextchapter": (lambda: write_ours(model, tokenizer, TOKENS, spec), TOKENS),
        "  of that, the network": (step_only, TOKENS),
        "  of that, drawing": (draw_only, TOKENS),
        f"nextchapter, {ROWS} texts": (lambda: write_ours(model, tokenizer, TOKENS, spec, ROWS), ROWS * TOKENS),
        "first token": (lambda: write_ours(model, tokenizer, 1, spec), 1),
    }
    seconds = measure({name: work for name, (work, _) in works.items()}, options.rounds)
    print(f"LSTM {EMBEDDING} -> {HIDDEN}, {tokenizer.vocabulary_size} tokens; torch {torch.__version__}")
    for name, (_, tokens) in works.items():
        print(f"{name:<26}{1e3 * seconds[name] / tokens:>8.3f} ms a token{tokens / seconds[name]:>10,.0f} tokens/s")
    print(f"ratio {seconds['nn.LSTM, step loop'] / seconds['nextchapter']:.2f}")
    print(f"gain of {ROWS} texts {ROWS * seconds['nextchapter'] / seconds[f'nextchapter, {ROWS} texts']:.1f}")


if __name__ == "__main__":
    main()
