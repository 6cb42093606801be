"""All that the Snakefile imports: the study, and for each rule its files, `spec` and `code` params.

Neither torch nor pandas nor mlflow stands behind this module: each call of Snakemake, and each cluster job, reads it.
"""

import hashlib
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nextchapter.code import fingerprint
from nextchapter.spec.base import SpecError, canonical_json
from nextchapter.spec.corpus import FolderSource, UrlSource, WheelSource
from nextchapter.spec.study import Study, read_study
from nextchapter.store.files import read_json

STAGES = "nextchapter.stages"
STUDY_FILE = "NEXTCHAPTER_STUDY_FILE"
"""Environment variable by which `make run` asks for the name of the study, in a file of that name."""
CHATTER = ("Select jobs to execute", "Execute ", "Assuming unrestricted", "Workflow defines that rule", "Conda env")
"""Beginnings of Snakemake's messages that tell a reader nothing; the stages tell what they do."""


class Flow:
    """What the rules need to know of a study."""

    def __init__(self, study: Study) -> None:
        """Look at the shelf and name its books.

        Raises:
            SpecError: the folder of books is missing, empty, or another shelf's study has this name.
        """
        self.study = study
        self.name = study.name
        self.runs = study.run_names
        self.books = {book_key(name): (name, path) for name, path in self._shelf()}
        """The books in the order of the shelf: key, then name (path in the shelf without suffix) and file."""
        self._refuse_another_shelf()

    @classmethod
    def from_config(cls, config: Mapping[str, Any], argv: Sequence[str] = ()) -> "Flow":
        """Return the flow of Snakemake's `config`, and set the environment of the stages.

        This interpreter comes first in their PATH, and `NEXTCHAPTER_TRACKING` tells a training where to show itself.

        Args:
            config: the values of the configuration files and of `--config`.
            argv: Snakemake's command line; a folder's name is taken from there as it was typed, since Snakemake
                reads `books=2026` as a number.
        """
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        values = dict(config)
        for key in ("books", "study"):
            if values.get(key) is not None:
                values[key] = _as_typed(key, values[key], argv)
        if "books" in values and values["books"] is not None:
            values["books"] = str(Path(values["books"]).expanduser().resolve())
        flow = cls(read_study(values))
        os.environ["NEXTCHAPTER_TRACKING"] = flow.study.tracking.json_text()
        if flow.launched:
            Path(os.environ[STUDY_FILE]).write_text(flow.name, encoding="utf-8")
        return flow

    def _shelf(self) -> list[tuple[str, Path]]:
        source = self.study.corpus.source
        if isinstance(source, WheelSource):
            folder = Path("resources/books") / f"{source.package}-{source.version}"
            return [(Path(file).stem, folder / file) for file in source.files]
        if isinstance(source, UrlSource):
            return [
                (download.file, Path("resources/downloads", download.sha256[:16], download.file))
                for download in source.files
            ]
        return _books_in(source)

    def _refuse_another_shelf(self) -> None:
        recorded = Path("results", self.name, "corpus", "quality.json")
        if recorded.is_file():
            other, own = read_json(recorded).get("shelf"), self.shelf
            if other != own and (not other.startswith("/") or Path(other).is_dir()):
                raise SpecError(
                    f"results/{self.name} holds a study of another shelf ({other}, now {own}); "
                    f"give this one a name of its own: --config books=... study=NAME"
                )

    @property
    def launched(self) -> bool:
        """Whether `make run` called, which writes the report and shows the last screen itself."""
        return bool(os.environ.get(STUDY_FILE))

    @property
    def shelf(self) -> str:
        """Where the books come from: a folder, or a package and its version."""
        source = self.study.corpus.source
        if isinstance(source, FolderSource):
            return str(Path(source.path).expanduser().resolve())
        if isinstance(source, UrlSource):
            hosts = sorted({urlsplit(download.url).netloc for download in source.files})
            return f"{len(source.files)} files from {', '.join(hosts)}"
        return f"{source.package} {source.version}"

    @property
    def fetched(self) -> list[str]:
        """The books that have to be fetched first; none where they lie in a folder."""
        in_place = isinstance(self.study.corpus.source, FolderSource)
        return [] if in_place else [str(path) for _, path in self.books.values()]

    @staticmethod
    def pattern(names: Iterable[str]) -> str:
        """Return the regular expression of a wildcard that stands for these names and no others."""
        return "|".join(re.escape(name) for name in names)

    def tokens_of(self, file: str) -> Callable[[Any], str]:
        """Return the input function that finds a file among the tokens of a run's tokenizer."""
        return lambda wildcards: f"results/{self.name}/tokens/{self.runs[wildcards.run][0].tokenizer}/{file}"

    def source_of(self, book: str) -> str:
        """Return the file of a book; a link to it where its path holds a brace, Snakemake's sign of a wildcard."""
        path = self.books[book][1]
        if "{" not in str(path):
            return str(path)
        link = Path(".work/shelf", self.name, f"{book}.txt")
        if not link.is_symlink() or link.readlink() != path:
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(path)
        return str(link)

    def spec(self, rule: str, name: str = "") -> str:
        """Return the canonical JSON of what a rule reads of the configuration, and of nothing else.

        Args:
            rule: name of the rule.
            name: the run, book or tokenizer it works on.
        """
        return canonical_json(self._spec(rule, name))

    def _spec(self, rule: str, name: str) -> Any:
        study, corpus = self.study, self.study.corpus
        match rule:
            case "fetch_books":
                return corpus.source.model_dump(mode="json")
            case "clean_book":
                book, path = self.books[name]
                return {"book": book, "file": path.name, "join_wrapped_lines": corpus.join_wrapped_lines}
            case "split_corpus":
                return {"split": corpus.split.model_dump(mode="json"), "shelf": self.shelf}
            case "train_tokenizer":
                return study.tokenizers[name].model_dump(mode="json")
            case "encode_corpus":
                return {"kind": study.tokenizers[name].kind}
            case "train_model":
                run, seed = self.runs[name]
                return {
                    "run": name,
                    "study": self.name,
                    "seed": seed,
                    "tokenizer": run.tokenizer,
                    "model": run.model.model_dump(mode="json"),
                    "training": run.training.model_dump(mode="json"),
                }
            case "evaluate_model":
                return {**study.evaluation.model_dump(mode="json"), "run": name}
            case "write_chapter":
                return {**study.writing.model_dump(mode="json"), "run": name}
            case "compare_runs":
                return {"corpus": self.name}
            case "choose_chapter":
                return {"runs": list(self.runs)}
            case "create_experiment":
                return self._tracking(name, f"results/{self.name}/mlflow.json")
            case "track_run":
                return self._tracking(name, f"results/{self.name}/runs/{name}/mlflow.json")
            case "track_study":
                return self._tracking(name, f"results/{self.name}/mlflow-study.json")
            case _:
                return {"study": self.name}

    def code(self, rule: str, name: str = "") -> str:
        """Return the fingerprint of the code behind a rule; for a run, that of its own model as well."""
        extra = [f"nextchapter.models.{self.runs[name][0].model.kind.replace('-', '_')}"] if name in self.runs else []
        uses_model = rule in ("train_model", "evaluate_model", "write_chapter")
        return fingerprint(f"{STAGES}.{rule}", extra if uses_model else ())

    def _tracking(self, run: str, record: str) -> dict[str, Any]:
        """Return what a rule of tracking reads; a failed attempt to publish changes it, and so is made up for."""
        failed = read_json(record).get("failed_attempts", 0) if Path(record).is_file() else 0
        return {"study": self.name, "run": run, "uri": self.study.tracking.uri, "failed_attempts": failed}

    def gpus(self, run: str) -> int:
        """Return 1 when a run will train on a GPU, else 0: the profile's limit then spaces such jobs out."""
        device = self.runs[run][0].training.device
        return int(device == "cuda" or (device == "auto" and Path("/proc/driver/nvidia/gpus").is_dir()))


def book_key(name: str) -> str:
    """Return a file name for a book of any name: readable, ASCII, unique, and independent of the other books."""
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"{readable or 'book'}-{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def _books_in(source: FolderSource) -> list[tuple[str, Path]]:
    folder = Path(source.path).expanduser().resolve()
    if not folder.is_dir():
        raise SpecError(f"books: found {source.path!r}; it must be a folder of .txt files, and there is none there")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".txt" and path.is_file())
    visible = [path for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    if not visible:
        raise SpecError(f"books: there is no .txt file in {str(folder)!r} or below it; it must hold at least one book")
    names = [path.relative_to(folder).with_suffix("").as_posix() for path in visible]
    twice = {name for name, count in Counter(names).items() if count > 1}
    for place, path in enumerate(visible):
        if names[place] in twice:  # a.txt beside a.TXT
            names[place] = path.relative_to(folder).as_posix()
    return sorted(zip(names, visible, strict=True))


def _as_typed(key: str, value: Any, argv: Sequence[str]) -> str:
    """Return a `--config KEY=TEXT` value as it was typed, whatever Snakemake made of it.

    Snakemake takes `2026` for a number, `a: b` for a mapping and ` #` for a comment. A job on a cluster gets the
    value encoded, already as text.
    """
    typed = [text.removeprefix(f"{key}=") for text in argv if text.startswith(f"{key}=")]
    return typed[-1] if typed and not typed[-1].startswith("base64//") else str(value)
