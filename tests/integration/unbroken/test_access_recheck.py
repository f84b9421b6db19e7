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


def test_changing_one_s_password(bench: Bench) -> None:
    bench.shell("User.objects.create_user('eve', password='a-long-one')")
    here, there = sign_in(bench.stack, "eve", "a-long-one"), sign_in(bench.stack, "eve", "a-long-one")
    with Page(there, SLUG) as page, bench.page() as other:
        answer = here.post(
            "/account/",
            data={
                "csrfmiddlewaretoken": here.cookies["csrftoken"],
                "old_password": "a-long-one",
                "new_password1": "another-long-one",
                "new_password2": "another-long-one",
            },
            headers={"Referer": bench.stack.url},
            follow_redirects=False,
        )
        assert answer.headers["Location"] == "/account/"
        page.wait(lambda: page.codes == [4401], "the close code", 2)
        assert other.codes == [], "another user stays"
    with Page(here, SLUG) as page:
        bench.shell("u = User.objects.get(username='eve'); u.set_password('a-third-long-one'); u.save()")
        page.wait(lambda: page.codes == [4401], "the close code", 2)
    here.close()
    there.close()


def test_revoking_a_token(bench: Bench) -> None:
    secret = bench.stack.manage("token", "short-lived", "--scope", "read").strip()
    with bench.socket(secret) as client:
        client.recv(5)
        bench.stack.manage("token", "short-lived", "--revoke")
        began = time.monotonic()
        assert until_closed(client)[1] == 4401
        assert time.monotonic() - began < 10


def test_disabling_a_user_and_closing_a_dashboard(bench: Bench) -> None:
    bench.shell("User.objects.create_user('ann', password='a-long-one')")
    ann = sign_in(bench.stack, "ann", "a-long-one")
    with Page(ann, SLUG) as page, bench.page() as other:
        bench.shell("dashboards.change(SYSTEM, d.slug, {'access': {'everyone': False}}, None)")
        page.wait(lambda: page.codes == [4404], "the close code", 2)
        assert other.codes == [], "an administrator may stay"
        bench.shell("d.for_everyone = True; d.save()")
    with Page(ann, SLUG) as page:
        bench.shell("u = User.objects.get(username='ann'); u.is_active = False; u.save()")
        page.wait(lambda: page.codes == [4401], "the close code", 2)
    ann.close()
