"""A PostgreSQL of its own, and the MLflow server of docs/mlflow.md, by the very commands of that page.

`make test-mlflow` installs what these tests need and runs them.
"""

import contextlib
import http.client
import os
import re
import runpy
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
INSIDE = "NEXTCHAPTER_TEAM_TESTS"
"""Set by tests/team/run."""
wait_for = runpy.run_path(str(ROOT / "tests/cluster/conftest.py"))["wait_for"]
BROWSER_TESTS = runpy.run_path(str(ROOT / "tests/browser/conftest.py"))
chromium, tab = BROWSER_TESTS["chromium"], BROWSER_TESTS["tab"]
SET_UP, START, STOP, ADD_USER = re.findall(r"```bash\n(.*?)```", (ROOT / "docs/mlflow.md").read_text(), re.DOTALL)[:4]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave these tests out of `make test`, and all of them where there is no PostgreSQL."""
    reason = None if INSIDE in os.environ else "needs a PostgreSQL of its own: make test-mlflow"
    reason = reason or (None if find_program("initdb") else "no PostgreSQL here: initdb is not installed")
    for item in items:
        if reason and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


def find_program(name: str) -> str | None:
    """Return the path of one of PostgreSQL's programs; Debian keeps them out of the PATH."""
    folders = [str(folder) for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    return shutil.which(name, path=os.pathsep.join([*folders, os.environ["PATH"]]))


class Postgres:
    """A PostgreSQL that is reached through a socket in its folder alone; its one user is `team`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"PGHOST": str(folder), "PGPORT": "5432", "PGUSER": "team"}
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self._user = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(folder, "postgres", "postgres")

    def start(self) -> None:
        self._call("initdb", "--pgdata=data", "--username=team", "--auth=trust", "--no-sync", "--encoding=UTF8").wait()
        options = [f"-c{name}" for name in ("listen_addresses=", f"unix_socket_directories={self.folder}", "fsync=off")]
        self._server = self._call("postgres", "-D", "data", *options)
        wait_for((self.folder / ".s.PGSQL.5432").exists)

    def create_database(self, name: str) -> None:
        wait_for(lambda: self._call("createdb", name).wait() == 0)

    def stop(self) -> None:
        self._server.send_signal(signal.SIGINT)
        self._server.wait(30)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the answer to a query."""
        import psycopg2

        place = {"host": str(self.folder), "user": "team", "dbname": "mlflow"}
        with contextlib.closing(psycopg2.connect(**place)) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def _call(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        program, environment = find_program(name), {**os.environ, **self.environment}
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [str(program), *arguments], cwd=self.folder, stdout=log, stderr=log, env=environment, **self._user
            )


class TeamServer:
    """The server of docs/mlflow.md in a folder of its own, with a database of its own, on a port that is free."""

    def __init__(
        self, folder: Path, postgres: Postgres, database: str = "mlflow", artifacts: str = "", **environment: str
    ) -> None:
        self.folder, self._database, self._artifacts = folder, database, artifacts
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        self.environment = {**inherited, **postgres.environment, **environment}
        postgres.create_database(database)
        self.call(SET_UP)

    def call(self, commands: str) -> str:
        """Run commands of the page here; return what they print."""
        commands = commands.replace(".venv/bin/", f"{shlex.quote(str(Path(sys.executable).parent))}/")
        commands = commands.replace("5000", str(self.port))
        commands = commands.replace("postgresql:///mlflow", f"postgresql:///{self._database}")
        if self._artifacts:
            commands = commands.replace('"$PWD/mlflow-server/artifacts"', self._artifacts)
        told = subprocess.run(
            ["bash", "-euc", commands], cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, text=True,
            check=True, start_new_session=True,
        )  # fmt: skip
        return told.stdout

    def start(self) -> None:
        self.call(START)
        wait_for(self.answers, seconds=300)  # the first start makes the tables

    def stop(self) -> None:
        self.call(STOP)
        wait_for(lambda: not self.processes())

    def kill(self) -> None:
        """End the server and its workers as a machine that loses its power does."""
        os.killpg(os.getpgid(self.process), signal.SIGKILL)
        wait_for(lambda: not self.processes())

    @property
    def process(self) -> int:
        return int((self.folder / "mlflow-server/server.pid").read_text())

    def answers(self) -> bool:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            try:
                connection.request("GET", "/health")
                return connection.getresponse().status == http.HTTPStatus.OK
            except (OSError, http.client.HTTPException):
                return False

    def processes(self) -> list[int]:
        """Return the processes, the server's and its workers', that have this server's folder and still run."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has ended meanwhile, or belongs to another
                if b"mlflow" in (entry / "cmdline").read_bytes() and (entry / "cwd").resolve() == self.folder:
                    found.append(int(entry.name))
        return found

    def add_user(self, name: str = "jane") -> dict[str, str]:
        """Add a user as the page does; return what MLflow's clients read of the environment."""
        password = self.call(ADD_USER.replace("jane", name)).split()[-1]
        return {"MLFLOW_TRACKING_USERNAME": name, "MLFLOW_TRACKING_PASSWORD": password}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Return a PostgreSQL with an empty database; a folder near the root, since names of sockets must be short."""
    with tempfile.TemporaryDirectory(prefix="nextchapter-") as folder:
        database = Postgres(Path(folder))
        database.start()
        yield database
        database.stop()


@pytest.fixture(scope="session")
def make_server(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., TeamServer]]:
    """Return a function that starts a server on a database of its own: users are kept there."""
    servers: list[TeamServer] = []

    def make(database: str = "mlflow", artifacts: str = "", **environment: str) -> TeamServer:
        server = TeamServer(tmp_path_factory.mktemp("server").resolve(), postgres, database, artifacts, **environment)
        servers.append(server)
        server.start()
        return server

    yield make
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def server(make_server: Callable[..., TeamServer]) -> TeamServer:
    """Return a running server that keeps files in a folder."""
    return make_server()


@pytest.fixture(autouse=True)
def running_server(server: TeamServer) -> Iterator[None]:
    """Start the server again where a test that failed has left it killed; one that is slow to answer still runs."""
    yield
    if not server.processes():
        server.start()


@pytest.fixture(scope="session")
def credentials(server: TeamServer) -> dict[str, str]:
    """Return the environment variables by which a user of the server logs in."""
    return server.add_user()


@pytest.fixture
def user(credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Let this process log in as a user of the server."""
    for name, value in credentials.items():
        monkeypatch.setenv(name, value)
    return credentials
