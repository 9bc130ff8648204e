-- One table a record class; seq gives the order of saving, whatever the clock did. It has no DEFAULT: a log that
-- alters a table whose default calls a function cannot be replayed after a crash (DuckDB 1.5.5).
CREATE SEQUENCE saved START 1;

CREATE TABLE "Model" (
    sha256 VARCHAR PRIMARY KEY, seq BIGINT NOT NULL, name VARCHAR NOT NULL, format VARCHAR NOT NULL,
    file_bytes BIGINT NOT NULL, companions VARCHAR[], parameter_count BIGINT NOT NULL, parameters_by_dtype VARCHAR, weight_bytes BIGINT NOT NULL,
    producer VARCHAR, opset INTEGER, operators VARCHAR, inputs VARCHAR, outputs VARCHAR, shapes VARCHAR, layers VARCHAR,
    flop HUGEINT, other_flop HUGEINT, peak_activation_bytes BIGINT, tensors VARCHAR, cannot_run VARCHAR, notes VARCHAR[]
);

CREATE TABLE "Machine" (
    fingerprint VARCHAR PRIMARY KEY, seq BIGINT NOT NULL, cpu VARCHAR NOT NULL, isa VARCHAR[],
    physical_cores INTEGER, logical_cores INTEGER, memory_bytes BIGINT, caches_bytes VARCHAR, gpus VARCHAR,
    versions VARCHAR, system VARCHAR, virtual BOOLEAN, governor VARCHAR
);

CREATE TABLE "Measurement" (
    id VARCHAR PRIMARY KEY, seq BIGINT NOT NULL, group_id VARCHAR NOT NULL, created_at VARCHAR NOT NULL,
    model_sha256 VARCHAR NOT NULL, variant_id VARCHAR, machine VARCHAR NOT NULL, runtime VARCHAR NOT NULL,
    provider VARCHAR NOT NULL, options VARCHAR, workload VARCHAR, samples_ms DOUBLE[] NOT NULL,
    cpu_samples_ms DOUBLE[] NOT NULL, warmup_ms DOUBLE[], load_ms DOUBLE, stable BOOLEAN NOT NULL,
    calls_per_round INTEGER, energy_j_low DOUBLE, energy_j_mid DOUBLE, energy_j_high DOUBLE, energy_j_basis VARCHAR,
    energy_j_source VARCHAR, idle_w_low DOUBLE, idle_w_mid DOUBLE, idle_w_high DOUBLE, idle_w_basis VARCHAR,
    idle_w_source VARCHAR, peak_bytes BIGINT, baseline_bytes BIGINT, load_before VARCHAR, load_after VARCHAR,
    notes VARCHAR[]
);

CREATE TABLE "Job" (
    id VARCHAR PRIMARY KEY, seq BIGINT NOT NULL, title VARCHAR, procedure VARCHAR NOT NULL,
    arguments VARCHAR, lane VARCHAR NOT NULL, state VARCHAR NOT NULL, created_at VARCHAR NOT NULL, started_at VARCHAR,
    finished_at VARCHAR, done_frac DOUBLE, text VARCHAR, result VARCHAR, error VARCHAR, hint VARCHAR, details VARCHAR
);

CREATE TABLE "Variant" (
    id VARCHAR PRIMARY KEY, seq BIGINT NOT NULL, sha256 VARCHAR NOT NULL, parent_sha256 VARCHAR NOT NULL,
    steps VARCHAR, file VARCHAR, companions VARCHAR[], decoded VARCHAR, file_bytes BIGINT, weight_bytes BIGINT, runtime VARCHAR, runtime_options VARCHAR,
    quality VARCHAR, calibrated_on VARCHAR, make_s DOUBLE, make_energy_j_low DOUBLE, make_energy_j_mid DOUBLE,
    make_energy_j_high DOUBLE, make_energy_j_basis VARCHAR, make_energy_j_source VARCHAR, failed VARCHAR, notes VARCHAR[]
);

CREATE TABLE "Report" (
    id VARCHAR PRIMARY KEY, seq BIGINT NOT NULL, created_at VARCHAR NOT NULL, version INTEGER NOT NULL,
    budget VARCHAR, model VARCHAR NOT NULL, machine VARCHAR NOT NULL, baseline VARCHAR NOT NULL, measurements VARCHAR[],
    variants VARCHAR[], recommendation VARCHAR, footprint_before VARCHAR, footprint_after VARCHAR, placements VARCHAR,
    sources VARCHAR, notes VARCHAR[]
);
