-- The reports of one model, newest first.
SELECT id, created_at, json_extract_string(recommendation, '$.verdict') AS verdict,
       json_extract_string(recommendation, '$.headline') AS headline
FROM "Report"
WHERE model = $model_sha256
ORDER BY seq DESC
