"""Tokens in requests: `Authorization: Bearer wf_…`, and where programs that know other servers put theirs."""

import base64

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import HttpBearer
from ninja.security.base import AuthBase

from metrics.actions import access
from metrics.models import Token


class Bearer(HttpBearer):
    """Lets tokens in that may do what `scope` names; 401 for an unknown token, 403 for one that may not."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Token | None:
        return _let_in(token, self.scope)


class Foreign(AuthBase):
    """Lets the same in, whose token may also be the password of Basic authentication, stand behind the word Token as
    with InfluxDB, or be the `parameter` of the query that is named.
    """

    openapi_type = "http"

    def __init__(self, scope: str, parameter: str = "") -> None:
        super().__init__()
        self.scope = scope
        self.parameter = parameter

    def __call__(self, request: HttpRequest) -> Token | None:
        secret = _secret(request.headers.get("Authorization", "")) or request.GET.get(self.parameter, "")
        return _let_in(secret, self.scope)


push = Bearer(Token.Scope.PUSH)
read = Bearer(Token.Scope.READ)
admin = Bearer(Token.Scope.ADMIN)


def token_of(request: HttpRequest) -> Token:
    """Return the token that let this request in."""
    token = getattr(request, "auth", None)
    assert isinstance(token, Token)
    return token


def _let_in(secret: str, scope: str) -> Token | None:
    found = access.find_token(secret)
    if found is not None and not access.grants(found, scope):
        raise HttpError(403, f"This token has the scope {found.scope}; {scope} is needed.")
    return found


def _secret(authorization: str) -> str:
    """Return the token in a header: it is behind the first word, and there behind the name of a user, if it has one."""
    kind, _, credentials = authorization.strip().partition(" ")
    if kind.lower() == "basic":
        try:
            credentials = base64.b64decode(credentials, validate=True).decode()
        except ValueError:  # of base64 as well as of UTF-8
            return ""
    elif kind.lower() not in ("bearer", "token"):
        return ""
    return credentials.strip().rpartition(":")[2]
