-- Runs a day
SELECT substr(created_at, 1, 10) AS day, count(*) AS runs_count
FROM "Measurement"
GROUP BY day
ORDER BY day DESC
