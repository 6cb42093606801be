import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from nextchapter.spec.base import SpecError, canonical_json, digest
from nextchapter.spec.study import read_study

CONFIG = Path(__file__).parents[3] / "config" / "config.yaml"


@pytest.fixture
def config() -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(CONFIG.read_text())
    config["runs"] = {name: config["runs"][name] for name in ("elman-384", "gru-384", "lstm-384")}
    return config


def _set(config: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split("/")
    for key in parents:
        config = config.setdefault(key, {})
    config[last] = value


def test_the_default_study_is_named_after_its_shelf_and_has_a_run_a_seed(config: dict[str, Any]) -> None:
    config["runs"]["lstm-384"]["seeds"] = [1, 7]
    study = read_study(config)
    assert study.name == "austen"
    assert [name for name in study.run_names if name.startswith("lstm")] == ["lstm-384.s1", "lstm-384.s7"]


def test_a_value_in_the_file_reaches_every_run_unless_the_run_replaces_it(config: dict[str, Any]) -> None:
    _set(config, "training/learning_rate", 0.5)
    _set(config, "runs/gru-384/training", {"learning_rate": 0.25})
    del config["runs"]["elman-384"]["training"]
    rates = {name: run.training.learning_rate for name, run in read_study(config).runs.items()}
    assert rates == {"elman-384": 0.5, "gru-384": 0.25, "lstm-384": 0.5}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("training/lerning_rate", 1, r"training\.lerning_rate: unknown key; did you mean 'learning_rate'\? allowed"),
        ("training/learning_rate", -1, r"training\.learning_rate: found -1; should be greater than 0"),
        ("training/batch_size", "many", r"training\.batch_size: found 'many'; should be a valid integer"),
        (
            "runs/lstm-384/model/hidden",
            0,
            r"runs\.lstm-384\.model\.hidden: found 0; should be greater than or equal to 1",
        ),
        ("runs/lstm-384/model/hiden", 8, r"runs\.lstm-384\.model\.hiden: unknown key; did you mean 'hidden'\?"),
        (
            "runs/lstm-384/model/kind",
            "ltsm",
            r"runs\.lstm-384\.model: found .*expected tags: .*'elman', .*'gru', .*'lstm'",
        ),
        ("tokenizers/unigram-2k/kind", "wordpiece", r"expected tags: 'bytes', 'characters', 'words', 'unigram', 'bpe'"),
        ("tokenizers/unigram-2k/vocabulary_size", 9, r"tokenizers\.unigram-2k\.vocabulary_size: found 9; .* 270"),
        ("tokenizers/unigram-2k/train_mb", 0, r"tokenizers\.unigram-2k\.train_mb: found 0; .*greater than 0"),
        ("runs/lstm-384/tokenizer", "bpe", r"runs\.lstm-384\.tokenizer: found 'bpe'; allowed: unigram-2k"),
        ("runs/lstm-384/seeds", [1, 1], r"runs\.lstm-384: seeds must differ; found \[1, 1\]"),
        ("runs/lstm-384/training", {"patience": 0}, r"runs\.lstm-384\.training\.patience: found 0; .*at least|greater"),
        ("runs/a b", {}, r"runs: found the name 'a b'; a name has letters"),
        ("corpus/source/sha256", "c0d0", r"corpus\.source\.sha256: found 'c0d0'; .*match pattern"),
        ("corpus/split/test_share", 0.7, r"corpus\.split\.test_share: found 0\.7; should be less than 0\.5"),
        ("writing/words_min", 10_000, r"writing: words_min \(10000\) must not be above words_max \(900\)"),
        (
            "training",
            {"max_tokens": None},
            r"training: one of max_steps, max_tokens, max_epochs and max_seconds must be set",
        ),
        ("training/clip_norm", float("inf"), r"training\.clip_norm: found inf; should be a finite number"),
        ("runs/lstm-384/model/hidden", True, r"runs\.lstm-384\.model\.hidden: found true; true and false are no value"),
        ("hopfield/neurons", 7, r"hopfield\.neurons: found 7; should be greater than or equal to 50"),
        ("hopfield", {"passage_characters": 500}, r"hopfield: .*found 16000 neurons; at most 8192"),
        ("gradient_lab/tasks/addin", {}, r"gradient_lab\.tasks\.addin: unknown key; did you mean 'adding'"),
        (
            "gradient_lab/tasks/adding",
            {"lengths": [50, 20]},
            r"gradient_lab\.tasks\.adding: lengths: found \[50, 20\]; each must be above the one before",
        ),
        ("gradient_lab/tasks/temporal_order", {"lengths": [5]}, r"temporal_order\.lengths: found 5; .* at least 10"),
        ("gradient_lab/tasks/temporal_order", None, r"gradient_lab\.tasks: found no task"),
        (
            "gradient_lab/tasks/networks/count",
            {"model": {"kind": "ngram"}},
            r"gradient_lab\.tasks\.networks\.count: model\.kind: found 'ngram'; .* recurrent network",
        ),
        (
            "gradient_lab/tasks/networks/gru",
            {"model": {"kind": "gru"}, "chrono": True},
            r"networks\.gru: chrono: found true with a model of the kind gru",
        ),
        (
            "gradient_lab/tasks/networks/gru",
            {"model": {"kind": "gru"}, "omega": 1},
            r"networks\.gru: omega: found 1\.0 with a model of the kind gru",
        ),
        ("nonsense", 1, r"nonsense: unknown key"),
    ],
)
def test_a_wrong_value_is_named_with_its_path_what_was_found_and_what_is_allowed(
    config: dict[str, Any], path: str, value: Any, message: str
) -> None:
    _set(config, path, value)
    with pytest.raises(SpecError, match=message):
        read_study(config)


def test_null_stands_for_the_default_but_for_the_memory_which_it_switches_off(config: dict[str, Any]) -> None:
    assert read_study({**config, "evaluation": None, "books": None}) == read_study(config)
    assert read_study(config).hopfield is not None
    assert read_study({**config, "hopfield": None}).hopfield is None
    assert read_study(config).gradient_lab is not None
    assert read_study({**config, "gradient_lab": None}).gradient_lab is None


def test_a_missing_part_is_named(config: dict[str, Any]) -> None:
    del config["runs"]["gru-384"]["model"]
    with pytest.raises(SpecError, match=r"runs\.gru-384\.model: missing"):
        read_study(config)


def test_an_error_in_the_shared_training_is_told_once(config: dict[str, Any]) -> None:
    _set(config, "training/batch_size", 0)
    with pytest.raises(SpecError) as told:
        read_study(config)
    assert str(told.value).count("batch_size") == 1


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("/a/Мои книги", "Мои книги"),
        ("/a/2026", "2026"),
        ("/a/x{y}", "x-y-"),
        ("/a/..b ", "b"),
        ("/", "shelf"),
        ("/a/mlflow.db", "mlflow.db-study"),
        ("/a/; rm -rf $(b) 'c' \"d\"\n\x1b[31m\u2028e", "; rm -rf $(b) 'c' -d---[31m-e"),
    ],
)
def test_a_folder_of_books_names_the_study(config: dict[str, Any], folder: str, name: str) -> None:
    assert read_study({**config, "books": folder}).name == name


HOSTILE = ["; rm -rf ~", "$(id)", "a b", "it's", '"a"', "a\nb", "-rf", "a\n", "../a", "", "a/b", "{a}"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("key", ["runs", "tokenizers", "embeddings", "searches", "gradient_lab/tasks/networks"])
def test_a_name_that_a_shell_could_read_otherwise_is_refused(config: dict[str, Any], key: str, name: str) -> None:
    part = config
    for step in key.split("/"):
        part = part.setdefault(step, {})
    part[name] = {}
    with pytest.raises(SpecError) as caught:
        read_study(config)
    told = f"{key.replace('/', '.')}: found the name {name!r}; a name has letters, digits, - and _, and begins with"
    assert told in str(caught.value)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_in_a_value_is_refused_likewise(config: dict[str, Any], name: str) -> None:
    _set(config, "corpus/name", name)
    with pytest.raises(SpecError, match=r"corpus\.name: found .*; a name has letters, digits, - and _"):
        read_study(config)


def test_a_message_about_an_address_holds_no_secret(config: dict[str, Any]) -> None:
    download = {"url": "ftp://me:hush@host/a.txt?token=hush", "sha256": "0" * 64}
    _set(config, "corpus/source", {"kind": "url", "files": [download]})
    _set(config, "tracking/uri", {"postgresql://me:hush@host/runs": 1})
    with pytest.raises(SpecError) as caught:
        read_study(config)
    assert "corpus.source.files.0.url: found 'ftp://host/a.txt?***'" in str(caught.value)
    assert "tracking.uri: found {'postgresql://host/runs'" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_the_licence_of_the_configured_shelf_is_not_that_of_other_books(config: dict[str, Any]) -> None:
    assert read_study(config).corpus.licence == "public domain"
    assert read_study({**config, "books": "/books"}).corpus.licence is None


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical_json({"b": 1, "a": [1.5, None]}) == '{"a":[1.5,null],"b":1}'
    assert digest({"x": 1, "y": 2}) == digest({"y": 2, "x": 1}) != digest({"x": 2, "y": 1})


def test_a_specification_can_not_be_changed(config: dict[str, Any]) -> None:
    study = read_study(config)
    with pytest.raises(ValueError, match="frozen"):
        study.training.batch_size = 3


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("embeddings/glove/tokenizer", "bpe", r"embeddings\.glove\.tokenizer: found 'bpe'; allowed: unigram-2k"),
        ("embeddings/glove/kind", "fast", r"embeddings\.glove: found .*'word2vec', 'glove'"),
        ("embeddings/glove/windw", 3, r"embeddings\.glove\.windw: unknown key; did you mean 'window'"),
        ("runs/gru-384/embedding", "glov", r"runs\.gru-384\.embedding: found 'glov'; allowed: glove"),
        ("embeddings/glove/dimensions", 100, r"runs\.lstm-384\.model\.embedding: found 192; .*'glove' has 100 dim"),
        ("runs/lstm-384/tokenizer", "other", r"runs\.lstm-384\.tokenizer: found 'other'; .*needs 'unigram-2k'"),
        ("training/embedding_frozen_steps", -1, r"training\.embedding_frozen_steps: found -1"),
        ("training/embedding_frozen_steps", "ever", r"training\.embedding_frozen_steps: found 'ever'.*'all'"),
    ],
)
def test_an_embedding_that_does_not_fit_is_named_with_its_path(
    config: dict[str, Any], path: str, value: Any, message: str
) -> None:
    config["tokenizers"]["other"] = {"kind": "unigram"}
    config["embeddings"] = {"glove": {"kind": "glove", "tokenizer": "unigram-2k", "dimensions": 192}}
    config["runs"]["lstm-384"]["embedding"] = "glove"
    assert read_study(config).runs["lstm-384"].embedding == "glove"
    _set(config, path, value)
    with pytest.raises(SpecError, match=message):
        read_study(config)


@pytest.fixture
def mixed(config: dict[str, Any]) -> dict[str, Any]:
    """Return a study of a cache and an ensemble around networks of some seeds."""
    config["tokenizers"]["bytes"] = {"kind": "bytes"}
    config["runs"]["lstm-384"]["seeds"] = [1, 2]
    config["runs"]["kn"] = {"model": {"kind": "ngram"}, "tokenizer": "unigram-2k", "seeds": [7]}
    config["runs"]["cached"] = {"model": {"kind": "cache", "of": "lstm-384"}, "seeds": [1, 2]}
    config["runs"]["mix"] = {"model": {"kind": "ensemble", "members": ["cached", "kn", "lstm-384.s2"]}}
    return config


def test_a_name_without_a_seed_is_the_run_of_the_same_seed_or_the_only_one(mixed: dict[str, Any]) -> None:
    study = read_study(mixed)
    assert {run: members for run, members in study.members.items() if members} == {
        "cached.s1": ("lstm-384.s1",),
        "cached.s2": ("lstm-384.s2",),
        "mix.s1": ("cached.s1", "kn.s7", "lstm-384.s2"),
    }
    assert {study.runs[name].tokenizer for name in ("cached", "mix")} == {"unigram-2k"}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("runs/cached/model/of", "ltsm", r"runs\.cached\.model\.of: found 'ltsm'; allowed: elman-384, "),
        ("runs/cached/model/of", "lstm-384.s3", r"model\.of: found 'lstm-384.s3'; allowed: lstm-384.s1, lstm-384.s2"),
        ("runs/cached/seeds", [3], r"found 'lstm-384', of which there is no run with seed 3; allowed: lstm-384.s1, "),
        ("runs/cached/model/of", "cached", r"model\.of: a run can't be made of itself: cached.s1 of cached.s1"),
        ("runs/cached/model/of", "mix", r"made of itself: cached.s1 of mix.s1 of cached.s1"),
        ("runs/mix/model/members", ["kn"], r"runs\.mix\.model\.members: found \['kn'\]; .*at least 2"),
        ("runs/mix/model/members", ["kn", "kn.s7"], r"members\.1: found 'kn.s7'; kn.s7 is a member already"),
        (
            "runs/cached/model",
            {"kind": "dynamic", "of": "kn"},
            r"cached\.model\.of: found 'kn', of the kind ngram; allowed",
        ),
        (
            "runs/cached/model",
            {"kind": "dynamic", "of": "mix"},
            r"found 'mix', of the kind ensemble; allowed: a network",
        ),
        ("runs/kn/tokenizer", "bytes", r"members\.1: found 'kn.s7', whose tokenizer is 'bytes'; .* 'unigram-2k'"),
        ("runs/mix/tokenizer", "bytes", r"members\.0: found 'cached.s1', whose tokenizer is 'unigram-2k'; .*'bytes'"),
        ("runs/mix/embedding", "glove", r"runs\.mix\.embedding: found 'glove'; allowed: none is configured"),
    ],
)
def test_members_that_do_not_fit_are_named_with_their_path(
    mixed: dict[str, Any], path: str, value: Any, message: str
) -> None:
    _set(mixed, path, value)
    with pytest.raises(SpecError, match=message):
        read_study(mixed)


def test_a_run_of_its_own_must_name_its_tokenizer(mixed: dict[str, Any]) -> None:
    del mixed["runs"]["kn"]["tokenizer"]
    with pytest.raises(SpecError, match=r"runs\.kn\.tokenizer: missing; it must be given"):
        read_study(mixed)


PRESETS = {
    "cpu": {"training": {"max_seconds": 60, "max_tokens": None}, "runs": {"lstm-384": {"model": {"hidden": 8}}}},
    "gpu": {"study": "austen-gpu", "runs": {"lstm-384": {"model": {"kind": "gru"}, "seeds": [3]}}},
    "none": None,
}


def test_a_preset_is_laid_over_the_other_values_key_by_key(config: dict[str, Any]) -> None:
    plain = read_study({**config, "presets": {}})
    with_presets = {**config, "presets": {name: preset or {} for name, preset in PRESETS.items()}}
    cpu = read_study({**with_presets, "preset": "cpu"})
    assert cpu.runs["lstm-384"].model.model_dump() == {**plain.runs["lstm-384"].model.model_dump(), "hidden": 8}
    assert cpu.runs["gru-384"].model == plain.runs["gru-384"].model
    budgets = {(run.training.max_seconds, run.training.max_tokens) for run in cpu.runs.values()}
    assert budgets == {(60.0, None)}  # the keys of a run's own training stay as well: elman's learning rate
    assert cpu.runs["elman-384"].training.learning_rate == plain.runs["elman-384"].training.learning_rate
    gpu = read_study({**with_presets, "preset": "gpu"})
    assert (gpu.name, gpu.runs["lstm-384"].seeds) == ("austen-gpu", (3,))
    assert gpu.training == plain.training
    assert read_study({**with_presets, "preset": None}).runs == plain.runs
    assert config["runs"]["lstm-384"]["model"]["hidden"] == 384  # what was laid over is as it was


def test_what_has_another_kind_is_replaced_as_a_whole(config: dict[str, Any]) -> None:
    _set(config, "presets/gpu", {"runs": {"lstm-384": {"model": {"kind": "elman", "activation": "relu"}}}})
    _set(config, "runs/lstm-384/model/forget_bias", 2.0)  # an Elman network has none
    model = read_study({**config, "preset": "gpu"}).runs["lstm-384"].model
    assert (model.kind, model.model_dump()["hidden"]) == ("elman", 256)


@pytest.mark.parametrize(
    ("presets", "chosen", "message"),
    [
        (PRESETS, "tpu", r"preset: found 'tpu'; allowed: cpu, gpu, none"),
        ({}, "cpu", r"preset: found 'cpu'; allowed: none, there are no presets here"),
        ({"cpu": {"trainnig": {}}}, "cpu", r"trainnig: unknown key; did you mean 'training'"),
        ({"cpu": {"training": {"threads": 0}}}, "cpu", r"training\.threads: found 0; should be greater"),
        ({"cpu": 3}, "cpu", r"presets\.cpu: found 3; should be a valid dictionary"),
        ([1], "cpu", r"presets: found \[1\]; should be a valid dictionary"),
        ({"a b": {}}, None, r"presets: found the name 'a b'; a name has letters"),
    ],
)
def test_a_wrong_preset_is_named(config: dict[str, Any], presets: Any, chosen: str | None, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read_study({**config, "presets": presets, "preset": chosen})


@pytest.mark.parametrize("preset", ["cpu", "gpu"])
@pytest.mark.parametrize("suite", ["wikitext-2", "penn-treebank", "tiny-shakespeare", "austen"])
def test_a_suite_keeps_to_its_time_on_two_cores_or_one_gpu(suite: str, preset: str) -> None:
    values = yaml.safe_load((CONFIG.parent / "suites" / f"{suite}.yaml").read_text())
    study = read_study({**values, "preset": preset})
    trained = [run for name, run in study.runs.items() if not run.model.reads_once and not study.members[f"{name}.s1"]]
    budgets = [(run.training.max_seconds or math.inf) * min(2, run.training.threads) for run in trained]
    core_minutes = sum(budgets) / 60
    assert 0.9 < core_minutes / {"cpu": 60, "gpu": 15}[preset] < 1.0  # the rest is for what is counted and mixed
    assert {run.training.patience for run in trained} == {None}
    assert study.name == {"austen": "austen-suite"}.get(suite, suite) + "-gpu" * (preset == "gpu")
