"""Recurrent language models of a shelf of books: trained, compared, and writing the next chapter."""

__version__ = "0.1.0"
