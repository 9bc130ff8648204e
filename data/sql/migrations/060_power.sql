-- The mean watts while calls followed each other: power x time = energy can be read off every row.
ALTER TABLE "Measurement" ADD COLUMN power_w_low DOUBLE;
ALTER TABLE "Measurement" ADD COLUMN power_w_mid DOUBLE;
ALTER TABLE "Measurement" ADD COLUMN power_w_high DOUBLE;
ALTER TABLE "Measurement" ADD COLUMN power_w_basis VARCHAR;
ALTER TABLE "Measurement" ADD COLUMN power_w_source VARCHAR;
