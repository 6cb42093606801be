"""Where the numbers of a study come from: versions, machine, commit, digests, seeds, times and settings, as HTML."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from nextchapter.report.html import fold
from nextchapter.report.wording import bold, duration

Record = Mapping[str, Any]

RUNS_MAX = 200
"""So many runs stand in the tables; the others have their `run.json`."""
PROVENANCE_CSS = """
dl.facts { display: grid; grid-template-columns: minmax(8rem, max-content) minmax(0, 1fr); gap: .2rem 1.2rem;
  max-width: 46rem; margin: 0 0 1.2rem; } .facts dt { color: var(--muted); } .facts dd { margin: 0; }
.scroll { overflow-x: auto; } .plain { border-collapse: collapse; font-size: .88rem; background: var(--sheet); }
.plain th { text-align: left; color: var(--muted); font-weight: 600; font-size: .78rem; }
.plain th, .plain td { padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
code { font: .86em ui-monospace, "DejaVu Sans Mono", "Liberation Mono", Menlo, monospace; overflow-wrap: anywhere; }
"""


def provenance_block(records: Sequence[Record]) -> str:
    """Return all that is needed to make the same numbers again.

    Args:
        records: the runs' `run.json`.
    """
    shown = records[:RUNS_MAX]
    left = len(records) - len(shown)
    more = f'<p class="more">And {left:,} more, each with its run.json.</p>' if left else ""
    return f"""<dl class="facts">
{_facts(records)}
</dl>
{fold("Each run", _runs(shown) + more, "seed, time, and the digests by which it is known")}
{fold("Settings", _settings(shown) + more, "of the models and of their training")}
{fold("Digests of what was read", _digests(shown), "SHA-256")}"""


def _facts(records: Sequence[Record]) -> str:
    """Return what most runs have in common, each value once."""
    versions: dict[str, set[str]] = {}
    for record in records:
        for name, version in record.get("versions", {}).items():
            versions.setdefault(name, set()).add(str(version))
    told = {
        "trained between": " and ".join(_time(at) for at in (_ends(records))),
        "time of training": duration(sum(record["train_seconds"] for record in records)) + " in all runs together",
        "machine": _each(records, "machine"),
        "device": _each(records, "device"),
        "threads of a run": _each(records, "threads"),
        "commit": _each(records, "git_commit"),
        "versions": ", ".join(f"{name} {' and '.join(sorted(found))}" for name, found in sorted(versions.items())),
    }
    return "\n".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in told.items() if value)


def _ends(records: Sequence[Record]) -> tuple[float, float]:
    return min(record["started"] for record in records), max(record["finished"] for record in records)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _each(records: Sequence[Record], key: str) -> str:
    """Return the values of a key, each once."""
    return ", ".join(dict.fromkeys(str(record[key]) for record in records if record.get(key) is not None))


def _runs(records: Sequence[Record]) -> str:
    rows = [
        [
            bold(record["run"]),
            str(record["seed"]),
            duration(record["train_seconds"]),
            f"{record['steps']:,}",
            f"{record['tokens']:,}",
            escape(str(record["stopped_by"])),
            f"<code>{escape(record['run_key'])}</code>",
            f"<code>{escape(record['code'])}</code>",
        ]
        for record in records
    ]
    heads = ("run", "seed", "trained for", "steps", "tokens read", "ended by", "key", "code")
    return _table(heads, rows)


def _settings(records: Sequence[Record]) -> str:
    """Return a row a run: its model, and what of its training differs from what all share."""
    shared = _shared([record["training"] for record in records if len(record["training"]) > 1])
    rows = [
        [
            bold(record["run"]),
            f"<code>{_told(record['model'])}</code>",
            f"<code>{_told(_without(record['training'], shared)) or '–'}</code>",
        ]
        for record in records
    ]
    common = f"<p>All that are trained share: <code>{_told(shared)}</code></p>" if shared else ""
    return common + _table(("run", "model", "training"), rows)


def _shared(settings: Sequence[Record]) -> dict[str, Any]:
    """Return the settings that are the same in all."""
    first = settings[0] if settings else {}
    return {key: value for key, value in first.items() if all(other.get(key, ...) == value for other in settings)}


def _without(settings: Record, shared: Record) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in shared}


def _told(settings: Record) -> str:
    return escape(", ".join(f"{key}: {_value(value)}" for key, value in settings.items()))


def _value(value: Any) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _digests(records: Sequence[Record]) -> str:
    found = {
        (f"{name} split, {record['tokenizer']}" if name in ("train", "valid") else name): digest
        for record in records
        for name, digest in record["inputs"].items()
    }
    rows = [[escape(name), f"<code>{escape(digest)}</code>"] for name, digest in sorted(found.items())]
    return _table(("file", "digest"), rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    table = f'<table class="plain"><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>'
    return f'<div class="scroll">{table}</div>'
