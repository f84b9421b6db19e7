"""Config that all kinds share that request over HTTP: the address, the headers, and the credentials."""

import re
from typing import Self

import httpx
from pydantic import Field, SecretStr, field_validator, model_validator

from metrics.sources.base import SourceConfig

HEADERS_MOST = 20
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
HEADER_VALUE = re.compile(r"[\x20-\x7e\t]{0,10000}")
OURS = {"connection", "content-length", "transfer-encoding", "accept-encoding"}
SECRET = {"authorization", "cookie", "proxy-authorization"}


def http_url(value: str) -> str:
    """Return `value` if it is an address to request. Raises ValueError."""
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL as error:
        raise ValueError(f"it can't be read: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("it has to begin with http:// or https:// and name a host")
    if url.port is not None and not 0 < url.port < 65536:
        raise ValueError(f"it names port {url.port}, and there are 1 to 65535")
    if url.userinfo:
        raise ValueError("it may hold no password; give username and password")
    return value


class HttpConfig(SourceConfig):
    """Where to ask, and as whom."""

    url: str = Field(max_length=500, description="Address to request; http:// or https://.")
    headers: dict[str, str] = Field(default_factory=dict, description="Headers to send along.")
    secret_headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="Headers to send along whose values are credentials."
    )
    username: str = Field(default="", max_length=200, description="User to sign in as (Basic).")
    password: SecretStr = Field(default=SecretStr(""), max_length=1000, description="That user's password.")
    bearer_token: SecretStr = Field(default=SecretStr(""), max_length=10_000, description="Token to send (Bearer).")
    verify: bool = Field(
        default=True,
        title="Verify the certificate",
        description="Whether a certificate that can't be trusted is a failure.",
    )
    timeout_s: float = Field(default=10, gt=0, le=25, description="Seconds for all of it.")

    @field_validator("url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        return http_url(value)

    @model_validator(mode="after")
    def _headers_can_be_sent(self) -> Self:
        secret = {name: value.get_secret_value() for name, value in self.secret_headers.items()}
        if len(self.headers) + len(secret) > HEADERS_MOST:
            raise ValueError(f"headers and secret_headers are more than {HEADERS_MOST}")
        for name, value in [*self.headers.items(), *secret.items()]:
            if not HEADER_NAME.fullmatch(name) or name.lower() in OURS:
                raise ValueError(f"header {name[:100]!r} can't be set")
            if not HEADER_VALUE.fullmatch(value):
                raise ValueError(f"header {name} has a value that can't be sent")
        for name in self.headers:
            if name.lower() in SECRET:
                raise ValueError(f"header {name} belongs into secret_headers")
        if (self.username or self.password.get_secret_value()) and self.bearer_token.get_secret_value():
            raise ValueError("give either username and password or bearer_token")
        if not HEADER_VALUE.fullmatch(self.bearer_token.get_secret_value()):
            raise ValueError("bearer_token has a character that can't be sent")
        return self

    @property
    def where(self) -> str:
        """The address as it may be shown and stored: without its query, which may hold a key."""
        return shown(self.url)


def shown(url: str | httpx.URL) -> str:
    """Return `url` without user, password, query and fragment."""
    return str(httpx.URL(url).copy_with(username=None, password=None, query=None, fragment=None))


def credentials(config: HttpConfig) -> dict[str, str]:
    """Return the headers that say who asks."""
    secret = {name: value.get_secret_value() for name, value in config.secret_headers.items()}
    if token := config.bearer_token.get_secret_value():
        secret["Authorization"] = f"Bearer {token}"
    elif config.username or config.password.get_secret_value():
        basic = httpx.BasicAuth(config.username, config.password.get_secret_value())
        request = next(basic.auth_flow(httpx.Request("GET", config.url)))
        secret["Authorization"] = request.headers["Authorization"]
    return secret
