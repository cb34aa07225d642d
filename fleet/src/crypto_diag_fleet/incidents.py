"""Which reports are of one incident: those that share an id that only one incident has, directly or through others.

Label propagation with pointer jumping: each report begins with its own id as its label, takes the least label among the reports that it
shares an id with, and then the label of that label, until nothing changes. The statements are the same on every engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .engine import Engine

HUB_REPORTS = 1_000
"""Reports of one id beyond which it is a placeholder or a crowd, and proves nothing of any two of them."""

DEVICE_GAP_MS = 3_600_000
"""Reports of one device that lie closer together than this are of one incident."""

STEPS = {
    # A device speaks by its own reports, and is spoken of where a line names it.
    "spoken": """
        SELECT report, device, made_ms AS ms FROM reports WHERE device IS NOT NULL
        UNION ALL SELECT report, id AS device, ms FROM ids WHERE kind = 'device' AND role = 'named'""",
    "spans": """
        SELECT report, device, ms, ms - LAG(ms) OVER (PARTITION BY device ORDER BY ms, report) AS gap FROM spoken""",
    "visits": f"""
        SELECT report, device, SUM(CASE WHEN gap IS NULL OR gap > {DEVICE_GAP_MS} THEN 1 ELSE 0 END)
          OVER (PARTITION BY device ORDER BY ms, report ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS visit FROM spans""",
    "pairs": """
        SELECT DISTINCT report, kind, id, 0 AS visit FROM ids WHERE kind IN ('message', 'event', 'one-time-key', 'session')
        UNION SELECT report, 'device-hour' AS kind, device AS id, CAST(visit AS BIGINT) AS visit FROM visits""",
    "sized": "SELECT kind, id, visit, COUNT(*) AS reports FROM pairs GROUP BY kind, id, visit",
    "edges": f"""
        SELECT p.report, CONCAT(p.kind, ' ', p.id, ' ', CAST(p.visit AS STRING)) AS k FROM pairs p
        JOIN sized s ON s.kind = p.kind AND s.id = p.id AND s.visit = p.visit WHERE s.reports > 1 AND s.reports <= {HUB_REPORTS}""",
    "labels": "SELECT DISTINCT report, report AS label FROM edges",
}
"""What is made before the first round, in this order."""

ROUND = {
    "least": "SELECT e.k, MIN(l.label) AS label FROM edges e JOIN labels l ON l.report = e.report GROUP BY e.k",
    "near": "SELECT e.report, MIN(k.label) AS label FROM edges e JOIN least k ON k.k = e.k GROUP BY e.report",
    "jumped": "SELECT n.report, m.label FROM near n JOIN near m ON m.report = n.label",
}
"""One round."""

# An incident is named by its earliest report, so that the name stays when later ones come.
LINKS = """
SELECT report, FIRST_VALUE(report) OVER (PARTITION BY label ORDER BY made_ms, report
         ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS incident
FROM (SELECT r.report, r.made_ms, COALESCE(l.label, r.report) AS label FROM reports r LEFT JOIN labels l ON l.report = r.report) named
"""


@dataclass(frozen=True)
class Found:
    """What was found."""

    rounds: int
    """Rounds until nothing changed."""
    hubs: list[tuple[str, str, int]]
    """Ids that too many reports hold: kind, id, reports."""


def find(engine: Engine, folder: Path) -> Found:
    """Find incidents and keep them as the table `links` of the folder."""
    for table, sql in STEPS.items():
        engine.put(table, sql)
    rounds = 0
    changed = True
    while changed:
        rounds += 1
        for table, sql in ROUND.items():
            engine.put(table, sql)
        answer = engine.rows("SELECT COUNT(*) FROM jumped n JOIN labels l ON l.report = n.report WHERE n.label <> l.label")
        changed = answer[0][0] != 0
        engine.put("labels", "SELECT report, label FROM jumped")
    engine.put("links", LINKS)
    engine.save("links", folder)
    hubs = engine.rows(f"SELECT kind, id, reports FROM sized WHERE reports > {HUB_REPORTS} ORDER BY kind, id, visit")
    return Found(rounds, [(str(kind), str(id_), int(str(reports))) for kind, id_, reports in hubs])
