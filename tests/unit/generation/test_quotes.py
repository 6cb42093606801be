import pytest

from nextchapter.generation.quotes import close_quotes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He came in.", "He came in."),
        ('"Come in," said he.', '"Come in," said he.'),
        ('"Come in. It is cold.', '"Come in. It is cold."'),
        ('If I shall be happy."', '"If I shall be happy."'),
        ('He said, "Come in.', 'He said, "Come in."'),
        ('He said--"Come in.', 'He said--"Come in."'),
        ('come," he said.', '"come," he said.'),
        ("“Come in.", "“Come in.”"),
        ("in,” said he; “it is cold.”", "“in,” said he; “it is cold.”"),
        ("“Come,” said he; “it is cold.", "“Come,” said he; “it is cold.”"),
        ("„Komm herein“, sagte er. „Es ist kalt.", "„Komm herein“, sagte er. „Es ist kalt.“"),
        ("»Komm herein«, sagte er.", "»Komm herein«, sagte er."),
        ("« Entrez", "« Entrez»"),
        ("「来なさい", "「来なさい」"),
        ("“One ‘two’ three.\n\nfour.”", "“One ‘two’ three.”\n\n“four.”"),
        ("", ""),
    ],
)
def test_quotation_marks_come_in_pairs(text: str, expected: str) -> None:
    assert close_quotes(text) == expected
    assert close_quotes(expected) == expected


def test_nothing_is_put_before_words_that_were_given() -> None:
    assert close_quotes('Emma came," he said.\n\nso," said she.', "Emma") == 'Emma came," he said.\n\n"so," said she.'
    assert close_quotes("a\n\nb\n\nc”\n\nd”", "a\n\nb") == "a\n\nb\n\n“c”\n\n“d”"
    assert close_quotes("Emma said, “No.", "Emma") == "Emma said, “No.”"
