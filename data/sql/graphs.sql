-- The kept graphs of a model's variants: which file, and when it was read.
SELECT sha256, seq
FROM "Graph"
WHERE parent_sha256 = $parent_sha256
ORDER BY seq
