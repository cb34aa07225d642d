-- One-time keys that several reports name: one rollback seen from two sides, two contexts, or a server that was set back to a backup. The rows
-- are about ids, which are pseudonyms, and not about devices; so no group is hidden.
WITH spoken AS (SELECT DISTINCT i.id, i.report, r.device FROM ids i JOIN reports r ON r.report = i.report WHERE i.kind = 'one-time-key'),
per_device AS (SELECT id, device, COUNT(*) AS reports FROM spoken GROUP BY id, device),
per_key AS (SELECT id, COUNT(*) AS devices, SUM(reports) AS reports FROM per_device GROUP BY id)
SELECT id, devices, reports FROM per_key WHERE reports > 1 ORDER BY reports DESC, id LIMIT 100
