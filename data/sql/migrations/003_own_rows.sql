-- Devices, zone values and prices the user added; `row` is JSON.
CREATE TABLE "OwnRow" (
    id VARCHAR PRIMARY KEY, seq BIGINT NOT NULL, what VARCHAR NOT NULL, created_at VARCHAR NOT NULL,
    row VARCHAR NOT NULL
);
