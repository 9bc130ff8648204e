-- What a build's model was found to be beside the last one that passed.
CREATE TABLE "Check" (
    id VARCHAR PRIMARY KEY, seq BIGINT NOT NULL, name VARCHAR NOT NULL, created_at VARCHAR NOT NULL,
    model_sha256 VARCHAR NOT NULL, file_bytes BIGINT NOT NULL, passed BOOLEAN NOT NULL, reference_sha256 VARCHAR,
    size_ratio DOUBLE, latency_ratio_low DOUBLE, latency_ratio_mid DOUBLE, latency_ratio_high DOUBLE,
    latency_ratio_basis VARCHAR, latency_ratio_source VARCHAR, quality VARCHAR, regressions VARCHAR[], notes VARCHAR[]
);
