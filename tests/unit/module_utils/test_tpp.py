# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The TPP client: names, filters, states and paging."""

from __future__ import annotations

import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils import tpp
from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError, RemediationError, UnreadableAnswerError, VendorError
from ansible_collections.certops.remediation.plugins.module_utils.tpp import (
    CertificateRef,
    TppClient,
    certificate_ref,
    checked_dn,
    detailed_state,
    filter_value,
    guid_of,
)
from ansible_collections.certops.remediation.tests.unit.support import HOME, Server, answer, open_transport

GUID = "{758b0593-2fe2-5cb0-a6fc-bfaae2310673}"
BARE = GUID[1:-1]
DN = f"{HOME}\\Web\\www.example.com"


# -- names -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [GUID, BARE, GUID.upper(), BARE.upper(), f"  {GUID}\n", "{" + BARE, BARE + "}"])
def test_a_guid_in_any_form(text):
    assert guid_of(text) == GUID


@pytest.mark.parametrize(
    "text",
    ["", "{}", BARE[:-1], BARE + "0", BARE.replace("-", ""), BARE.replace("7", "g", 1), DN, f"x{BARE}", f"{BARE}\nx", "{{" + BARE + "}}"],
)
def test_what_is_no_guid(text):
    assert guid_of(text) is None


@pytest.mark.parametrize(
    "dn",
    [
        DN,
        "\\ved\\policy\\x",
        "\\VED\\Policy",
        "\\VED\\Policy\\a, b\\c",
        "\\VED\\Policy\\*.example.com",
        "\\VED\\Policy\\b\u00fccher",
        "\\VED\\Policy\\back\\\\slash",
        '\\VED\\Policy\\quo"te',
        "\\VED\\Policy\\\U0001f512",
    ],
)
def test_full_dns_are_taken_as_they_are(dn):
    assert checked_dn("certificate_dn", dn) == dn
    assert certificate_ref("certificate_dn", dn) == CertificateRef(dn=dn)


@pytest.mark.parametrize(
    "dn",
    ["", "www.example.com", "VED\\Policy\\x", "\\VED", "\\VED\\", "/VED/Policy/x", "\\\\VED\\Policy\\x", "\\VED\\Policy\\a\x00b"]
    + [DN + "\\", DN + " ", " " + DN, DN + "\n"],
)
def test_what_is_no_full_dn_is_told(dn):
    with pytest.raises(InputError, match="certificate_dn") as caught:
        checked_dn("certificate_dn", dn)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    "target, ref",
    [
        (GUID.upper(), CertificateRef(guid=GUID)),
        ({"dn": DN}, CertificateRef(dn=DN)),
        ({"guid": BARE}, CertificateRef(guid=GUID)),
        ({"dn": DN, "guid": GUID, "thumbprint": "x", "stage": 500}, CertificateRef(dn=DN, guid=GUID)),
        ({"dn": DN, "guid": ""}, CertificateRef(dn=DN)),
        ({"dn": None, "guid": GUID}, CertificateRef(guid=GUID)),
    ],
)
def test_targets_in_every_form(target, ref):
    assert certificate_ref("certificates[0]", target) == ref


@pytest.mark.parametrize(
    "target",
    [None, 5, True, [], [DN], {}, {"name": "x"}, {"dn": ""}, {"dn": 5}, {"dn": [DN]}, {"guid": "x"}, {"guid": 5}, {"dn": DN, "guid": "x"}, {"dn": "x"}, ""],
)
def test_what_is_no_target_is_told_with_its_place(target):
    with pytest.raises(InputError, match=r"certificates\[3\]"):
        certificate_ref("certificates[3]", target)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["dn", "guid", "x"]), inner)
)


@given(ANYTHING)
def test_a_target_is_usable_or_told(target):
    try:
        ref = certificate_ref("x", target)
    except InputError as error:
        assert not any(ord(ch) < 32 for ch in error.message)
        return
    assert ref.dn or ref.guid


def test_names_that_differ_in_case_are_the_same():
    assert CertificateRef(dn=DN.upper()).key == CertificateRef(dn=DN).key
    assert CertificateRef(dn=DN).label == DN and CertificateRef(guid=GUID).label == GUID


# -- filters ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, value", [("plain", "plain"), ("a b", "a b"), ("CN=X, O=Y", '"CN=X, O=Y"'), ('say "x"', '"say ""x"""'), ("", "")])
def test_a_value_with_a_comma_is_quoted(text, value):
    assert filter_value(text) == value


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\"), min_size=1, max_size=60)
FOLDERS = st.sampled_from([HOME, HOME.lower(), HOME + "\\Web", HOME + "\\a, b", HOME + "\\b\u00fccher", HOME + "\\" + "long" * 40])


@given(st.lists(st.tuples(FOLDERS, NAMES), max_size=120))
def test_batches_are_short_and_hold_every_name_that_can_be_asked_for(pairs):
    refs = [CertificateRef(dn=f"{folder}\\{name}") for folder, name in pairs]
    batches = tpp._name_batches(refs)
    held = [f"{folder}\\{name}".casefold() for folder, names in batches for name in names]
    for folder, names in batches:
        query = "&".join([f"ParentDn={urllib.parse.quote(folder, safe='')}", *(f"Name={urllib.parse.quote(name, safe='')}" for name in names)])
        assert names and len(query) <= 2048 - 100, "with the other parameters it still fits into what IIS takes"
        assert not any(ch in folder + name for name in names for ch in ',"*')
    sizes = {}
    for folder, name in pairs:
        if not any(ch in folder + name for ch in ',"*'):
            sizes.setdefault(folder.casefold(), []).append(f"{folder}\\{name}".casefold())
    assert sorted(held) == sorted(dn for names in sizes.values() if len(names) >= tpp._FEW for dn in names)


@pytest.mark.parametrize("name", ["web-{:04}.shop.example.com", "b\u00fccher-{:04}.example.com"])
def test_a_thousand_names_take_batches_as_long_as_may_be(name):
    batches = tpp._name_batches([CertificateRef(dn=f"{HOME}\\{name.format(number)}") for number in range(1000)])
    lengths = [len(urllib.parse.quote(folder, safe="")) + sum(len("&Name=" + urllib.parse.quote(item, safe="")) for item in names) for folder, names in batches]
    assert sum(len(names) for dummy, names in batches) == 1000
    assert max(lengths) <= 1900 and min(lengths[:-1]) >= 1600


@pytest.mark.parametrize("start", ["od\\\\d\\", "a\\\\"])
def test_a_backslash_in_a_folder_or_name_is_asked_for_singly(start):
    refs = [CertificateRef(dn=f"{HOME}\\{start}{number}") for number in range(10)]
    assert tpp._name_batches(refs) == []


# -- states ----------------------------------------------------------------------------------------------------------------------------


def details(processing=None, certificate=None, **more):
    return {"DN": DN, "Guid": GUID.upper(), "ProcessingDetails": processing or {}, "CertificateDetails": certificate or {}, **more}


def test_a_healthy_certificate_has_empty_processing_details():
    state = detailed_state(details(certificate={"Thumbprint": "AA", "ValidTo": "2026-01-01T00:00:00.0000000Z"}, ManagementType="Enrollment"))
    assert (state.dn, state.guid, state.thumbprint, state.management_type) == (DN, GUID, "AA", "Enrollment")
    assert not (state.processing or state.in_error or state.in_process or state.disabled or state.revocation or state.awaits_approval)


@pytest.mark.parametrize(
    "processing, expected",
    [
        # Recorded by XSOAR.
        (
            {"InError": True, "Stage": 500, "Status": "Access denied due to access_denied_invalid_key."},
            {"in_error": True, "in_process": False, "stage": 500, "stage_name": "PostCSR", "processing": True},
        ),
        ({"Stage": 500, "Status": "Post CSR"}, {"in_error": False, "in_process": True, "stage": 500, "processing": True}),
        ({"Stage": 500, "Status": "Post CSR", "InProcess": True}, {"in_process": True}),
        ({"Stage": -1, "Status": "Queued for renewal"}, {"in_process": True, "stage": -1, "stage_name": "Queued", "awaits_approval": False}),
        ({"Stage": 0, "Status": "x", "InError": True}, {"in_error": True, "stage": 0, "stage_name": "StartProcessing", "processing": True}),
        ({"Stage": 0}, {"in_process": True, "stage": 0, "processing": True}),
        ({"Stage": 500, "Status": "Pending workflow resolution. See Policy"}, {"awaits_approval": True, "in_process": True}),
        ({"TicketDN": "\\VED\\Workflow Tickets\\1"}, {"awaits_approval": True, "in_process": True, "ticket_dn": "\\VED\\Workflow Tickets\\1"}),
        ({"TicketDN": "\\VED\\Workflow Tickets\\1", "InError": True}, {"awaits_approval": False, "in_error": True, "in_process": False}),
        ({"InError": False, "InProcess": False, "Status": "", "TicketDN": ""}, {"processing": False, "in_process": False, "status": None}),
        ({"Stage": 777}, {"stage": 777, "stage_name": "unknown"}),
        ({"Stage": "500"}, {"stage": None, "in_process": True}),
        ({"Status": "a\x1b[31m\nb"}, {"status": "a [31m b"}),
    ],
)
def test_processing_details_as_documented(processing, expected):
    state = detailed_state(details(processing))
    assert {name: getattr(state, name) for name in expected} == expected


@pytest.mark.parametrize(
    "certificate, revocation",
    [
        ({}, None),
        ({"RevocationStatus": "Revoked"}, "Revoked"),
        ({"RevocationDate": "2026-01-01T00:00:00.0000000Z"}, "revoked"),
        ({"RevocationStatus": ""}, None),
    ],
)
def test_revocation_as_documented(certificate, revocation):
    assert detailed_state(details(certificate=certificate)).revocation == revocation


def test_absent_means_no():
    state = detailed_state({"DN": DN, "Guid": GUID})
    assert not state.disabled and state.management_type is None and state.thumbprint is None
    assert detailed_state(details(Disabled=True)).disabled


# -- paging ----------------------------------------------------------------------------------------------------------------------------


def entry(number):
    return {"DN": f"{HOME}\\{number}", "Guid": "{%08d-0000-0000-0000-000000000000}" % number, "Name": str(number)}


def listing(count, *, cap=10**9, total=True, offset_works=True):
    """A server with this many certificates; it ends a client that does not end by itself."""

    def reply(request, number):
        if number > 40:
            return answer("400 Bad Request", b'{"Error": "will this never end?"}')
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.line.split()[1]).query))
        begin = int(query["Offset"]) if offset_works else 0
        page = [entry(item) for item in range(begin, min(count, begin + min(int(query["Limit"]), cap)))]
        return answer("200 OK", json.dumps({"Certificates": page, **({"TotalCount": count} if total else {})}).encode())

    return Server(reply)


def search(server, **more):
    return TppClient(open_transport(server.url)).search([("InError", "1")], **more)


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("cap", [10**9, 1000, 300])
@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2500])
def test_every_page_is_read(count, cap, total):
    with listing(count, cap=cap, total=total) as server:
        entries, told = search(server)
    assert [item["Name"] for item in entries] == [str(number) for number in range(count)]
    assert told == count
    pages = -(-count // min(cap, 1000)) or 1
    # Without a total only an empty page tells that there are no more.
    assert len(server.requests) == (pages if total else pages + (1 if count else 0))


@pytest.mark.parametrize("limit, pages", [(1, 1), (999, 1), (1000, 1), (1001, 2), (2500, 3), (9999, 3)])
def test_a_limit_asks_for_no_more_than_it_needs(limit, pages):
    with listing(2500) as server:
        entries, told = search(server, limit=limit)
    assert len(entries) == min(limit, 2500) and told == 2500 and len(server.requests) == pages


def test_a_limit_holds_even_if_the_server_gives_more():
    with Server(lambda *dummy: answer("200 OK", json.dumps({"Certificates": [entry(1), entry(2), entry(3)], "TotalCount": 3}).encode())) as server:
        entries, dummy = search(server, limit=2)
    assert len(entries) == 2


@pytest.mark.parametrize("total", [True, False])
def test_a_server_that_knows_no_offset_is_no_endless_loop(total):
    with listing(2500, total=total, offset_works=False) as server:
        entries, dummy = search(server)
    assert len(entries) == 1000
    assert len(server.requests) <= 4


def test_a_list_that_changes_while_it_is_read_is_read_again():
    """Offsets count from the beginning: when something leaves the list, the next page passes over as many."""
    readings = [([entry(1), entry(2)], 3), ([entry(4)], 2), ([entry(1), entry(4)], 2)]

    def page(dummy, number):
        found, total = readings[min(number, 3) - 1]
        return answer("200 OK", json.dumps({"Certificates": found, "TotalCount": total}).encode())

    with Server(page) as server:
        entries, total = search(server)
    assert [item["Name"] for item in entries] == ["1", "4"] and total == 2 and len(server.requests) == 3


def test_a_list_that_never_stands_still_is_warned_about():
    def page(dummy, number):
        return answer("200 OK", json.dumps({"Certificates": [entry(number)], "TotalCount": 10000 + number}).encode()) if number % 3 else answer()

    warnings = []
    with Server(page) as server:
        TppClient(open_transport(server.url, warnings=warnings)).search([])
    assert len(warnings) == 1 and "changed while it was read" in warnings[0]


def test_an_object_on_two_pages_is_listed_once():
    """Something was added while the pages were read."""
    pages = [[entry(1), entry(2)], [entry(2), entry(3)], []]
    with Server(lambda request, number: answer("200 OK", json.dumps({"Certificates": pages[min(number, 3) - 1]}).encode())) as server:
        entries, dummy = search(server)
    assert [item["Name"] for item in entries] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "body",
    ["{}", '{"Certificates": null}', '{"Certificates": [null, 5, "x", {}, {"Guid": "x"}]}', '{"Certificates": []}'],
)
def test_entries_without_a_name_are_left_out(body):
    with Server(lambda *dummy: answer("200 OK", body.encode())) as server:
        assert search(server)[0] == []


@pytest.mark.parametrize(
    "body",
    [
        '{"Certificates": {"a": 1}}',
        '{"TotalCount": "x"}',
        '{"Certificates": 5}',
        '{"Certificates": [{"Guid": 5, "DN": 5}], "TotalCount": 1}',
    ],
)
def test_a_list_of_another_shape_is_no_traceback(body):
    with Server(lambda *dummy: answer("200 OK", body.encode())) as server:
        try:
            assert search(server)[0] == []
        except RemediationError:
            pass


@pytest.mark.parametrize(
    "body",
    ['{"DN": 5, "Guid": 6}', '{"DN": "x", "Guid": "y", "ProcessingDetails": "text", "CertificateDetails": []}', '{"DN": "x", "Guid": ["y"]}'],
)
def test_details_of_another_shape_are_no_traceback(body):
    with Server(lambda *dummy: answer("200 OK", body.encode())) as server:
        try:
            detailed_state(TppClient(open_transport(server.url)).details(GUID))
        except RemediationError:
            pass


@pytest.mark.parametrize(
    "body, content_type",
    [(b"<html>sign in</html>", "text/html"), (b"", "text/plain"), (b"[]", "application/json"), (b"5", "application/json")],
)
def test_what_is_not_the_api_is_told(body, content_type):
    with Server(lambda *dummy: answer("200 OK", body, content_type=content_type)) as server, pytest.raises(UnreadableAnswerError, match="proxy or login page"):
        search(server)


@pytest.mark.parametrize(
    "body, reason, said",
    [
        ('{"Error": "one"}', "x", "one"),
        ('{"ErrorDetails": "two\\r\\n"}', "x", "two"),
        ('{"error": "e", "error_description": "three"}', "x", "three"),
        ('{"error": "four"}', "x", "four"),
        ("", "five", "five"),
        ("<html><b>six</b></html>", "x", "six"),
        ('{"Error": ""}', "x", "HTTP 400"),
        ('{"Error": "a\\u001b[31mb\\u202ec"}', "x", "a [31mb c"),
    ],
)
def test_every_dialect_of_an_error_is_understood(body, reason, said):
    with Server(lambda *dummy: answer(f"400 {reason}", body.encode())) as server, pytest.raises(VendorError) as caught:
        search(server)
    assert said in caught.value.message and caught.value.message.isprintable() and caught.value.status == 400


def test_a_database_deadlock_is_tried_again(short_backoff):
    replies = [answer("500 Transaction was deadlocked. Rerun the transaction.", b""), answer("200 OK", b'{"Certificates": [], "TotalCount": 0}')]
    with Server(lambda request, number: replies[min(number, 2) - 1]) as server:
        client = TppClient(open_transport(server.url, retry_timeout=10))
        assert client.search([]) == ([], 0)
        assert client.transport.retries == 1


# -- one object ------------------------------------------------------------------------------------------------------------------------


def client_of(simulator):
    transport = open_transport(simulator.ready["url"], ca_path=simulator.ready["ca_path"])

    class Bearer:
        def headers(self):
            return {"Authorization": f"Bearer {simulator.ready['tpp']['access_token']}"}

        def renew(self, rejected):
            return False

    transport.credentials = Bearer()
    return TppClient(transport)


@pytest.mark.parametrize("name", ["plain.example.com", "a, b", "*.example.com", "b\u00fccher.example", 'quo"te', "per%41cent&x=1#?"])
@pytest.mark.parametrize("config", ["any", "configuration:delete"])
def test_a_guid_is_found_by_dn_with_and_without_config(simulator, name, config):
    simulator.tpp.load([{"name": name}, {"name": "other"}])
    dn = f"{HOME}\\{name}"
    if config != "any":
        simulator.faults.add("status", status=403, match={"path": "config"}, times=0)
    if config == "any" or '"' not in name:
        assert client_of(simulator).guid(dn.upper()) == simulator.tpp[dn].guid


def test_an_object_that_is_not_there_is_told_as_what_it_may_be(simulator):
    with pytest.raises(VendorError, match="does not exist, or these credentials have no rights to it") as caught:
        client_of(simulator).guid(DN)
    assert caught.value.code == "400" and caught.value.status is None


def test_states_tell_the_same_by_list_and_by_object(simulator):
    simulator.tpp.load(
        [
            {"name": "ok-{n}", "count": 4},
            {"name": "bad-{n}", "count": 4, "in_error": True, "stage": 500, "status": "x"},
            {"name": "busy-{n}", "count": 4, "in_process": True, "stage": 500, "status": "Post CSR"},
            {"name": "approval-{n}", "count": 4, "in_flight": True, "renewal": {"queued": 0, "seconds": 0, "workflow": True}},
        ]
    )
    dns = [f"{HOME}\\{kind}-{number}" for kind in ("ok", "bad", "busy", "approval") for number in range(1, 5)]
    refs = [CertificateRef(dn=dn) for dn in dns]
    listed = client_of(simulator).states(refs, need_details=lambda state: False)
    requests = len(simulator.journal)
    single = client_of(simulator).states(refs, need_details=lambda state: True)

    def shown(states):
        return [(state.dn, state.guid, state.in_error, state.in_process, state.awaits_approval, state.thumbprint) for state in states]

    assert shown(listed) == shown(single)
    assert requests <= 5 and all(not state.detailed for state in listed) and all(state.detailed for state in single)
