"""A real SLURM of one node on this machine: munged, slurmctld and slurmd, on loopback, in a temporary folder.

`make test-cluster` starts the tests in namespaces of their own (tests/cluster/run): their /etc/slurm and ports are seen
by them alone, and whatever they start ends with them.
"""

import os
import runpy
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
INSIDE = "NEXTCHAPTER_CLUSTER_TESTS"
"""Set by tests/cluster/run, in whose namespaces alone these tests may start servers."""
WORKFLOW_TESTS = runpy.run_path(str(ROOT / "tests/workflow/conftest.py"))
TRAINING = {"max_steps": 600, "valid_every_steps": 100, "checkpoint_every_s": 0.1}

SLURM_CONF = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
AuthInfo=socket={folder}/munge.socket,cred_expire=6
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerParameters=sched_min_interval=50000,batch_sched_delay=0
MpiDefault=none
ReturnToService=2
MinJobAge=3600
KillWait=5
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=64000 Gres=gpu:1
PartitionName=cpu Nodes={host} Default=YES MaxTime=INFINITE
PartitionName=gpu Nodes={host} MaxTime=INFINITE
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave these tests out of `make test`: they need a SLURM, which `make test-cluster` installs."""
    if INSIDE not in os.environ:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="needs a SLURM of its own: make test-cluster"))


class Slurm:
    """The cluster, as a user sees it who calls its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.host = folder, socket.gethostname().split(".")[0]
        for name in ("state", "spool"):
            (folder / name).mkdir()
        (folder / "slurm.conf").write_text(SLURM_CONF.format(host=self.host, folder=folder))
        (folder / "gres.conf").write_text(f"NodeName={self.host} Name=gpu File=/dev/null\n")
        key = folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        self.servers: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start the three servers, each as soon as the one before it answers."""
        subprocess.run(["mount", "--bind", str(self.folder), "/etc/slurm"], check=True)
        paths = [f"--{name}={self.folder}/munge.{name.split('-')[0]}" for name in ("key-file", "pid-file", "log-file")]
        self._serve("munged", "--foreground", "--force", f"--socket={self.folder}/munge.socket", *paths,
                    f"--seed-file={self.folder}/munge.seed")  # fmt: skip
        wait_for((self.folder / "munge.socket").exists)
        self._serve("slurmctld", "-D", "-f", "/etc/slurm/slurm.conf")
        wait_for(lambda: self.call("scontrol", "ping").startswith("Slurmctld(primary)"))
        self._serve("slurmd", "-D", "-f", "/etc/slurm/slurm.conf")
        wait_for(lambda: self.node_state() == "idle")

    def stop(self) -> None:
        """Stop the servers in the reverse order."""
        for server in reversed(self.servers):
            server.terminate()
        for server in self.servers:
            server.wait(20)
        subprocess.run(["umount", "/etc/slurm"], check=True)

    def call(self, *command: str) -> str:
        """Return what a command of SLURM says."""
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    def node_state(self) -> str:
        """Return the state of the one node."""
        return self.call("sinfo", "--noheader", "--partition=cpu", "--format=%t")

    def jobs(self) -> dict[int, dict[str, str]]:
        """Return what SLURM knows of each job since it was started, by job id."""
        lines = self.call("scontrol", "--oneliner", "show", "job").splitlines()
        fields = [dict(part.partition("=")[::2] for part in line.split(" ") if "=" in part) for line in lines]
        return {int(job["JobId"]): job for job in fields if "JobId" in job}

    def wait_for_state(self, job: int, state: str) -> None:
        """Return once a job is in a state."""
        wait_for(lambda: self.jobs()[job]["JobState"] == state)

    def _serve(self, *command: str) -> None:
        program = shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin")
        with (self.folder / f"{command[0]}.out").open("wb") as output:
            self.servers.append(subprocess.Popen([program or command[0], *command[1:]], stdout=output, stderr=output))


def freeze(project: Any, snakemake: subprocess.Popen[str]) -> tuple[str, int]:
    """Stop the clock of a training in its middle; return its run and its job."""
    while snakemake.poll() is None:
        for run, process in training_processes(project.folder):
            if (project.folder / ".work/train_model" / project.results.name / run / "checkpoint.pt").is_file():
                os.kill(process, signal.SIGSTOP)
                variables = Path(f"/proc/{process}/environ").read_text(encoding="utf-8").split("\0")
                return run, int(dict(entry.partition("=")[::2] for entry in variables)["SLURM_JOB_ID"])
        time.sleep(0.02)
    raise AssertionError(snakemake.communicate()[0])


def training_processes(folder: Path) -> list[tuple[str, int]]:
    """Return run and process id of each training in a project's folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            _, *arguments = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if "nextchapter.stages.train_model" in arguments and (entry / "cwd").resolve() == folder:
                found.append((Path(arguments[arguments.index("--model") + 1]).parent.name, int(entry.name)))
        except OSError:  # it has ended meanwhile
            continue
    return found


def wait_for(condition: Callable[[], Any], seconds: float = 600.0) -> None:
    """Return as soon as the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    """Return the running cluster."""
    cluster = Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


class Project(WORKFLOW_TESTS["Project"]):
    """A project of one book, whose trainings are long enough to be met in their middle."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        shutil.rmtree(self.books)
        self.books = folder / "Мои книги {1}; & #"
        WORKFLOW_TESTS["write_book"](self.books / "a book.txt", chapters=12, seed=0)
        self.configure(training=WORKFLOW_TESTS["TRAINING"] | TRAINING)

    @property
    def results(self) -> Path:
        return self.folder / "results/Мои книги -1-; & #"

    def files(self, names: list[str]) -> list[str]:
        """Return results of the study as Snakemake calls them."""
        return [str(self.results.relative_to(self.folder) / name) for name in names]


@pytest.fixture
def freeze_training() -> Callable[[Any, subprocess.Popen[str]], tuple[str, int]]:
    """Return the function that stops a training in its middle."""
    return freeze


@pytest.fixture
def cluster_project(tmp_path: Path) -> Project:
    """Return a project."""
    return Project(tmp_path / "project")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a project whose study has run here, without a queue and without a disturbance."""
    project = Project(tmp_path_factory.mktemp("undisturbed") / "project")
    code, output = project.snakemake("--keep-going", *project.files(["leaderboard.csv"]))
    assert code == 0, output
    return project
