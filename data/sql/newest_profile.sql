-- The newest profile of the operators of a model's original file.
SELECT id
FROM "OperatorProfile"
WHERE model_sha256 = $model_sha256 AND variant_id IS NULL
ORDER BY seq DESC
LIMIT 1
