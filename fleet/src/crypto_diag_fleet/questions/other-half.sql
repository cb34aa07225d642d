-- Messages of which one side has reported and the other has not: a device lost one and no report says that it was sent, or one was sent and no
-- receiver has reported it. Ask for the other side's report.
WITH said AS (SELECT DISTINCT day, id, CASE WHEN role = 'sent' THEN 'sent' WHEN role = 'lost' THEN 'lost' ELSE 'opened' END AS side
              FROM ids WHERE kind = 'message'),
halves AS (SELECT id, MAX(CASE WHEN side = 'sent' THEN 1 ELSE 0 END) AS sent, MAX(CASE WHEN side = 'sent' THEN 0 ELSE 1 END) AS heard
           FROM said GROUP BY id)
SELECT s.day, s.side, COUNT(*) AS messages FROM said s JOIN halves h ON h.id = s.id
WHERE h.sent + h.heard = 1 AND s.side <> 'opened' GROUP BY s.day, s.side ORDER BY s.day, s.side
