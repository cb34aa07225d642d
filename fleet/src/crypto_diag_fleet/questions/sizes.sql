-- Incidents by the number of their reports.
-- needs: links
WITH sized AS (SELECT incident, COUNT(*) AS reports FROM links GROUP BY incident)
SELECT reports, COUNT(*) AS incidents FROM sized GROUP BY reports ORDER BY reports
