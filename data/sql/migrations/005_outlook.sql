-- What follows from a report's numbers, reckoned when it was made.
ALTER TABLE "Report" ADD COLUMN outlook VARCHAR;
