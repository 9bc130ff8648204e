-- Noisy runs and why
SELECT r.created_at, m.name, r.runtime, array_to_string(r.notes, ' ') AS notes
FROM "Measurement" r
LEFT JOIN "Model" m ON m.sha256 = r.model_sha256
WHERE NOT r.stable
ORDER BY r.seq DESC
LIMIT 50
