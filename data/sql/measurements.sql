-- The runs of one model and its variants, newest first; percentiles are computed from the samples where shown.
SELECT id, group_id, created_at, variant_id, runtime, provider, stable, peak_bytes, load_ms, len(samples_ms) AS samples_count,
       list_median(samples_ms) AS p50_ms, list_median(cpu_samples_ms) AS cpu_p50_ms,
       energy_j_low, energy_j_mid, energy_j_high, energy_j_basis
FROM "Measurement"
WHERE model_sha256 = $model_sha256
ORDER BY seq DESC
