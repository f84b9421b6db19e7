"""People who are signed in, in requests: their session's cookie, and for what changes something the token of forms."""

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import APIKeyCookie
from ninja.utils import check_csrf


class SignedIn(APIKeyCookie):
    """Lets people in who are signed in. A page of another site can't have their browser change anything."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self) -> None:
        super().__init__(csrf=False)  # it would refuse those who come with a token instead

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        if "Authorization" in request.headers or not isinstance(request.user, User) or not request.user.is_active:
            return None
        if request.method not in ("GET", "HEAD") and check_csrf(request):
            raise HttpError(403, "The header X-CSRFToken is missing, or is not that of the cookie.")
        return request.user


signed_in = SignedIn()
