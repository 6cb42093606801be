"""What ends a sentence."""

SPACED_ENDS = ".!?…؟۔।॥։።"
"""Marks with white space behind them: those of Europe, then of Arabic, Urdu, Hindi, Armenian and Amharic."""
SPACELESS_ENDS = "。！？"
"""Marks behind which a sentence of Chinese or Japanese goes on at once."""
ENDS = SPACED_ENDS + SPACELESS_ENDS
