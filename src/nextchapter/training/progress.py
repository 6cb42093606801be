"""What a person sees of a run that trains: a bar on a terminal, a line now and then in a log."""

import logging
import sys
import time

from tqdm import tqdm

LOGGER = logging.getLogger(__name__)
_LINE_EVERY_S = 15.0


class Progress:
    """Loss, speed and time left, by training tokens."""

    def __init__(self, run: str, done_tokens: int, shared_terminal: bool) -> None:
        """Begin to show a run.

        Args:
            run: its name.
            done_tokens: what earlier calls have done.
            shared_terminal: other jobs write to the terminal as well: then lines instead of a bar.
        """
        self._done = self._first = done_tokens
        self._started = self._last_line = time.monotonic()
        bar = sys.stderr.isatty() and not shared_terminal
        self._bar = tqdm(initial=done_tokens, desc=run, unit="token", unit_scale=True, disable=not bar)

    def update(self, tokens: int, loss_nats: float, total_tokens: int) -> None:
        """Show that `tokens` more of `total_tokens` were trained on, with their loss a token."""
        self._done += tokens
        self._bar.total = total_tokens
        self._bar.update(tokens)
        self._bar.set_postfix(loss=f"{loss_nats:.3f}", refresh=False)
        now = time.monotonic()
        if now - self._last_line >= _LINE_EVERY_S:
            self._last_line = now
            LOGGER.info(self._line(loss_nats, now, total_tokens))

    def close(self) -> None:
        """End the bar."""
        self._bar.close()

    def _line(self, loss_nats: float, now: float, total_tokens: int) -> str:
        speed = (self._done - self._first) / max(now - self._started, 1e-9)
        left_s = max(0, total_tokens - self._done) / max(speed, 1e-9)
        return (
            f"{self._done / total_tokens:4.0%}  loss {loss_nats:.3f}  {speed:,.0f} tokens/s  "
            f"{int(left_s // 60)}:{int(left_s % 60):02d} left"
        )
