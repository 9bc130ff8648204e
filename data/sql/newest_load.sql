-- The newest load tests of a model's original file.
SELECT id FROM "LoadTest"
WHERE model_sha256 = $model_sha256 AND variant_id IS NULL
ORDER BY seq DESC
LIMIT $limit
