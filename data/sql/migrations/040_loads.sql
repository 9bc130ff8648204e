-- How many rounds of a run belong to each load of its file; nothing: all of them to one load.
ALTER TABLE "Measurement" ADD COLUMN rounds_per_load BIGINT[];
UPDATE "Measurement" SET rounds_per_load = [];
