import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus.decoding import decode
from nextchapter.corpus.encodings import guess_encodings

TEXTS = {
    "French": "C’était à Mégara, faubourg de Carthage, dans les jardins d’Hamilcar. Les soldats qu’il avait "
    "commandés en "
    "Sicile se donnaient un grand festin pour célébrer le jour anniversaire de la bataille d’Eryx, et comme le maître "
    "était absent et qu’ils se trouvaient nombreux, ils mangeaient et ils buvaient en pleine liberté. Ça et là, où "
    "l’on "
    "dînait, des fenêtres à demi fermées laissaient voir la forêt brûlée.",
    "German": "Im Hause des Bürgermeisters war große Gesellschaft; die Gäste saßen fröhlich beim Frühstück, während "
    "draußen über den Dächern der Stadt die schönsten Glocken läuteten. „Es ist höchste Zeit“, sagte der Müller.",
    "Spanish": "En un lugar de la Mancha, de cuyo nombre no quiero acordarme, no ha mucho tiempo que vivía un "
    "hidalgo de "
    "los de lanza en astillero, adarga antigua, rocín flaco y galgo corredor. Una olla de algo más vaca que carnero, "
    "salpicón las más noches, duelos y quebrantos los sábados, consumían las tres partes de su hacienda.",
    "Portuguese": "Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Dotados de razão e de "
    "consciência, devem agir uns para com os outros em espírito de fraternidade, sem distinção de raça, de língua.",
    "Polish": "Litwo! Ojczyzno moja! ty jesteś jak zdrowie. Ile cię trzeba cenić, ten tylko się dowie, kto cię "
    "stracił. "
    "Dziś piękność twą w całej ozdobie widzę i opisuję, bo tęsknię po tobie. Panno Święta, co jasnej bronisz "
    "Częstochowy.",
    "Czech": "Byl pozdní večer, první máj, večerní máj, byl lásky čas. Hrdliččin zval ku lásce hlas, kde borový "
    "zaváněl "
    "háj. O lásce šeptal tichý mech; květoucí strom lhal lásky žel, svou lásku slavík růži pěl, růžinu jevil vonný "
    "vzdech.",
    "Hungarian": "Minden emberi lény szabadon születik és egyenlő méltósága és joga van. Az emberek, ésszel és "
    "lelkiismerettel bírván, egymással szemben testvéri szellemben kell hogy viseltessenek, fűre, fára, hűvös esőre.",
    "Russian": "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему. Все "
    "смешалось "
    "в доме Облонских. Жена узнала, что муж был в связи с бывшею в их доме француженкою-гувернанткой.",
    "Ukrainian": "Реве та стогне Дніпр широкий, сердитий вітер завива, додолу верби гне високі, горами хвилю підійма. "
    "Всі люди народжуються вільними і рівними у своїй гідності та правах.",
    "Greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. Είναι "
    "προικισμένοι με "
    "λογική και συνείδηση, και οφείλουν να συμπεριφέρονται μεταξύ τους με πνεύμα αδελφοσύνης.",
    "Turkish": "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana sahiptirler ve "
    "birbirlerine karşı kardeşlik zihniyeti ile hareket etmelidirler; yaşamak her ferdin hakkıdır.",
    "Japanese": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。"
    "何でも薄暗いじめじめした所で泣いていた事だけは記憶している。",
    "simplified Chinese": "话说天下大势，分久必合，合久必分。周末七国分争，并入于秦。及秦灭之后，楚、汉分争，"
    "又并入于汉。",
    "traditional Chinese": "話說天下大勢，分久必合，合久必分。周末七國分爭，並入於秦。及秦滅之後，楚、漢分爭，"
    "又並入於漢。",
    "Korean": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 양심을 "
    "부여받았다.",
}  # fmt: skip
ENCODED = [
    *((language, "cp1252") for language in ("French", "German", "Spanish", "Portuguese")),
    *((language, "mac_roman") for language in ("French", "German", "Spanish", "Portuguese")),
    ("French", "cp850"),
    ("German", "cp437"),
    *((language, encoding) for language in ("Polish", "Czech", "Hungarian") for encoding in ("cp1250", "iso8859_2")),
    *(("Russian", encoding) for encoding in ("cp1251", "koi8_r", "iso8859_5", "cp866")),
    *(("Ukrainian", encoding) for encoding in ("cp1251", "koi8_u")),
    *(("Greek", encoding) for encoding in ("cp1253", "iso8859_7")),
    ("Turkish", "cp1254"),
    ("Japanese", "shift_jis"),
    ("Japanese", "euc_jp"),
    ("simplified Chinese", "gb18030"),
    ("simplified Chinese", "gbk"),
    ("traditional Chinese", "big5"),
    ("Korean", "euc_kr"),
]


@pytest.mark.parametrize(("language", "encoding"), ENCODED)
def test_a_text_comes_back_from_the_encodings_of_its_language(language: str, encoding: str) -> None:
    data = (TEXTS[language] + "\n").encode(encoding, "replace") * 3
    decoded = decode(data)
    assert decoded.text == data.decode(encoding)
    assert "not UTF-8" in decoded.note
    assert "confidence" in decoded.note


def test_of_kin_that_read_the_sample_alike_the_commonest_is_taken() -> None:
    assert decode("Er lächelte: „Schön“, und ging über die Straße. ".encode("cp1252") * 9).encoding == "cp1252"


def test_few_letters_beyond_ascii_are_found_wherever_they_stand() -> None:
    plain = b"It was a quiet day and nothing of note came to pass.\n" * 9000
    data = plain + "The café’s façade was “naïve”.\n".encode("cp1252") + plain
    assert decode(data).encoding == "cp1252"


def test_a_line_without_end_is_sampled_as_well() -> None:
    data = ("Жили-были старик со старухой у самого синего моря, " * 4000).encode("cp1251")
    assert decode(data).encoding == "cp1251"


@given(st.binary(max_size=300))
def test_guesses_are_encodings_in_order(data: bytes) -> None:
    guesses = guess_encodings(data)
    assert [guess.cost for guess in guesses] == sorted(guess.cost for guess in guesses)
    assert all(codecs.lookup(guess.encoding) and 0 <= guess.confidence <= 1 for guess in guesses)
