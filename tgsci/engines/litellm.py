"""Models through litellm: every provider that it knows, and every server that speaks OpenAI's protocol.

litellm costs seconds and 180 MB to import, so that happens at the first call. Retries are done here: its
own stack on each other and ignore what the server asks for.
"""

from __future__ import annotations

import base64
import importlib
import importlib.util
import os
import random
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from ..engine import Engine, Reply
from ..errors import EngineError, UsageError
from ..identity import secret_name, written
from .destination import api_base_of, destination_of

#: Set before litellm is imported: else it looks a host up for prices and loads a stray `.env`.
ENVIRONMENT = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}

#: Longest wait between two tries where the server does not say how long, s.
LONGEST_BACKOFF = 60.0
#: Longest wait that a server may ask for, s. Beyond it a person should know.
LONGEST_RETRY_AFTER = 600.0
#: A call without an answer for this long counts as lost, s.
TIMEOUT = 300.0

#: Set by this engine. Given by a caller they would change what a reply is, retry behind its back, or
#: send prompts elsewhere than `destination` says.
_RESERVED = (
    *("messages", "stream", "n", "num_retries", "max_retries", "no-log"),
    *("base_url", "custom_llm_provider", "fallbacks", "context_window_fallback_dict", "model_list"),
)

#: Where the version of Azure's API is looked for: litellm's variable, TextGrad's and OpenAI's.
_AZURE_VERSIONS = ("AZURE_API_VERSION", "AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION")

_IMAGES = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF87a", "gif"), (b"GIF89a", "gif"))

#: What providers' keys look like; a provider may repeat a part of one in its message.
_KEYLIKE = re.compile(r"\b(?:sk|pk|gsk|hf|xai)[-_][\w*.-]{4,}|\bAIza[\w-]{8,}|(?<=Bearer )\S+", re.ASCII)

#: What litellm puts before a provider's own words.
_PREFIX = re.compile(r"(?:(?:litellm\.)?(?:Timeout )?\w*(?:Error|Timeout): )*(?:\w+(?:Exception|Error) - )?")
_PATH = re.compile(r"[/\\]|[A-Za-z]:[/\\]")

#: Parameters that are addresses, and how one begins that has a user's name or password in it.
_ADDRESSES = ("api_base", "base_url")
_USER_INFO = re.compile(r"(?:[^/?#]*//)?[^/?#]*@")

_loading = threading.Lock()


class LiteLLMEngine(Engine):
    """A model, by litellm's name for it. Safe to call from many threads at once.

    Args:
        model: `"gpt-4o"`, `"anthropic/claude-sonnet-4-5"`, `"ollama/qwen3"`, `"openai/NAME"` with an
            `api_base` for any OpenAI-compatible server.
        api_base: Address of the server. Else the provider's own variable (`OPENAI_BASE_URL`,
            `OPENAI_API_BASE`, `AZURE_OPENAI_API_BASE`, `OLLAMA_API_BASE`, ...), else the provider.
        timeout: How long a call may go without an answer before it is tried again, s.
        tries: Calls made for one prompt before giving up.
        sleep: Waits between tries, s; replaced in tests.
        clock: Now, in s since 1970, to read a Retry-After date against; replaced in tests.
        concurrency: Most questions at the same time.
        parameters: Everything else goes to the model: `temperature`, `max_tokens`, `top_p`, `seed`,
            `response_format`, `api_key`, ...

    Raises:
        UsageError: A parameter that this engine sets itself, or litellm is not installed.
    """

    def __init__(
        self,
        model: str,
        *,
        api_base: str | None = None,
        timeout: float = TIMEOUT,
        tries: int = 5,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        concurrency: int | None = None,
        **parameters: Any,
    ) -> None:
        if clash := [name for name in _RESERVED if name in parameters]:
            raise UsageError(
                f"{', '.join(clash)} cannot be given to {model!r} "
                "(to retry more often: tries=...; for another address: api_base=...)"
            )
        if tries < 1:
            raise UsageError(f"tries must be at least 1, not {tries}")
        if importlib.util.find_spec("litellm") is None:  # only looked for: said now, not at the first call
            raise UsageError(f"the model {model!r} needs litellm: pip install 'tgsci[models]'")
        self.name = model
        self.tries = tries
        self.timeout = timeout
        # Found once, here, and handed on with every call: so `destination` stays true.
        self.api_base = api_base_of(model, api_base)
        self._parameters = parameters
        if self.api_base and model.startswith("openai/") and not os.environ.get("OPENAI_API_KEY"):
            # OpenAI's client wants a key even where the server, most often a local one, does not.
            self._parameters.setdefault("api_key", "none")
        if model.startswith("azure/") and (version := next(filter(None, map(os.environ.get, _AZURE_VERSIONS)), None)):
            self._parameters.setdefault("api_version", version)
        self._sleep = sleep
        self._clock = clock
        if concurrency is not None:
            self.concurrency = concurrency

    @property
    def destination(self) -> str:  # type: ignore[override]
        """Where prompts go, in plain words."""
        return destination_of(self.name, self.api_base)

    @property
    def identity(self) -> str:
        """The model, its address and its parameters: all that changes the answers, and no key."""
        return f"{type(self).__qualname__}({self.name!r}, {written({**self._parameters, 'api_base': self.api_base})})"

    def with_parameters(self, **parameters: Any) -> LiteLLMEngine:
        own: dict[str, Any] = {"api_base": self.api_base, "timeout": self.timeout, "tries": self.tries}
        own |= {"sleep": self._sleep, "clock": self._clock}
        return type(self)(self.name, **{**own, **self._parameters, **parameters})

    def check(self) -> None:
        """Look the model's provider up in litellm's tables.

        Raises:
            UsageError: No provider is known for the model.
        """
        litellm = _litellm()
        try:
            litellm.get_llm_provider(self.name, api_base=self.api_base)
        except Exception as error:  # litellm has a type of its own for each provider's refusal
            if "LLM Provider NOT provided" in str(error):
                raise UsageError(self._advice(litellm, error)) from None

    def price(self, tokens_in: int, tokens_out: int) -> float | None:
        """Price of a call in US dollars by litellm's table; None where the table has none."""
        litellm = _litellm()
        usage = litellm.Usage(prompt_tokens=tokens_in, completion_tokens=tokens_out)
        return _price(litellm, self.name, usage)

    @property
    def parameters(self) -> dict[str, Any]:
        """What is passed on to the model, without anything that could be a secret: fit to be recorded."""
        return {k: v for k, v in self._parameters.items() if not secrets_in({k: v})}

    def complete(self, prompt: str, system: str = "", images: Sequence[bytes] = ()) -> Reply:
        messages = _messages(prompt, system, images)
        litellm = _litellm()
        for attempt in range(1, self.tries + 1):
            # The error is examined outside `except`: chained to ours, its text could show a key.
            error: Exception
            try:
                answer = litellm.completion(
                    model=self.name,
                    messages=messages,
                    timeout=self.timeout,
                    num_retries=0,
                    max_retries=0,
                    # Whatever else this process hooked into litellm is not shown these prompts.
                    **{"no-log": True},
                    **({"api_base": self.api_base} if self.api_base else {}),
                    **self._parameters,
                )
            except Exception as caught:
                error = caught
            else:
                return self._reply(litellm, answer)
            if not _worth_another_try(error):
                raise EngineError(self._advice(litellm, error))
            if attempt < self.tries:
                self._sleep(self._wait(error, attempt))
        where = f"a server answers at {self.api_base.split('@')[-1]}" if self.api_base else "the network is up"
        hint = "Run it again later." if _headers(error) is not None else f"Check that {where}."
        tries = f"{self.tries} tries" if self.tries > 1 else "1 try"
        raise EngineError(f"{self.name} did not answer after {tries}: {self._said(error)}. {hint}")

    def _wait(self, error: Exception, attempt: int) -> float:
        """Seconds until the next try: what the server asked for, else exponential with jitter.

        Jitter only ever adds to what was asked for: 32 threads must not come back in the same instant.
        """
        asked = _retry_after(error, self._clock())
        if asked is None:
            return min(LONGEST_BACKOFF, 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)
        if asked > LONGEST_RETRY_AFTER:
            raise EngineError(
                f"{self.name}: the server asks to wait {asked / 60:.0f} min before the next call: "
                f"{self._said(error)}. Run it again then."
            )
        return asked + random.uniform(0.0, min(1.0, asked / 10))

    def _reply(self, litellm: Any, answer: Any) -> Reply:
        choice = answer.choices[0] if answer.choices else None
        content = choice.message.content if choice else None
        finish = str((choice and choice.finish_reason) or "stop")
        name = str(answer.model or self.name)
        # Where a server reports no usage litellm reports 0, and no prompt has 0 tokens.
        usage: Any = getattr(answer, "usage", None) or None
        known = usage is not None and bool(usage.prompt_tokens)
        return Reply(
            _whole(content) if isinstance(content, str) else "",
            tokens_in=usage.prompt_tokens if known else None,
            tokens_out=usage.completion_tokens if known else None,
            usd=_price(litellm, self.name, usage) if known else None,
            finish="length" if finish in ("length", "max_tokens") else finish,
            # Some local servers name a model by its file: a run's report has no use for that folder.
            model=_clean(re.split(r"[/\\]", name)[-1] if _PATH.match(name) else name, 200),
        )

    def _advice(self, litellm: Any, error: Exception) -> str:
        """Say what to do about an error that another try would only repeat."""
        said = self._said(error)
        status = _status(error)
        if _key_is_missing(error):
            try:
                missing = litellm.validate_environment(self.name).get("missing_keys") or []
            except Exception:  # only sharpens the message: a provider that it does not know is no failure
                missing = []
            which = f"set {' and '.join(missing)}" if missing else "set the provider's API key"
            return f"{self.name}: no valid API key: {which} in the environment ({said})"
        if type(error).__name__ == "ContextWindowExceededError":
            return f"{self.name}: the prompt is longer than this model can read: use another model ({said})"
        if "LLM Provider NOT provided" in str(error):
            return (
                f"no provider is known for the model {self.name!r}: write it as PROVIDER/MODEL, for example "
                "'anthropic/claude-sonnet-4-5' or 'ollama/qwen3'"
            )
        if status == 403:
            return f"{self.name}: this API key may not use this model ({said})"
        if status == 404:
            return f"{self.name}: no such model, or no such address ({said})"
        return f"{self.name}: the request was refused, and would be again: {said}"

    def _said(self, error: Exception) -> str:
        """Shorten the provider's message to one line, without anything secret in it."""
        text = _PREFIX.sub("", str(error), count=1)
        for secret in self._secrets():
            text = text.replace(secret, "[key]")
        return _clean(_KEYLIKE.sub("[key]", text), 300).rstrip(". ")

    def _secrets(self) -> list[str]:
        given = [v for k, v in self._parameters.items() if secret_name(k)]
        headers = [v for h in self._parameters.values() if isinstance(h, Mapping) for v in h.values()]
        exported = [v for k, v in os.environ.items() if secret_name(k)]
        found = {s for s in (*given, *headers, *exported) if isinstance(s, str) and len(s) > 5}
        return sorted(found, key=len, reverse=True)


def _litellm() -> Any:
    """litellm, imported once; a lock, because half of it is not enough for a second thread."""
    with _loading:
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        litellm: Any = importlib.import_module("litellm")
        litellm.suppress_debug_info = True  # it prints advice to standard output on every error
        litellm.telemetry = False
        return litellm


def _messages(prompt: str, system: str, images: Sequence[bytes]) -> list[dict[str, Any]]:
    content: str | list[dict[str, Any]] = _whole(prompt)
    if images:
        pictures = [{"type": "image_url", "image_url": {"url": data_url(image)}} for image in images]
        content = [{"type": "text", "text": content}, *pictures]
    user = {"role": "user", "content": content}
    return [{"role": "system", "content": _whole(system)}, user] if system else [user]


def _whole(text: str) -> str:
    """Text that UTF-8 can carry: half a surrogate pair, of a file name or a cut, becomes "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")


def data_url(image: bytes) -> str:
    """The address under which a message carries an image itself.

    Raises:
        EngineError: The image is of another kind than PNG, JPEG, GIF and WebP.
    """
    return f"data:image/{image_type(image)};base64,{base64.b64encode(image).decode('ascii')}"


def image_type(image: bytes) -> str:
    """Return "png", "jpeg", "gif" or "webp".

    Raises:
        EngineError: It is none of these.
    """
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        return "webp"
    for magic, kind in _IMAGES:
        if image.startswith(magic):
            return kind
    raise EngineError("an image is neither PNG, JPEG, GIF nor WebP: convert it to one of these")


def _price(litellm: Any, model: str, usage: Any) -> float | None:
    """Price of a call in US dollars by litellm's table, None where the table has none.

    By the name that was asked for: a local server may well call itself gpt-3.5-turbo. And only where the
    table has a price: litellm asks an Ollama server over the network about any model that it does not know.
    """
    provider, _, bare = model.partition("/")
    entry = litellm.model_cost.get(model)
    if entry is None and litellm.model_cost.get(bare, {}).get("litellm_provider") == provider:
        entry = litellm.model_cost[bare]
    if not entry or not any(price for name, price in entry.items() if "cost_per" in name):
        return None
    try:
        paid = litellm.cost_per_token(
            model=model,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            usage_object=usage,
        )
    except Exception:  # a price that cannot be worked out is unknown; the answer is still good
        return None
    return float(sum(paid)) or None


def _status(error: Exception) -> int | None:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def _headers(error: Exception) -> Mapping[str, str] | None:
    """Get the headers of the server's answer; None where no server answered."""
    headers = getattr(error, "litellm_response_headers", None)
    return headers if isinstance(headers, Mapping) else None


def _key_is_missing(error: Exception) -> bool:
    # For OpenAI's own models litellm reports a missing key as an error 500 that no server ever sent.
    return _status(error) == 401 or (_headers(error) is None and "Missing credentials" in str(error))


def _worth_another_try(error: Exception) -> bool:
    """429, 5xx, timeouts and lost connections: litellm gives the last two a status 408 and 500."""
    status = _status(error)
    return not _key_is_missing(error) and status is not None and (status in (408, 429) or status >= 500)


def _retry_after(error: Exception, now: float) -> float | None:
    """Read the time that the server's Retry-After header asks for, s: a number, or a date (RFC 9110, 10.2.3)."""
    value = (_headers(error) or {}).get("retry-after", "").strip()
    try:
        seconds = parsedate_to_datetime(value).timestamp() - now if "GMT" in value else float(value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds) if seconds < float("inf") else None


def secrets_in(parameters: Mapping[str, Any]) -> list[str]:
    """List the parameters that hold, or may hold, a secret: they belong in no job and no record.

    Args:
        parameters: A model's parameters, as `LiteLLMEngine` takes them; looked into to any depth.

    Returns:
        Dotted names, such as `"extra_body.api_key"`: of what `secret_name` recognises, of headers, and of
        addresses with a user's name or password in them.
    """
    found = []
    for key, value in parameters.items():
        name = str(key)
        if secret_name(name) or (name in _ADDRESSES and _USER_INFO.match(str(value))):
            found.append(name)
            continue
        if isinstance(value, list | tuple):
            value = {str(i): part for i, part in enumerate(value)}
        if isinstance(value, Mapping):
            found += [f"{name}.{inner}" for inner in secrets_in(value)]
    return found


def _clean(text: str, longest: int) -> str:
    """Text of a provider's, fit for a terminal: one line, printable, short."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= longest else line[: longest - 3] + "..."
