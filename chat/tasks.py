"""Celery's side of the chat: every task may run twice, and at the same moment as another of its kind."""
