"""The audit log's settings, for django-auditlog. The same everywhere."""

AUDITLOG_LOGENTRY_MODEL = "tenants.AuditEntry"
AUDITLOG_STORE_JSON_CHANGES = True
AUDITLOG_USE_BASE_MANAGER = True
# Its own table is not used, so there is nothing to migrate.
MIGRATION_MODULES: dict[str, str | None] = {"auditlog": None}
# What bulk writes call, upward and so by its path.
BULK_RECORDER = "tenants.audit.recording"
