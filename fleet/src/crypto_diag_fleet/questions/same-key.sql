-- One-time keys of which several reports speak: one rollback seen from two sides, two contexts, or a server set back. Without devices
-- the rows are of ids, which are pseudonyms; so no group is hidden.
WITH spoken AS (SELECT DISTINCT i.id, i.report, r.device FROM ids i JOIN reports r ON r.report = i.report WHERE i.kind = 'one-time-key'),
per_device AS (SELECT id, device, COUNT(*) AS reports FROM spoken GROUP BY id, device),
per_key AS (SELECT id, COUNT(*) AS devices, SUM(reports) AS reports FROM per_device GROUP BY id)
SELECT id, devices, reports FROM per_key WHERE reports > 1 ORDER BY reports DESC, id LIMIT 100
