"""Reports with known truth: recorded bundles, with every id and time replaced, consistently within an incident.

`python generate.py N OUT [SEED]` writes N reports to OUT, one a line, and OUT.truth.csv: line, incident, case, role.
"""

from __future__ import annotations

import base64
import csv
import json
import random
import re
import sys
from pathlib import Path

BUNDLES = Path(__file__).resolve().parents[2] / "tests" / "fixtures" / "bundles"

# What is replaced: user ids, events, rooms, signatures, keys, message ids, device ids, times, and the release.
TOKEN = re.compile(
    r"(@[a-z0-9._=-]+:localhost|\$[A-Za-z0-9_-]{43}|![A-Za-z0-9]{18}:localhost"
    r"|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}(?![A-Za-z0-9+/])|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}(?![A-Za-z0-9+/=])"
    r"|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])|(?<![A-Za-z0-9])[A-Z]{10}(?![A-Za-z0-9])|(?<![0-9])179[0-9]{10}(?![0-9])"
    r'|"sdkVersion":"[^"]*")'
)

CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

WEIGHTS = {
    "healthy-key-exchange": 30, "backlog-drains": 10, "fallback-key-used": 8, "rejected-upload-heals": 8, "store-rollback": 4,
    "two-live-contexts": 3, "second-empty-store": 3, "malformed-event": 3, "malformed-event-redacted": 3, "algorithm-stripped": 2,
    "delayed-events-lost": 6, "slow-gateway": 5, "logged-out-device": 4, "backlog-stuck": 3,
}  # fmt: skip
"""Cases and how often each is met: most users are healthy."""

TWO_TABS = "two-live-contexts"

RESTART = "slow-homeserver"
RESTART_SHARE = 0.01
"""Incidents that are restarts of a homeserver, with 5 to 60 users within two minutes."""

RELEASES = [f"41.{number}.0" for number in range(1, 9)]
WORSE = "41.7.0"
"""The release that rolls stores back more often than others."""
WORSE_SHARE = 0.08
UNSAID_SHARE = 0.01
"""Incidents whose reports do not say their release."""

SERVERS = [f"hs{number}.example" for number in range(2_000)]
RECORDED_MS = 1_795_474_486_560
BEGIN_MS = 1_792_800_000_000
DAYS = 30
DAY_MS = 86_400_000


class Generator:
    """Makes reports from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.cases = {
            folder.name: [(file.name.split(".")[0], _template(file, 0)) for file in sorted(folder.glob("*.report.json"))]
            for folder in sorted(BUNDLES.iterdir())
            if folder.name in {*WEIGHTS, RESTART}
        }
        # A user with two tabs downloads a report in each, so both name the same one-time keys.
        self.cases[TWO_TABS] += [
            (f"{file.name.split('.')[0]}, a minute later", _template(file, 60_000))
            for file in sorted((BUNDLES / TWO_TABS).glob("*.report.json"))
        ]

    def write(self, count: int, out: Path) -> None:
        """Write so many reports and their truth."""
        names = [name for name in self.cases if name in WEIGHTS]
        weights = [WEIGHTS[name] for name in names]
        popularity = [1 / (place + 1) for place in range(len(SERVERS))]
        made = incident = 0
        with out.open("w") as reports, Path(f"{out}.truth.csv").open("w", newline="") as truth_file:
            truth = csv.writer(truth_file)
            truth.writerow(["line", "incident", "case", "role"])
            while made < count:
                incident += 1
                day = self.random.random() * DAYS
                server = self.random.choices(SERVERS, popularity)[0]
                shift = BEGIN_MS + int(day * DAY_MS) - RECORDED_MS
                there = RELEASES[: max(1, min(len(RELEASES), 1 + int(day / 4)))]
                said = self.random.choices(there, [1 + 2 * place for place in range(len(there))])[0]
                release = None if self.random.random() < UNSAID_SHARE else said
                if self.random.random() < RESTART_SHARE:
                    users = self.random.randint(5, 60)
                    told = [(RESTART, shift + self.random.randint(0, 120_000)) for _ in range(users)]
                else:
                    name = self.random.choices(names, weights)[0]
                    if release == WORSE and self.random.random() < WORSE_SHARE:
                        name = "store-rollback"
                    told = [(name, shift)]
                for name, at in told:
                    new: dict[str, str] = {}
                    for role, template in self.cases[name]:
                        if made == count:
                            return
                        parts = [self.replaced(part, place, new, server, at, release) for place, part in enumerate(template)]
                        reports.write("".join(parts) + "\n")
                        truth.writerow([made, incident, name, role])
                        made += 1

    def replaced(self, part: str, place: int, new: dict[str, str], server: str, shift: int, release: str | None) -> str:
        """Give what stands in a template's place; odd places are tokens."""
        if place % 2 == 0:
            return part
        if part.startswith('"sdkVersion"'):
            return f'"sdkVersion":{json.dumps(release)}'
        if part.startswith("179") and len(part) == 13 and part.isdigit():
            return str(int(part) + shift)
        if part not in new:
            new[part] = self.new_id(part, server)
        return new[part]

    def new_id(self, old: str, server: str) -> str:
        """Make an id of the same kind."""

        def letters(count: int) -> str:
            return base64.b64encode(self.random.randbytes(count)).decode()[:count]

        match old[0]:
            case "@":
                return f"@u{self.random.getrandbits(36):x}:{server}"
            case "$":
                return "$" + letters(43).replace("+", "-").replace("/", "_")
            case "!":
                return "!" + letters(18).replace("+", "a").replace("/", "b") + ":" + server
        if len(old) in (43, 86):
            return letters(len(old))
        return f"{self.random.getrandbits(128):032x}" if len(old) == 32 else "".join(self.random.choices(CAPITALS, k=10))


ROUTES = {"/_matrix/client/v3/keys/upload": "keys/upload", "/_matrix/client/v3/sendToDevice/m.room.encrypted/1": "sendToDevice"}
LOG_MINUTE = 29_923_716
"""2026-11-23 08:36 in UTC."""


def write_logs(seed: int, outs: list[Path]) -> dict[tuple[int, str], list[int]]:
    """Write the logs of a homeserver's workers; gives all durations in milliseconds, by minute and route."""
    numbers = random.Random(seed)
    truth: dict[tuple[int, str], list[int]] = {}
    for out in outs:
        with out.open("w") as log:
            for minute in range(20):
                for _ in range(200):
                    path, route = numbers.choice(list(ROUTES.items()))
                    ms = int(numbers.lognormvariate(5, 2))
                    truth.setdefault((LOG_MINUTE + minute, route), []).append(ms)
                    log.write(
                        f"2026-11-23 08:{36 + minute}:{numbers.randint(0, 59):02},872 - synapse.access.http.8008 - 643 - INFO - GET-48 -"
                        f" 127.0.0.1 - 8008 - {{@a:hs.example}} Processed request: {ms // 1000}.{ms % 1000:03}sec/0.000sec"
                        f' ru=(0.002sec, 0.000sec) db=(0.001sec/0.004sec/9) 528B 200 "PUT {path} HTTP/1.1" "UA" [0 dbevts]\n'
                    )
    return truth


def _template(file: Path, later_ms: int) -> list[str]:
    report = json.loads(file.read_text())
    report["generatedAt"] += later_ms
    return TOKEN.split(json.dumps(report, separators=(",", ":"), ensure_ascii=False))


if __name__ == "__main__":
    Generator(int(sys.argv[3]) if len(sys.argv) > 3 else 1).write(int(sys.argv[1]), Path(sys.argv[2]))
