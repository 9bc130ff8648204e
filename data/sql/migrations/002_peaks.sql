-- What a machine was seen to reach, by its fingerprint, device and threads.
CREATE TABLE "Peaks" (
    id VARCHAR PRIMARY KEY, seq BIGINT NOT NULL, fingerprint VARCHAR NOT NULL, device VARCHAR NOT NULL,
    threads INTEGER NOT NULL, created_at VARCHAR NOT NULL,
    fp32_flop_per_s_low DOUBLE, fp32_flop_per_s_mid DOUBLE, fp32_flop_per_s_high DOUBLE,
    fp32_flop_per_s_basis VARCHAR, fp32_flop_per_s_source VARCHAR,
    fp16_flop_per_s_low DOUBLE, fp16_flop_per_s_mid DOUBLE, fp16_flop_per_s_high DOUBLE,
    fp16_flop_per_s_basis VARCHAR, fp16_flop_per_s_source VARCHAR,
    bf16_flop_per_s_low DOUBLE, bf16_flop_per_s_mid DOUBLE, bf16_flop_per_s_high DOUBLE,
    bf16_flop_per_s_basis VARCHAR, bf16_flop_per_s_source VARCHAR,
    int8_op_per_s_low DOUBLE, int8_op_per_s_mid DOUBLE, int8_op_per_s_high DOUBLE,
    int8_op_per_s_basis VARCHAR, int8_op_per_s_source VARCHAR,
    memory_bytes_per_s_low DOUBLE, memory_bytes_per_s_mid DOUBLE, memory_bytes_per_s_high DOUBLE,
    memory_bytes_per_s_basis VARCHAR, memory_bytes_per_s_source VARCHAR,
    cache_bytes_per_s_low DOUBLE, cache_bytes_per_s_mid DOUBLE, cache_bytes_per_s_high DOUBLE,
    cache_bytes_per_s_basis VARCHAR, cache_bytes_per_s_source VARCHAR,
    cpu_pressure_frac DOUBLE, notes VARCHAR[]
);
