-- Messages that devices sent, and what the reports of receivers say of them: opened, lost, or nothing; by the sender's homeserver. A receiver
-- who has not reported says nothing, so "unheard" is no failure.
-- group: devices
WITH sent AS (SELECT DISTINCT i.homeserver, i.id, r.device FROM ids i JOIN reports r ON r.report = i.report WHERE i.kind = 'message' AND i.role = 'sent'),
heard AS (
  SELECT id, MAX(CASE WHEN role = 'received' THEN 1 ELSE 0 END) AS opened, MAX(CASE WHEN role = 'lost' THEN 1 ELSE 0 END) AS lost
  FROM ids WHERE kind = 'message' AND role <> 'sent' GROUP BY id
),
senders AS (SELECT homeserver, COUNT(*) AS devices FROM (SELECT DISTINCT homeserver, device FROM sent) d GROUP BY homeserver),
counted AS (
  SELECT s.homeserver, COUNT(*) AS messages, SUM(COALESCE(h.opened, 0)) AS opened, SUM(COALESCE(h.lost, 0)) AS lost,
         SUM(CASE WHEN h.id IS NULL THEN 1 ELSE 0 END) AS unheard
  FROM sent s LEFT JOIN heard h ON h.id = s.id GROUP BY s.homeserver
)
SELECT c.homeserver, d.devices, c.messages, c.opened, c.lost, c.unheard
FROM counted c JOIN senders d ON d.homeserver = c.homeserver ORDER BY c.lost DESC, c.messages DESC, c.homeserver LIMIT 100
