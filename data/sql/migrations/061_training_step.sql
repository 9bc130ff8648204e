-- What a real training step took of memory.
CREATE TABLE "TrainingStep" (
    id VARCHAR PRIMARY KEY, seq BIGINT NOT NULL, created_at VARCHAR NOT NULL,
    model_sha256 VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, mode VARCHAR NOT NULL, workload VARCHAR,
    load_bytes BIGINT NOT NULL, peak_bytes BIGINT NOT NULL, trained_count BIGINT NOT NULL,
    parameter_count BIGINT NOT NULL, notes VARCHAR[]
);
