"""Texts to vectors at full dimension, as the model returns them."""

from collections.abc import Generator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mrl_explorer.embed.hosted import Batch, Hosted
from mrl_explorer.embed.models import Kind, Model
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, Progress, silent

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_LAYER_NORM_EPS = 1e-5
"""That of torch.nn.functional.layer_norm."""


def encode(
    model: Model,
    texts: Sequence[str],
    *,
    kind: Kind,
    batch_size: int | None = None,
    on_progress: OnProgress = silent,
) -> npt.NDArray[np.float32]:
    """Encode texts with the model's prompt for their kind; nothing is cached.

    Parameters
    ----------
    model : Model
        As from `load_model`.
    texts : sequence of str
        Without their prompt.
    kind : str
        Whose prompt goes before them.
    batch_size : int, optional
        Texts a batch; by default what suits the model.
    on_progress : OnProgress
        Told after every batch.

    Returns
    -------
    (n_texts, full_dim) float32 array
        In the order of `texts`; layer-normed where the model asks for it, neither normalised nor
        cut.

    Raises
    ------
    InputError
        As `encode_batches`.
    """
    vectors = np.empty((len(texts), model.full_dim), np.float32)
    done = 0
    every = np.arange(len(texts))
    for rows, batch in encode_batches(model, texts, every, kind=kind, batch_size=batch_size):
        vectors[rows] = batch
        done += len(rows)
        on_progress(Progress(done, len(texts), what(kind)))
    return vectors


def encode_batches(
    model: Model,
    texts: Sequence[str],
    chosen: npt.NDArray[np.intp],
    *,
    kind: Kind,
    batch_size: int | None = None,
) -> Generator[Batch]:
    """Encode the chosen texts batch by batch.

    Here, long ones come first, so that little of a batch is padding. From a hosted model they come
    as they are answered; a batch without rows is a sign that it is still being waited for.

    Parameters
    ----------
    chosen : (n_chosen,) intp array
        Which of `texts`.

    Yields
    ------
    rows : (n_batch,) intp array
        Which of `texts` these are.
    vectors : (n_batch, full_dim) float32 array

    Raises
    ------
    InputError
        If a text is not valid Unicode, or the model returns vectors that are not finite or of
        another dimension than for documents, or as `Hosted.batches`.
    """
    lengths = np.array([_length(texts, int(row)) for row in chosen], np.intp)
    if isinstance(model.encoder, Hosted):
        batches = _send(model.encoder, model, texts, chosen, kind=kind)
    else:
        longest_first = chosen[np.argsort(-lengths, kind="stable")]
        batches = _encode_here(
            model.encoder, model, texts, longest_first, kind=kind, batch_size=batch_size
        )
    # Closed, a hosted model's requests end.
    with closing(batches):
        for rows, vectors in batches:
            yield rows, _checked(model, texts, rows, vectors, kind=kind)


def _checked(
    model: Model,
    texts: Sequence[str],
    rows: npt.NDArray[np.intp],
    vectors: npt.NDArray[np.floating],
    *,
    kind: Kind,
) -> npt.NDArray[np.float32]:
    """Refuse what cannot be compared; apply the layer norm of a model that asks for it."""
    if vectors.shape[1] != model.full_dim:
        raise InputError(
            f"{model.name} returns {vectors.shape[1]} dimensions for a {kind} and "
            f"{model.full_dim} for a document; choose a model that has one space for both."
        )
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise InputError(
            f"{model.name} returns infinite or undefined numbers for the text "
            f"{_excerpt(texts[rows[finite.argmin()]])}; leave it out, or choose another model."
        )
    vectors = vectors.astype(np.float32, copy=False)
    return _layer_norm(vectors) if model.layer_norm else vectors


def _send(
    hosted: Hosted,
    model: Model,
    texts: Sequence[str],
    chosen: npt.NDArray[np.intp],
    *,
    kind: Kind,
) -> Generator[Batch]:
    """Have a hosted model encode."""
    sent = [model.prompt(kind) + texts[row] for row in chosen]
    with closing(hosted.batches(sent, kind=kind, full_dim=model.full_dim)) as answers:
        for places, vectors in answers:
            yield chosen[places], vectors


def _encode_here(
    encoder: "SentenceTransformer",
    model: Model,
    texts: Sequence[str],
    chosen: npt.NDArray[np.intp],
    *,
    kind: Kind,
    batch_size: int | None,
) -> Generator[Batch]:
    """Encode with a model on this machine."""
    # sentence-transformers sorts likewise, but only within a call, and reports only between calls.
    # A call per batch costs hardly more than one call in all: see benchmarks/encoding.py.
    batch_size = batch_size or model.batch_size
    call = encoder.encode_document if kind == "document" else encoder.encode_query
    for start in range(0, len(chosen), batch_size):
        rows = chosen[start : start + batch_size]
        batch = [texts[row] for row in rows]
        with model.lock:
            vectors = call(batch, batch_size=batch_size, show_progress_bar=False)
        yield rows, vectors


def _layer_norm(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Shift and scale each vector to mean 0 and variance 1 over all its dims."""
    centred = vectors - vectors.mean(axis=1, keepdims=True)
    variance = np.square(centred).mean(axis=1, keepdims=True)
    return (centred / np.sqrt(variance + _LAYER_NORM_EPS)).astype(np.float32, copy=False)


def what(kind: Kind) -> str:
    """Name the work for `Progress.what`."""
    return "embedding documents" if kind == "document" else "embedding queries"


def _length(texts: Sequence[str], row: int) -> int:
    """Count the bytes of a text, refusing what no tokenizer reads."""
    try:
        return len(texts[row].encode())
    except UnicodeEncodeError as error:
        raise InputError(
            f"The text {_excerpt(texts[row])} holds half of a surrogate pair at character "
            f"{error.start + 1}, which is not valid Unicode; repair it at its source."
        ) from error


def _excerpt(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}...")
