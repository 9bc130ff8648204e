-- The two newest runs of every file, machine, runtime and workload that was run more than once, oldest first.
SELECT id FROM (
    SELECT id, seq, row_number() OVER (
        PARTITION BY model_sha256, variant_id, machine, runtime, provider, workload ORDER BY seq DESC
    ) AS place
    FROM "Measurement"
    WHERE variant_id IS NULL
)
WHERE place <= 2
ORDER BY seq
LIMIT 200
