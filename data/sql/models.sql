-- Every kept model, newest first.
SELECT sha256, name, format, file_bytes, parameter_count, weight_bytes, flop, cannot_run
FROM "Model"
ORDER BY seq DESC
