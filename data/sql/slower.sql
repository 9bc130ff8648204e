-- Files whose newest run has a median beyond that of the run before by more than $same, on one machine in one setting;
-- the ids of both runs, the worst first. Whether that is more than noise is for the samples to say.
WITH placed AS (
    SELECT id, seq, model_sha256, machine, runtime, provider, workload, row_number() OVER (
        PARTITION BY model_sha256, machine, runtime, provider, workload ORDER BY seq DESC
    ) AS place
    FROM "Measurement"
    WHERE variant_id IS NULL
    QUALIFY place <= 2
),
pair AS (
    SELECT max(id) FILTER (place = 2) AS before_id, max(id) FILTER (place = 1) AS now_id
    FROM placed
    GROUP BY model_sha256, machine, runtime, provider, workload
    HAVING count(*) = 2
)
SELECT before_id, now_id
FROM pair
JOIN "Measurement" before ON before.id = before_id
JOIN "Measurement" now ON now.id = now_id
WHERE list_median(now.samples_ms) > list_median(before.samples_ms) * (1 + $same)
ORDER BY list_median(now.samples_ms) / list_median(before.samples_ms) DESC
LIMIT 20
