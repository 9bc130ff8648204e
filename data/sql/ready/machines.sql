-- Machines
SELECT machine.cpu, machine.physical_cores, machine.memory_bytes, machine.system, count(r.id) AS runs_count
FROM "Machine" machine
LEFT JOIN "Measurement" r ON r.machine = machine.fingerprint
GROUP BY ALL
ORDER BY runs_count DESC
