"""In which language a text is, as far as its letters tell."""

# ruff: noqa: PLC0415 - the language model is loaded when the first language is asked for.

from collections import Counter
from collections.abc import Sequence
from copy import copy
from functools import lru_cache
from typing import Any

import numpy as np

CANNOT_TELL = "cannot tell"

_SAMPLE = 200
_CHARACTERS = 400
_LEAST_LETTERS = 20
_LEAST_SHARE = 0.05
_LEAST_CONFIDENCE = 0.6


def language_shares(texts: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """Tell the languages of an even sample of texts.

    Bounded: 200 texts, 400 characters of each; those with fewer than 20 letters are passed over.

    Returns
    -------
    tuple of (str, float)
        ISO 639 codes and their shares, the largest first; empty when all texts are too short.
    """
    if not len(texts):
        return ()
    places = np.unique(np.linspace(0, len(texts) - 1, _SAMPLE).astype(int))
    sample = (texts[place][:_CHARACTERS] for place in places)
    classify = _identifier().classify
    told = [classify(text)[0] for text in sample if sum(map(str.isalpha, text)) >= _LEAST_LETTERS]
    return tuple((code, n / len(told)) for code, n in Counter(told).most_common())


def languages_of(texts: Sequence[str], *, beside: Sequence[str] = ()) -> tuple[str, ...]:
    """Tell the language of each of many short texts.

    A few words alone look like any of a hundred languages: 'customer import' like Galician. So
    each text is put into one of those that are there, or into none: the languages with a share of
    at least 5% among longer texts, and the one that all short ones together look like.

    Parameters
    ----------
    texts : sequence of str
        Queries.
    beside : sequence of str
        Longer texts that are in the same languages: documents.

    Returns
    -------
    tuple of str
        The ISO 639 code of each text, or `CANNOT_TELL`.
    """
    shares = (*language_shares(texts), *language_shares(beside))
    likely = {code for code, share in shares if share >= _LEAST_SHARE}
    together, confidence = _identifier().classify(" ".join(texts[:_SAMPLE]))
    if confidence >= _LEAST_CONFIDENCE:
        likely.add(together)
    if not likely:
        return (CANNOT_TELL,) * len(texts)
    narrowed = copy(_identifier())
    narrowed.set_languages(likely)
    found = (narrowed.classify(text[:_CHARACTERS]) for text in texts)
    return tuple(
        code if any(map(str.isalpha, text)) and confidence >= _LEAST_CONFIDENCE else CANNOT_TELL
        for text, (code, confidence) in zip(texts, found, strict=True)
    )


@lru_cache(maxsize=1)
def _identifier() -> Any:  # noqa: ANN401 - py3langid has no types
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
