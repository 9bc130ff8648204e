-- Slowest files
SELECT m.name, r.runtime, list_median(r.samples_ms) AS median_ms
FROM "Measurement" r
JOIN "Model" m ON m.sha256 = r.model_sha256
ORDER BY median_ms DESC
LIMIT 20
