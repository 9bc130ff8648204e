-- Energy of a call, newest run of each file
SELECT m.name, r.variant_id, r.runtime, r.energy_j_low, r.energy_j_mid, r.energy_j_high, r.energy_j_basis
FROM "Measurement" r
JOIN "Model" m ON m.sha256 = r.model_sha256
WHERE r.energy_j_mid IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY r.model_sha256, r.variant_id, r.runtime ORDER BY r.seq DESC) = 1
ORDER BY r.energy_j_mid DESC
