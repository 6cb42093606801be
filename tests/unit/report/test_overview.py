import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nextchapter.report.kinds import KINDS
from nextchapter.report.overview import overview_page
from nextchapter.report.results import Results
from nextchapter.spec.families import FAMILIES

RUNS = ["elman-384.s1", "gru-384.s1", "lstm-384.s1"]
Made = Callable[..., tuple[Path, dict[str, Any]]]


def text_of(page: Any) -> str:
    return " ".join(page.text.split())


def test_a_study_without_any_part_has_the_sections_that_all_have(
    reported_study: Made, read_page: Callable[[str], Any]
) -> None:
    html = overview_page(Results(*reported_study()))
    page = read_page(html)
    assert page.nests
    assert re.findall(r'<section id="(.*?)">', html) == [
        "shelf", "networks", "leaderboard", "curves", "costs", "losses", "chapters", "inside", "provenance",
    ]  # fmt: skip
    assert re.findall(r'<a href="#(.*?)">', html) == re.findall(r'<section id="(.*?)">', html)
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert "None" not in page.text
    assert "nan" not in page.text.split()


def test_pictures_stand_in_the_page_and_nothing_is_fetched(
    reported_study: Made, read_page: Callable[[str], Any]
) -> None:
    parts = {
        "gradients": True,
        "recurrent": RUNS,
        "states": RUNS[:1],
        "memory": True,
        "exposure": True,
        "data_size": True,
    }
    page = read_page(overview_page(Results(*reported_study(tasks=["parity/lstm", "parity/tanh"], **parts))))
    sources = [value for name, value in page.attributes if name == "src"]
    assert len(sources) == page.tags.count("img") == page.tags.count("figcaption") > 20
    assert all(source.startswith("data:image/svg+xml,%3Csvg") or "<svg" in source for source in sources)
    assert not any("#" in source or '"' in source for source in sources)


def test_the_captions_tell_the_numbers_of_this_study(reported_study: Made, read_page: Callable[[str], Any]) -> None:
    text = text_of(read_page(overview_page(Results(*reported_study(gradients=True, recurrent=RUNS)))))
    assert "lstm-384.s1 more than 128 word pieces back; gru-384.s1 38 word pieces back; elman-384.s1 14" in text
    assert "the numbers overflow at step 2; with gradients cut to a length of 1, its loss goes from 7.6 to 6.1" in text
    assert "3 networks read 8 chapters; the best at foreseeing 8 chapters that none had seen is lstm-384.s1" in text


def test_of_many_networks_in_a_task_those_that_came_furthest_are_told(
    reported_study: Made, read_page: Callable[[str], Any]
) -> None:
    names = [f"parity/network-{number}" for number in range(6)]
    study, spec = reported_study(tasks=names)
    for name in names[:4]:
        path = study / f"diagnostics/tasks/{name}.json"
        path.write_text(path.read_text().replace('"passed": true', '"passed": false'))
    page = text_of(read_page(overview_page(Results(study, spec))))
    assert "The greatest: Parity: network-4 10, network-5 10." in page


def test_a_recurrent_network_is_compared_with_the_best_of_another_kind(
    reported_study: Made, read_page: Callable[[str], Any]
) -> None:
    text = text_of(read_page(overview_page(Results(*reported_study(recurrent=["lstm-384.s1"])))))
    assert "lstm-384.s1 (2.080), is 1.4 % ahead of the best of another kind, gru-384.s1 (2.110)" in text
    behind = text_of(read_page(overview_page(Results(*reported_study("b", recurrent=["elman-384.s1"])))))
    assert "elman-384.s1 (2.310), is 10 % behind the best of another kind, lstm-384.s1 (2.080)" in behind


def test_titles_are_text_and_no_markup(reported_study: Made, read_page: Callable[[str], Any]) -> None:
    study = reported_study("<b>كتب", title="<script>alert(1)</script> & אמה")
    page = read_page(overview_page(Results(*study)))
    assert page.nests
    assert "script" not in page.tags
    assert "<script>alert(1)</script> & אמה" in page.text
    assert "<b>كتب: what the networks learned of it" in page.text


def test_every_kind_is_told_in_words_beside_its_runs(reported_study: Made, read_page: Callable[[str], Any]) -> None:
    assert set(KINDS) == {family.replace("_", "-") for family in FAMILIES}
    text = text_of(read_page(overview_page(Results(*reported_study()))))
    for run, kind in (("elman-384.s1", "elman"), ("gru-384.s1", "gru"), ("lstm-384.s1", "lstm")):
        assert f"{run}{KINDS[kind]}" in text
