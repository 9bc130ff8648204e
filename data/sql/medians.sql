-- Medians of a model's original file over time, oldest first, each with its 95 % interval by order statistics, apart by
-- machine, runtime and threads.
WITH newest AS (
    SELECT id
    FROM "Measurement"
    WHERE model_sha256 = $model_sha256 AND variant_id IS NULL AND NOT contains(workload, '"scenario": "sweep"')
    ORDER BY seq DESC
    LIMIT $limit
),
run AS (
    SELECT r.seq, r.created_at, r.machine, r.runtime, r.workload, list_sort(r.samples_ms) AS sorted, len(r.samples_ms) AS n
    FROM newest
    JOIN "Measurement" r USING (id)
)
SELECT r.created_at AS "when", coalesce(m.cpu, r.machine) AS machine, r.runtime,
       CAST(json_extract_string(r.workload, '$.threads') AS INTEGER) AS threads, list_median(sorted) AS median_ms,
       sorted[greatest(1, CAST(floor(n / 2 - 0.98 * sqrt(n)) AS INTEGER))] AS low_ms,
       sorted[least(n, CAST(ceil(1 + n / 2 + 0.98 * sqrt(n)) AS INTEGER))] AS high_ms
FROM run r
LEFT JOIN "Machine" m ON m.fingerprint = r.machine
ORDER BY r.seq
