"""The shell of all pages: one file each, nothing fetched, readable on a telephone, by day and by night."""

import re
from html import escape
from typing import Final
from urllib.parse import quote

_CSS: Final = """
:root { color-scheme: light dark; --paper: #fdfcf8; --sheet: #ffffff; --ink: #1c1c22; --muted: #5b5b66;
  --line: #dcdad2; --accent: 0 114 178; --accent-ink: #005a8f; --gold: #8a5a00; --gold-paper: #fdf3dc; --red: #b3261e;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", Georgia, "DejaVu Serif", serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif; }
@media (prefers-color-scheme: dark) { :root { --paper: #17171b; --sheet: #1f1f25; --ink: #e9e7e1; --muted: #a6a5ad;
  --line: #3a3a43; --accent: 86 180 233; --accent-ink: #8ccbf2; --gold: #f0c566; --gold-paper: #3a3018;
  --red: #ff9d94; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 var(--sans); overflow-wrap: break-word; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font: 600 1.9rem/1.2 var(--serif); margin: 0 0 .3rem; text-wrap: balance; }
h2 { font: 600 1.35rem/1.3 var(--serif); margin: 3rem 0 .5rem; }
p.lead, p.note { color: var(--muted); max-width: 46rem; margin: 0 0 1.25rem; }
.flag { color: var(--red); font-weight: 600; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
"""


FOLDS_CSS: Final = """
details { background: var(--sheet); border: 1px solid var(--line); border-radius: .6rem; margin: .7rem 0; }
summary { cursor: pointer; padding: .8rem 1rem; display: flex; flex-wrap: wrap; gap: .15rem .8rem;
  align-items: baseline; }
summary::before { content: "▸"; color: var(--muted); } details[open] > summary::before { content: "▾"; }
summary b { font-size: 1.02rem; } summary span { color: var(--muted); font-size: .9rem; }
"""
"""Parts of a page that a tap on their line opens: the elements `details` and `summary`."""

FIGURES_CSS: Final = """
svg, figure img { display: block; width: 100%; max-width: 46rem; height: auto; background: white;
  border: 1px solid var(--line); border-radius: .4rem; }
figure { margin: 1.2rem 0 1.6rem; break-inside: avoid; }
figcaption { max-width: 46rem; margin: .5rem 0 0; color: var(--muted); font-size: .95rem; }
"""

_SAFE_IN_ADDRESSES: Final = " !$&'()*+,-./:;<=>?@[]^_`{|}~"
_COORDINATES = re.compile(r'(?<=\sd=")[^"]+')
_LONG_NUMBER = re.compile(r"(\.\d\d)\d+")


def cards_css(table: str, narrow: str) -> str:
    """Return rules for a table that becomes a card a row on a narrow screen; its cells have a `data-label`.

    Args:
        table: selector of the tables.
        narrow: width of the screen up to which there are cards.
    """
    return f"""
{table} {{ width: 100%; border-collapse: collapse; background: var(--sheet); font-size: .92rem;
  border: 1px solid var(--line); }}
{table} th {{ font-size: .78rem; font-weight: 600; color: var(--muted); text-align: left; vertical-align: bottom; }}
{table} th, {table} td {{ padding: .5rem .55rem; border-bottom: 1px solid var(--line); vertical-align: top; }}
@media (max-width: {narrow}) {{
  {table}, {table} tbody {{ display: block; border: 0; background: none; }} {table} thead {{ display: none; }}
  {table} tr {{ display: block; margin: 0 0 .9rem; border: 1px solid var(--line); border-radius: .6rem;
    overflow: hidden; background: var(--sheet); }}
  {table} td[data-label] {{ display: flex; justify-content: space-between; gap: 1rem; text-align: right;
    white-space: normal; padding: .42rem .9rem; }}
  {table} td > span {{ min-width: 0; }} {table} td:last-child {{ border-bottom: 0; }}
  {table} td::before {{ content: attr(data-label); color: var(--muted); font-weight: 400; text-align: left;
    flex: none; max-width: 55%; }}
}}
"""


def picture(svg: str, label: str) -> str:
    """Return an SVG file as a picture inside a page, of which nothing is fetched and no id meets another's.

    Args:
        svg: the file.
        label: what it shows, for those who can't see it.
    """
    drawn = _COORDINATES.sub(lambda path: _LONG_NUMBER.sub(r"\1", path[0]), svg[svg.index("<svg") :])
    address = quote(re.sub(r"\s+", " ", drawn), safe=_SAFE_IN_ADDRESSES)
    return f'<img alt="{escape(label)}" src="data:image/svg+xml,{escape(address)}">'


def figure(svg: str, label: str, caption: str) -> str:
    """Return a picture with its caption, which is HTML."""
    return f"<figure>\n{picture(svg, label)}\n<figcaption>{caption}</figcaption>\n</figure>"


def fold(title: str, body: str, more: str = "") -> str:
    """Return a part of a page that is folded away behind a line; all is HTML.

    Args:
        title: stands out in the line.
        body: what a tap opens.
        more: the rest of the line.
    """
    told = f"<span>{more}</span>" if more else ""
    return f"<details>\n<summary><b>{title}</b>{told}</summary>\n<div>\n{body}\n</div>\n</details>"


def page(title: str, css: str, body: str) -> str:
    """Return a whole page; it may load nothing, neither script nor font nor picture.

    Args:
        title: plain text.
        css: rules of this page alone.
        body: HTML, already escaped.
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{escape(title)}</title>
<style>{_CSS}{css}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
