import pytest

from mrl_explorer.embed import BUNDLED, REGISTRY, find_entry, load_model, parse_hosted
from mrl_explorer.errors import InputError

# No public source states what these cost.
UNPRICED = {"jina:jina-embeddings-v3", "google:text-embedding-005"}


def test_it_knows_many_models_of_each_kind():
    access = [entry.access for entry in REGISTRY.values()]
    assert access.count("bundled") == 2
    assert access.count("hub") >= 20
    assert access.count("hosted") >= 10
    assert [entry.name for entry in BUNDLED.values()] == ["wordllama-256", "minilm-384"]


@pytest.mark.parametrize("name", list(REGISTRY))
def test_an_entry_agrees_with_itself(name):
    entry = REGISTRY[name]
    assert entry.name == name
    assert list(entry.dims) == sorted({*entry.dims})
    assert all(1 <= dim <= entry.full_dim for dim in entry.dims)
    assert entry.sources
    assert all(source.startswith("https://") for source in entry.sources)
    assert (entry.place is not None) == (entry.access == "bundled")
    if entry.matryoshka is not True:
        assert not entry.dims_text
    if entry.access == "hosted":
        assert parse_hosted(name) is not None
        assert (entry.price is None) == (name in UNPRICED)
        assert entry.matryoshka is not True or entry.dim_parameter
    if entry.access == "hub":
        assert f"https://huggingface.co/{name}" in entry.sources


def test_facts_of_well_known_models():
    nomic = REGISTRY["nomic-ai/nomic-embed-text-v1.5"]
    assert (nomic.full_dim, nomic.dims) == (768, (64, 128, 256, 512, 768))
    assert (nomic.query_prompt, nomic.document_prompt) == ("search_query: ", "search_document: ")
    assert nomic.layer_norm
    assert nomic.needs_code
    e5 = REGISTRY["intfloat/multilingual-e5-large"]
    assert (e5.full_dim, e5.max_tokens, e5.matryoshka) == (1024, 512, False)
    assert (e5.query_prompt, e5.document_prompt) == ("query: ", "passage: ")
    openai = REGISTRY["openai:text-embedding-3-large"]
    assert openai.dims_text == "any from 1 (published: 256, 1024, 3072)"
    assert openai.dim_parameter == "dimensions"
    assert [name for name, entry in REGISTRY.items() if entry.layer_norm] == [nomic.name]


@pytest.mark.parametrize("name", list(BUNDLED))
def test_what_is_said_of_the_bundled_models_is_true(name):
    entry, model = BUNDLED[name], load_model(name)
    assert model.name == name
    assert (model.full_dim, model.max_tokens) == (entry.full_dim, entry.max_tokens)
    assert (model.query_prompt, model.document_prompt) == ("", "")
    assert model.matryoshka.verdict == ("yes" if entry.matryoshka else "no")
    assert model.dims == entry.dims
    vector = model.encoder.encode(["a text"])[0]
    assert (abs((vector**2).sum() - 1) < 1e-5) == entry.normalised


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("baai/BGE-M3", "BAAI/bge-m3"),
        (" minilm-384 ", "minilm-384"),
        ("all-mpnet-base-v2", "sentence-transformers/all-mpnet-base-v2"),
        ("nobody/nothing", None),
        ("openai/text-embedding-3-small", "openai:text-embedding-3-small"),
        ("", None),
    ],
)
def test_an_entry_is_found_as_people_write_it(name, found):
    entry = find_entry(name)
    assert (entry and entry.name) == found


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("google:text-embedding-005", "is served by Vertex AI only"),
        ("jinaai/jina-embeddings-v3", "encode elsewhere and load the vectors"),
    ],
)
def test_what_cannot_be_loaded_says_what_to_do(name, sentence):
    with pytest.raises(InputError) as caught:
        load_model(name)
    assert sentence in str(caught.value)
