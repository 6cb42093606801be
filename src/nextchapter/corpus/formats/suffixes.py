"""Which suffixes are books, and in which format; light, for the workflow's rules read it as well."""

from collections.abc import Mapping
from types import MappingProxyType

SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        "": "plain text",
        ".txt": "plain text",
        ".text": "plain text",
        ".md": "Markdown",
        ".markdown": "Markdown",
        ".html": "HTML",
        ".htm": "HTML",
        ".xhtml": "HTML",
        ".epub": "EPUB",
        ".docx": "docx",
        ".odt": "odt",
        ".fb2": "FB2",
        ".rtf": "RTF",
        ".pdf": "PDF",
    }
)
"""Suffix, in lower case and with its dot, to the name of the format."""
