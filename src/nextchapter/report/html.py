"""The shell of all pages: one file each, nothing fetched, readable on a telephone, by day and by night."""

from html import escape
from typing import Final

_CSS: Final = """
:root { color-scheme: light dark; --paper: #fdfcf8; --sheet: #ffffff; --ink: #1c1c22; --muted: #5b5b66;
  --line: #dcdad2; --accent: 0 114 178; --accent-ink: #005a8f; --gold: #8a5a00; --gold-paper: #fdf3dc;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", Georgia, "DejaVu Serif", serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif; }
@media (prefers-color-scheme: dark) { :root { --paper: #17171b; --sheet: #1f1f25; --ink: #e9e7e1; --muted: #a6a5ad;
  --line: #3a3a43; --accent: 86 180 233; --accent-ink: #8ccbf2; --gold: #f0c566; --gold-paper: #3a3018; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 var(--sans); overflow-wrap: break-word; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font: 600 1.9rem/1.2 var(--serif); margin: 0 0 .3rem; text-wrap: balance; }
h2 { font: 600 1.35rem/1.3 var(--serif); margin: 3rem 0 .5rem; }
p.lead, p.note { color: var(--muted); max-width: 46rem; margin: 0 0 1.25rem; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
"""


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
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
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
