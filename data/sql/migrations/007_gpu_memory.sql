-- The most memory a run took on its GPU.
ALTER TABLE "Measurement" ADD COLUMN gpu_peak_bytes BIGINT;
