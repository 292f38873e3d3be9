"""Addresses and credentials of the local cloud: public by design, worthless anywhere else."""

CLOUDFLARE_PORT = 8788
INSTANT_PORT = 8888
SQLD_PORT = 8080
VALKEY_PORT = 6390  # not 6379: a Redis of the developer's own keeps its port
CONTROL_PLANE_PORT = 8000
EDGE_PORT = 8787

CLOUDFLARE_API_URL = f"http://127.0.0.1:{CLOUDFLARE_PORT}/client/v4"
CLOUDFLARE_ACCOUNT_ID = "10ca110ca110ca110ca110ca110ca110"
CLOUDFLARE_API_TOKEN = "local-cloudflare-token-not-a-secret"
# What the local Worker reads KV and runs AI with, where a deployed one has bindings: no writes, no API quota.
CLOUDFLARE_BINDING_TOKEN = "local-worker-binding-not-a-secret"
CLOUDFLARE_KV_NAMESPACE_ID = "0de50de50de50de50de50de50de50de5"

INSTANT_API_URI = f"http://127.0.0.1:{INSTANT_PORT}"
INSTANT_WEBSOCKET_URI = f"ws://127.0.0.1:{INSTANT_PORT}/runtime/session"
INSTANT_APP_ID = "10ca1c10-0d00-4000-8000-000000000001"
INSTANT_PLATFORM_TOKEN = "per_10ca1c100d004000800000000000001ab"
INSTANT_ADMIN_TOKEN = "10ca1c10-0d00-4000-8000-00000000ad01"

TURSO_DATABASE_URL = f"http://127.0.0.1:{SQLD_PORT}"
REDIS_URL = f"redis://127.0.0.1:{VALKEY_PORT}/0"
EMBEDDING_MODEL = "@local/all-minilm-l6-v2"
