import pytest

from mrl_explorer.embed import describe_model, parse_hosted
from mrl_explorer.embed.hosted import hosted_digest
from mrl_explorer.errors import InputError


@pytest.fixture(autouse=True)
def no_addresses(monkeypatch):
    for name in (
        *("OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT"),
        *("CO_API_URL", "GOOGLE_GEMINI_BASE_URL"),
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("name", "canonical", "url"),
    [
        ("openai:text-embedding-3-small", None, "https://api.openai.com/v1"),
        (" OpenAI:text-embedding-3-small ", "openai:text-embedding-3-small", None),
        ("openai/text-embedding-3-small", "openai:text-embedding-3-small", None),
        ("openai:text-embedding-3-small#256", None, None),
        (
            "openai:text-embedding-3-small@https://api.openai.com/v1/",
            "openai:text-embedding-3-small",
            None,
        ),
        (
            "openai:nomic-embed-text:latest#64@http://localhost:11434/v1/embeddings",
            "openai:nomic-embed-text:latest#64@http://localhost:11434/v1",
            "http://localhost:11434/v1",
        ),
        ("openai:@cf/baai/bge-m3@https://host/v1", None, "https://host/v1"),
        ("cohere:embed-v4.0", None, "https://api.cohere.com/v2"),
    ],
)
def test_names_are_read(name, canonical, url):
    hosted = parse_hosted(name)
    assert str(hosted) == (canonical or name)
    assert parse_hosted(str(hosted)) == hosted
    if url:
        assert hosted.url == url


@pytest.mark.parametrize(
    "name", ["minilm-384", "BAAI/bge-m3", "C:/models/x", "", "openai/clip-vit-base-patch32", "x:y"]
)
def test_other_names_are_not_hosted(name):
    assert parse_hosted(name) is None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("openai:", "names no model"),
        ("openai:#256", "names no model"),
        ("openai:text-embedding-3-small#1537", "has 1536 dims: ask for 1 to 1536"),
        ("openai:text-embedding-3-small#0", "ask for 1 to 1536"),
        ("openai:m@ftp://host/v1", "no web address"),
        ("openai:m@https:///v1", "no web address"),
        ("openai:m@https://host:99999/v1", "no web address"),
        ("openai:m@https://[::1/v1", "no web address"),
        ("openai:m@https://user:canary@host/v1", "a user, a password or parameters"),
        ("openai:m@https://host/v1?key=canary", "a user, a password or parameters"),
        ("openai:m@https://host/v1#canary", "a user, a password or parameters"),
    ],
)
def test_names_that_mean_nothing_are_told_without_their_secrets(name, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        parse_hosted(name)
    assert "canary" not in str(caught.value)


def test_azure_has_the_address_in_the_environment(monkeypatch):
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com/")
    hosted = parse_hosted("azure:text-embedding-3-large")
    assert hosted.url == "https://mine.openai.azure.com/openai/v1"
    written = "azure:text-embedding-3-large@https://mine.openai.azure.com/openai/v1"
    assert parse_hosted(written) == hosted
    assert describe_model("azure:text-embedding-3-large").matryoshka.dims == (256, 1024, 3072)


@pytest.mark.parametrize(
    ("variable", "address", "name", "url"),
    [
        ("OPENAI_BASE_URL", "https://proxy/v1/", "openai:m", "https://proxy/v1"),
        ("CO_API_URL", "https://proxy/cohere", "cohere:m", "https://proxy/cohere/v2"),
        ("GOOGLE_GEMINI_BASE_URL", "https://proxy", "google:m", "https://proxy/v1beta"),
        ("GOOGLE_GEMINI_BASE_URL", "https://proxy/v1beta", "google:m", "https://proxy/v1beta"),
    ],
)
def test_the_variables_of_the_providers_own_clients_name_other_addresses(
    monkeypatch, variable, address, name, url
):
    monkeypatch.setenv(variable, address)
    assert parse_hosted(name).url == url


def test_a_model_of_the_hub_behind_an_own_server_is_described_as_on_the_hub():
    known = describe_model("openai:jinaai/jina-embeddings-v3@https://host/v1")
    assert known.entry.access == "hosted"
    assert not known.entry.obstacle
    assert known.document_prompt.text == "Represent the document for retrieval: "
    assert describe_model("openai:jinaai/jina-embeddings-v3").entry is None


def test_everything_that_decides_the_vectors_decides_the_digest():
    names = [
        "openai:m",
        "openai:n",
        "openai:m#4",
        "openai:m@https://host/v1",
        "openai:m@https://host/v2",
        "mistral:m@https://host/v1",
    ]
    assert len({hosted_digest(parse_hosted(name)) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("openai:text-embedding-3-small", "f0f7f3559d1a6132"),
        ("openai:text-embedding-3-large#1024", "9e68fb1190eccbd3"),
        ("azure:m@https://host/openai/v1", "7dbaacd41c3f9b8a"),
        ("cohere:embed-v4.0", "cd8ffb68bf578fa5"),
        ("voyage:voyage-4", "d105919c001a06dd"),
        ("google:gemini-embedding-001", "7997dcc948cbf565"),
        ("google:gemini-embedding-2#768", "9b6ec6ac10c2bf23"),
        ("jina:jina-embeddings-v3", "bd128cc49db81f86"),
        ("mistral:codestral-embed", "25d53a1edeb35995"),
    ],
)
def test_what_was_paid_for_once_is_found_again(name, digest):
    """Computed when vectors of these models were first cached: another one embeds them anew."""
    assert hosted_digest(parse_hosted(name)).startswith(digest)
