"""Credentials of sources: split off from configs, kept encrypted, and hidden wherever they could show.

A field of a config is a credential if its type says so: `SecretStr`, alone or inside a list, a dictionary or a model.
Kept is JSON of field -> Fernet token (https://github.com/fernet/spec/), so that which credentials are set is known
without the key. The key comes from SECRET_KEY through HKDF (RFC 5869).
"""

import base64
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args
from urllib.parse import quote

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from pydantic import BaseModel, SecretStr

PURPOSE = b"watchfloor: credentials of sources"
HIDDEN = "…"
HIDDEN_LEAST = 4
"""Shorter credentials protect nothing, and hiding every letter e would make a sentence unreadable."""


class LostKey(Exception):
    """Credentials that can't be read any more; the message is a sentence that says what to do."""


def names(config_class: type[BaseModel]) -> frozenset[str]:
    """Return the fields of `config_class` that are credentials."""
    return frozenset(name for name, field in config_class.model_fields.items() if _is_secret(field.annotation))


def _is_secret(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, SecretStr):
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return bool(names(annotation))
    return any(_is_secret(inner) for inner in get_args(annotation))


def is_set(value: Any) -> bool:
    """Return whether `value` of a credential is one; empty means that there is none."""
    return value not in ("", None) and value != {} and value != []


def keep(credentials: Mapping[str, Any]) -> str:
    """Return `credentials` (field -> value as in JSON) as they are kept; nothing, if there are none."""
    return json.dumps({name: seal(value) for name, value in sorted(credentials.items())}) if credentials else ""


def kept(text: str) -> list[str]:
    """Return the names of the credentials in `text`, which `keep` made."""
    return sorted(json.loads(text)) if text else []


def read(text: str) -> dict[str, Any]:
    """Return the credentials in `text`, which `keep` made. Raises LostKey if the key is another one by now."""
    return {name: unseal(token) for name, token in json.loads(text).items()} if text else {}


def renewed(text: str) -> str:
    """Return the credentials in `text` under today's key. Raises LostKey."""
    return keep(read(text))


def seal(value: Any) -> str:
    """Return `value` (as in JSON) so that only holders of the key can read it."""
    return _cipher().encrypt(json.dumps(value).encode()).decode()


def unseal(token: str) -> Any:
    """Return what `seal` made `token` of. Raises LostKey if it was another key, or something else made it."""
    try:
        return json.loads(_cipher().decrypt(token.encode()))
    except InvalidToken:
        raise LostKey(
            "The credentials of this source can't be read with this SECRET_KEY; "
            "enter them again, or add the earlier key to SECRET_KEY_FALLBACKS."
        ) from None


def hide(text: str, credentials: Any) -> str:
    """Return `text` without what is in `credentials`, in case an error quotes a password or an address with one."""
    for secret in sorted(_texts(credentials), key=len, reverse=True):
        if len(secret) >= HIDDEN_LEAST:
            for written in (secret, quote(secret, safe=""), repr(secret)[1:-1], json.dumps(secret)[1:-1]):
                text = text.replace(written, HIDDEN)
    return text


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _cipher() -> MultiFernet:
    return _cipher_of((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@cache
def _cipher_of(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str) -> bytes:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE)
    return base64.urlsafe_b64encode(derive.derive(key.encode()))
