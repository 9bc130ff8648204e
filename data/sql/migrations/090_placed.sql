-- What was asked of a report's placement and what decided it; and the graphs of variants, from which they are placed.
ALTER TABLE "Report" ADD COLUMN placed VARCHAR;
CREATE TABLE "Graph" (
    sha256 VARCHAR PRIMARY KEY, seq BIGINT NOT NULL, parent_sha256 VARCHAR NOT NULL, batch INTEGER NOT NULL,
    weight_bytes BIGINT NOT NULL, activation_bytes BIGINT NOT NULL, layers VARCHAR
);
