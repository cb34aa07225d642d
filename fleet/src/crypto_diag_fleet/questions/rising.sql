-- Which conclusions rise with the releases that --since names: devices with one among devices that reported, on the days on which those
-- releases reported; beside the other releases on the same days and before.
-- needs: releases
-- group: since_devices
WITH capturing AS (
  SELECT r.report, r.day, r.device, x.since FROM reports r JOIN releases x ON x.release = r.release
  WHERE (r.state = 'capturing' OR r.source = 'rageshake-console') AND r.device IS NOT NULL
),
since_days AS (SELECT DISTINCT day FROM capturing WHERE since = 1),
grouped AS (
  SELECT c.report, c.device, CASE WHEN c.since = 1 THEN 'since' WHEN d.day IS NULL THEN 'before' ELSE 'others' END AS part
  FROM capturing c LEFT JOIN since_days d ON d.day = c.day
),
base_devices AS (SELECT DISTINCT part, device FROM grouped),
base AS (
  SELECT SUM(CASE WHEN part = 'since' THEN 1 ELSE 0 END) AS since_devices,
         SUM(CASE WHEN part = 'others' THEN 1 ELSE 0 END) AS others_devices,
         SUM(CASE WHEN part = 'before' THEN 1 ELSE 0 END) AS before_devices
  FROM base_devices
),
hit_devices AS (
  SELECT DISTINCT f.finding, g.part, g.device FROM findings f JOIN grouped g ON g.report = f.report AND g.device = f.device
  WHERE f.verdict = 'proven'
),
hit AS (
  SELECT finding, SUM(CASE WHEN part = 'since' THEN 1 ELSE 0 END) AS since_failing,
         SUM(CASE WHEN part = 'others' THEN 1 ELSE 0 END) AS others_failing,
         SUM(CASE WHEN part = 'before' THEN 1 ELSE 0 END) AS before_failing
  FROM hit_devices GROUP BY finding
)
SELECT h.finding, h.since_failing, b.since_devices, h.others_failing, b.others_devices, h.before_failing, b.before_devices
FROM hit h CROSS JOIN base b ORDER BY h.finding
