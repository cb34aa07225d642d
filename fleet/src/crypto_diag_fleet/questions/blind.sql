-- How captures fared, by browser, release and state of the capture: reports that lack a hook (unhooked), whose storage the browser may evict
-- (evictable), and the number of lines that gave way to newer ones (evicted). A missing line proves nothing where the state is not `capturing`.
-- group: devices
WITH devices AS (
  SELECT browser, release, state, COUNT(*) AS devices FROM (SELECT DISTINCT browser, release, state, device FROM reports) d GROUP BY browser, release, state
),
counted AS (
  SELECT browser, release, state, COUNT(*) AS reports, SUM(CASE WHEN hooks_ok THEN 0 ELSE 1 END) AS unhooked,
         SUM(CASE WHEN persisted THEN 0 ELSE 1 END) AS evictable, SUM(evicted) AS evicted
  FROM reports GROUP BY browser, release, state
)
SELECT c.browser, c.release, c.state, d.devices, c.reports, c.unhooked, c.evictable, c.evicted
FROM counted c JOIN devices d
  ON COALESCE(d.browser, '') = COALESCE(c.browser, '') AND COALESCE(d.release, '') = COALESCE(c.release, '') AND COALESCE(d.state, '') = COALESCE(c.state, '')
ORDER BY COALESCE(c.browser, ''), COALESCE(c.release, ''), COALESCE(c.state, '')
