"""Feeds the readers of books with broken ones: each must be read or refused with a reason, and nothing else may happen.

Seed books of every format are mutated: bits flipped, pieces cut, doubled, moved, and spliced from other books. Readers
that run in this process and those that start another program are counted apart. The exit status is 1 after any crash,
any error but a refusal, and any book that takes too long.
"""

import argparse
import io
import random
import resource
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping

import matplotlib as mpl
from matplotlib import pyplot as plt

from nextchapter.corpus.document import Limits, RawBook, UnreadableBookError
from nextchapter.corpus.formats.pandoc import pandoc_path
from nextchapter.corpus.formats.registry import read_document
from nextchapter.corpus.removals import Removals

MARKDOWN = """---
title: The Road
author: Jane Roe
---
# Part One

## Chapter 1

It was *late*.[^1] “Come in,” said Zoë, [and](http://x) H~2~O.

| Over the hill
| And home

> - one `code`

## Chapter 2

Привет 漢字 ![cat](cat.png)

[^1]: A note.
"""
HTML = """<!DOCTYPE html><html lang=en><head><title>T, by A—A Project Gutenberg eBook</title>
<meta charset=utf-8></head><body><section class=pg-boilerplate>x</section>
<h2><a class=pagenum title=5> </a>I.<br>One</h2><p>It <i>was</i> late&mdash;<sup>1</sup>
<a href="#f" class=fnanchor>[2]</a><pre>typed  line</pre>
<div class=stanza><div class=verse>One</div></div>
<table><tr><td>1<td>two</table><div class=footnote>[1] n</div>"""
RTF = r"""{\rtf1\ansi\ansicpg1251{\fonttbl{\f0\fcharset204 A;}{\f1\fcharset0 B;}}{\info{\title T}{\author A}}
\pard\outlinelevel0 One\par\pard\u8220?Hi\u8221? \'cf\'f0{\footnote\chftn a note}\line x
{\field{\*\fldinst{HYPERLINK "u"}}{\fldrslt l}}\par}"""
PLAIN = "\ufeffCHAPTER I.\r\n\r\nIt was late — “Zoë”.\r\n\x0c[Illustration]\r\n"
IN_PROCESS = {"txt": "plain text", "md": "Markdown", "html": "HTML", "rtf": "RTF", "epub": "EPUB"}
CONVERTED = {"docx": "docx", "odt": "odt", "fb2": "FB2", "pdf": "PDF"}
TOO_LONG_S = 5.0
"""CPU seconds that no mutated book in this process, of a few kilobytes, may take."""


def convert(kind: str) -> bytes:
    command = [pandoc_path(), "--standalone", "--from=markdown", f"--to={kind}", "--output=-"]
    return subprocess.run(command, input=MARKDOWN.encode(), capture_output=True, check=True).stdout


def draw_pdf() -> bytes:
    mpl.use("pdf")
    buffer = io.BytesIO()
    figure = plt.figure()
    figure.text(0.1, 0.5, "It was late when the cart came down the hill")
    figure.savefig(buffer, format="pdf")
    plt.close(figure)
    return buffer.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {name: package.read(name) for name in package.namelist() if not name.endswith((".css", ".png"))}


def packed(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, data in members.items():
            package.writestr(name, data)
    return buffer.getvalue()


def mutate(data: bytes, others: list[bytes], generator: random.Random) -> bytes:
    """Return broken data: one to four mutations, one after the other."""
    for _ in range(generator.randint(1, 4)):
        start, stop = sorted(generator.randrange(len(data) + 1) for _ in range(2))
        piece = data[start:stop]
        match generator.randrange(7):
            case 0:
                broken = bytearray(data)
                for _ in range(generator.randint(1, 8)):
                    if broken:
                        broken[generator.randrange(len(broken))] ^= 1 << generator.randrange(8)
                data = bytes(broken)
            case 1:
                data = data[:start]
            case 2:
                data = data[:start] + data[stop:]
            case 3:
                data = data[:start] + piece[:500] * generator.randint(2, 20) + data[stop:]
            case 4:
                other = generator.choice(others)
                cut = generator.randrange(len(other) + 1)
                data = data[:start] + other[cut : cut + generator.randrange(2000)] + data[stop:]
            case 5:
                data = data[:start] + generator.randbytes(generator.randint(1, 20)) + data[start:]
            case _:
                tokens = [
                    b"<",
                    b">",
                    b"{",
                    b"}",
                    b"\\",
                    b"&",
                    b"\0",
                    b"\xff",
                    b"[",
                    b"<!--",
                    b"]]>",
                    b"\\u",
                    b"<div>",
                    b"```",
                ]
                data = data[:start] + generator.choice(tokens) * generator.randint(1, 200) + data[start:]
    return data


def make_seeds() -> dict[str, bytes]:
    texts = {"txt": PLAIN.encode(), "md": MARKDOWN.encode(), "html": HTML.encode(), "rtf": RTF.encode("latin-1")}
    return texts | {kind: convert(kind) for kind in ("epub", "docx", "odt", "fb2")} | {"pdf": draw_pdf()}


def broken_book(kind: str, seeds: Mapping[str, bytes], generator: random.Random) -> bytes:
    """Return a mutated seed; of an archive, half of the time a mutated member in a sound archive."""
    others = list(seeds.values())
    if not seeds[kind].startswith(b"PK") or generator.random() < 0.5:
        return mutate(seeds[kind], others, generator)
    members = unpacked(seeds[kind])
    name = generator.choice(sorted(members))
    return packed(members | {name: mutate(members[name], others, generator)})


def fuzz(kinds: Mapping[str, str], count: int, seed: int, seeds: Mapping[str, bytes], seconds: float) -> Counter[str]:
    """Return how many books were read, refused, and went wrong."""
    outcomes: Counter[str] = Counter()
    ends = time.monotonic() + seconds
    names = list(kinds)
    for number in range(count):
        if time.monotonic() > ends:
            break
        generator = random.Random(f"{seed}/{number}")
        kind = names[number % len(names)]
        data = broken_book(kind, seeds, generator)
        started = time.process_time()
        outcome = attempt(RawBook("b", f"b.{kind}", data))
        if time.process_time() - started > TOO_LONG_S:
            outcome = "too long"
        outcomes[outcome] += 1
        if outcome not in ("read", "refused"):
            print(f"  {kind}, --seed {seed}, number {number}: {outcome}", flush=True)
    return outcomes


def attempt(book: RawBook) -> str:
    try:
        read_document(book, Limits(convert_s=20.0), Removals())
    except UnreadableBookError as error:
        return "too long" if "took more than" in str(error) else "crashed" if "status -" in str(error) else "refused"
    except Exception as error:  # noqa: BLE001 - what is looked for
        return f"{type(error).__name__}: {error}"
    return "read"


def report(name: str, run: Callable[[], Counter[str]]) -> int:
    started = time.perf_counter()
    before = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    outcomes = run()
    after = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = sum(
        end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime for start, end in zip(before, after, strict=True)
    )
    wrong = outcomes.total() - outcomes["read"] - outcomes["refused"]
    print(
        f"{name:<11} {outcomes.total():>7,} books: {outcomes['read']:,} read, {outcomes['refused']:,} refused, "
        f"{wrong} wrong; {cpu_s:.0f} s of CPU, {time.perf_counter() - started:.0f} s; "
        f"peak {after[0].ru_maxrss // 1024} MB here, {after[1].ru_maxrss // 1024} MB in a child"
    )
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="books for the readers in this process")
    parser.add_argument("--converted", type=int, default=1_000, help="books for pandoc and PDFium")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="longest time of each of the two")
    arguments = parser.parse_args()
    seeds = make_seeds()
    wrong = report("in process", lambda: fuzz(IN_PROCESS, arguments.count, arguments.seed, seeds, arguments.seconds))
    wrong += report(
        "converters", lambda: fuzz(CONVERTED, arguments.converted, arguments.seed, seeds, arguments.seconds)
    )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
