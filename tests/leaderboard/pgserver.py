"""A PostgreSQL server of a test's own: Debian's package in a temporary folder, on a free port of this machine."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

PASSWORD = "open sesame/@:%"  # has to be quoted in a URL
PATIENCE = 60.0  # seconds a server may take to start, and to stop


class Server:
    """Started and stopped at will; `root` is its folder, `port` where it listens on 127.0.0.1."""

    def __init__(self, programs: Path, root: Path) -> None:
        self.programs, self.root = programs, root
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Lays out the data folder, which must be its own user's: PostgreSQL refuses to run as root."""
        secret = self.root / "secret"
        secret.write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (self.root, secret):
                shutil.chown(path, _owner()[0])
        layout = ["-D", self.root / "data", "-U", "owner", "-A", "scram-sha-256", "--pwfile", secret]
        command = [*_as_owner(), self.programs / "initdb", *layout, "-E", "UTF8", "--no-locale"]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Returns when it takes connections, on the port it had before if any."""
        self.port = self.port or _free_port()
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": self.root, "fsync": "on"}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command = [*_as_owner(), self.programs / "postgres", "-D", self.root / "data", "-p", str(self.port), *settings]
        with open(self.root / "log", "ab") as log:
            self.process = subprocess.Popen(command, cwd=self.root, stdout=log, stderr=log)
        last = time.monotonic() + PATIENCE
        while not self._answers():
            assert self.process.poll() is None, (self.root / "log").read_text()
            assert time.monotonic() < last, (self.root / "log").read_text()
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends connections in good order, SIGQUIT at once, as a crash would."""
        if self.process is not None:
            self.process.send_signal(how)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def admin(self, database: str = "postgres") -> psycopg.Connection:
        """A connection of the owner's, each statement a transaction of its own."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="owner", password=PASSWORD, dbname=database, autocommit=True
        )

    def _answers(self) -> bool:
        try:
            self.admin().close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def running() -> Iterator[Server]:
    """A started server, which is stopped and deleted at the end. Skips the test where there is none to be had."""
    programs = _programs() or _installed()
    with tempfile.TemporaryDirectory(prefix="crossplay-pg-", ignore_cleanup_errors=True) as folder:
        server = Server(programs, Path(folder))
        try:
            server.make()
            server.start()
            yield server
        finally:
            server.stop(signal.SIGQUIT)  # what is thrown away need not be written out first


def _programs() -> Path | None:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    places += [Path(on_path).resolve().parent] if on_path else []
    return next((place for place in places if all((place / name).exists() for name in ("initdb", "postgres"))), None)


def _installed() -> Path:
    """Where Debian's package has put it just now. Skips the test where it cannot be installed."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        pytest.skip("no PostgreSQL server here (initdb, postgres), and only root with apt-get installs one")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=60", "postgresql"]
    for command in (["apt-get", "update"], install):
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip(f"no PostgreSQL server here, and {' '.join(command)} took more than 300 s")
        said = done.stderr.strip()
    programs = _programs()
    if programs is None:
        pytest.skip(f"no PostgreSQL server here, and apt-get does not bring one: {said}")
    return programs


def _owner() -> tuple[str, str]:
    user = next(entry for name in ("postgres", "nobody") for entry in pwd.getpwall() if entry.pw_name == name)
    return user.pw_name, str(user.pw_gid)


def _as_owner() -> list[str]:
    """Words before a command that take root's rights away and end the server with the tests, however these end."""
    if not shutil.which("setpriv"):
        return []
    user, group = _owner() if os.geteuid() == 0 else ("", "")
    drop = [f"--reuid={user}", f"--regid={group}", "--clear-groups"] if user else []
    return ["setpriv", *drop, "--pdeathsig=INT", "--"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
