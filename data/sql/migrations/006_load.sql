-- Latency under load at one rate of arrivals.
CREATE TABLE "LoadTest" (
    id VARCHAR PRIMARY KEY, seq BIGINT NOT NULL, created_at VARCHAR NOT NULL,
    model_sha256 VARCHAR NOT NULL, variant_id VARCHAR, fingerprint VARCHAR NOT NULL, runtime VARCHAR NOT NULL,
    provider VARCHAR NOT NULL, options VARCHAR, workload VARCHAR, rate_per_s DOUBLE NOT NULL,
    achieved_per_s DOUBLE NOT NULL, workers INTEGER NOT NULL, service_ms DOUBLE NOT NULL,
    utilisation_frac DOUBLE NOT NULL, samples_ms DOUBLE[] NOT NULL, cpu_pressure_frac DOUBLE, notes VARCHAR[]
);
