-- Runs of every model, newest first; `what` names the file, a compressed one by its steps.
SELECT r.id, replace(substr(r.created_at, 1, 19), 'T', ' ') AS created_at, coalesce(m.name, 'not kept here') AS model,
       coalesce(list_aggregate(v.titles, 'string_agg', ' + '), 'original') AS what,
       r.runtime, list_median(r.samples_ms) AS median_ms, r.energy_j_mid AS energy_per_call_j, r.peak_bytes,
       CAST(json_extract_string(r.workload, '$.batch_size') AS INTEGER) AS batch,
       CAST(json_extract_string(r.workload, '$.threads') AS INTEGER) AS threads,
       r.stable, machine.cpu AS machine, r.machine AS fingerprint
FROM (SELECT * FROM "Measurement" ORDER BY seq DESC LIMIT $limit) r
LEFT JOIN "Model" m ON m.sha256 = r.model_sha256
LEFT JOIN "Machine" machine ON machine.fingerprint = r.machine
LEFT JOIN (SELECT id, json_extract_string(steps, '$[*].title') AS titles FROM "Variant") v ON v.id = r.variant_id
ORDER BY r.seq DESC
