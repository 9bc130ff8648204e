-- How sensitive each layer of a model is to quantization, the newest ranking at each number of bits.
CREATE TABLE "Ranking" (
    id VARCHAR PRIMARY KEY, seq BIGINT NOT NULL, created_at VARCHAR NOT NULL, model_sha256 VARCHAR NOT NULL,
    layers VARCHAR, bits INTEGER NOT NULL, inputs VARCHAR NOT NULL, calls INTEGER NOT NULL, not_measured VARCHAR[],
    notes VARCHAR[]
);
