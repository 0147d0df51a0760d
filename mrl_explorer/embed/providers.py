"""Providers of hosted models: how each is addressed and asked. A further one is one more entry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Provider:
    """An API for embeddings.

    Attributes
    ----------
    name : str
        What stands before the colon in a model's name.
    title : str
        As shown.
    url : str or None
        Its address; None where every customer has an own one.
    key_variables : tuple of str
        Environment variables in which its own client looks for the key, the first one first.
    source : str
        Public address that states the facts of this entry.
    url_variable, url_suffix : str
        Environment variable in which its own client looks for another address, and what that
        client adds to an address; empty for none.
    key_header : str
        Header of the key. "Authorization" is followed by the word Bearer.
    client : str
        Module of the client library by which it is asked. All but openai are optional.
    dim_parameter : str or None
        How it is told the dims, for models that the registry does not know.
    role_parameter : str or None
        How it is told queries from documents.
    query_role, document_role : str
        The values of `role_parameter`.
    fixed : mapping
        Parameters that every request has: vectors as floats, texts that are too long cut at the
        end.
    packed : mapping
        Parameters by which the same floats come in base64, sent in place of those in `fixed`. Not
        part of what decides the vectors.
    max_texts : int
        Texts a request at most.
    max_bytes : int
        Bytes of text a request at most. No tokenizer makes more tokens than bytes, so a limit in
        tokens holds as one in bytes.
    """

    name: str
    title: str
    url: str | None
    key_variables: tuple[str, ...]
    source: str
    url_variable: str = ""
    url_suffix: str = ""
    key_header: str = "Authorization"
    client: str = "openai"
    dim_parameter: str | None = "dimensions"
    role_parameter: str | None = None
    query_role: str = ""
    document_role: str = ""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    packed: Mapping[str, Any] = field(default_factory=dict)
    max_texts: int = 128
    max_bytes: int = 100_000

    def role(self, kind: str) -> str:
        """Give the role of a kind of text; "" where there are none."""
        return self.query_role if kind == "query" else self.document_role

    def parameters(
        self, kind: str, *, dim_parameter: str | None, dim: int | None
    ) -> dict[str, Any]:
        """Give the parameters of a request beside model and texts; a `dim` of None is not sent."""
        parameters = {**self.fixed, **self.packed}
        if self.role_parameter:
            parameters[self.role_parameter] = self.role(kind)
        if dim is not None and dim_parameter:
            parameters[dim_parameter] = dim
        return parameters


# OpenAI takes 2,048 texts and 300,000 tokens a request (openai 3.57.0, resources/embeddings.py).
# Fewer are sent: what is lost with a request that fails, or waited for on cancelling, is one.
_OPENAI = Provider(
    "openai",
    "OpenAI",
    "https://api.openai.com/v1",
    ("OPENAI_API_KEY",),
    "https://github.com/openai/openai-python/blob/main/src/openai/resources/embeddings.py",
    url_variable="OPENAI_BASE_URL",
    fixed={"encoding_format": "base64"},
)

PROVIDERS = {
    provider.name: provider
    for provider in (
        _OPENAI,
        Provider(
            "azure",
            "Azure OpenAI",
            None,
            ("AZURE_OPENAI_API_KEY",),
            "https://learn.microsoft.com/azure/ai-services/openai/how-to/switching-endpoints",
            url_variable="AZURE_OPENAI_ENDPOINT",
            url_suffix="/openai/v1",
            key_header="api-key",
            fixed=_OPENAI.fixed,
        ),
        # At most 96 texts. Base64 for Embed v3 and newer: cohere 7.3.1, v2/client.py.
        Provider(
            "cohere",
            "Cohere",
            "https://api.cohere.com/v2",
            ("CO_API_KEY", "COHERE_API_KEY"),
            "https://docs.cohere.com/reference/embed",
            url_variable="CO_API_URL",
            url_suffix="/v2",
            client="cohere",
            dim_parameter="output_dimension",
            role_parameter="input_type",
            query_role="search_query",
            document_role="search_document",
            fixed={"embedding_types": ["float"], "truncate": "END"},
            packed={"embedding_types": ["base64"]},
            max_texts=96,
        ),
        # Its endpoint is OpenAI's, with these parameters more.
        Provider(
            "voyage",
            "Voyage AI",
            "https://api.voyageai.com/v1",
            ("VOYAGE_API_KEY",),
            "https://docs.voyageai.com/docs/embeddings",
            dim_parameter="output_dimension",
            role_parameter="input_type",
            query_role="query",
            document_role="document",
            fixed={"output_dtype": "float", "truncation": True},
            packed={"encoding_format": "base64"},
        ),
        # batchEmbedContents takes at most 100 requests.
        Provider(
            "google",
            "Gemini API",
            "https://generativelanguage.googleapis.com/v1beta",
            ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
            "https://ai.google.dev/api/embeddings",
            url_variable="GOOGLE_GEMINI_BASE_URL",
            url_suffix="/v1beta",
            key_header="x-goog-api-key",
            client="google.genai",
            dim_parameter="outputDimensionality",
            role_parameter="taskType",
            query_role="RETRIEVAL_QUERY",
            document_role="RETRIEVAL_DOCUMENT",
            max_texts=100,
        ),
        # Its endpoint is OpenAI's, with these parameters more.
        Provider(
            "jina",
            "Jina AI",
            "https://api.jina.ai/v1",
            ("JINA_API_KEY",),
            "https://api.jina.ai/redoc",
            role_parameter="task",
            query_role="retrieval.query",
            document_role="retrieval.passage",
            fixed={"embedding_type": "float", "normalized": True, "truncate": True},
        ),
        # Floats are the default of output_dtype. Texts that are too long are refused, and cut here.
        # 16,384 tokens a request: langchain-mistralai, embeddings.py.
        Provider(
            "mistral",
            "Mistral AI",
            "https://api.mistral.ai/v1",
            ("MISTRAL_API_KEY",),
            "https://docs.mistral.ai/api/endpoint/embeddings",
            url_suffix="/v1",
            client="mistralai.client",
            dim_parameter="output_dimension",
            max_bytes=16_000,
        ),
    )
}
"""Every provider by the name that stands before the colon."""
