"""Room 0, facts: units, intervals, errors, tables and the store. Imports no other room."""
