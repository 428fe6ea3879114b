# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of an answer that is no success, or none at all: is it a no, is it lost, is it worth another try."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils.answers import Remedies, Told, decode, json_of, refusal
from ansible_collections.certops.remediation.plugins.module_utils.errors import (
    AnswerLostError,
    AuthenticationError,
    AuthorizationError,
    BusyError,
    UnreadableAnswerError,
    VendorError,
)
from ansible_collections.certops.remediation.plugins.module_utils.redaction import Secrets
from ansible_collections.certops.remediation.plugins.module_utils.transport import Answer
from ansible_collections.certops.remediation.tests.unit.support import open_transport

REMEDIES = Remedies(authentication="Take another key.", authorization="Ask for a role.", rate="Slow down.")
JSON = b'{"message": "no"}'
HTML = b"<html><body>Gateway</body></html>"
TOLD = Told("no such thing", "0x12", "request-1")


@pytest.fixture
def transport():
    """Never sends anything."""
    secrets = Secrets()
    secrets.add("c4nary-secret")
    return open_transport("https://vendor.invalid", secrets=secrets)


def answered(status, body=JSON):
    return Answer(status, "Reason", {"content-type": "application/json"}, body)


def refused(transport, status, body=JSON, *, told=TOLD, changes=False):
    return refusal(transport, answered(status, body), "do the thing", told=told, remedies=REMEDIES, changes=changes)


@pytest.mark.parametrize("changes", [True, False])
@pytest.mark.parametrize(
    "status, kind, remedy",
    [(401, AuthenticationError, "Take another key."), (403, AuthorizationError, "Ask for a role."), (429, BusyError, "Slow down.")],
)
@pytest.mark.parametrize("body", [JSON, HTML, b""])
def test_what_the_user_can_mend_is_told_with_the_remedy(transport, status, kind, remedy, body, changes):
    """These are said before anything is done, whoever in between says them: a changing request was not processed."""
    error = refused(transport, status, body, changes=changes)
    assert error.kind == kind.kind and remedy in error.message and "no such thing" in error.message
    assert (error.status, error.code, error.detail, error.request_id) == (status, "0x12", "no such thing", "request-1")
    assert "no text" in refused(transport, status, body, told=Told(), changes=changes).message


@pytest.mark.parametrize("status", [400, 404, 405, 409, 410, 415, 422])
@pytest.mark.parametrize("changes", [True, False])
def test_a_no_of_the_vendor_is_a_no(transport, status, changes):
    error = refused(transport, status, changes=changes)
    assert error.kind == VendorError.kind and not error.fatal
    assert error.message == "Vendor: cannot do the thing: no such thing" and error.status == status


def test_a_no_without_words_is_told_by_its_status(transport):
    assert "HTTP 404 Reason" in refused(transport, 404, b"", told=Told()).message


@pytest.mark.parametrize("status, body", [(408, JSON), (499, JSON), (408, b""), (400, HTML), (404, HTML), (413, b"too large"), (400, b"[]"), (404, b'"no"')])
def test_somebody_elses_no_to_a_changing_request_leaves_it_open(transport, status, body):
    """A proxy that gave up says nothing about what the vendor does meanwhile."""
    error = refused(transport, status, body, changes=True)
    assert isinstance(error, AnswerLostError) and error.status == status
    assert isinstance(refused(transport, status, body), VendorError), "a safe request has no such doubt"


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 520, 599])
@pytest.mark.parametrize("body", [JSON, HTML, b""])
def test_a_failure_inside_leaves_a_changing_request_open(transport, status, body):
    error = refused(transport, status, body, changes=True)
    assert isinstance(error, AnswerLostError) and error.status == status
    assert refused(transport, status, body).kind == VendorError.kind


def read(transport, body, shape=dict, status=200, **more):
    return decode(transport, answered(status, body), "read it", shape=shape, told=TOLD, remedies=REMEDIES, **more)


@pytest.mark.parametrize("body, shape, found", [(b"{}", dict, {}), (b"[]", list, []), (b'\xef\xbb\xbf{"a": 1}', dict, {"a": 1}), (b" [1]\n", list, [1])])
def test_a_success_is_its_json(transport, body, shape, found):
    assert read(transport, body, shape) == found


@pytest.mark.parametrize("body", [b"", b" ", b"null", b"{", b'{"a"', HTML, b"[]", b'"{}"', b"1", b"true", b"\xff\xfe{}", b"[" * 100_000, b"NaN"])
def test_a_success_that_is_not_the_apis_is_no_success(transport, body):
    """A login page with 200 is the commonest of them."""
    with pytest.raises(UnreadableAnswerError, match="the answer to: read it is not the API's") as caught:
        read(transport, body)
    assert caught.value.status == 200 and isinstance(caught.value, AnswerLostError)


def test_an_error_answer_is_raised_whatever_its_body(transport):
    with pytest.raises(VendorError, match="no such thing"):
        read(transport, b"{}", status=404)
    with pytest.raises(AnswerLostError):
        read(transport, b"{}", status=500, changes=True)


@given(st.binary(max_size=200) | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists).map(lambda value: json.dumps(value).encode()))
def test_no_body_is_a_traceback(body):
    answer = answered(200, body)
    found = json_of(answer)
    assert found is None or json.loads(body.decode("utf-8-sig")) == found


def test_what_an_answer_echoes_is_told_without_secrets_and_control_characters(transport):
    page = b"<html>\x1b[31mtoken=c4nary-secret\x07\n<script>alert(1)</script></html>"
    for error in (refused(transport, 502, page), refused(transport, 400, page, told=Told()), refused(transport, 404, page, changes=True)):
        assert "token=********" in error.message and error.message.isprintable() and "alert" not in error.message
