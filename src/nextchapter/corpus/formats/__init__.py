"""Readers of single books, one module a family of formats; `registry` chooses between them."""
