"""Celery: how tasks run and what beat starts when. The same everywhere; the broker's address is in settings.py."""

CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 100  # below the outbox's lease of 120 s: a slow task ends before another may begin
CELERY_TASK_TIME_LIMIT = 110
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1,
    "socket_timeout": 2,  # a broker that hangs holds up a save for as long
    "visibility_timeout": 300,
    # A save must not wait for a broker that is down: kombu would try for six seconds.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "run-schedule": {"task": "tenants.tasks.run_schedule", "schedule": 15.0, "options": {"expires": 15}},
    "collect-reports": {"task": "tenants.tasks.collect_reports", "schedule": 60.0, "options": {"expires": 60}},
    "reconcile-domains": {"task": "tenants.tasks.reconcile_domains", "schedule": 10.0, "options": {"expires": 10}},
    "remind-of-domains": {"task": "tenants.tasks.remind_of_domains", "schedule": 3600.0, "options": {"expires": 3600}},
    "sweep-hostnames": {"task": "tenants.tasks.sweep_hostnames", "schedule": 86_400.0, "options": {"expires": 3600}},
}
CELERY_BEAT_SCHEDULE |= {
    name: {"task": f"tenants.tasks.{name}", "schedule": every, "options": {"expires": every}}
    for name, every in {
        "close_shops": 600.0,
        "erase": 30.0,
        "build_exports": 60.0,
        "sweep_sign_ups": 3_600.0,
    }.items()
}
CELERY_BEAT_SCHEDULE |= {
    name: {"task": f"chat.tasks.{name}", "schedule": every, "options": {"expires": every}}
    for name, every in {
        "collect_telemetry": 60.0,
        "follow_embedding_model": 60.0,
        "read_what_is_due": 60.0,
        "forget_old_conversations": 3_600.0,
    }.items()
}
