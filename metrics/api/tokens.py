"""Bearer tokens: `Authorization: Bearer wf_…`."""

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import HttpBearer

from metrics.actions import access
from metrics.models import Token


class Bearer(HttpBearer):
    """Lets tokens in that may do what `scope` names; 401 for an unknown token, 403 for one that may not."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Token | None:
        found = access.find_token(token)
        if found is not None and not access.grants(found, self.scope):
            raise HttpError(403, f"This token has the scope {found.scope}; {self.scope} is needed.")
        return found


push = Bearer(Token.Scope.PUSH)
read = Bearer(Token.Scope.READ)
admin = Bearer(Token.Scope.ADMIN)


def token_of(request: HttpRequest) -> Token:
    """Return the token that let this request in."""
    token = getattr(request, "auth", None)
    assert isinstance(token, Token)
    return token
