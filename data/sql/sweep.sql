-- A model's runs over batch sizes and threads: the newest of each setting on each machine and runtime.
SELECT r.batch_size, r.threads, r.runtime, r.provider, r.machine, r.id, r.p50_ms, r.batch_size * 1000.0 / r.p50_ms AS samples_per_s,
       r.peak_bytes, r.energy_j_mid / r.batch_size AS energy_per_sample_j, r.stable
FROM (
    SELECT *, CAST(json_extract_string(workload, '$.batch_size') AS INTEGER) AS batch_size,
           CAST(json_extract_string(workload, '$.threads') AS INTEGER) AS threads, list_median(samples_ms) AS p50_ms,
           row_number() OVER (PARTITION BY machine, runtime, provider, workload ORDER BY seq DESC) AS place
    FROM "Measurement"
    WHERE model_sha256 = $model_sha256 AND variant_id IS NULL
        AND contains(workload, '"scenario": "sweep"')
) r
WHERE r.place = 1
ORDER BY r.runtime, r.threads, r.batch_size
