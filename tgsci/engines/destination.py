"""Where a model's prompts go, in plain words. A person decides by it: it may promise only what is sure."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


@dataclass(frozen=True, slots=True)
class _Provider:
    """The variables in which litellm looks for a provider's address, in its order, and its default."""

    variables: tuple[str, ...] = ()
    default: str = ""


#: Providers known to send prompts to `api_base` and nowhere else.
_PROVIDERS = {
    "openai": _Provider(("OPENAI_BASE_URL", "OPENAI_API_BASE")),
    "azure": _Provider(("AZURE_API_BASE", "AZURE_OPENAI_API_BASE", "AZURE_OPENAI_ENDPOINT")),
    "ollama": _Provider(("OLLAMA_API_BASE", "OLLAMA_BASE_URL"), "http://localhost:11434"),
    "ollama_chat": _Provider(("OLLAMA_API_BASE", "OLLAMA_BASE_URL"), "http://localhost:11434"),
    "llamafile": _Provider(("LLAMAFILE_API_BASE",), "http://127.0.0.1:8080/v1"),
    "hosted_vllm": _Provider(("HOSTED_VLLM_API_BASE",)),
    "lm_studio": _Provider(("LM_STUDIO_API_BASE",)),
    "litellm_proxy": _Provider(("LITELLM_PROXY_API_BASE",)),
    "anthropic": _Provider(("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL")),
}

#: Bare names that litellm takes for OpenAI's. Others may be anyone's.
_OPENAI = re.compile(r"(ft:)?(gpt-|o\d)")

_LEAVES = "prompts, with every value and report in them, leave this machine"


def api_base_of(model: str, given: str | None = None) -> str | None:
    """Find the address that a model's calls go to; None where litellm's provider decides.

    Args:
        model: litellm's name of the model.
        given: The caller's own address, if any.
    """
    if given:
        return given
    provider = _PROVIDERS.get(_provider_of(model))
    if provider is None:
        return None
    address = next((value for name in provider.variables if (value := os.environ.get(name))), provider.default)
    if _provider_of(model).startswith("ollama"):  # TextGrad's users give the one for OpenAI's protocol
        address = address.rstrip("/").removesuffix("/v1")
    return address or None


def destination_of(model: str, api_base: str | None) -> str:
    """Say where prompts go, for a person who must decide whether they may.

    Args:
        model: litellm's name of the model.
        api_base: As `api_base_of` found it.
    """
    if not api_base:
        return f"the provider of {model} (through litellm): {_LEAVES}"
    parts = urlsplit(api_base if "://" in api_base else f"//{api_base}")
    host = parts.hostname or "an unreadable address"
    place = f"{f'[{host}]' if ':' in host else host}{_port(parts.netloc)}"
    # A proxy of the environment carries loopback traffic too, unless it is told not to.
    if proxy := _proxy_for(parts.scheme, host):
        return f"{model} at {place}, through the proxy {proxy}: {_LEAVES}"
    if not _is_loopback(host):
        return f"{model} at {place}: {_LEAVES}"
    if _provider_of(model) not in _PROVIDERS:
        return f"{model} at {place}, through a provider's own client: prompts may leave this machine"
    return f"a model on this machine at {place}: nothing leaves this machine, unless that server passes it on"


def _provider_of(model: str) -> str:
    if "/" in model:
        return model.split("/", 1)[0]
    return "openai" if _OPENAI.match(model) else ""


def _port(netloc: str) -> str:
    port = re.search(r":\d+$", netloc)
    return port.group() if port else ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _proxy_for(scheme: str, host: str) -> str:
    proxies = getproxies()
    proxy = proxies.get(scheme or "http") or proxies.get("all")
    if not proxy or proxy_bypass(host):
        return ""
    return urlsplit(proxy if "://" in proxy else f"//{proxy}").hostname or "of the environment"
