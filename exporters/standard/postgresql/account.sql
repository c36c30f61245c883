-- The account of prometheus-postgres-exporter: it sees statistics and settings, and no table. Give it a password yourself:
-- ALTER USER sereno_exporter PASSWORD '…';
CREATE USER sereno_exporter;
ALTER USER sereno_exporter SET search_path = pg_catalog;
GRANT pg_monitor TO sereno_exporter;
