"""Tokens in requests: `Authorization: Bearer wf_…`, and where programs that push to other servers put theirs."""

from collections.abc import Callable

from django.http import HttpRequest
from ninja.security import HttpBearer
from ninja.security.base import AuthBase

from metrics.access.bearer import bearer, secret_in
from metrics.access.policy import PUSH, SAMPLES, Forbidden, may, without_scope
from metrics.access.principal import ROLE_OF_SCOPE, Principal, address_of, of_token
from metrics.models import Token


class NoTokenError(Exception):
    """A request without a valid token; `challenge` says how one may be sent (RFC 9110, section 11.6.1)."""

    def __init__(self, challenge: str) -> None:
        super().__init__("No valid token was sent; the header is Authorization: Bearer TOKEN.")
        self.challenge = challenge


class Bearer(HttpBearer):
    """Lets tokens in that have the role of `scope`, or more; 401 for an unknown token, 403 for one that has less.

    Which things they may see and change, `metrics.access.policy` says.
    """

    def __init__(self, scope: Token.Scope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Token | None:
        needed = ROLE_OF_SCOPE[self.scope]
        return _let_in(token.strip(), lambda by: by.role >= needed, self.scope)


class Pushing(AuthBase):
    """Lets tokens in that may push, however programs send theirs: see `secret_in`; or as `parameter` of the query."""

    openapi_type = "http"
    openapi_scheme = "bearer"
    scope: Token.Scope | None = Token.Scope.PUSH

    def __init__(self, parameter: str = "") -> None:
        super().__init__()
        self.parameter = parameter

    def allows(self, by: Principal) -> bool:
        return may(by, PUSH, SAMPLES)

    def __call__(self, request: HttpRequest) -> Token:
        secret = secret_in(request.headers.get("Authorization", "")) or request.GET.get(self.parameter, "")
        token = _let_in(secret, self.allows, self.scope)
        if token is None:
            # Some clients send a name and a password only where they are asked for them.
            raise NoTokenError('Bearer, Basic realm="Watchfloor", charset="UTF-8"')
        return token


class Foreign(Pushing):
    """Lets tokens in that have the role of `scope`, or more, however programs send theirs; without one, any token."""

    def __init__(self, scope: Token.Scope | None) -> None:
        super().__init__()
        self.scope = scope

    def allows(self, by: Principal) -> bool:
        return self.scope is None or by.role >= ROLE_OF_SCOPE[self.scope]


push = Pushing()
read = Bearer(Token.Scope.READ)
edit = Bearer(Token.Scope.EDIT)


def token_of(request: HttpRequest) -> Token:
    """Return the token that let this request in."""
    token = getattr(request, "auth", None)
    assert isinstance(token, Token)
    return token


def principal_of(request: HttpRequest) -> Principal:
    """Return the holder of the token that let this request in."""
    return of_token(token_of(request), address_of(request))


def _let_in(secret: str, allowed: Callable[[Principal], bool], needed: Token.Scope | None) -> Token | None:
    found = bearer(secret)
    if found is not None and needed is not None and not allowed(of_token(found)):
        raise Forbidden(without_scope(found, needed))
    return found
