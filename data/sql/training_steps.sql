-- The newest training step of each mode of a model.
SELECT id
FROM "TrainingStep"
WHERE model_sha256 = $model_sha256
QUALIFY row_number() OVER (PARTITION BY mode ORDER BY seq DESC) = 1
ORDER BY mode
