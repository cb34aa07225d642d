"""Shows on a terminal how far a filter has got."""

from __future__ import annotations

import sys
import threading
import time
from typing import TextIO

CELLS = 30
REDRAW_SECONDS = 0.2


class Bar:
    """A bar on standard error; nothing if that is not a terminal."""

    def __init__(self, what: str, total: int, out: TextIO = sys.stderr) -> None:
        """Begin; `total` is in any unit that `add` counts in."""
        self.what, self.total, self.out = what, max(total, 1), out
        self.done = 0
        self.drawn_at = 0.0
        self.lock = threading.Lock()

    def add(self, more: int) -> None:
        """Count what has been done; called by several threads."""
        with self.lock:
            self.done += more
            now = time.monotonic()
            if self.out.isatty() and now - self.drawn_at >= REDRAW_SECONDS:
                self.drawn_at = now
                share = min(self.done / self.total, 1.0)
                filled = "█" * round(share * CELLS)
                self.out.write(f"\r{self.what} {filled:░<{CELLS}} {share:4.0%}")
                self.out.flush()

    def end(self) -> None:
        """Clear the line, so that the next message stands there alone."""
        if self.out.isatty():
            self.out.write("\r\x1b[K")
            self.out.flush()
