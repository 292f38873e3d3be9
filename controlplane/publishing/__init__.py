"""The outbox of staleness: which documents no longer match the database, and their delivery."""
