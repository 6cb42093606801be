import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.spec.redaction import public_address, redact


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://a:b@host.org:8080/x/y.txt?k=v#f", "https://host.org:8080/x/y.txt?***"),
        ("https://token@host", "https://host"),
        ("http://host/x", "http://host/x"),
        ("http://host:80/@author/x", "http://host:80/@author/x"),
        ("http://[::1]:5000/x", "http://[::1]:5000/x"),
        ("https://user:p/w@host/x", "a malformed address"),
        ("http://[::1/x", "a malformed address"),
        ("postgresql+psycopg2://me:pa#s/s?w@db:5432/runs?password=hunter2", "postgresql+psycopg2://db:5432/runs?***"),
        ("postgresql://me:p@ss@db/runs?options=a@b", "postgresql://db/runs?***"),
        ("sqlite:////home/m@e/a?b/mlflow.db", "sqlite:////home/m@e/a?b/mlflow.db"),
    ],
)
def test_an_address_is_shown_without_login_and_query(address: str, shown: str) -> None:
    assert public_address(address) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no route to 'https://me:hush@host/a?sig=b', tried twice", "no route to 'https://host/a?***', tried twice"),
        ("http://host:5000, and http://host:80/@author.", "http://host:5000, and http://host:80/@author."),
        ("(postgresql://me:h#u/sh@db/runs)", "(postgresql://db/runs)"),
        ("sqlite:////home/m@e/mlflow.db, a@b.org", "sqlite:////home/m@e/mlflow.db, a@b.org"),
        ("models:/nextchapter-austen@champion", "models:/nextchapter-austen@champion"),
        ("two http://a:b@c http://d:e@f", "two http://c http://f"),
    ],
)
def test_the_addresses_in_a_text_lose_their_secrets_and_it_keeps_the_rest(text: str, shown: str) -> None:
    assert redact(text, {}) == shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MLFLOW_TRACKING_TOKEN", "hunter2\n"),
        ("PGPASSWORD", "hunter2"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ("HTTPS_PROXY", "http://me:hunter2@proxy:3128"),
        ("MLFLOW_TRACKING_URI", "postgresql://me:%68unter2@db/runs"),
        ("NEXTCHAPTER_ADDRESSES", '{"0":"https://host/x?a=b&token=hunter2","1":"https://host"}'),
        ("PIP_INDEX_URL", "https://hunter2@host/simple"),
    ],
)
def test_what_the_environment_keeps_secret_is_masked_wherever_it_stands(name: str, value: str) -> None:
    assert redact("Header 'Bearer hunter2' of hunter2?", {name: value}) == "Header 'Bearer ***' of ***?"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKENIZERS_PARALLELISM", "correct"),
        ("DATABASE", "postgresql://correct@db/runs?sslmode=correct"),
        ("MLFLOW_TRACKING_PASSWORD", "or"),
    ],
)
def test_what_is_no_secret_or_a_part_of_every_word_is_left(name: str, value: str) -> None:
    assert redact("correct or not", {name: value}) == "correct or not"


WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)
PASSWORDS = st.text(st.characters(codec="ascii", exclude_characters="@'\"`<>", categories=["L", "N", "P", "S"]))


@given(user=WORDS, password=PASSWORDS, host=WORDS, path=WORDS)
def test_no_password_of_a_database_is_shown_whatever_characters_it_has(
    user: str, password: str, host: str, path: str
) -> None:
    address = f"postgresql://{user}:{password}@{host}/{path}"
    assert redact(f"at {address} it failed", {}) == f"at postgresql://{host}/{path} it failed"
    assert public_address(address) == f"postgresql://{host}/{path}"
