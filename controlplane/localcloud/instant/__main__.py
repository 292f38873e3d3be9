"""`python -m controlplane.localcloud.instant --port 8888 --data DIR`"""

import argparse
import sys

import uvicorn

from controlplane.localcloud import defaults
from controlplane.localcloud.instant.app import BANNER, SERVER, app


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m controlplane.localcloud.instant", description=BANNER)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=defaults.INSTANT_PORT)
    parser.add_argument("--data", default=".local/instant", help="directory of the SQLite files, one an app")
    options = parser.parse_args()
    sys.stderr.write(f"Instant stand-in on http://{options.host}:{options.port}, data in {options.data}\n{BANNER}\n")
    uvicorn.run(app(options.data), host=options.host, port=options.port, log_level="warning", **SERVER)


if __name__ == "__main__":
    main()
