from pathlib import Path

import pytest

from nextchapter.corpus.cleaning import clean_document
from nextchapter.corpus.formats.plain import read_plain
from nextchapter.corpus.languages import UNDETERMINED, detect_language
from nextchapter.corpus.removals import Removals

DATA = Path(__file__).resolve().parents[4] / "shared/data"

SENTENCES = {
    "en": "The old house stood at the end of the lane, and nobody had lived in it since the winter of the great storm.",
    "fr": "La vieille maison se trouvait au bout du chemin, et personne n'y avait vécu depuis l'hiver de la tempête.",
    "de": "Das alte Haus stand am Ende des Weges, und niemand hatte darin gewohnt, seit der große Sturm gekommen war.",
    "es": "La vieja casa estaba al final del camino, y nadie había vivido en ella desde el invierno de la tormenta.",
    "it": "La vecchia casa si trovava in fondo alla strada, e nessuno vi aveva abitato dopo l'inverno della tempesta.",
    "pt": "A velha casa ficava no fim do caminho, e ninguém tinha morado nela desde o inverno da grande tempestade.",
    "nl": "Het oude huis stond aan het einde van de weg, en niemand had er gewoond sinds de winter van de grote storm.",
    "sv": "Det gamla huset stod i slutet av vägen, och ingen hade bott där sedan vintern då den stora stormen kom.",
    "fi": "Vanha talo seisoi tien päässä, eikä kukaan ollut asunut siinä suuren myrskyn talven jälkeen.",
    "pl": "Stary dom stał na końcu drogi i nikt w nim nie mieszkał od zimy, w której przyszła wielka burza.",
    "cs": "Starý dům stál na konci cesty a nikdo v něm nebydlel od té zimy, kdy přišla ta bouře a vše zničila.",
    "hu": "A régi ház az út végén állt, és senki sem lakott benne azóta a tél óta, amikor a nagy vihar jött.",
    "tr": "Eski ev yolun sonunda duruyordu ve büyük fırtınanın geldiği kıştan beri içinde hiç kimse yaşamamıştı, dedi.",
    "ru": "Старый дом стоял в конце дороги, и никто не жил в нём с той зимы, когда пришла большая буря и всё унесла.",
    "uk": "Старий будинок стояв у кінці дороги, і ніхто не жив у ньому з тієї зими, коли прийшла велика буря з моря.",
    "el": "Το παλιό σπίτι στεκόταν στο τέλος του δρόμου και κανείς δεν είχε ζήσει εκεί από τον χειμώνα της καταιγίδας.",
    "la": "Domus vetus in fine viae stabat, nec quisquam in ea habitaverat ex illa hieme qua magna tempestas.",
    "zh": "那座老房子在路的尽头，自从那年冬天大风暴来过以后，就再也没有人住在里面了。村里的孩子们都不敢走近它。",
    "ja": "その古い家は道の終わりに立っていて、大きな嵐が来たあの冬から、誰もそこに住んでいませんでした。",
    "ar": "كان البيت القديم يقف في نهاية الطريق ولم يسكن فيه أحد منذ الشتاء الذي جاءت فيه العاصفة الكبيرة.",
    "he": "הבית הישן עמד בסוף הדרך, ואיש לא גר בו מאז החורף שבו באה הסערה הגדולה, כך סיפרו לנו כל הזקנים בכפר הקטן.",
}  # fmt: skip


@pytest.mark.parametrize("language", SENTENCES)
def test_the_language_of_a_sentence_and_of_a_book_made_of_it(language: str) -> None:
    sentence = SENTENCES[language]
    assert detect_language([sentence])[0] == language
    code, confidence = detect_language([f"{sentence}\n\n" * 80] * 3)
    assert code == language
    assert 0.9 < confidence <= 1


def test_verse_and_old_english_are_english() -> None:
    verse = (
        "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n"
        "Rough winds do shake the darling buds of May,\nAnd summer's lease hath all too short a date."
    )
    assert detect_language([verse])[0] == "en"
    play = (
        "MACBETH.\nIf it were done when 'tis done, then 'twere well\nIt were done quickly.\n\nLADY MACBETH.\nHow now?"
    )
    assert detect_language([f"{play}\n\n{play.upper()}"])[0] == "en"


@pytest.mark.parametrize("texts", [[], [""], ["* * *", "1234"], ["Chapter One."], ["Too few words for that."]])
def test_too_little_text_has_no_language(texts: list[str]) -> None:
    assert detect_language(texts) == (UNDETERMINED, 0.0)


def test_the_greater_part_of_a_book_decides_and_the_confidence_tells_its_share() -> None:
    parts = [f"{SENTENCES[language]} " * 60 for language in ("fr", "fr", "fr", "de")]
    code, confidence = detect_language(parts)
    assert code == "fr"
    assert confidence == pytest.approx(0.75, abs=0.05)


def test_where_chapters_begin_makes_no_difference() -> None:
    text = f"{SENTENCES['it']} " * 200
    whole = detect_language([text])
    assert detect_language([text[:50], "", text[50:9000], text[9000:]]) == whole


@pytest.mark.parametrize(
    ("file", "language"),
    [
        ("messy/de_die-verwandlung_pg22367_latin1.htm", "de"),
        ("messy/en_macbeth_lone-cr.txt", "en"),
        ("messy/fr_madame-bovary_pg14155_latin1.txt", "fr"),
        ("messy/ru_fathers-and-sons_utf8.txt", "ru"),
        ("oz/05_the-road-to-oz_pg485.txt", "en"),
    ],
)
def test_real_books(file: str, language: str) -> None:
    path = DATA / file
    if not path.is_file():
        pytest.skip(f"the shared data is not beside this checkout: {path}")
    book = clean_document(read_plain(path.read_bytes()), file, file, Removals())
    code, confidence = detect_language([chapter.text for chapter in book.chapters])
    assert code == language
    assert confidence > 0.95
