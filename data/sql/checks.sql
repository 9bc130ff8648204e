-- Every check of a build's model, newest first.
SELECT name, replace(substr(created_at, 1, 19), 'T', ' ') AS created_at, passed, size_ratio,
       latency_ratio_mid AS latency_ratio, latency_ratio_low, latency_ratio_high,
       CAST(json_extract_string(quality, '$.accuracy_after') AS DOUBLE) AS accuracy_frac, file_bytes,
       array_to_string(regressions, ' ') AS why, model_sha256
FROM "Check"
ORDER BY seq DESC
LIMIT $limit
