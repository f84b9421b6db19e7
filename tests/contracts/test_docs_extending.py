"""The consumer of docs/extending.md works as it stands there, and what can't be loaded stops the start."""

import re
from pathlib import Path

import pytest
from channels.db import database_sync_to_async
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from consumers.routing import router
from tests import loop, make
from tests.consumers.test_dashboard import HOST, Socket, close_code, cookie_of

(CODE,) = re.findall(
    r"^```python\n(.*?)^```$", (Path(settings.BASE_DIR) / "docs" / "extending.md").read_text(), re.MULTILINE | re.DOTALL
)
SCOPE = """
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.urls import path

class Scope(AsyncJsonWebsocketConsumer):
    async def connect(self):
        await self.accept()
        await self.send_json([self.scope["user"].get_username(), self.scope["session"].session_key])

websocket_urlpatterns = [path("ws/scope/", Scope.as_asgi())]
"""
ORIGIN = (b"origin", b"http://" + HOST[1])


def test_it_is_short() -> None:
    within_class = re.findall(r"^class .*?(?=^\S*websocket)", CODE, re.MULTILINE | re.DOTALL)
    assert len(within_class[0].strip().splitlines()) <= 20


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("redis")
async def test_the_consumer_answers_with_the_name_of_the_principal(tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(CODE)
    (tmp_path / "_notes.py").write_text("raise NotImplementedError")
    (tmp_path / "scope.py").write_text(SCOPE)
    application = router([str(tmp_path)])

    def connecting(*headers: tuple[bytes, bytes]) -> Socket:
        return Socket(application, "/ws/hello/", headers=[HOST, *headers])

    secret = await database_sync_to_async(make.token)("bot", "read")
    cookie = await database_sync_to_async(lambda: cookie_of(make.user("ada")))()
    for headers, name in [
        ([(b"authorization", f"Bearer {secret}".encode())], "token bot"),
        ([cookie, ORIGIN], "user ada"),
    ]:
        socket = connecting(*headers)
        await socket.connect(timeout=5)
        assert await socket.receive_json_from(timeout=5) == {"hello": name}
        await socket.send_json_to([1])
        assert await socket.receive_json_from(timeout=5) == {"you said": [1]}
        await socket.disconnect()
    for headers, code in [([ORIGIN], 4401), ([cookie, (b"origin", b"http://evil.example")], 4403), ([], 4403)]:
        socket = connecting(*headers)
        await socket.connect(timeout=5)
        assert await close_code(socket) == code
    socket = Socket(application, "/ws/scope/", headers=[HOST, cookie, ORIGIN])
    await socket.connect(timeout=5)
    user, session = await socket.receive_json_from(timeout=5)
    assert (user, session) == ("ada", cookie[1].decode().partition("=")[2])
    await socket.disconnect()
    await loop.stop_hub()


@pytest.mark.parametrize(
    ("code", "sentence"),
    [("import nothing_of_that_name", r"can't be loaded \(ModuleNotFoundError"), ("x = 1", "has no list websocket_url")],
)
def test_a_file_that_is_wrong_stops_the_start(tmp_path: Path, code: str, sentence: str) -> None:
    (tmp_path / "wrong.py").write_text(code)
    with pytest.raises(ImproperlyConfigured, match=f"^EXTENSIONS: .*wrong.py {sentence}"):
        router([str(tmp_path)])


def test_so_does_a_folder_that_there_is_not() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^EXTENSIONS: there is no folder /not/there\.$"):
        router(["/not/there"])
