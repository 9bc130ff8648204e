-- Where the time of the original goes, as a report tells it.
ALTER TABLE "Report" ADD COLUMN operators VARCHAR;
