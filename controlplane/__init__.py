"""Project package: composition root, adapters, publishing and the local cloud."""

from controlplane.celery import app as celery_app

__all__ = ["celery_app"]
