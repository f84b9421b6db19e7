"""Tokens in requests: `Authorization: Bearer wf_…`, and where programs that push to other servers put theirs."""

import base64

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import HttpBearer
from ninja.security.base import AuthBase

from metrics.access.principal import Principal, address_of, of_token
from metrics.actions import access
from metrics.models import Token


class NoTokenError(Exception):
    """A request without a valid token; `challenge` says how one may be sent (RFC 9110, section 11.6.1)."""

    def __init__(self, challenge: str) -> None:
        super().__init__("No valid token was sent; the header is Authorization: Bearer TOKEN.")
        self.challenge = challenge


class Bearer(HttpBearer):
    """Lets tokens in that may do what `scope` names; 401 for an unknown token, 403 for one that may not."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Token | None:
        return _let_in(token, self.scope)


class Pushing(AuthBase):
    """Lets tokens in that may push, however programs send theirs: see `secret_in`; or as `parameter` of the query."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, parameter: str = "") -> None:
        super().__init__()
        self.parameter = parameter

    def __call__(self, request: HttpRequest) -> Token:
        secret = secret_in(request.headers.get("Authorization", "")) or request.GET.get(self.parameter, "")
        token = _let_in(secret, Token.Scope.PUSH)
        if token is None:
            # Some clients send a name and a password only where they are asked for them.
            raise NoTokenError('Bearer, Basic realm="Watchfloor", charset="UTF-8"')
        return token


push = Pushing()
read = Bearer(Token.Scope.READ)
admin = Bearer(Token.Scope.ADMIN)


def token_of(request: HttpRequest) -> Token:
    """Return the token that let this request in."""
    token = getattr(request, "auth", None)
    assert isinstance(token, Token)
    return token


def principal_of(request: HttpRequest) -> Principal:
    """Return the holder of the token that let this request in."""
    return of_token(token_of(request), address_of(request))


def _let_in(secret: str, scope: str) -> Token | None:
    found = access.find_token(secret) if secret else None
    if found is not None and not access.grants(found, scope):
        raise HttpError(403, f"This token has the scope {found.scope}; {scope} is needed.")
    return found


def secret_in(authorization: str) -> str:
    """Return the token in a header `Authorization`, empty if there is none.

    It is behind `Bearer`, behind `Token` as InfluxDB has it, there perhaps behind the name of a user and a colon, or
    the password of Basic authentication, whose user may have any name.
    """
    kind, _, credentials = authorization.strip().partition(" ")
    if kind.lower() == "basic":
        try:
            credentials = base64.b64decode(credentials, validate=True).decode()
        except ValueError:  # of base64 as well as of UTF-8
            return ""
    elif kind.lower() not in ("bearer", "token"):
        return ""
    return credentials.strip().rpartition(":")[2]
