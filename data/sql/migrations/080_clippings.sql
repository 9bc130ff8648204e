-- Charts that were put into a report.
ALTER TABLE "Report" ADD COLUMN clippings VARCHAR;
UPDATE "Report" SET clippings = '[]';
