import pytest

from mrl_explorer.data.language import CANNOT_TELL, language_shares, languages_of

ENGLISH = "The quick brown fox jumps over the lazy dog near the river bank every single morning"
GERMAN = "Der schnelle braune Fuchs springt jeden Morgen am Ufer des Flusses über den faulen Hund"
FRENCH = "Le renard brun saute chaque matin par-dessus le chien paresseux au bord de la rivière"
RUSSIAN = "Быстрая лиса каждое утро прыгает через ленивую собаку на берегу реки"
DOCUMENTS = [ENGLISH, GERMAN, FRENCH, RUSSIAN]


def test_shares_are_of_texts_that_are_long_enough():
    assert language_shares([ENGLISH, ENGLISH + " again", ENGLISH + " too", GERMAN, "ok"]) == (
        ("en", 0.75),
        ("de", 0.25),
    )
    assert language_shares(["ok", "42"]) == ()
    assert language_shares([]) == ()


def test_shares_come_from_all_over_the_texts():
    texts = [*[ENGLISH] * 5000, *[GERMAN] * 5000]
    assert dict(language_shares(texts)) == {"en": 0.5, "de": 0.5}


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("reset my password", "en"),
        ("wie setze ich mein Passwort zurück", "de"),
        ("Rechnung herunterladen", "de"),
        ("mot de passe oublié", "fr"),
        ("сброс пароля", "ru"),
        ("404 !?", CANNOT_TELL),
        ("", CANNOT_TELL),
        ("API", CANNOT_TELL),
    ],
)
def test_a_few_words_are_in_a_language_of_the_documents(query, language):
    assert languages_of([query], beside=DOCUMENTS) == (language,)


def test_where_all_documents_are_in_one_language_so_are_the_queries():
    # On their own these look like Galician and Swahili.
    queries = ["customer import xlsx", "refund"]
    assert languages_of(queries, beside=[ENGLISH] * 3) == ("en", "en")


def test_a_rare_language_is_not_looked_for():
    beside = [*[ENGLISH] * 60, FRENCH]
    queries = [*["reset my password"] * 30, "mot de passe oublié"]
    assert "fr" not in languages_of(queries, beside=beside)


def test_queries_may_be_in_another_language_than_the_documents():
    queries = ["reset my password", "export to a file", "who can see this", "add another user"]
    assert set(languages_of(queries, beside=[GERMAN] * 3)) == {"en"}


def test_without_a_text_that_is_long_enough_nobody_can_tell():
    assert languages_of(["refund", "reset"]) == (CANNOT_TELL, CANNOT_TELL)
    assert languages_of([]) == ()


def test_telling_one_collection_leaves_no_trace_on_the_next():
    languages_of(["Rechnung"], beside=[GERMAN] * 3)
    assert languages_of(["reset my password"], beside=[ENGLISH]) == ("en",)
    assert dict(language_shares([RUSSIAN])) == {"ru": 1.0}
