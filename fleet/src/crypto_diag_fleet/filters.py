"""The two filters of the `crypto-diag` command, run as processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO

from .progress import Bar

CHUNK_BYTES = 1 << 20
"""Bytes that are handed on at once."""


class Unusable(Exception):
    """Something that was given cannot be used; the message says what, and what to do."""


@dataclass(frozen=True)
class Filters:
    """Where the command is, and under which key it makes pseudonyms."""

    program: Path
    key: Path
    server_names: tuple[str, ...] = ()

    @staticmethod
    def find(key: Path | None, server_names: Iterable[str] = ()) -> Filters:
        """Find the command: what CRYPTO_DIAG names, else the one in this package, else the one on the PATH."""
        installed = shutil.which("crypto-diag", path=sysconfig.get_path("scripts"))
        found = os.environ.get("CRYPTO_DIAG") or installed or shutil.which("crypto-diag")
        if not found or not Path(found).is_file():
            raise Unusable("the command crypto-diag is not on the PATH; install it, or name it in CRYPTO_DIAG")
        if key is None:
            raise Unusable("give --key FILE; make one for this deployment: openssl rand -hex 32 > fleet.key")
        if not key.is_file():
            raise Unusable(f"{key}: there is no such key; make one: openssl rand -hex 32 > {key}")
        return Filters(Path(found).resolve(), key.resolve(), tuple(server_names))

    def rows(self) -> list[str]:
        """Words of the command that gives rows, with bodies."""
        return [str(self.program), "rows", "--bodies", *self._names()]

    def judge(self) -> list[str]:
        """Words of the command that judges incidents."""
        return [str(self.program), "judge", *self._names()]

    def _names(self) -> list[str]:
        return ["--key", str(self.key), *(word for name in self.server_names for word in ("--server-name", name))]


def ranges(file: Path, parts: int) -> list[tuple[int, int]]:
    """Split a file at ends of lines into so many stretches of bytes at most."""
    size = file.stat().st_size
    starts = [0]
    with file.open("rb") as lines:
        for part in range(1, parts):
            lines.seek(max(size * part // parts, starts[-1]))
            lines.readline()
            if starts[-1] < lines.tell() < size:
                starts.append(lines.tell())
    return list(zip(starts, [*starts[1:], size], strict=True))


def run_on_ranges(words: list[str], file: Path, out: Path, parts: int) -> list[Path]:
    """Run a filter on all stretches of a file at once; gives the files that hold what it printed."""
    running: list[tuple[subprocess.Popen[bytes], Thread, Path]] = []
    bar = Bar(f"rows of {file.name}", file.stat().st_size)
    for number, (start, end) in enumerate(ranges(file, parts)):
        made = out / f"{number}.ndjson"
        with made.open("wb") as printed:
            process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=printed)
        assert process.stdin is not None
        feeder = Thread(target=_feed, args=(file, start, end, process.stdin, bar))
        feeder.start()
        running.append((process, feeder, made))
    for _, feeder, _ in running:
        feeder.join()
    bar.end()
    for process, _, _ in running:
        if process.wait() != 0:
            raise Unusable(f"{' '.join(words[:2])} ended with {process.returncode}; what it said stands above")
    return [made for _, _, made in running]


def _feed(file: Path, start: int, end: int, pipe: IO[bytes], bar: Bar) -> None:
    try:
        with file.open("rb") as source, pipe:
            source.seek(start)
            left = end - start
            while left > 0 and (chunk := source.read(min(CHUNK_BYTES, left))):
                pipe.write(chunk)
                left -= len(chunk)
                bar.add(len(chunk))
    except BrokenPipeError:
        # The process has ended; its exit code says why.
        pass


def run_on_lines(words: list[str], lines: Iterator[str], count: int, out: Path) -> None:
    """Run a filter on lines that come one by one, and write what it prints into a file."""
    bar = Bar("judging", count)
    with out.open("wb") as printed:
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=printed)
        assert process.stdin is not None
        try:
            with process.stdin as pipe:
                for line in lines:
                    pipe.write(line.encode())
                    pipe.write(b"\n")
                    bar.add(1)
        except BrokenPipeError:
            pass
        bar.end()
        if process.wait() != 0:
            raise Unusable(f"{' '.join(words[:2])} ended with {process.returncode}; what it said stands above")
