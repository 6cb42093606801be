"""What ends a sentence; in Thai and Lao it is nothing."""

SPACED_ENDS = ".!?…؟۔।॥։።။។"
"""Marks with white space behind them: Europe's, then Arabic, Urdu, Hindi, Armenian, Amharic, Burmese, Khmer ones."""
SPACELESS_ENDS = "。！？"
"""Marks behind which a sentence of Chinese or Japanese goes on at once."""
ENDS = SPACED_ENDS + SPACELESS_ENDS
