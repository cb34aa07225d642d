-- Runs of minutes in which five devices or more of one homeserver had delayed events fail. They failed at the
-- same time, and why is not known. Look into the server's log for a cause, such as a restart.
-- group: devices
WITH failing AS (
  SELECT DISTINCT e.homeserver, e.minute, r.device FROM entries e JOIN reports r ON r.report = e.report
  WHERE e.ke = 'KE-4' AND e.meaning IN ('failure', 'transient') AND r.device IS NOT NULL
),
minutes AS (SELECT homeserver, minute, COUNT(*) AS devices FROM failing GROUP BY homeserver, minute),
hot AS (
  SELECT homeserver, minute, devices, minute - LAG(minute) OVER (PARTITION BY homeserver ORDER BY minute) AS gap
  FROM minutes WHERE devices >= 5
),
runs AS (
  SELECT homeserver, minute, devices,
         SUM(CASE WHEN gap IS NULL OR gap > 2 THEN 1 ELSE 0 END)
           OVER (PARTITION BY homeserver ORDER BY minute ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS run
  FROM hot
)
SELECT homeserver, MIN(minute) AS from_minute, MAX(minute) AS to_minute, MAX(devices) AS devices
FROM runs GROUP BY homeserver, run ORDER BY COALESCE(homeserver, ''), from_minute
