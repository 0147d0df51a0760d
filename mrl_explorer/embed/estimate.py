"""What embedding by a hosted model sends and costs, before anything is sent."""

from dataclasses import dataclass
from pathlib import Path

from mrl_explorer.data import Collection, passages
from mrl_explorer.data.overview import BYTES_A_TOKEN
from mrl_explorer.embed.cache import cache_dir, missing_rows
from mrl_explorer.embed.description import Told, describe
from mrl_explorer.embed.hosted import hosted_digest
from mrl_explorer.embed.hosted_names import HostedName, hosted_entry, parse_hosted
from mrl_explorer.embed.models import Kind, content_fingerprint
from mrl_explorer.embed.registry import Price
from mrl_explorer.embed.storage import EMBEDDINGS
from mrl_explorer.errors import InputError


@dataclass(frozen=True, slots=True)
class Estimate:
    """What will be sent.

    Attributes
    ----------
    host : str
        Where to.
    n_texts : int
        Texts that the cache does not hold.
    n_cached : int
        Texts that it holds: they are not sent again.
    n_tokens : int
        Of what is sent, prompts included, roughly: a token for 4 bytes of UTF-8. That is near the
        truth for English, and within a factor of two for most other writing.
    dollars : float or None
        What that costs; None when the price is not known.
    """

    host: str
    n_texts: int
    n_cached: int
    n_tokens: int
    dollars: float | None

    @property
    def price_text(self) -> str:
        """What it costs, in words."""
        if self.dollars is None:
            return "a price that is not known here"
        if 0 < self.dollars < 0.01:
            return "less than $0.01"
        return f"about ${self.dollars:,.2f}"

    @property
    def sentence(self) -> str:
        """What is sent, where to, and what it costs, in one sentence."""
        cached = f" ({self.n_cached:,} more are in the cache)" if self.n_cached else ""
        if not self.n_texts:
            return f"All {self.n_cached:,} texts are in the cache: nothing is sent to {self.host}."
        are = "is" if self.n_texts == 1 else "are"
        return (
            f"{_counted(self.n_texts, 'text')}{cached}, about {_counted(self.n_tokens, 'token')}, "
            f"{are} sent to {self.host} for {self.price_text}."
        )


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def known_price(hosted: HostedName) -> Price | None:
    """Give what a provider asks for a model, where that is known."""
    entry = hosted_entry(hosted)
    return None if entry is None or hosted.endpoint is not None else entry.price


def estimate_query(name: str, text: str, told: Told | None = None) -> Estimate:
    """Estimate what searching for one text sends to a hosted model.

    Raises
    ------
    InputError
        As `estimate_sending`.
    """
    hosted = _parsed(name)
    known = describe(hosted_entry(hosted), folder=None, told=told)
    n_bytes = len((known.query_prompt.text + text).encode(errors="surrogatepass"))
    price = known_price(hosted)
    return _estimate(hosted, 1, 0, n_bytes, None if price is None else price.dollars)


def estimate_sending(
    name: str,
    collection: Collection,
    told: Told | None = None,
    *,
    price: float | None = None,
    cache: Path | None = None,
) -> Estimate:
    """Estimate what embedding a collection's texts sends to a hosted model; nothing is sent.

    Parameters
    ----------
    name : str
        A hosted model's, as for `load_model`.
    collection : Collection
        Its texts without vectors are what is to be embedded.
    told : Told, optional
        As for `load_model`.
    price : float, optional
        US dollars for a million tokens; that of the registry by default.
    cache : Path, optional
        Folder of the cache; that of `cache_dir` by default.

    Raises
    ------
    InputError
        If the name is no hosted model's, or has no address.
    """
    hosted = _parsed(name)
    entry = hosted_entry(hosted)
    known = describe(entry, folder=None, told=told)
    if price is None and (listed := known_price(hosted)) is not None:
        price = listed.dollars
    files = hosted_digest(hosted)
    n_texts = n_cached = n_bytes = 0
    sides: tuple[tuple[Kind, str], ...] = (
        ("document", known.document_prompt.text),
        ("query", known.query_prompt.text),
    )
    both = (collection.documents, collection.queries)
    for (kind, prompt), records in zip(sides, both, strict=True):
        if records.vectors is not None:
            continue
        texts = passages(records)
        fingerprint = content_fingerprint(
            files,
            layer_norm=entry is not None and entry.layer_norm,
            kind=kind,
            prompt=prompt,
        )
        missing = missing_rows(fingerprint, texts, cache=cache or cache_dir())
        n_missing = sum(map(len, missing))
        n_texts += n_missing
        n_cached += len(texts) - n_missing
        n_bytes += n_missing * len(prompt.encode())
        n_bytes += sum(
            len(texts[row].encode(errors="surrogatepass")) for rows in missing for row in rows
        )
    return _estimate(hosted, n_texts, n_cached, n_bytes, price)


def cache_stamp(cache: Path | None = None) -> int:
    """Tell one state of the cached embeddings from the next, for who keeps an estimate."""
    try:
        return ((cache or cache_dir()) / EMBEDDINGS).stat().st_mtime_ns
    except OSError:
        return 0


def _parsed(name: str) -> HostedName:
    hosted = parse_hosted(name)
    if hosted is None:
        raise InputError(f"{name} runs on this machine: nothing is sent.")
    return hosted


def _estimate(
    hosted: HostedName, n_texts: int, n_cached: int, n_bytes: int, price: float | None
) -> Estimate:
    n_tokens = -(-n_bytes // BYTES_A_TOKEN)
    dollars = None if price is None else n_tokens * price / 1e6
    return Estimate(hosted.host, n_texts, n_cached, n_tokens, dollars)
