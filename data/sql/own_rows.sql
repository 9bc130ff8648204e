-- The rows the user added, newest first: what they are and when they came.
SELECT what, substr(id, length(what) + 2) AS name, created_at, row
FROM "OwnRow"
ORDER BY seq DESC
