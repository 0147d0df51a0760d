"""Texts that are longer than a model reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mrl_explorer.data import Collection, passages
from mrl_explorer.data.overview import BYTES_A_TOKEN
from mrl_explorer.embed.models import Kind, Model

SAMPLE = 5_000
"""Texts whose tokens are counted at most: a few seconds' work. More of them are sampled."""

_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class CutTexts:
    """How many texts are longer than the model reads.

    Attributes
    ----------
    n_cut : int
        So many of the texts that were looked at.
    n_counted : int
        Texts that were looked at.
    n_texts : int
        Texts there are; more than `n_counted` when these are a sample.
    max_tokens : int
        Tokens that the model reads, its prompt and special tokens included.
    """

    n_cut: int
    n_counted: int
    n_texts: int
    max_tokens: int


def count_cut_texts(
    model: Model, texts: Sequence[str], *, kind: Kind, sample: int = SAMPLE
) -> CutTexts | None:
    """Count by the model's own tokenizer the texts of which it reads only a beginning.

    The tokenizer of a hosted model is not here: a token is taken for 4 bytes.

    Parameters
    ----------
    model : Model
        As from `load_model`.
    texts : sequence of str
        Without their prompt.
    kind : str
        Whose prompt goes before them.
    sample : int
        Texts to look at, at most; a seeded sample when there are more.

    Returns
    -------
    CutTexts or None
        None for a model that reads everything, or whose tokenizer cannot count.
    """
    tokenizer = getattr(model.encoder, "tokenizer", None)
    if model.max_tokens is None:
        return None
    if model.hosted:
        most = BYTES_A_TOKEN * model.max_tokens - len(model.prompt(kind).encode())
        n_cut = sum(len(text.encode(errors="surrogatepass")) > most for text in texts)
        return CutTexts(n_cut, len(texts), len(texts), model.max_tokens)
    if not callable(tokenizer):
        return None
    rows = np.arange(len(texts))
    if len(texts) > sample:
        rows = np.sort(np.random.default_rng(0).choice(len(texts), sample, replace=False))
    n_cut = 0
    for start in range(0, len(rows), _AT_ONCE):
        batch = [model.prompt(kind) + texts[row] for row in rows[start : start + _AT_ONCE]]
        with model.lock:
            tokens = tokenizer(batch, truncation=False, padding=False, verbose=False)["input_ids"]
        n_cut += sum(len(ids) > model.max_tokens for ids in tokens)
    return CutTexts(n_cut, len(rows), len(texts), model.max_tokens)


def length_notes(model: Model, collection: Collection) -> Iterator[str]:
    """Say in whole sentences what of a collection's texts, not yet embedded, the model cuts."""
    sides: tuple[Kind, Kind] = ("document", "query")
    for kind, records in zip(sides, (collection.documents, collection.queries), strict=True):
        if records.vectors is not None:
            continue
        counted = count_cut_texts(model, passages(records), kind=kind)
        if counted is None or not counted.n_cut:
            continue
        among = f"{counted.n_texts:,} texts"
        if counted.n_counted < counted.n_texts:
            among = f"{counted.n_counted:,} sampled texts ({counted.n_texts:,} in all)"
        about = "About " if model.hosted else ""
        yield (
            f"{about}{counted.n_cut:,} of {among} in {records.name} are longer than the "
            f"{counted.max_tokens:,} tokens that {model.name} reads: what comes after is in no "
            "vector and cannot be found."
        )
