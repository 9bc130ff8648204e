-- Files that were refused, by the hash of what the verdict rests on: neither the file nor its name is kept.
CREATE TABLE "Refusal" (
    key VARCHAR PRIMARY KEY, seq BIGINT NOT NULL, created_at VARCHAR NOT NULL, message VARCHAR NOT NULL, hint VARCHAR,
    details VARCHAR
);
