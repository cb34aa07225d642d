"""Starts a real Spark standalone cluster on loopback: a master and two workers of one core each, as processes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyspark

START_SECONDS = 180
HOME = Path(pyspark.__file__).parent

QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Options for Java programs that live for a minute. Without them, most of the time would go into compiling themselves."""


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """Start a cluster; gives the master's address."""
    port = free_port()
    master = f"spark://127.0.0.1:{port}"
    env = os.environ | {
        "SPARK_HOME": str(HOME),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": QUICK,
        "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false",
    }
    running: list[subprocess.Popen[bytes]] = []

    def start(name: str, words: list[str]) -> Path:
        log = folder / f"{name}.log"
        with log.open("wb") as out:
            # The child ends even if this process is killed.
            command = ["setpriv", "--pdeathsig", "TERM", str(HOME / "bin/spark-class"), f"org.apache.spark.deploy.{words[0]}", *words[1:]]
            running.append(subprocess.Popen(command, env=env, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True))
        return log

    try:
        log = start("master", ["master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0"])
        for number in (1, 2):
            work = str(folder / f"worker{number}")
            words = ["worker.Worker", "--host", "127.0.0.1", "--cores", "1", "--memory", "1g", "--webui-port", "0"]
            start(f"worker{number}", [*words, "--work-dir", work, master])
        until = time.monotonic() + START_SECONDS
        while log.read_text().count("Registering worker") < 2:
            assert time.monotonic() < until, log.read_text()
            assert all(process.poll() is None for process in running), log.read_text()
            time.sleep(0.2)
        yield master
    finally:
        for process in reversed(running):
            # The whole group is ended, since the executors of a worker belong to it.
            os.killpg(process.pid, signal.SIGTERM)
        for process in running:
            process.wait(60)


def executors(folder: Path) -> list[int]:
    """Give the processes of the executors that the workers below a folder have started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace")
                where = str((entry / "cwd").readlink())
            except OSError:
                continue
            if "CoarseGrainedExecutorBackend" in words and re.match(re.escape(str(folder)) + "/worker", where):
                found.append(int(entry.name))
    return found
