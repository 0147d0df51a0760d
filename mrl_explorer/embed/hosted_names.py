"""Names of hosted models: `provider:model`, `provider:model#dim`, `provider:model@https://...`."""

import os
import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from mrl_explorer.embed.known_models import find_entry
from mrl_explorer.embed.providers import PROVIDERS, Provider
from mrl_explorer.embed.registry import ModelEntry
from mrl_explorer.errors import InputError


@dataclass(frozen=True, slots=True)
class HostedName:
    """A model behind an API, as a user names it.

    Attributes
    ----------
    provider : Provider
        Whose protocol is spoken.
    model : str
        Id of the model at the provider.
    dim : int or None
        Dims to ask the provider for; None for all.
    endpoint : str or None
        Address that the user gave, without a slash at its end; None for the provider's own.
    """

    provider: Provider
    model: str
    dim: int | None = None
    endpoint: str | None = None

    def __str__(self) -> str:
        dim = "" if self.dim is None else f"#{self.dim}"
        endpoint = "" if self.endpoint is None else f"@{self.endpoint}"
        return f"{self.provider.name}:{self.model}{dim}{endpoint}"

    @property
    def url(self) -> str:
        """The address that requests go to.

        Raises
        ------
        InputError
            If nobody has given one.
        """
        provider = self.provider
        if self.endpoint is not None:
            return self.endpoint
        url = _chosen_url(provider) or provider.url
        if url is None:
            raise InputError(
                f"Every customer of {provider.title} has an address of their own: set "
                f"{provider.url_variable}, or write {provider.name}:{self.model}@https://..."
                f"{provider.url_suffix}."
            )
        return url

    @property
    def host(self) -> str:
        """The host that requests go to."""
        return urlsplit(self.url).netloc


def is_hosted(name: str) -> bool:
    """Tell whether a name means a model behind an API."""
    return _provider(name) is not None


def parse_hosted(name: str) -> HostedName | None:
    """Read the name of a hosted model; None if it is none.

    The registry's `provider:model` may be written with a slash, as other libraries do.

    Raises
    ------
    InputError
        If it names no model, or an address that cannot be used.
    """
    provider = _provider(name)
    if provider is None:
        return None
    rest = name.strip()[len(provider.name) + 1 :].strip()
    # An id may hold an @, but hardly one before an address.
    model, *endpoint = re.split(r"\s*@(?=\w+://)", rest, maxsplit=1)
    dim = None
    if found := re.fullmatch(r"(.*)#([0-9]{1,6})", model):
        model, dim = found[1], int(found[2])
    if not model:
        raise InputError(
            f"{name.strip()} names no model: write for example {provider.name}:model-id."
        )
    entry = hosted_entry(HostedName(provider, model, dim, endpoint[0] if endpoint else None))
    if dim is not None and entry is not None and not 1 <= dim <= entry.full_dim:
        raise InputError(f"{entry.name} has {entry.full_dim} dims: ask for 1 to {entry.full_dim}.")
    own = HostedName(provider, model, dim)
    if not endpoint:
        return own
    hosted = replace(own, endpoint=check_endpoint(endpoint[0]))
    # Written out or not, the provider's own address is the same model.
    return own if hosted.url in (provider.url, _chosen_url(provider)) else hosted


def hosted_entry(hosted: HostedName) -> ModelEntry | None:
    """Find what is known of a hosted model; a server of one's own may run a model of the hub."""
    if hosted.endpoint is None or hosted.provider.name not in ("openai", "azure"):
        name = "openai" if hosted.provider.name == "azure" else hosted.provider.name
        return find_entry(f"{name}:{hosted.model}")
    entry = find_entry(hosted.model) or find_entry(f"openai:{hosted.model}")
    if entry is None:
        return None
    # What hinders loading it here does not hinder its server.
    return replace(entry, access="hosted", obstacle="", needs_code=None)


def check_endpoint(address: str) -> str:
    """Give an address without what does not belong to it.

    Raises
    ------
    InputError
        If it is no address, or holds what may be a secret: addresses are kept with the run.
    """
    address = address.strip()
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        # Whatever it is, it may hold a secret.
        raise InputError(
            "The address of the endpoint is no web address: write it like https://host/v1."
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InputError(
            f"The address of the endpoint at {parts.hostname} holds a user, a password or "
            "parameters, and addresses are kept with the run: leave these out, and give the key "
            "by itself."
        )
    return address.rstrip("/").removesuffix("/embeddings")


def _chosen_url(provider: Provider) -> str | None:
    """Give the address in the environment, which is that of whoever runs this."""
    chosen = os.environ.get(provider.url_variable, "").strip() if provider.url_variable else ""
    if not chosen:
        return None
    return check_endpoint(chosen).removesuffix(provider.url_suffix) + provider.url_suffix


def _provider(name: str) -> Provider | None:
    name = name.strip()
    head, colon, _ = name.partition(":")
    if colon and head.lower() in PROVIDERS:
        return PROVIDERS[head.lower()]
    entry = find_entry(name)
    if entry is not None and entry.access == "hosted":
        return PROVIDERS[entry.name.partition(":")[0]]
    return None
