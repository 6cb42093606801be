import json
import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from nextchapter import code
from nextchapter.code import import_closure
from nextchapter.flow import Flow
from nextchapter.report.estimate import split_characters
from nextchapter.shelf import ShelfFile
from nextchapter.sources import COMMAND_BYTES, FILES_EACH_ALONE, book_key, share_out
from nextchapter.spec.base import SpecError

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "config/config.yaml").read_text())


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of three books with awkward names, one of them further down; it is not the current one."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "Мои книги"
    for name in ("b two.epub", 'a {1}\'s "book".TXT', "more/c.txt.gz", "notes.mobi", ".hidden.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("text")
    return folder


def _flow(**changes: Any) -> Flow:
    return Flow.from_config({**CONFIG, **changes})


def test_a_folder_is_read_recursively_in_name_order(shelf: Path) -> None:
    flow = _flow(books=str(shelf))
    assert flow.name == "Мои книги"
    assert [file.name for file in flow.files] == ['a {1}\'s "book"', "b two", "more/c"]
    assert [(refused.file, refused.reason) for refused in flow.ignored] == [
        ("notes.mobi", "not a book format: .mobi; convert it to EPUB")
    ]
    assert flow.fetched == []
    sources = [source for shard in flow.shards for source in flow.sources_of(shard)]
    assert not [source for source in sources if "{" in source]  # Snakemake would take it for a wildcard
    assert [Path(source).resolve() for source in sources] == [file.path for file in flow.files]


@pytest.mark.parametrize("name", ['a "book"', "it's", "$(touch evil)", "`touch evil`", "two\nlines", "a\\b"])
def test_a_folder_that_a_queue_can_not_be_told_of_is_refused_there(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "book.txt").write_text("text")
    flow = _flow(books=str(folder))
    with pytest.raises(SpecError, match="no job can be sent to a cluster"):
        flow.refuse_names_for_a_cluster()
    folder.rename(tmp_path / "Мои книги {1}; & #")
    _flow(books=str(tmp_path / "Мои книги {1}; & #")).refuse_names_for_a_cluster()


def test_a_name_that_is_no_utf8_is_spelled_out(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / os.fsdecode(b"caf\xe9.txt")).write_text("text")
    (shelf / os.fsdecode(b"\xe9.jpg")).write_text("picture")
    flow = _flow(books=str(shelf))
    assert [(file.name, file.path.is_file()) for file in flow.files] == [("caf\\xe9", True)]
    assert [refused.file for refused in flow.ignored] == ["\\xe9.jpg"]


def test_what_is_secret_in_an_address_reaches_a_stage_by_the_environment_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("NEXTCHAPTER_TRACKING", "NEXTCHAPTER_ADDRESSES"):
        monkeypatch.setenv(name, "")
    plain, private = "https://host/b.txt", "https://me:hush@host/a.txt?token=hush"
    files = [{"url": url, "sha256": str(number) * 64} for number, url in enumerate([plain, private])]
    store = "postgresql://me:hush@db/runs"
    flow = _flow(corpus={"source": {"kind": "url", "files": files}}, tracking={"uri": store}, study="shop")
    rules = [("fetch_books", ""), ("create_experiment", ""), ("track_run", next(iter(flow.runs))), ("track_study", "")]
    specs = [flow.spec(*rule) for rule in rules]
    assert "hush" not in "".join(specs) + flow.shelf
    assert [file["url"] for file in json.loads(specs[0])["files"]] == [plain, "https://host/a.txt?***"]
    assert json.loads(specs[1])["uri"] == "postgresql://db/runs"
    assert json.loads(os.environ["NEXTCHAPTER_ADDRESSES"]) == {"1" * 64: private}
    assert json.loads(os.environ["NEXTCHAPTER_TRACKING"])["uri"] == store
    assert flow.files[1].file == "a.txt"


def test_a_picture_beside_the_books_splits_nothing_again(shelf: Path) -> None:
    before = _flow(books=str(shelf))
    (shelf / "cover.jpg").write_text("picture")
    after = _flow(books=str(shelf))
    changed = [
        rule for rule in ("split_corpus", "find_duplicates", "render_quality") if before.spec(rule) != after.spec(rule)
    ]
    assert changed == ["render_quality"]


def test_a_file_that_is_no_book_ends_the_run_where_the_configuration_says_so(shelf: Path) -> None:
    corpus = {**CONFIG["corpus"], "on_unreadable": "fail"}
    with pytest.raises(SpecError, match=r"corpus\.on_unreadable: found fail, .* notes\.mobi: not a book format"):
        _flow(books=str(shelf), corpus=corpus)
    (shelf / "notes.mobi").unlink()
    assert len(_flow(books=str(shelf), corpus=corpus).files) == 3


def test_files_of_one_name_are_books_of_different_names(tmp_path: Path) -> None:
    for name in ("a.txt", "a.TXT", "b.txt", "c.zip", "c/d.txt", "e.zip"):
        (tmp_path / "shelf" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shelf" / name).write_text(name)
    files = _flow(books=str(tmp_path / "shelf")).files
    assert [file.name for file in files] == ["a.TXT", "a.txt", "b", "c.zip", "c/d", "e"]


def _files(count: int, length: int = 20) -> list[ShelfFile]:
    names = [f"{number:0{length}d}" for number in range(count)]
    return [ShelfFile(name, f"{name}.txt", Path("/shelf", f"{name}.txt")) for name in names]


def test_few_files_have_a_job_each_and_many_share_them() -> None:
    assert len(share_out(_files(FILES_EACH_ALONE))) == FILES_EACH_ALONE
    shards = share_out(_files(2000))
    assert 16 <= len(shards) <= 64
    assert sorted((file for shard in shards.values() for file in shard), key=lambda file: file.name) == _files(2000)


def test_a_file_that_joins_a_large_shelf_changes_one_shard() -> None:
    before, after = share_out(_files(500)), share_out([*_files(500), *_files(1, length=4)])
    assert [shard for shard in after if before[shard] != after[shard]] == [
        shard for shard, files in after.items() if _files(1, length=4)[0] in files
    ]


def test_the_files_of_a_shard_fit_a_command_line() -> None:
    shards = share_out(_files(1000, length=200))
    longest = max(sum(len(str(file.path)) + 2 * len(file.file) for file in files) for files in shards.values())
    assert longest < 2 * COMMAND_BYTES  # on average the bound itself


def test_the_key_of_a_book_is_plain_and_does_not_depend_on_the_others(shelf: Path) -> None:
    before = set(_flow(books=str(shelf)).shards)
    assert all(key.isascii() and not set(key) & set(" {}'\"/") for key in before)
    (shelf / "aa first.txt").write_text("text")
    after = set(_flow(books=str(shelf)).shards)
    assert before < after
    assert book_key("Война и мир") != book_key("Анна Каренина")


def test_a_relative_folder_and_one_with_a_tilde_are_found(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absolute = _flow(books=str(shelf)).shelf
    assert _flow(books="Мои книги/").shelf == absolute
    monkeypatch.setenv("HOME", str(shelf.parent))
    assert _flow(books="~/Мои книги").shelf == absolute


def test_what_is_shared_between_checkouts_says_nothing_of_where_the_books_lie(shelf: Path, tmp_path: Path) -> None:
    """What two checkouts share is found by the specifications of all rules before it (docs/cache.md)."""
    shutil.copytree(shelf, tmp_path / "elsewhere" / shelf.name)
    here, there = (_flow(books=str(folder)) for folder in (shelf, tmp_path / "elsewhere" / shelf.name))
    assert here.shelf != there.shelf
    assert list(here.shards) == list(there.shards)
    for rule, names in (("clean_books", here.shards), ("find_duplicates", [""]), ("split_corpus", [""])):
        assert [here.spec(rule, name) for name in names] == [there.spec(rule, name) for name in names]


@pytest.mark.parametrize("typed", ["2026", "007", "1e3", "yes", "a: b", "x #1", "[z]"])
def test_the_name_of_a_folder_is_taken_as_it_was_typed(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / typed).mkdir()
    (tmp_path / typed / "book.txt").write_text("text")
    made_of_it: Any = 2026 if typed == "2026" else {"something": "else"}
    flow = Flow.from_config({**CONFIG, "books": made_of_it}, ["snakemake", "--config", f"books={typed}"])
    assert flow.shelf == str(tmp_path / typed)


def test_a_missing_an_empty_and_another_shelf_of_that_name_are_refused(shelf: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"books: found '.*nowhere'; it must be a folder"):
        _flow(books=str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(SpecError, match=r"there is no book in '.*empty' or below it; it must hold at least one"):
        _flow(books=str(tmp_path / "empty"))
    record = tmp_path / "results/Мои книги/corpus/account.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"shelf": str(tmp_path)}))
    with pytest.raises(SpecError, match=r"holds a study of another shelf .* study=NAME"):
        _flow(books=str(shelf))
    assert _flow(books=str(shelf), study="mine").name == "mine"
    record.write_text(json.dumps({"shelf": str(shelf)}))
    assert _flow(books=str(shelf)).name == "Мои книги"


def test_the_specification_of_a_rule_holds_what_it_reads_and_nothing_else() -> None:
    flow = _flow()
    changed = json.loads(json.dumps(CONFIG))
    changed["runs"]["lstm-384"]["model"]["dropout"] = 0.5
    other = Flow.from_config(changed)
    rules = [("train_model", run) for run in flow.runs] + [("evaluate_model", run) for run in flow.runs]
    rules += [("train_tokenizer", "unigram-2k"), ("split_corpus", ""), ("clean_books", next(iter(flow.shards)))]
    rules += [("find_duplicates", "")]
    assert [rule for rule in rules if flow.spec(*rule) != other.spec(*rule)] == [("train_model", "lstm-384.s1")]


@pytest.mark.parametrize("rule", ["find_duplicates", "split_corpus"])
def test_books_in_another_order_are_another_shelf(rule: str) -> None:
    """Snakemake compares the names of inputs sorted, and would not see it."""
    source = CONFIG["corpus"]["source"]
    turned = {**CONFIG["corpus"], "source": {**source, "files": source["files"][::-1]}}
    assert _flow().spec(rule) != _flow(corpus=turned).spec(rule)


def test_swapped_values_change_the_specification() -> None:
    """Snakemake compares params as a set of values and would not see it."""
    specs = [
        _flow(training={**CONFIG["training"], "learning_rate": rate, "weight_decay": decay}).spec(
            "train_model", "gru-384.s1"
        )
        for rate, decay in ((0.1, 0.2), (0.2, 0.1))
    ]
    assert specs[0] != specs[1]


def test_a_value_of_the_file_arrives_in_the_specification_of_its_rule() -> None:
    flow = _flow(writing={"temperature": 0.123})
    assert json.loads(flow.spec("write_chapter", "gru-384.s1"))["temperature"] == 0.123
    assert (
        json.loads(flow.spec("train_model", "gru-384.s1"))["training"]["max_tokens"] == CONFIG["training"]["max_tokens"]
    )


def test_a_failed_attempt_to_publish_makes_its_rule_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = _flow().spec("track_run", "gru-384.s1")
    record = tmp_path / "results/austen/runs/gru-384.s1/mlflow.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"published": False, "failed_attempts": 1}))
    assert _flow().spec("track_run", "gru-384.s1") != before
    assert _flow().spec("track_run", "lstm-384.s1") == before.replace("gru", "lstm")


def test_the_memory_is_shown_unless_it_is_switched_off() -> None:
    folder = "results/austen/diagnostics/hopfield"
    assert _flow().parts.memory_pages == [f"{folder}/hopfield.png", f"{folder}/hopfield.html"]
    assert json.loads(_flow(hopfield={"neurons": 77}).spec("recall_patterns"))["neurons"] == 77
    off = _flow(hopfield=None)
    assert off.parts.memory_pages == []
    assert off.spec("recall_patterns") == _flow().spec("recall_patterns")  # whoever asks for its files gets them


def test_memory_tasks_are_shown_unless_they_are_switched_off() -> None:
    folder = "results/austen/diagnostics/tasks"
    assert _flow().parts.task_pages == [f"{folder}/tasks.png", f"{folder}/tasks.html"]
    assert _flow().parts.task_records == [
        f"{folder}/temporal_order/{network}.json" for network in ("tanh", "lstm", "lstm-chrono")
    ]
    for off in (_flow(gradient_lab=None), _flow(gradient_lab={"tasks": None})):
        assert off.parts.task_pages == []
        assert off.parts.task_records == _flow().parts.task_records  # whoever asks for its files gets them


def test_a_memory_task_depends_on_its_own_network_and_no_other() -> None:
    networks = {"relu": {"model": {"kind": "elman", "activation": "relu"}}, "lstm": {"model": {"kind": "lstm"}}}
    flow = _flow(gradient_lab={"tasks": {"parity": {"lengths": [4, 8]}, "networks": networks, "hidden": 7}})
    spec = json.loads(flow.spec("train_tasks", "parity/relu"))
    assert (spec["lengths"], spec["model"]["activation"], spec["model"]["hidden"]) == ([4, 8], "relu", 7)
    assert "adding" not in str(spec)
    codes = {flow.code("train_tasks", name) for name in ("parity/relu", "parity/lstm", "temporal_order/lstm")}
    assert len(codes) == 3


def test_wildcards_match_the_names_and_nothing_more() -> None:
    import re

    pattern = re.compile(Flow.pattern(["lstm.s1", "a b"]))
    assert [bool(pattern.fullmatch(name)) for name in ("lstm.s1", "a b", "lstmxs1", "lstm.s12")] == [
        True,
        True,
        False,
        False,
    ]


def test_stages_are_run_by_the_interpreter_that_runs_snakemake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    _flow()
    assert os.environ["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)


def _web_shelf(*urls: str) -> Flow:
    files = [{"url": url, "sha256": f"{place:x}" * 64} for place, url in enumerate(urls)]
    return _flow(corpus={"name": "web", "source": {"kind": "url", "files": files}})


def test_downloads_of_one_name_are_two_books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    flow = _web_shelf("http://a.example/b.txt", "http://a.example/c.txt", "http://z.example/x/b.txt")
    assert [file.name for file in flow.files] == ["b.txt", "c", "b.txt (2)"]
    places = [f"resources/downloads/{str(digit) * 16}" for digit in range(3)]
    assert flow.fetched == [f"{places[0]}/b.txt", f"{places[1]}/c.txt", f"{places[2]}/b.txt"]


def test_a_web_shelf_is_called_after_its_hosts_without_passwords(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    flow = _web_shelf("https://me:hush@b.example:8080/1.txt", "http://a.example/2.txt", "http://a.example/3.txt")
    assert flow.shelf.startswith("3 files from a.example, b.example, ")
    assert flow.shelf != _web_shelf("https://b.example/1.txt", "http://a.example/2.txt").shelf


def test_the_code_behind_a_rule_holds_its_own_tokenizer_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from nextchapter import flow as module

    loaded: dict[str, set[str]] = {}
    monkeypatch.setattr(
        module, "fingerprint", lambda stage, extra: loaded.update({stage: import_closure(stage, *extra)})
    )
    flow = _flow(tokenizers={"unigram-2k": {"kind": "characters"}})
    for rule, name in (
        ("train_tokenizer", "unigram-2k"), ("encode_corpus", "unigram-2k"), ("train_model", "lstm-384.s1"),
        ("evaluate_model", "lstm-384.s1"), ("write_chapter", "lstm-384.s1"),
        ("describe_states", "lstm-384.s1"), ("draw_neurons", "lstm-384.s1"),
    ):  # fmt: skip
        flow.code(rule, name)
    kinds = {f"nextchapter.tokens.{kind}" for kind in ("bytes", "characters", "words", "unigram", "bpe", "pieces")}
    held = {stage.rsplit(".", 1)[1]: closure & kinds for stage, closure in loaded.items()}
    own = {"nextchapter.tokens.characters"}
    rules = ("train_tokenizer", "encode_corpus", "evaluate_model", "write_chapter", "describe_states", "draw_neurons")
    assert held == {"train_model": set()} | dict.fromkeys(rules, own)


def test_a_changed_embedding_changes_its_own_rules_and_no_run_but_by_its_file() -> None:
    def flow(**changes: Any) -> Flow:
        vectors = {"kind": "glove", "tokenizer": "unigram-2k", "dimensions": 192}
        runs = {**CONFIG["runs"], "lstm-384": {**CONFIG["runs"]["lstm-384"], "embedding": "glove"}}
        plain = {"kind": "word2vec", "tokenizer": "unigram-2k"}
        return _flow(embeddings={"glove": {**vectors, **changes}, "plain": plain}, runs=runs)

    before, after = flow(), flow(epochs=3)
    rules = [("count_cooccurrences", "glove"), ("train_embedding", "glove"), ("train_embedding", "plain")]
    rules += [("train_model", run) for run in before.runs]
    assert [rule for rule in rules if before.spec(*rule) != after.spec(*rule)] == [("train_embedding", "glove")]
    assert before.spec(*rules[0]) != flow(window=3).spec(*rules[0])
    assert before.code("train_embedding", "glove") != before.code("train_embedding", "plain")
    run = [before.vectors_of(SimpleNamespace(run=name)) for name in ("gru-384.s1", "lstm-384.s1")]
    assert run == [[], ["results/austen/embeddings/glove/vectors.safetensors"]]
    pairs = [before.cooccurrences_of(SimpleNamespace(embedding=name)) for name in ("glove", "plain")]
    assert pairs == [["results/austen/embeddings/glove/cooccurrences.bin"], []]
    assert [before.threads_of(SimpleNamespace(embedding=name)) for name in ("glove", "plain")] == [2, 1]


def test_a_corpus_that_comes_divided_is_read_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = {split: f"ptb.{split}.txt" for split in ("train", "valid", "test")}
    for name in names.values():
        Path(name).write_text("a b\n" * 1000)
    corpus = {"name": "ptb", "source": {"kind": "pretokenized", **names}}
    words = {"kind": "words", "pretokenized": True}
    flow = _flow(corpus=corpus, tokenizers={"unigram-2k": words})
    assert flow.given_splits == [str(tmp_path / name) for name in names.values()]
    assert flow.fetched == []
    assert flow.shelf == "ptb.train.txt, ptb.valid.txt, ptb.test.txt"
    assert json.loads(flow.spec("encode_corpus", "unigram-2k"))["pretokenized"]
    assert [file["name"] for file in json.loads(flow.spec("read_splits"))["files"]] == [
        "ptb.train",
        "ptb.valid",
        "ptb.test",
    ]
    assert split_characters(flow).train == 4000
    with pytest.raises(SpecError, match=r"tokenizers\.unigram-2k\.pretokenized: found false; .* need true"):
        _flow(corpus=corpus, tokenizers={"unigram-2k": {"kind": "words"}})
    Path(names["test"]).unlink()
    with pytest.raises(SpecError, match=r"corpus\.source\.test: found 'ptb\.test\.txt'; it must be a file"):
        _flow(corpus=corpus, tokenizers={"unigram-2k": words})


def test_the_code_of_a_run_is_that_of_its_family_whatever_its_name(shelf: Path) -> None:
    run = {"tokenizer": "unigram-2k"}
    runs = {"window": {**run, "model": {"kind": "feed-forward"}}, "counts": {**run, "model": {"kind": "ngram"}}}
    flow = _flow(books=str(shelf), runs=runs)
    assert flow.code("train_model", "window.s1") != flow.code("train_model", "counts.s1")
    assert flow.code("draw_network", "window.s1") == flow.code("draw_network", "counts.s1")


def test_an_edit_trains_again_the_runs_that_use_it_and_no_others(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real modules: of one after another the digest is replaced, as an edit would."""
    vectors = {"v": {"kind": "word2vec", "tokenizer": "unigram-2k", "dimensions": 192}}
    gru = CONFIG["runs"]["gru-384"]
    models = {name: {"kind": name} for name in ("lstm", "ngram", "hmm", "hmm-cloned", "hmm-neural")}
    runs = {name: {"model": model, "tokenizer": "unigram-2k"} for name, model in models.items()}
    runs |= {
        "plain": gru,
        "begun": {**gru, "embedding": "v"},
        "sampled": {**gru, "training": {"sampled_softmax": 100, "omega": 1}},
        "adaptive": {"model": {"kind": "gru", "tied": False, "adaptive": {}}, "tokenizer": "unigram-2k"},
    }
    flow = _flow(books=str(shelf), embeddings=vectors, runs=runs)
    before = {run: flow.code("train_model", run) for run in flow.runs}

    def edited(module: str) -> set[str]:
        found = code._found
        with monkeypatch.context() as patch:
            patch.setattr(
                code, "_found", lambda name: found(name)._replace(digest="edited") if name == module else found(name)
            )
            return {run.removesuffix(".s1") for run in flow.runs if flow.code("train_model", run) != before[run]}

    assert edited("nextchapter.training.counting") == {"ngram"}
    assert edited("nextchapter.embeddings.vectors") == {"begun"}
    assert edited("nextchapter.models.ngram") == {"ngram"}
    assert (
        edited("nextchapter.training.losses.sampled") == edited("nextchapter.training.penalties.omega") == {"sampled"}
    )
    assert edited("nextchapter.training.losses.smoothed") == edited("nextchapter.training.averages.ema") == set()
    assert edited("nextchapter.models.outputs.adaptive") == {"adaptive"}
    assert edited("nextchapter.models.hidden_markov") == {"hmm", "hmm-cloned", "hmm-neural"}
    assert edited("nextchapter.models.hmm_cloned") == {"hmm-cloned"}
    assert edited("nextchapter.diagnostics.hidden_states") == set()
    assert edited("nextchapter.training.loop") == set(runs)


def test_the_runs_with_states_are_told_by_their_specification(shelf: Path) -> None:
    kinds = ("hmm", "hmm-cloned", "hmm-neural", "ngram", "lstm")
    runs = {kind: {"model": {"kind": kind}, "tokenizer": "unigram-2k"} for kind in kinds}
    assert _flow(books=str(shelf), runs=runs).parts.runs_with_states == ["hmm.s1", "hmm-cloned.s1", "hmm-neural.s1"]
    runs["hmm-cloned"] = {"model": {"kind": "hmm-cloned", "states": 8193}, "tokenizer": "unigram-2k"}
    assert _flow(books=str(shelf), runs=runs).parts.runs_with_states == ["hmm.s1", "hmm-neural.s1"]


def test_a_run_that_counts_or_is_made_of_others_heeds_only_the_device(shelf: Path) -> None:
    runs = {
        "lstm": CONFIG["runs"]["lstm-384"],
        "kn": {"model": {"kind": "ngram"}, "tokenizer": "unigram-2k"},
        "mix": {"model": {"kind": "ensemble", "members": ["lstm", "kn"]}},
    }
    before, after = (_flow(books=str(shelf), runs=runs, training={"learning_rate": rate}) for rate in (0.1, 0.2))
    changed = [run for run in before.runs if before.spec("train_model", run) != after.spec("train_model", run)]
    assert changed == ["lstm.s1"]
    assert json.loads(before.spec("train_model", "kn.s1"))["training"] == {"device": "auto"}


def test_a_run_made_of_others_stands_on_their_files_and_code(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = {
        **CONFIG["runs"],
        "kn": {"model": {"kind": "ngram"}, "tokenizer": "unigram-2k"},
        "cached": {"model": {"kind": "cache", "of": "lstm-384"}},
        "mix": {"model": {"kind": "ensemble", "members": ["cached", "kn"]}},
    }
    alone, flow = _flow(), _flow(runs=runs)
    for run in alone.runs:
        for rule in ("train_model", "evaluate_model", "write_chapter"):
            assert (alone.spec(rule, run), alone.code(rule, run)) == (flow.spec(rule, run), flow.code(rule, run))
    assert flow.members_of(SimpleNamespace(run="lstm-384.s1")) == []
    assert flow.members_of(SimpleNamespace(run="mix.s1")) == [
        f"results/austen/runs/{name}/model.safetensors" for name in ("cached.s1", "kn.s1")
    ]
    assert json.loads(flow.spec("train_model", "mix.s1"))["members"] == ["cached.s1", "kn.s1"]
    asked: list[set[str]] = []
    monkeypatch.setattr("nextchapter.flow.fingerprint", lambda module, extra: asked.append(set(extra)) or "")
    flow.code("train_model", "mix.s1")
    flow.code("train_model", "cached.s1")
    models = [{name.rpartition(".")[2] for name in extra} for extra in asked]
    assert models == [{"ensemble", "cache", "lstm", "ngram", "counting"}, {"cache", "lstm", "counting"}]


BENCHMARK = {
    "kind": "pretokenized",
    "train": "wiki.train.tokens",
    "valid": "wiki.valid.tokens",
    "test": "wiki.test.tokens",
}
WORDS = {"unigram-2k": {"kind": "words", "pretokenized": True}}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with an awkward name, which holds a benchmark in three ways of lying there."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / 'it\'s "my {data}": a #1'
    folder.mkdir()
    for name in ("wiki.train.tokens.xz", "wiki.valid.tokens", "wiki.valid.tokens.gz", "wiki.test.tokens.bz2"):
        (folder / name).write_text("a b\n" * 1000)
    return folder


def _benchmark(data: Path | str | None, **source: Any) -> Flow:
    corpus = {"name": "set", "source": {**BENCHMARK, **source}}
    argv = ["snakemake", "--config", f"data={data}", "preset=none"]
    config = {**CONFIG, "corpus": corpus, "tokenizers": WORDS, "data": None if data is None else {"it's": "parsed"}}
    return Flow.from_config({**config, "presets": {"none": {}}, "preset": "none"}, argv)


def test_the_files_of_a_benchmark_are_found_in_its_folder_plain_or_compressed(data: Path) -> None:
    digests = {split: digit * 64 for split, digit in zip(("train", "valid", "test"), "012", strict=True)}
    flow = _benchmark(data, sha256=digests)
    assert [file.path for file in flow.files] == [
        data / name for name in ("wiki.train.tokens.xz", "wiki.valid.tokens", "wiki.test.tokens.bz2")
    ]
    assert flow.shelf == "wiki.train.tokens, wiki.valid.tokens, wiki.test.tokens"  # compressed or not
    assert [Path(link).resolve() for link in flow.given_splits] == [file.path for file in flow.files]
    assert [Path(link).suffix for link in flow.given_splits] == [".xz", "", ".bz2"]
    assert not [link for link in flow.given_splits if "{" in link]
    division = json.loads(flow.spec("read_splits"))
    assert division["shares"] is None
    assert [(file["key"], file["sha256"]) for file in division["files"]] == list(digests.items())


def test_the_folder_of_a_benchmark_may_be_relative_and_changes_no_spec(data: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    for split in ("train", "valid", "test"):
        (tmp_path / "plain" / f"wiki.{split}.tokens").write_text("a b\n")
    assert _benchmark("plain").spec("read_splits") == _benchmark(data).spec("read_splits")


def test_a_file_that_is_missing_from_the_folder_is_named(data: Path, tmp_path: Path) -> None:
    (data / "wiki.test.tokens.bz2").unlink()
    with pytest.raises(SpecError, match=r"corpus\.source\.test: found 'wiki\.test\.tokens'; .* \.bz2 or \.gz or \.xz"):
        _benchmark(data)
    with pytest.raises(SpecError, match=r"source\.train: found .*; --config data=FOLDER says where it lies"):
        _benchmark(None)
    with pytest.raises(SpecError, match=r"data: found '.*nowhere'; it must be the folder that holds wiki\.train"):
        _benchmark(tmp_path / "nowhere")


def test_a_text_that_is_divided_by_its_length_is_one_file_of_a_shelf(data: Path) -> None:
    (data / "input.txt.gz").write_text("a" * 1000)
    source = {"kind": "text-splits", "file": "input.txt", "valid_share": 0.2, "test_share": 0.1}
    flow = Flow.from_config({**CONFIG, "corpus": {"name": "set", "source": source}, "data": str(data)})
    assert [file.path for file in flow.files] == [data / "input.txt.gz"]
    division = json.loads(flow.spec("read_splits"))
    assert division["shares"] == {"valid_share": 0.2, "test_share": 0.1}
    assert division["files"] == [{"key": "file", "name": "input", "file": "input.txt", "sha256": None}]
    assert split_characters(flow).train == pytest.approx(0.7 * 4000)  # compressed, as text is, to a quarter
    assert not json.loads(flow.spec("encode_corpus", "unigram-2k"))["pretokenized"]


def test_a_run_has_the_threads_that_it_asks_for() -> None:
    runs = {**CONFIG["runs"], "gru-384": {**CONFIG["runs"]["gru-384"], "training": {"threads": 3}}}
    flow = _flow(runs=runs)
    assert (flow.train_threads("gru-384.s1"), flow.train_threads("lstm-384.s1")) == (3, 1)
    assert json.loads(flow.spec("train_model", "gru-384.s1"))["training"]["threads"] == 3


def test_the_runs_of_a_search_say_so_and_no_other_run_changes() -> None:
    search = {"base": "lstm-384", "grid": {"model.hidden": [8, 16]}, "random": {"model.dropout": {"uniform": [0, 0.5]}}}
    plain, flow = _flow(), _flow(searches={"s": {**search, "draws": 1}})
    assert flow.spec("train_model", "lstm-384.s1") == plain.spec("train_model", "lstm-384.s1")
    spec = json.loads(flow.spec("train_model", "s.2-001.s1"))
    assert spec["search"] == {"name": "s", "values": {"model.hidden": 16, "model.dropout": spec["model"]["dropout"]}}
    assert spec["model"]["hidden"] == 16
    more = _flow(searches={"s": {**search, "draws": 9}})
    assert more.spec("train_model", "s.2-001.s1") == flow.spec("train_model", "s.2-001.s1")
    files = flow.files_of_search("run.json")(SimpleNamespace(search="s"))
    assert files == [f"results/austen/runs/s.{point}-001.s1/run.json" for point in (1, 2)]
    told, scales = json.loads(flow.spec("plot_search", "s")), {"model.dropout": "linear"}
    assert told == {"search": "s", "grid": ["model.hidden"], "random": ["model.dropout"], "scales": scales}


def test_processes_take_threads_and_gpus_each_and_are_of_no_concern_to_models_without_gradients() -> None:
    kinds = {"net": {"kind": "gru"}, "ngram": {"kind": "ngram"}, "em": {"kind": "hmm"}}
    runs = {name: {"tokenizer": "unigram-2k", "model": model} for name, model in kinds.items()}
    runs["mixed"] = {"model": {"kind": "ensemble", "members": ["net", "ngram"]}}
    one = _flow(runs=runs, training={"device": "cuda"})
    two = _flow(runs=runs, training={"device": "cuda", "processes": 2, "threads": 3})
    assert [two.processes(f"{name}.s1") for name in runs] == [2, 1, 1, 1]
    assert [two.train_threads(f"{name}.s1") for name in runs] == [6, 3, 3, 3]
    assert [two.train_gpus(f"{name}.s1") for name in runs] == [2, 1, 1, 1]
    assert two.gpus("net.s1") == 1
    assert json.loads(two.spec("train_model", "net.s1"))["training"]["processes"] == 2
    for name in ("ngram", "em", "mixed"):
        assert "processes" not in json.loads(two.spec("train_model", f"{name}.s1"))["training"]
        assert two.code("train_model", f"{name}.s1") == one.code("train_model", f"{name}.s1")
    assert two.code("train_model", "net.s1") != one.code("train_model", "net.s1")
    with pytest.raises(SpecError, match=r"processes: found 17; with a batch_size of 16 there is work for no more"):
        _flow(training={"processes": 17})


def test_a_share_of_the_chapters_is_in_the_spec_of_its_run_alone_and_brings_a_figure(shelf: Path) -> None:
    run = {"tokenizer": "unigram-2k", "model": {"kind": "ngram"}, "training": {"learning_rate": 0.1}}
    part = _flow(books=str(shelf), runs={"half": {**run, "train_share": 0.5}, "all": run})
    assert json.loads(part.spec("train_model", "half.s1"))["train_share"] == 0.5
    assert "train_share" not in json.loads(part.spec("train_model", "all.s1"))
    for rule in ("evaluate_model", "write_chapter"):
        assert "train_share" not in part.spec(rule, "half.s1")
    assert part.parts.data_size_pages == [f"results/{part.name}/figures/data-size.png"]
    other = {**run, "model": {"kind": "ngram", "order": 3}}
    assert _flow(books=str(shelf), runs={"half": {**other, "train_share": 0.5}, "all": run}).parts.data_size_pages == []
    assert _flow(books=str(shelf), runs={"a": run, "b": run}).parts.data_size_pages == []
    search = {"sizes": {"run": run, "grid": {"train_share": [0.25, 1]}}}
    assert len(_flow(books=str(shelf), runs={}, searches=search).parts.data_size_pages) == 1


@pytest.mark.parametrize("share", [0, -0.5, 1.01, "half"])
def test_a_share_that_is_none_is_refused(shelf: Path, share: object) -> None:
    run = {"tokenizer": "unigram-2k", "model": {"kind": "ngram"}, "train_share": share}
    with pytest.raises(SpecError, match=r"runs\.part\.train_share: found "):
        _flow(books=str(shelf), runs={"part": run})


def test_the_gradient_lab_looks_into_recurrent_runs_and_no_others() -> None:
    flow = _flow()
    assert flow.parts.recurrent_runs == ["elman-384.s1", "gru-384.s1", "lstm-384.s1", "mingru-384.s1"]
    assert [path.rsplit("/", 2)[1] for path in flow.parts.neuron_figures] == flow.parts.recurrent_runs
    assert "results/austen/diagnostics/gradients/gates.png" in flow.parts.gradient_figures
    spec = json.loads(flow.spec("measure_gradients"))
    assert spec["tokenizers"] == ["unigram-2k"]
    assert spec["runs"][0] == {
        "run": "elman-384.s1", "configuration": "elman-384", "seed": 1, "tokenizer": "unigram-2k",
    }  # fmt: skip
    off = _flow(gradient_lab={"gradients": None})
    assert off.parts.gradient_figures == off.parts.neuron_figures == []
    assert off.spec("measure_gradients") == flow.spec("measure_gradients")  # whoever asks for its files gets them


def test_a_study_without_recurrent_runs_is_shown_the_cells_with_its_first_tokenizer() -> None:
    run = {"model": {"kind": "ngram"}, "tokenizer": "words"}
    tokenizers = {"words": {"kind": "words"}, "bytes": {"kind": "bytes"}}
    flow = _flow(runs={"counts": run}, tokenizers=tokenizers)
    assert json.loads(flow.spec("measure_gradients"))["tokenizers"] == ["words"]
    assert flow.parts.neuron_figures == []
    assert flow.parts.gradient_figures
    two = {"model": {"kind": "lstm"}, "tokenizer": "bytes"}
    assert _flow(runs={"counts": run, "lstm": two}, tokenizers=tokenizers).parts.recurrent_tokenizers == ["bytes"]


def test_the_figures_of_the_gradient_lab_depend_on_the_cells_that_they_show() -> None:
    flow = _flow(runs={"a": {"model": {"kind": "mogrifier"}, "tokenizer": "unigram-2k"}})
    without = _flow(runs={"a": {"model": {"kind": "ngram"}, "tokenizer": "unigram-2k"}})
    assert flow.code("measure_gradients") != without.code("measure_gradients")
    assert without.code("measure_gradients") == _flow().code("measure_gradients")  # minGRU and the like are in any case
