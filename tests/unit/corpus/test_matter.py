from collections.abc import Callable

import pytest

from nextchapter.corpus.matter import end_of_prose, is_apparatus, is_prose, kind_of_matter, start_of_prose


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("PROLOGUE", "prologue"), ("Prólogo", "prologue"), ("Пролог", "prologue"), ("楔子", "prologue"),
        ("Preface", "preface"), ("THE PREFACE.", "preface"), ("Preface to the Second Edition", "preface"),
        ("To My Readers", "preface"), ("Author's Note", "preface"), ("Avant-propos", "preface"), ("Vorwort", "preface"),
        ("PRÉFACE DE L’AUTEUR", "preface"), ("Предисловие", "preface"), ("Voorwoord", "preface"), ("序", "preface"),
        ("Introduction by the Editor", "introduction"), ("Einleitung", "introduction"), ("はじめに", "introduction"),
        ("Epilogue", "epilogue"), ("ЭПИЛОГ", "epilogue"), ("Epílogo", "epilogue"), ("Conclusion.", "epilogue"),
        ("Nachwort", "afterword"), ("あとがき", "afterword"), ("Posłowie", "afterword"), ("후기", "afterword"),
        ("Prologue: The Storm", "prologue"), ("EPILOGUE.—Ten Years After", "epilogue"), ("Interlude II", "interlude"),
        ("Zwischenspiel", "interlude"), ("楔子 張天師祈禳瘟疫", "prologue"), ("Schluß", "epilogue"),
        ("Chapter I", None), ("Introductions Are Made", None), ("", None),
        ("Preface, in which much is said that could have been left out without any harm to it", None),
    ],
)  # fmt: skip
def test_additions_of_an_author_are_known_by_their_names(heading: str, kind: str | None) -> None:
    assert kind_of_matter(heading, is_behind=False) == kind


def test_an_authors_note_behind_the_chapters_is_an_afterword() -> None:
    assert kind_of_matter("A Note by the Author".removeprefix("A "), is_behind=True) == "afterword"


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("CONTENTS", True), ("Table des matières", True), ("Inhalt", True), ("Índice", True), ("Содержание", True),
        ("List of Illustrations", True), ("About the Author", True), ("Acknowledgements", True), ("License", True),
        ("Transcriber’s Notes", True), ("Footnotes:", True), ("Copyright", True), ("目录", True),
        ("THE FULL PROJECT GUTENBERG LICENSE", True),
        ("Bibliography", True), ("Anmerkungen", True), ("Dedicated to", True),
        ("The Wonderful Oz Books by L. Frank Baum", True), ("Other Works by the Same Author", True),
        ("The Noteworthy Man", False), ("Index Finger", False), ("Chapter I", False), ("A Book of Verses", False),
    ],
)  # fmt: skip
def test_what_printers_and_editors_add_is_known_by_its_names(heading: str, expected: bool) -> None:
    assert is_apparatus(heading) is expected


def test_prose_is_told_from_lists_and_title_pages(prose: Callable[..., str]) -> None:
    entries = [f"Chapter {number}. The Cyclone    {number}7" for number in range(1, 30)]
    assert is_prose(prose(600).split("\n"))
    assert is_prose(["वह बाहर चला गया और हवा तेज़ चल रही थी और गली में कोई नहीं था।" * 5])
    assert not is_prose(entries)
    assert not is_prose(["THE BOOK", "", "by", "", "A. Writer", "", "Dedicated to my mother."])
    assert not is_prose([*prose(300).split("\n"), "", *entries])


def test_prose_ends_at_a_gap_with_none_behind_it(prose: Callable[..., str]) -> None:
    text = f"\n{prose(400)}\n\n\n\n{prose(400, 1)}"
    lines = f"{text}\n\n\n\n\nTHE BOOK\n\nby A. Writer\n".split("\n")
    assert "\n".join(lines[: end_of_prose(lines)]).rstrip() == text
    assert end_of_prose(["", "THE BOOK", ""]) == 0


def test_running_prose_begins_behind_title_page_and_imprint(prose: Callable[..., str]) -> None:
    front = "THE BOOK\n\nby A. Writer\n\nCopyright 1890 by A. Writer, who reserves all rights in any land for ever.\n\n"
    opening = "So it began.\n\n"
    lines = f"{front}{opening}{prose(700)}".split("\n")
    assert start_of_prose(lines, 500) == front.count("\n")
    assert start_of_prose(lines, 5000) is None
    assert start_of_prose(front.split("\n"), 1) is None
