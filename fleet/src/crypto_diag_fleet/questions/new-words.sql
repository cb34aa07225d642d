-- Lines that match a known signature and whose details could not be read, by release. The next version should learn to read them.
-- group: devices
WITH unread AS (
  SELECT r.release, e.ke, e.signature, r.device FROM entries e JOIN reports r ON r.report = e.report
  WHERE e.what IS NULL AND e.meaning <> 'unrelated'
),
devices AS (
  SELECT release, ke, signature, COUNT(*) AS devices FROM (SELECT DISTINCT release, ke, signature, device FROM unread) d GROUP BY release, ke, signature
),
counted AS (SELECT release, ke, signature, COUNT(*) AS seen FROM unread GROUP BY release, ke, signature)
SELECT c.release, c.ke, c.signature, c.seen, d.devices FROM counted c JOIN devices d
  ON COALESCE(d.release, '') = COALESCE(c.release, '') AND d.ke = c.ke AND COALESCE(d.signature, '') = COALESCE(c.signature, '')
ORDER BY COALESCE(c.release, ''), c.ke, COALESCE(c.signature, '')
