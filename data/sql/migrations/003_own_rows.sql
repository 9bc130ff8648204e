-- Devices, zone values and prices the user added; `row` is JSON.
CREATE TABLE "OwnRow" (
    id VARCHAR PRIMARY KEY, seq BIGINT DEFAULT nextval('saved'), what VARCHAR NOT NULL, created_at VARCHAR NOT NULL,
    row VARCHAR NOT NULL
);
