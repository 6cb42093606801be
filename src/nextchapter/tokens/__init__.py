"""Tokenizers, and the memory-mapped token files that training and scoring read."""
