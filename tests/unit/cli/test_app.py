import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nextchapter.cli import writing
from nextchapter.cli.app import main
from nextchapter.cli.loaded import load
from nextchapter.cli.runs import RunNotFoundError, find_run
from nextchapter.generation.writer import Writer
from nextchapter.models.registry import build_model, save_model
from nextchapter.spec.writing import WritingSpec

TEXT = "The dog of the house was not at home."


@pytest.mark.parametrize(
    ("asked", "study", "found"),
    [
        ("champion", None, "shelf/runs/other.s2"),
        ("solo.s1", None, "tales/runs/solo.s1"),
        ("solo", None, "tales/runs/solo.s1"),
        ("other", None, "shelf/runs/other.s1"),
        ("net", "tales", "tales/runs/net.s1"),
        ("results/tales/runs/net.s1", None, "tales/runs/net.s1"),
        ("results/tales/runs/net.s1/model.safetensors", None, "tales/runs/net.s1"),
    ],
)
def test_a_run_is_found_by_name_by_path_and_as_the_champion(
    results: Path, asked: str, study: str | None, found: str
) -> None:
    assert find_run(asked, study).folder == (results / found).resolve()


@pytest.mark.parametrize(
    ("asked", "study", "told"),
    [
        ("net", None, "a run of 2 studies: shelf (net.s1), tales (net.s1). Choose one with --study"),
        ("nett", None, "no run 'nett'; did you mean 'net.s1'? there are net.s1, other.s1, other.s2, solo.s1"),
        ("champion", "tales", "no champion has been chosen yet"),
        ("net", "nowhere", "no study of the name 'nowhere'"),
    ],
)
def test_a_run_that_is_not_there_is_told_with_what_there_is(
    results: Path, asked: str, study: str | None, told: str
) -> None:
    with pytest.raises(RunNotFoundError) as caught:
        find_run(asked, study)
    assert told in str(caught.value)


def test_the_name_of_a_study_is_no_pattern(results: Path) -> None:
    (results / "tales").rename(results / "tales [1]")
    assert find_run("net", "tales [1]").folder == (results / "tales [1]/runs/net.s1").resolve()
    with pytest.raises(RunNotFoundError, match="no study of the name"):
        find_run("net", "tale*")


def test_a_folder_that_holds_its_tokenizer_needs_no_study(results: Path, tmp_path: Path) -> None:
    study = results / "tales"
    alone = tmp_path / "alone"
    shutil.copytree(study / "runs" / "solo.s1", alone)
    shutil.copy(study / "tokens" / "pieces" / "tokenizer.model", alone)
    shutil.rmtree(study)
    assert find_run(str(alone)).tokenizer == alone / "tokenizer.model"


def test_what_is_no_recurrent_network_is_not_exported(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = results / "tales" / "runs" / "solo.s1" / "model.safetensors"
    save_model(path, build_model({"kind": "uniform"}, 500), {"kind": "uniform"})
    assert main(["export", "solo", "--onnx", "solo.onnx"]) == 1
    assert "only recurrent networks become ONNX files" in capsys.readouterr().err
    assert not list(Path().glob("solo.*"))


def test_a_network_is_exported_with_its_tokenizer(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxscript", reason="pip install -e '.[dev,onnx]' brings what torch's exporter needs")
    assert main(["export", "solo", "--onnx", "out/solo.onnx", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["run"], told["model"], told["onnx"]) == ("solo.s1", "gru", "out/solo.onnx")
    assert Path(told["tokenizer"]).read_bytes() == find_run("solo").tokenizer.read_bytes()
    assert Path("out/solo.onnx").stat().st_size


def test_a_run_without_its_tokenizer_is_told(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (results / "tales" / "tokens" / "pieces" / "tokenizer.model").unlink()
    assert main(["write", "solo"]) == 1
    assert "the tokenizer of solo.s1 is missing" in capsys.readouterr().err


def test_write_gives_the_same_text_for_the_same_seed(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for seed in ("1", "1", "2"):
        assert main(["write", "--opening", "The", "--words", "20", "--seed", seed]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != texts[2]
    assert all("The" in text[:5] for text in texts)


def test_write_without_an_opening_draws_a_word_of_the_shelf(
    results: Path, salad: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["write", "solo", "--words", "10", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["writing"]["opening"] in salad
    assert told["text"].startswith(told["writing"]["opening"])
    assert (told["run"], told["study"], told["writing"]["words_max"]) == ("solo.s1", "tales", 10)


def test_what_is_streamed_is_what_is_written_at_once(results: Path) -> None:
    settings = {"opening": "The", "words_min": 10, "words_max": 20, "seed": 5}
    run, screen = find_run("solo"), io.StringIO()
    writing.stream_chapter(run, settings, screen)
    loaded = load(run)
    writer = Writer(loaded.model, loaded.tokenizer, "The", WritingSpec(**settings))
    while writer.step():
        pass
    assert screen.getvalue() == writer.drafts[0].text.rstrip("\N{REPLACEMENT CHARACTER}") + "\n"


def test_score_lists_the_words_that_cost_most(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a text.txt").write_text(TEXT)
    assert main(["score", "solo", "a text.txt", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [item["text"] for item in told["surprises"]] == [*TEXT[:-1].split(), "."]
    assert sum(item["bits"] for item in told["surprises"]) == pytest.approx(told["bits_per_character"] * len(TEXT))
    assert main(["score", "solo", "a text.txt", "--words", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    dearest = max(told["surprises"], key=lambda item: item["bits"])
    assert f"[{dearest['text']}]" in lines[-2]


def test_compare_says_which_run_is_better_and_where(
    results: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(TEXT))
    assert main(["compare", "solo", "other.s2", "-", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    bits = [run["bits_per_character"] for run in told["runs"]]
    assert told["difference"] == pytest.approx(bits[1] - bits[0])
    assert sum(word["difference"] for word in told["words"]) == pytest.approx(told["difference"] * len(TEXT))
    monkeypatch.setattr(sys, "stdin", io.StringIO(TEXT))
    assert main(["compare", "solo", "other.s2", "-"]) == 0
    better = ["solo.s1", "other.s2"][bits[1] < bits[0]]
    assert f"{better} foresees this text better" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["write", "solo", "--temperature", "-1"], 1, "temperature: found -1.0; should be greater than or equal to 0"),
        (["write", "solo", "--words", "0"], 2, "--words"),
        (["score", "solo", "nowhere.txt"], 1, "nowhere.txt: No such file or directory"),
        (["score", "solo", "blank.txt"], 1, "blank.txt holds no text"),
        (["score", "solo", "latin.txt"], 1, "not in UTF-8"),
        (["sing"], 2, "sing"),
    ],
)
def test_what_can_not_be_done_is_told_in_a_line(
    results: Path, arguments: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("blank.txt").write_text(" \n")
    Path("latin.txt").write_bytes("é".encode("latin-1"))
    assert main(arguments) == code
    assert told in capsys.readouterr().err


def test_nothing_heavier_than_torch_is_loaded_to_write(results: Path) -> None:
    program = (
        "import sys; from nextchapter.cli.app import main; code = main(sys.argv[1:]);"
        "heavy = {'pandas', 'mlflow', 'matplotlib', 'snakemake', 'scipy', 'gensim'} & set(sys.modules);"
        "sys.exit(code or sorted(heavy) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "write", "solo", "--words", "5", "--opening", "The"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "The" in done.stdout[:5]
