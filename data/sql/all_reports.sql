-- Reports of every model, newest first.
SELECT r.id, replace(substr(r.created_at, 1, 19), 'T', ' ') AS created_at, m.name AS model,
       json_extract_string(r.recommendation, '$.verdict') AS verdict,
       json_extract_string(r.recommendation, '$.headline') AS headline
FROM "Report" r
LEFT JOIN "Model" m ON m.sha256 = r.model
ORDER BY r.seq DESC
LIMIT $limit
