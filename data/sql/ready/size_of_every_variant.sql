-- Size of every variant
SELECT m.name, json_extract_string(v.steps, '$[*].title') AS steps, v.file_bytes, v.file_bytes / m.file_bytes AS size_ratio,
       v.failed
FROM "Variant" v
JOIN "Model" m ON m.sha256 = v.parent_sha256
ORDER BY v.file_bytes
