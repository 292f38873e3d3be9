"""`python -m controlplane.localcloud.cloudflare --port 8788 --data DIR`"""

import argparse
import sys
from pathlib import Path

import uvicorn

from controlplane.localcloud import defaults
from controlplane.localcloud.cloudflare.app import BANNER, app
from controlplane.localcloud.cloudflare.clock import Clock


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m controlplane.localcloud.cloudflare", description=BANNER)
    parser.add_argument("--port", type=int, default=defaults.CLOUDFLARE_PORT)
    parser.add_argument("--data", type=Path, default=Path(".local/cloudflare"), help="directory of the SQLite file")
    parser.add_argument("--no-quota", action="store_true", help="do not refuse after 1,200 requests in five minutes")
    parser.add_argument(
        "--speed", type=float, default=1.0, help="how much faster time runs for custom hostnames (default: 1)"
    )
    options = parser.parse_args()
    sys.stderr.write(f"Cloudflare stand-in on http://127.0.0.1:{options.port}, data in {options.data}\n{BANNER}\n")
    served = app(options.data / "cloudflare.sqlite3", enforce_quota=not options.no_quota, clock=Clock(options.speed))
    uvicorn.run(served, host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
