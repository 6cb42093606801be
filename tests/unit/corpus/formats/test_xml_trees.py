from pathlib import Path

import pytest

from nextchapter.corpus.formats.xml_trees import parse_xml

BOMB = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 12))


@pytest.mark.parametrize("body", ['<a b="&e11;">x</a>', "<a>&e11;</a>", '<a b="&f;">&f;</a>', "<a>&p;</a>"])
def test_entities_neither_grow_nor_reach_a_file(body: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    outside = f'<!ENTITY f SYSTEM "{secret.as_uri()}"><!ENTITY % p SYSTEM "{secret.as_uri()}">'
    root = parse_xml(f'<!DOCTYPE a [<!ENTITY e0 "bomb">{BOMB}{outside}]>{body}'.encode())
    # expanded it were 400 GB
    shown = "" if root is None else f"{''.join(root.itertext())}{dict(root.attrib)}"
    assert len(shown) < 20
    assert "secret" not in shown
