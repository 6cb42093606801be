from pathlib import Path

import pytest

from nextchapter.stages.plot_leaderboard import main

TABLE = """\
rank,run,model,parameters,corpus,tokenizer,seed,device,train_seconds,train_tokens_per_s,valid_bits_per_character,\
test_nats_per_token,test_perplexity,test_perplexity_per_word,test_bits_per_character,\
test_bits_per_character_without_spelling,test_bits_per_byte,ci_low,ci_high,test_token_accuracy_at_1,\
test_token_accuracy_at_5,test_word_accuracy,test_expected_calibration_error,champion,train_share
1,gru.s1,gru,10,<i>austen</i>,2026,1,cpu,60.0,900.0,2.1,4.0,54.6,400.0,2.0,2.0,1.99,1.9,2.1,.31,.52,.24,.02,False,1.0
1,lstm.s1,lstm,12,<i>austen</i>,2026,1,cpu,60.0,900.0,2.0,4.0,54.6,,2.5,2.5,2.49,,,.3,.5,,.02,True,1.0
"""


def test_the_leaderboard_is_drawn_and_set_twice_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leaderboard.csv").write_text(TABLE)
    for folder in ("a", "b"):
        outputs = [
            text for kind in ("svg", "png", "html") for text in (f"--{kind}", f"{tmp_path}/{folder}/board.{kind}")
        ]
        assert main(["--leaderboard", "leaderboard.csv", *outputs]) == 0
    for kind in ("svg", "png", "html"):
        assert (tmp_path / f"a/board.{kind}").read_bytes() == (tmp_path / f"b/board.{kind}").read_bytes()
    html = (tmp_path / "a/board.html").read_text()
    assert "&lt;i&gt;austen" in html
    assert "<i>austen" not in html
    assert ">2026<" in html
    assert html.index("gru.s1") < html.index("lstm.s1")
    assert html.count(">=1</td>") == 2
