-- Where the time of a call went, operator by operator.
CREATE TABLE "OperatorProfile" (
    id VARCHAR PRIMARY KEY, seq BIGINT NOT NULL, created_at VARCHAR NOT NULL,
    model_sha256 VARCHAR NOT NULL, variant_id VARCHAR, fingerprint VARCHAR NOT NULL, runtime VARCHAR NOT NULL,
    options VARCHAR, workload VARCHAR, operators VARCHAR, sum_ms DOUBLE NOT NULL, run_ms DOUBLE NOT NULL,
    latency_ms DOUBLE NOT NULL, calls INTEGER NOT NULL, notes VARCHAR[]
);
