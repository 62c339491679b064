"""The notifiers that the platform has set up: a JSON file, and a folder of secrets for each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from slipway.api.types import ApiModel


class Web(ApiModel):
    """Takes a POST."""

    type: Literal["Webhook", "Slack"]
    url: str = ""
    token: str = ""
    """Sent as `Authorization: Bearer`."""


class Smtp(ApiModel):
    """Takes mail."""

    type: Literal["SMTP"]
    host: str
    port: int = 587
    from_: Annotated[str, Field(alias="from")]
    to: list[str]
    username: str = ""
    password: str = ""
    starttls: bool = True


Notifier = Annotated[Web | Smtp, Field(discriminator="type")]
_NOTIFIER: TypeAdapter[Web | Smtp] = TypeAdapter(Notifier)
_SECRET: dict[str, tuple[str, ...]] = {"Webhook": ("url", "token"), "Slack": ("url", "token"), "SMTP": ("password",)}


class Misconfigured(Exception):
    """A notifier is not set up as it must be; the message says what is wrong and holds no secret."""


def notifier(name: str, config: Path | None, secrets: Path | None) -> Web | Smtp:
    """The notifier of that name. Raises Misconfigured."""
    try:
        known = orjson.loads(config.read_bytes()) if config else {}
        stated = known.get(name)
    except (OSError, orjson.JSONDecodeError, AttributeError) as error:
        raise Misconfigured(f"the notifiers' file cannot be read: {type(error).__name__}") from None
    if not isinstance(stated, dict):
        raise Misconfigured(f"no notifier {name} is set up")
    kept = {part: text for part in _SECRET.get(str(stated.get("type")), ()) if (text := _secret(secrets, name, part))}
    try:
        found = _NOTIFIER.validate_python(stated | kept)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, one["loc"])) or "type" for one in error.errors(include_input=False))
        raise Misconfigured(f"notifier {name}: wrong or missing: {wrong}") from None
    if isinstance(found, Web) and not found.url.startswith(("http://", "https://")):
        raise Misconfigured(f"notifier {name} has no url")
    return found


def _secret(secrets: Path | None, name: str, part: str) -> str:
    file = secrets / name / part if secrets else None
    return file.read_text().strip() if file and file.is_file() else ""
