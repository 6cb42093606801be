from pathlib import Path
from types import SimpleNamespace

from nextchapter.stages import evaluate_embedding
from nextchapter.stages.plot_embedding import main


def test_a_map_is_drawn_twice_with_the_same_bytes(
    embedded: Path, small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path
) -> None:
    assert evaluate_embedding.main(arguments.evaluate_embedding(small_shelf, embedded, embedded)) == 0
    for name in ("a", "b"):
        files = {"facts": small_shelf / "tokens.json", "train-tokens": small_shelf / "train.bin"}
        files |= {"vectors": embedded / "vectors.safetensors", "vocabulary": embedded / "vocabulary.json"}
        files |= {"svg": tmp_path / name / "m.svg", "png": tmp_path / name / "m.png"}
        argv = [part for key, path in files.items() for part in (f"--{key}", str(path))]
        assert main(["--spec", '{"embedding": "glove"}', *argv]) == 0
    assert (tmp_path / "a/m.svg").read_bytes() == (tmp_path / "b/m.svg").read_bytes()
    assert (tmp_path / "a/m.png").read_bytes() == (tmp_path / "b/m.png").read_bytes()
