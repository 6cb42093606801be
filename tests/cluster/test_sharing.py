"""A folder that checkouts share (docs/cache.md), filled and read by the jobs of a real SLURM."""

import runpy
from pathlib import Path
from typing import Any

import pytest

from nextchapter.store.files import sha256_of

ROOT = Path(__file__).parents[2]
SHARING = runpy.run_path(str(ROOT / "tests/workflow/test_cache.py"))
WORKFLOW_TESTS = SHARING["WORKFLOW_TESTS"]
EMBEDDINGS = {"learned": {"kind": "word2vec", "tokenizer": "tiny", "dimensions": 4, "epochs": 1}}
TOKENS = ["tokens/tiny/tokenizer.model", "tokens/tiny/train.bin"]
VECTORS = ["embeddings/learned/vectors.safetensors"]
OWN = {"fetch_books", "clean_books", "find_duplicates", "split_corpus"}
GROUPS = ["--groups", *(f"{rule}=corpus" for rule in sorted(OWN - {"fetch_books"}))]
"""What is never shared travels in one job, which is two starts of Snakemake less."""


class Checkout(WORKFLOW_TESTS["Project"]):
    """Sends the steps up to the vectors of one fetched book to the queue; nobody else may read what it writes."""

    def __init__(self, folder: Path, shared: Path, source: dict[str, Any]) -> None:
        super().__init__(folder)
        self.configure(corpus={"source": source}, embeddings=EMBEDDINGS, study="shelf")
        self.environment["NEXTCHAPTER_CACHE"] = str(shared)

    def run(self) -> None:
        files = [f"results/shelf/{name}" for name in TOKENS + VECTORS]
        profile = ["--workflow-profile", "profiles/generic", "--seconds-between-status-checks", "1"]
        with self.start(*files, *profile, *GROUPS, umask=0o077) as snakemake:
            output, _ = snakemake.communicate()
        assert snakemake.returncode == 0, output

    def ran(self) -> set[str]:
        """Return the stages that have done work since this was last asked: each has said something in its log."""
        logs = [log for log in (self.folder / "logs").rglob("*.log") if log.stat().st_size]
        for log in logs:
            log.unlink()
        return {log.relative_to(self.folder / "logs").parts[0] for log in logs} - {"cluster"}


@pytest.mark.usefixtures("slurm")
def test_a_second_checkout_takes_what_the_jobs_of_a_first_one_have_made(tmp_path: Path) -> None:
    shared, book = tmp_path / "shared by all", tmp_path / "library/book.txt"
    shared.mkdir()
    shared.chmod(0o2770)
    WORKFLOW_TESTS["write_book"](book, chapters=12, seed=0)
    with SHARING["library"](book.parent) as (address, asked):
        source = {"kind": "url", "files": [{"url": f"{address}/book.txt", "sha256": sha256_of(book)}]}
        first, second = (Checkout(tmp_path / name / "checkout", shared, source) for name in ("first", "second"))
        first.run()
        fetched = len(asked)
        second.run()
        assert len(asked) == fetched > 0
    assert first.ran() == OWN | {"train_tokenizer", "encode_corpus", "train_embedding"}
    assert second.ran() == OWN
    results = next(shared.glob("results-*"))
    for name in TOKENS + VECTORS:
        assert (second.folder / "results/shelf" / name).resolve().parent == results
        assert (second.folder / "results/shelf" / name).samefile(first.folder / "results/shelf" / name)
    assert {oct(path.stat().st_mode & 0o777) for path in results.iterdir() if path.is_file()} == {"0o666"}
    assert oct(results.stat().st_mode & 0o7777) == "0o2770"

    # The tokenizer of this kind is trained and applied again. Its tokens are the same, and so the vectors are found.
    module = second.folder / "src/nextchapter/tokens/unigram.py"
    module.write_text(f"{module.read_text()}\nUNUSED = 1\n")
    second.run()
    assert second.ran() == {"train_tokenizer", "encode_corpus"}
    assert (second.folder / "results/shelf" / VECTORS[0]).samefile(first.folder / "results/shelf" / VECTORS[0])
