-- Devices with KE-1, and those of them that lost Olm messages or media keys by a link that is proven, or left open; by release.
-- needs: verdicts
-- group: ke1
WITH hit AS (SELECT DISTINCT release, device FROM reports WHERE ke1 > 0 AND device IS NOT NULL),
linked AS (
  SELECT device,
         MAX(CASE WHEN finding = 'conflict-lost-key' AND verdict = 'proven' THEN 1 ELSE 0 END) AS olm_proven,
         MAX(CASE WHEN finding = 'conflict-lost-key' AND verdict = 'unknown' THEN 1 ELSE 0 END) AS olm_unknown,
         MAX(CASE WHEN finding = 'conflict-lost-media-key' AND verdict = 'proven' THEN 1 ELSE 0 END) AS media_proven,
         MAX(CASE WHEN finding = 'conflict-lost-media-key' AND verdict = 'unknown' THEN 1 ELSE 0 END) AS media_unknown
  FROM verdicts GROUP BY device
)
SELECT h.release, COUNT(*) AS ke1, SUM(COALESCE(l.olm_proven, 0)) AS lost_olm_proven, SUM(COALESCE(l.olm_unknown, 0)) AS lost_olm_unknown,
       SUM(COALESCE(l.media_proven, 0)) AS lost_media_proven, SUM(COALESCE(l.media_unknown, 0)) AS lost_media_unknown
FROM hit h LEFT JOIN linked l ON l.device = h.device GROUP BY h.release ORDER BY COALESCE(h.release, '')
