"""`nextchapter`: let a trained run write, and ask it how it reads a text.

Exit codes: 0 done; 1 what was asked for can't be done, and the message says why; 2 the command line is wrong.
"""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from nextchapter.cli.runs import find_run
from nextchapter.spec.redaction import redact

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's name, its folder, `champion`, or models:/NAME@ALIAS in MLflow.")
]
Study = Annotated[str | None, typer.Option(help="The study that the run is of, where several have one of this name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Source = Annotated[Path, typer.Argument(metavar="FILE", help="A text file in UTF-8; - reads what is piped in.")]


@app.command()
def write(
    run: RunName = "champion",
    opening: Annotated[str | None, typer.Option(help="First words; without it, a random word of the shelf.")] = None,
    words: Annotated[int | None, typer.Option(min=1, help="About how many words at most; 900 if not given.")] = None,
    temperature: Annotated[float | None, typer.Option(help="0 takes the likeliest word; above 1 is wild.")] = None,
    top_k: Annotated[int | None, typer.Option(help="Draw among so many likeliest tokens.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Draw among the likeliest tokens of this probability.")] = None,
    min_p: Annotated[float | None, typer.Option(help="Draw among tokens this likely against the likeliest.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed writes another text.")] = None,
    study: Study = None,
    as_json: AsJson = False,
) -> None:
    """Write on from an opening, word by word.

    What goes to a file or a pipe is the finished text, with its quotation marks in pairs.
    """
    from nextchapter.cli.writing import stream_chapter, write_text
    from nextchapter.spec.writing import lengths_for

    asked = {
        "opening": opening,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "min_p": min_p,
        "seed": seed,
    }
    settings = {key: value for key, value in asked.items() if value is not None}
    if words is not None:
        settings |= lengths_for(words)
    found = find_run(run, study)
    if as_json or not sys.stdout.isatty():
        result = write_text(found, settings)
        print(_json(result) if as_json else result["text"])
    else:
        stream_chapter(found, settings, sys.stdout)


@app.command()
def score(
    run: RunName,
    file: Source,
    words: Annotated[int, typer.Option(min=0, help="How many of the most surprising words to list.")] = 20,
    study: Study = None,
    as_json: AsJson = False,
) -> None:
    """Say how well a run foresees a text: bits a character, perplexity, and which words surprise it most."""
    from nextchapter.cli.scoring import describe_score, score_file

    scored = score_file(find_run(run, study), _read(file))
    print(_json(scored) if as_json else describe_score(scored, words))


@app.command()
def compare(
    first: RunName,
    second: Annotated[str, typer.Argument(metavar="RUN", help="The run to compare it with.")],
    file: Source,
    words: Annotated[int, typer.Option(min=0, help="How many words to list on each side.")] = 10,
    study: Study = None,
    as_json: AsJson = False,
) -> None:
    """Let two runs read one text: which foresees it better, and at which words they differ most."""
    from nextchapter.cli.scoring import compare_scores, describe_comparison, score_file

    runs, text = [find_run(name, study) for name in (first, second)], _read(file)
    comparison = compare_scores(*(score_file(run, text) for run in runs))
    print(_json(comparison) if as_json else describe_comparison(comparison, words))


@app.command()
def play(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes any port that is free.")] = 8765,
    host: Annotated[str, typer.Option(help="Who may come: 127.0.0.1 is this machine alone.")] = "127.0.0.1",
    study: Annotated[str | None, typer.Option(help="Offer the runs of this study alone.")] = None,
) -> None:
    """Open a page on which runs write and read: words as they come, what else they might have been, surprise in colour.

    The page works without internet.
    """
    from nextchapter.cli.serving import serve

    serve(study, host, port)


@app.command()
def export(
    run: RunName,
    onnx: Annotated[Path, typer.Option(metavar="FILE", help="The ONNX file to write; the tokenizer goes beside it.")],
    study: Study = None,
    as_json: AsJson = False,
) -> None:
    """Write a run's network to a file that other programs read: one step, from a token to the next one's chances."""
    from nextchapter.cli.exporting import export_onnx

    written = export_onnx(find_run(run, study), onnx)
    print(_json(written) if as_json else f"{written['onnx']}\n{written['tokenizer']}")


def _read(file: Path) -> str:
    """Return a text file.

    Raises:
        ValueError: it is no text in UTF-8, or empty.
    """
    text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    if not text.strip():
        raise ValueError(f"{file} holds no text")
    return text


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code. What a person can put right is told in one line."""
    try:
        app(args=arguments, prog_name="nextchapter", standalone_mode=True)
    except UnicodeDecodeError as error:
        return _told(f"the file is not in UTF-8 (byte {error.start}); `iconv` changes encodings")
    except OSError as error:
        return _told(f"{error.filename}: {error.strerror}" if error.filename else error)
    except ValueError as error:  # SpecError and RunNotFoundError among them
        return _told(error)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0


def _told(problem: object) -> int:
    print(redact(f"nextchapter: {problem}"), file=sys.stderr)
    return 1
