-- Every model with its newest run of the original and its newest report, newest model first.
WITH run AS (
    SELECT model_sha256, max_by(id, seq) AS id FROM "Measurement"
    WHERE variant_id IS NULL AND NOT contains(workload, '"scenario": "sweep"')
    GROUP BY model_sha256
),
newest AS (
    SELECT model, max_by(id, seq) AS id FROM "Report" GROUP BY model
)
SELECT m.sha256, m.name, m.format, m.file_bytes, m.parameter_count, m.cannot_run,
       list_median(measured.samples_ms) AS p50_ms, measured.energy_j_mid AS energy_j,
       report.id AS report_id, json_extract_string(report.recommendation, '$.verdict') AS verdict,
       report.footprint_before, report.footprint_after
FROM "Model" m
LEFT JOIN run ON run.model_sha256 = m.sha256
LEFT JOIN "Measurement" measured ON measured.id = run.id
LEFT JOIN newest ON newest.model = m.sha256
LEFT JOIN "Report" report ON report.id = newest.id
ORDER BY m.seq DESC
