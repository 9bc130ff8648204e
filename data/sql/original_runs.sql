-- The newest runs of a model's original file, sweeps left out.
SELECT id
FROM "Measurement"
WHERE model_sha256 = $model_sha256 AND variant_id IS NULL
    AND NOT contains(workload, '"scenario": "sweep"')
ORDER BY seq DESC
LIMIT $limit
