"""Texts to vectors at full dimension, as the model returns them."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from mrl_explorer.embed.models import Kind, Model
from mrl_explorer.errors import InputError
from mrl_explorer.progress import OnProgress, Progress, silent

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
    every = range(len(texts))
    for rows, batch in encode_batches(model, texts, every, kind=kind, batch_size=batch_size):
        vectors[rows] = batch
        done += len(rows)
        on_progress(Progress(done, len(texts), what(kind)))
    return vectors


def encode_batches(
    model: Model,
    texts: Sequence[str],
    chosen: range,
    *,
    kind: Kind,
    batch_size: int | None = None,
) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]]:
    """Encode the chosen texts batch by batch, long ones first, so that little of it is padding.

    Yields
    ------
    rows : (n_batch,) intp array
        Which of `texts` these are.
    vectors : (n_batch, full_dim) float32 array

    Raises
    ------
    InputError
        If a text is not valid Unicode, or the model returns vectors that are not finite or of
        another dimension than for documents.
    """
    # sentence-transformers sorts likewise, but only within a call, and reports only between calls.
    # A call per batch costs hardly more than one call in all: see benchmarks/encoding.py.
    batch_size = batch_size or model.batch_size
    lengths = np.array([_length(texts, row) for row in chosen], np.intp)
    longest_first = np.argsort(-lengths, kind="stable") + chosen.start
    call = model.encoder.encode_document if kind == "document" else model.encoder.encode_query
    for start in range(0, len(chosen), batch_size):
        rows = longest_first[start : start + batch_size]
        batch = [texts[row] for row in rows]
        with model.lock:
            vectors = call(batch, batch_size=batch_size, show_progress_bar=False)
        if vectors.shape[1] != model.full_dim:
            raise InputError(
                f"{model.name} returns {vectors.shape[1]} dimensions for a {kind} and "
                f"{model.full_dim} for a document; choose a model that has one space for both."
            )
        finite = np.isfinite(vectors).all(axis=1)
        if not finite.all():
            raise InputError(
                f"{model.name} returns infinite or undefined numbers for the text "
                f"{_excerpt(batch[finite.argmin()])}; leave it out, or choose another model."
            )
        vectors = vectors.astype(np.float32, copy=False)
        yield rows, _layer_norm(vectors) if model.layer_norm else vectors


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
