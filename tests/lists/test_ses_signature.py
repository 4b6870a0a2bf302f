"""Amazon's signature, compared with the one that AWS's own library makes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.suppression_lists.address_paths import address_segment, is_mailbox
from handlers.suppression_lists.kept_connections import ProviderCall
from handlers.suppression_lists.list_calls import ListCalls
from handlers.webhooks.providers.ses.amazon_signature import AmazonKey, signed_headers

NOW = datetime(2026, 3, 1, 12, 30, 45, tzinfo=UTC)
PATH = "/v2/email/suppression/addresses"
LOCALS = st.text(
    st.characters(codec="utf-8", exclude_characters='@<>"\\/'), min_size=1, max_size=20
)


def key(session_token: str = "") -> AmazonKey:
    return AmazonKey(
        id="AKIDEXAMPLE", secret="wJalr/K7+bPx", session_token=session_token, region="eu-west-1"
    )


def by_amazon(call: ProviderCall, key: AmazonKey) -> str:
    """The header that botocore makes of the same request at the same time."""
    query = f"?{call.query}" if call.query else ""
    request = AWSRequest(
        method=call.method, url=f"https://{call.host}{call.path}{query}", data=call.body
    )
    signer = auth.SigV4Auth(
        Credentials(key.id, key.secret, key.session_token or None), "ses", key.region
    )
    request.context["timestamp"] = f"{NOW:%Y%m%dT%H%M%SZ}"
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    if key.session_token:
        request.headers["X-Amz-Security-Token"] = key.session_token
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    names = signer.signed_headers(signer.headers_to_sign(request))
    return (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, "
        f"Signature={signature}"
    )


def call_of(
    method: str = "GET", path: str = PATH, query: str = "", body: bytes = b""
) -> ProviderCall:
    host = "email.eu-west-1.amazonaws.com"
    return ProviderCall(method=method, host=host, path=path, query=query, body=body)


@pytest.mark.parametrize("token", ["", "FwoGZXIvYXdzE+/=="])
@pytest.mark.parametrize(
    "call",
    [
        call_of(),
        call_of(query="PageSize=1000&NextToken=abc%2B%2F%3D%3D&StartDate=2026-03-01T00%3A00%3A00Z"),
        call_of("PUT", body=b'{"EmailAddress": "ana@example.com", "Reason": "COMPLAINT"}'),
        call_of("DELETE", f"{PATH}/{address_segment('ana+x@example.com')}"),
        call_of(path="/lists/ses/v2/email/account"),
    ],
)
def test_the_signature_is_amazons(call: ProviderCall, token: str):
    headers = signed_headers(call, key(token), NOW)

    assert headers["Authorization"] == by_amazon(call, key(token))
    assert headers["x-amz-date"] == "20260301T123045Z"
    assert headers.get("x-amz-security-token", "") == token


@settings(max_examples=150, deadline=None)
@given(local=LOCALS, values=st.lists(st.text(max_size=8), max_size=3))
def test_the_signature_is_amazons_for_any_address_and_query(local: str, values: list[str]):
    address = f"{local}@example.com"
    if not is_mailbox(address):
        return
    query = "&".join(f"A{n}={quote(one, safe='')}" for n, one in enumerate(values) if is_text(one))
    for method in ("GET", "DELETE"):
        call = call_of(method, f"{PATH}/{address_segment(address)}", query)

        assert signed_headers(call, key(), NOW)["Authorization"] == by_amazon(call, key())


def test_a_call_is_signed_as_it_is_sent():
    seen: list[ProviderCall] = []

    def headers(call: ProviderCall) -> dict[str, Any]:
        seen.append(call)
        return {}

    calls = ListCalls(label="X", api_url="http://127.0.0.1:1/base", headers=headers, forbidden="")
    with pytest.raises(Exception, match="reached"):
        calls.get(PATH, [("NextToken", "a+/= b"), ("PageSize", "1")])

    (call,) = seen
    assert call.path == f"/base{PATH}"
    assert call.query == "NextToken=a%2B%2F%3D%20b&PageSize=1"


def test_the_secrets_are_in_no_representation():
    assert "wJalr" not in repr(key("FwoG"))
    assert "FwoG" not in repr(key("FwoG"))


def is_text(text: str) -> bool:
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False
