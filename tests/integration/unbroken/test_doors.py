"""Access that ends closes the sockets concerned within two seconds."""

import time

import pytest

from tests.integration.bench import SLUG, Bench, until_closed
from tests.integration.page import Page, sign_in

pytestmark = pytest.mark.integration


def test_signing_out(bench: Bench) -> None:
    client = sign_in(bench.stack)
    with Page(client, SLUG) as page, bench.page() as other:
        client.post(
            "/sign-out/",
            data={"csrfmiddlewaretoken": client.cookies["csrftoken"]},
            headers={"Referer": bench.stack.url},
            follow_redirects=False,
        )
        page.wait(lambda: page.codes == [4401], "the close code", 2)
        assert other.codes == [], "another session of the same user stays"
    client.close()


def test_revoking_a_token(bench: Bench) -> None:
    secret = bench.stack.manage("token", "short-lived", "--scope", "read").strip()
    with bench.socket(secret) as client:
        client.recv(5)
        bench.stack.manage("token", "short-lived", "--revoke")
        began = time.monotonic()
        assert until_closed(client)[1] == 4401
        assert time.monotonic() - began < 2


def test_disabling_a_user_and_closing_a_dashboard(bench: Bench) -> None:
    bench.shell("User.objects.create_user('ann', password='a-long-one')")
    ann = sign_in(bench.stack, "ann", "a-long-one")
    with Page(ann, SLUG) as page, bench.page() as other:
        bench.shell("dashboards.change(access.SYSTEM, d.slug, {'access': {'everyone': False}}, None)")
        page.wait(lambda: page.codes == [4404], "the close code", 2)
        assert other.codes == [], "an administrator may stay"
        bench.shell("d.for_everyone = True; d.save()")
    with Page(ann, SLUG) as page:
        bench.shell("u = User.objects.get(username='ann'); u.is_active = False; u.save()")
        page.wait(lambda: page.codes == [4401], "the close code", 2)
    ann.close()
