"""The audit log: who changed what in which shop, from where, in which request. By django-auditlog."""
