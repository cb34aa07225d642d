-- Minutes and routes whose requests took longest, over all workers of a homeserver whose logs are loaded. The homeserver worked on 99 of 100
-- requests for p99_ms milliseconds at most. p99_ms is never below the true value, and at most 0.8 % above it.
-- needs: latency
WITH summed AS (SELECT homeserver, minute, route, upto_ms, SUM(requests) AS n FROM latency GROUP BY homeserver, minute, route, upto_ms),
running AS (
  SELECT homeserver, minute, route, upto_ms,
         SUM(n) OVER (PARTITION BY homeserver, minute, route ORDER BY upto_ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS reached,
         SUM(n) OVER (PARTITION BY homeserver, minute, route) AS of_all
  FROM summed
)
SELECT homeserver, minute, route, of_all AS in_all, MIN(upto_ms) AS p99_ms FROM running
WHERE reached * 100 >= of_all * 99 GROUP BY homeserver, minute, route, of_all ORDER BY p99_ms DESC, homeserver, minute, route LIMIT 100
