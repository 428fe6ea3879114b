# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""tpp_certificate_info against the simulator: what is asked for, and what comes back."""

from __future__ import annotations

import base64
import datetime
import urllib.parse

import pytest
import requests

from ansible_collections.certops.remediation.plugins.module_utils.tpp import certificate_ref
from ansible_collections.certops.remediation.plugins.modules import tpp_certificate_info, tpp_certificate_reset
from ansible_collections.certops.remediation.tests.unit.support import HOME, Server, answer, run_module, tpp_options

FLEET = [
    {"name": "ok-{n}.example.com", "folder": "Web", "count": 3, "age_days": 100, "valid_days": 200},
    {"name": "bad-{n}.example.com", "folder": "Web\\Deep", "count": 2, "in_error": True, "stage": 500, "status": "Post CSR failed"},
    {"name": "late.example.com", "folder": "Web", "in_error": True, "stage": 700, "status": "x", "dns": ["late.example.com", "alias.example.com"]},
    {"name": "busy.example.com", "folder": "Other", "in_process": True, "stage": 500, "status": "Post CSR"},
    {"name": "off.example.com", "folder": "Other", "disabled": True, "management_type": "Monitoring"},
    {"name": "approval.example.com", "folder": "Other", "in_flight": True, "renewal": {"queued": 0, "seconds": 0, "workflow": True}},
    {"name": "a, b.example.com", "folder": "comma, folder"},
]
NAMES = {f"{kind}.example.com" for kind in ("ok-1", "ok-2", "ok-3", "bad-1", "bad-2", "late", "busy", "off", "approval", "a, b")}


@pytest.fixture
def fleet(simulator):
    """The simulator with some of everything."""
    simulator.tpp.load(FLEET)
    return simulator


def info(simulator, **options):
    return run_module(tpp_certificate_info, tpp_options(simulator, **options))


def names(result):
    assert not result["failed"], result["msg"]
    return {item["name"].replace(".example.com", "") for item in result["certificates"]}


def queries(simulator):
    return [entry["query"] for entry in simulator.journal if entry["path"] == "/vedsdk/certificates"]


def in_days(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%d")


# -- filters ---------------------------------------------------------------------------------------------------------------------------

FILTERS = {
    "nothing": ({}, {}, {"ok-1", "ok-2", "ok-3", "bad-1", "bad-2", "late", "busy", "off", "approval", "a, b"}),
    "folder": ({"folder": f"{HOME}\\Web"}, {"ParentDnRecursive": f"{HOME}\\Web"}, {"ok-1", "ok-2", "ok-3", "bad-1", "bad-2", "late"}),
    "folder alone": ({"folder": f"{HOME}\\Web", "recursive": False}, {"ParentDn": f"{HOME}\\Web"}, {"ok-1", "ok-2", "ok-3", "late"}),
    "folder in another case": ({"folder": f"{HOME}\\web\\DEEP"}, {"ParentDnRecursive": f"{HOME}\\web\\DEEP"}, {"bad-1", "bad-2"}),
    "folder with a comma": ({"folder": f"{HOME}\\comma, folder"}, {"ParentDnRecursive": f'"{HOME}\\comma, folder"'}, {"a, b"}),
    "name": ({"name": ["ok-1.example.com", "OK-2.example.com"]}, {"Name": ["ok-1.example.com", "OK-2.example.com"]}, {"ok-1", "ok-2"}),
    "name with a comma": ({"name": ["a, b.example.com"]}, {"Name": '"a, b.example.com"'}, {"a, b"}),
    "in error": ({"in_error": True}, {"InError": "1"}, {"bad-1", "bad-2", "late"}),
    "not in error": ({"in_error": False, "folder": f"{HOME}\\Web"}, {"InError": "0", "ParentDnRecursive": f"{HOME}\\Web"}, {"ok-1", "ok-2", "ok-3"}),
    "stage": ({"stage": [500]}, {"Stage": "500"}, {"bad-1", "bad-2", "busy", "approval"}),
    "stages": ({"stage": [500, 700]}, {"Stage": ["500", "700"]}, {"bad-1", "bad-2", "busy", "approval", "late"}),
    "stage and in error": ({"stage": [500], "in_error": True}, {"Stage": "500", "InError": "1"}, {"bad-1", "bad-2"}),
    "stage above": ({"stage_above": 500, "in_error": True}, {"StageGreater": "500", "InError": "1"}, {"late"}),
    "stage above zero": ({"stage_above": 0, "in_error": True}, {"StageGreater": "0", "InError": "1"}, {"bad-1", "bad-2", "late"}),
    "stage below": ({"stage_below": 700, "in_error": True}, {"StageLess": "700", "InError": "1"}, {"bad-1", "bad-2"}),
    "pending workflow": ({"pending_workflow": True}, {"PendingWorkflow": ""}, {"approval"}),
    "disabled": ({"disabled": True}, {"Disabled": "1"}, {"off"}),
    "enabled": ({"disabled": False, "folder": f"{HOME}\\Other"}, {"Disabled": "0", "ParentDnRecursive": f"{HOME}\\Other"}, {"busy", "approval"}),
    "management type": ({"management_type": ["Monitoring", "Provisioning"]}, {"ManagementType": ["Monitoring", "Provisioning"]}, {"off"}),
    "common name": ({"common_name": ["late.example.com"]}, {"CN": "late.example.com"}, {"late"}),
    "dns name": ({"dns_name": ["alias.example.com", "nothing.example.com"]}, {"SAN-DNS": ["alias.example.com", "nothing.example.com"]}, {"late"}),
    "vendor's own": ({"filters": {"Name": ["off.example.com", "busy.example.com"]}}, {"Name": ["off.example.com", "busy.example.com"]}, {"off", "busy"}),
    "vendor's own number": ({"filters": {"StageGreater": 600}}, {"StageGreater": "600"}, {"late"}),
}


@pytest.mark.parametrize("which", FILTERS)
def test_each_filter_is_sent_in_the_vendors_words_and_finds_what_it_should(fleet, which):
    options, sent, expected = FILTERS[which]
    result = info(fleet, details=False, **options)
    query = queries(fleet)[0]
    assert query == {**sent, "Limit": "1000", "Offset": "0"}
    assert names(result) == expected
    assert result["count"] == result["total"] == len(expected) and not result["changed"]


def test_a_flag_without_value_is_sent_bare():
    """D-STATUSF: a valueless flag. The journal cannot tell ``PendingWorkflow`` from ``PendingWorkflow=``."""
    with Server(lambda *dummy: answer("200 OK", b'{"Certificates": [], "TotalCount": 0}')) as server:
        result = run_module(tpp_certificate_info, {"url": server.url, "allow_http": True, "access_token": "x", "pending_workflow": True, "issuer": "CN=A, O=B"})
    assert result["certificates"] == []
    target = server.requests[0].line.split()[1]
    assert target == "/vedsdk/certificates/?Issuer=%22CN%3DA%2C%20O%3DB%22&PendingWorkflow&Limit=1000&Offset=0"


def test_an_issuer_with_commas_is_found(fleet):
    issuer = fleet.tpp.facts(f"{HOME}\\Web\\late.example.com")["Issuer"]
    assert "," in issuer
    result = info(fleet, details=False, issuer=issuer)
    assert queries(fleet)[0]["Issuer"] == f'"{issuer}"'
    assert result["count"] == len(NAMES)


@pytest.mark.parametrize("form", ["{}", "0x{}", "colons", "lower"])
@pytest.mark.parametrize("option, fact", [("thumbprint", "Thumbprint"), ("serial", "Serial")])
def test_thumbprints_and_serials_in_every_form(fleet, option, fact, form):
    value = fleet.tpp.facts(f"{HOME}\\Web\\late.example.com")[fact]
    written = {"colons": ":".join(value[place : place + 2] for place in range(0, len(value), 2)), "lower": value.lower()}.get(form) or form.format(value)
    assert names(info(fleet, details=False, **{option: [written]})) == {"late"}


@pytest.mark.parametrize("form", ["Base64", "DER"])
def test_a_certificate_at_hand_is_found(fleet, form, tmp_path):
    answered = requests.post(
        f"{fleet.ready['url']}/vedsdk/Certificates/Retrieve",
        json={"CertificateDN": f"{HOME}\\Web\\ok-2.example.com", "Format": form},
        headers={"Authorization": f"Bearer {fleet.ready['tpp']['access_token']}"},
        verify=fleet.ready["ca_path"],
        timeout=10,
    )
    path = tmp_path / "certificate"
    path.write_bytes(base64.b64decode(answered.json()["CertificateData"]))
    assert names(info(fleet, certificate_path=[str(path)])) == {"ok-2"}


@pytest.mark.parametrize("content", [None, b"", b"nothing"])
def test_a_file_without_a_certificate_is_told(fleet, tmp_path, content):
    path = tmp_path / "certificate.pem"
    if content is not None:
        path.write_bytes(content)
    result = info(fleet, certificate_path=[str(path)])
    assert result["failed"] and "certificate_path" in result["msg"] and fleet.journal == []


def test_dates(fleet):
    # What "ok" has left is 100 days; the others have more or less than that.
    within = names(info(fleet, details=False, expires_within_days=110, name=["ok-1.example.com"]))
    query = queries(fleet)[0]
    assert within == {"ok-1"}
    assert query["ValidToGreater"] < query["ValidToLess"] and query["ValidToLess"].endswith(".0000000Z") and len(query["ValidToLess"]) == 28
    assert names(info(fleet, details=False, expires_within_days=90, name=["ok-1.example.com"])) == set()
    assert names(info(fleet, details=False, expires_before=in_days(110), expires_after=in_days(90), name=["ok-1.example.com"])) == {"ok-1"}
    assert names(info(fleet, details=False, expires_after=in_days(110), name=["ok-1.example.com"])) == set()


@pytest.mark.parametrize(
    "text, sent",
    [
        ("2026-11-30", "2026-11-30T00:00:00.0000000Z"),
        ("2026-11-30T12:00:00Z", "2026-11-30T12:00:00.0000000Z"),
        ("2026-11-30T12:00:00+02:00", "2026-11-30T10:00:00.0000000Z"),
        (" 2026-11-30 12:00:00+00:00", "2026-11-30T12:00:00.0000000Z"),
    ],
)
def test_dates_are_sent_as_tpp_writes_them(fleet, text, sent):
    info(fleet, details=False, expires_before=text)
    assert queries(fleet)[0]["ValidToLess"] == sent


@pytest.mark.parametrize("text", ["tomorrow", "30.11.2026", "2026-13-01", "2026-11-30T25:00:00Z", "2026-11-30T12:00:00", "0001-01-01T00:00+14:00", "x" * 500])
@pytest.mark.parametrize("option", ["expires_before", "expires_after"])
def test_what_is_no_date_is_told(fleet, option, text):
    result = info(fleet, **{option: text})
    assert result["failed"] and option in result["msg"] and len(result["msg"]) < 300 and fleet.journal == []


@pytest.mark.parametrize("option, value", [("limit", 0), ("limit", -1), ("expires_within_days", -1), ("expires_within_days", 10**9)])
def test_numbers_out_of_range_are_told(fleet, option, value):
    result = info(fleet, **{option: value})
    assert result["failed"] and option in result["msg"] and fleet.journal == []


def test_a_filter_that_tpp_does_not_know_is_told_in_its_words(fleet):
    result = info(fleet, filters={"Colour": "red"})
    assert result["failed"] and "did not match any known query possibilities" in result["msg"]


@pytest.mark.parametrize("folder", ["Certificates", "\\VED\\", f"{HOME}\\"])
def test_a_folder_that_is_no_dn_is_told(fleet, folder):
    result = info(fleet, folder=folder)
    assert result["failed"] and "folder" in result["msg"] and fleet.journal == []


def test_nothing_found_is_no_failure(fleet):
    result = info(fleet, name=["nothing"])
    assert (result["failed"], result["changed"], result["certificates"], result["count"], result["total"], result["unreadable"]) == (False, False, [], 0, 0, [])


def test_empty_strings_are_unset(fleet):
    assert info(fleet, details=False, folder="", issuer="", expires_before="", expires_after="", proxy="")["count"] == len(NAMES)


# -- naming certificates ---------------------------------------------------------------------------------------------------------------


def test_certificates_by_dn_guid_and_mapping_in_the_order_given(fleet):
    dn = f"{HOME}\\Web\\ok-2.example.com"
    bad = fleet.tpp[f"{HOME}\\Web\\Deep\\bad-1.example.com"]
    other = f"{HOME}\\comma, folder\\a, b.example.com"
    result = info(fleet, certificates=[dn.upper(), bad.guid.upper(), {"dn": other}, {"guid": bad.guid[1:-1], "stage": 1}], details=False)
    assert [item["dn"] for item in result["certificates"]] == [dn, bad.dn, other, bad.dn]
    assert all(item["detailed"] for item in result["certificates"])
    assert result["certificates"][1]["status"] == "Post CSR failed" and result["certificates"][1]["stage_name"] == "PostCSR"


def test_an_empty_list_is_an_empty_result(fleet):
    result = info(fleet, certificates=[])
    assert result["certificates"] == [] and not result["failed"] and fleet.journal == []


@pytest.mark.parametrize("more", [{"folder": HOME}, {"in_error": False}, {"pending_workflow": True}, {"filters": {"Stage": 1}}])
def test_certificates_and_filters_exclude_each_other(fleet, more):
    result = info(fleet, certificates=[f"{HOME}\\x"], **more)
    assert result["failed"] and "cannot be combined with filters" in result["msg"] and fleet.journal == []


def test_a_bad_entry_is_told_with_its_place(fleet):
    result = info(fleet, certificates=[f"{HOME}\\x", {"name": "x"}])
    assert result["failed"] and "certificates[1]" in result["msg"] and fleet.journal == []


def test_what_cannot_be_read_is_listed_with_the_reason(fleet):
    good, gone = f"{HOME}\\Web\\ok-1.example.com", f"{HOME}\\gone"
    unknown = "{00000000-0000-0000-0000-000000000000}"
    result = info(fleet, certificates=[gone, good, unknown])
    assert [item["dn"] for item in result["certificates"]] == [good] and not result["failed"]
    assert [item["target"] for item in result["unreadable"]] == [gone, unknown]
    assert "does not exist, or these credentials have no rights" in result["unreadable"][0]["error"]["message"]
    assert set(result["unreadable"][0]["error"]) == {"kind", "message", "status", "code", "detail", "request_id"}
    assert any("2 certificates could not be read" in text for text in result["warnings"])


# -- results ---------------------------------------------------------------------------------------------------------------------------


def test_the_keys_are_the_same_with_and_without_details(fleet):
    full = info(fleet)
    requests = len(fleet.journal)
    short = info(fleet, details=False)
    assert requests == len(NAMES) + 1 and len(fleet.journal) == requests + 1
    assert [item["dn"] for item in full["certificates"]] == [item["dn"] for item in short["certificates"]]
    for one, other in zip(full["certificates"], short["certificates"]):
        assert set(one) == set(other)
        assert (one["detailed"], other["detailed"]) == (True, False)
        for name in ("dn", "guid", "name", "folder", "common_name", "dns_names", "serial", "thumbprint", "valid_from", "valid_to"):
            assert one[name] == other[name], name
        assert other["in_error"] is None and other["stage"] is None and other["status"] is None


def test_details_tell_what_the_simulator_holds(fleet):
    by_name = {item["name"].replace(".example.com", ""): item for item in info(fleet)["certificates"]}
    assert by_name["late"]["dns_names"] == ["late.example.com", "alias.example.com"]
    assert (by_name["late"]["in_error"], by_name["late"]["stage"], by_name["late"]["stage_name"]) == (True, 700, "RetrieveCertificate")
    assert (by_name["busy"]["in_error"], by_name["busy"]["in_process"]) == (False, True)
    assert (by_name["off"]["disabled"], by_name["off"]["management_type"]) == (True, "Monitoring")
    assert by_name["approval"]["awaits_approval"] and by_name["approval"]["ticket_dn"].startswith("\\VED\\")
    assert by_name["a, b"]["folder"] == f"{HOME}\\comma, folder"
    facts = fleet.tpp.facts(by_name["ok-1"]["dn"])
    assert (by_name["ok-1"]["thumbprint"], by_name["ok-1"]["issuer"], by_name["ok-1"]["valid_to"]) == (facts["Thumbprint"], facts["Issuer"], facts["ValidTo"])
    assert by_name["ok-1"]["renewal_details"]["Subject"]


def test_pages_are_put_together(fleet):
    fleet.configure({"tpp": {"list_max_limit": 3}})
    result = info(fleet, details=False)
    assert {item["name"] for item in result["certificates"]} == NAMES and result["total"] == len(NAMES)
    assert [query["Offset"] for query in queries(fleet)] == ["0", "3", "6", "9"]


def test_a_limit_is_kept_and_the_total_still_told(fleet):
    result = info(fleet, limit=4)
    assert result["count"] == 4 and result["total"] == len(NAMES)
    assert queries(fleet) == [{"Limit": "4", "Offset": "0"}] and len(fleet.journal) == 5


@pytest.mark.parametrize("details", [True, False])
def test_a_record_feeds_the_reset_module(fleet, details):
    found = info(fleet, in_error=True, details=details)["certificates"]
    assert [certificate_ref("x", item).guid for item in found] == [item["guid"] for item in found]
    for check_mode in (True, False):
        result = run_module(tpp_certificate_reset, tpp_options(fleet, certificates=found), check_mode=check_mode)
        assert result["changed"] and result["summary"]["planned" if check_mode else "applied"] == 3, result["msg"]
    assert info(fleet, in_error=True)["certificates"] == []


def test_no_request_changes_anything(fleet):
    for check_mode in (True, False):
        run_module(tpp_certificate_info, tpp_options(fleet), check_mode=check_mode)
        run_module(tpp_certificate_info, tpp_options(fleet, certificates=[f"{HOME}\\Web\\ok-1.example.com"]), check_mode=check_mode)
    assert fleet.journal and not any(entry["mutates"] or entry["effect"] for entry in fleet.journal)


def test_http_statistics_are_told(fleet):
    assert info(fleet, details=False)["http"] == {"requests": 1, "retries": 0, "seconds_waited": 0}


# -- failures --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, text",
    [
        ({"url": ""}, "url"),
        ({"access_token": ""}, "no credentials"),
        ({"access_token": "Wrong+Token+22+charsA=="}, "refused"),
        ({"url": "http://127.0.0.1"}, "plain HTTP"),
        ({"url": "https://127.0.0.1:9", "retry_timeout": 0}, "cannot connect"),
        ({"ca_path": "/nowhere/ca.pem"}, "ca_path"),
        ({"ca_path": ""}, "ca_path"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_a_task_that_cannot_work_says_why(fleet, options, text):
    result = info(fleet, **options)
    assert result["failed"] and text in result["msg"] and result["error"]["message"]
    assert "Traceback" not in result["output"] and "Wrong+Token" not in result["msg"]


@pytest.mark.parametrize(
    "action, options", [("html", {"status": 200}), ("empty", {}), ("redirect", {}), ("status", {"status": 500}), ("truncate", {"times": 0})]
)
def test_a_bad_day_is_told_in_one_sentence(fleet, action, options):
    fleet.faults.add(action, **{"times": 1, **options})
    result = info(fleet, details=False, retry_timeout=0)
    assert result["failed"] and "Traceback" not in result["output"] and "Venafi TPP" in result["msg"]


def test_the_environment_fills_in(fleet, monkeypatch):
    ready = fleet.ready
    monkeypatch.setenv("VENAFI_URL", ready["url"] + "/vedsdk")
    monkeypatch.setenv("VENAFI_TOKEN", ready["tpp"]["access_token"])
    monkeypatch.setenv("VENAFI_CA_PATH", ready["ca_path"])
    assert run_module(tpp_certificate_info, {"details": False})["count"] == len(NAMES)
    # A task's own word goes first, an empty one does not.
    assert run_module(tpp_certificate_info, {"details": False, "access_token": "Wrong+Token+22+charsA=="})["failed"]
    assert run_module(tpp_certificate_info, {"details": False, "access_token": "", "url": "", "ca_path": ""})["count"] == len(NAMES)


@pytest.mark.parametrize("value, works", [("true", True), ("", False), ("false", False), ("perhaps", False)])
def test_skip_verify_of_the_environment(fleet, monkeypatch, value, works):
    monkeypatch.setenv("VENAFI_SKIP_VERIFY", value)
    result = info(fleet, details=False, ca_path="")
    assert result["failed"] != works
    assert any("validate_certs=false" in text for text in result["warnings"]) == works


def test_secrets_are_in_no_output(fleet, monkeypatch):
    ready = fleet.ready["tpp"]
    login = {"access_token": "Expired+Token+22charsA==", "username": ready["username"], "password": ready["password"], "client_id": ready["client_id"]}
    secrets = [ready["password"], "Expired+Token+22charsA=="]
    for fault in (None, "status", "html"):
        fleet.faults.clear()
        if fault:
            fleet.faults.add(fault, status=500, body="echo " + " ".join([*secrets, *map(urllib.parse.quote, secrets)]), times=0, match={"path": "vedsdk"})
        output = info(fleet, details=False, **login)["output"]
        for secret in [*secrets, *fleet.tpp.grants._access]:
            assert secret not in output and urllib.parse.quote(secret) not in output and urllib.parse.quote(secret, safe="") not in output


# -- tickets -------------------------------------------------------------------------------------------------------------------------------

TICKET = {"folder": "Other", "stage": 500, "status": "Pending workflow resolution", "ticket": True}


def test_tickets_tell_since_when_and_whose_turn_it_is(simulator):
    simulator.tpp.load([
        {**TICKET, "name": "a.example.com", "ticket_days_ago": 3, "approver": ["AD+EX:1"]},
        {**TICKET, "name": "b.example.com", "ticket_days_ago": 1},
        {"name": "c.example.com"},
    ])
    first, second, clean = info(simulator, tickets=True)["certificates"]
    assert clean["tickets"] is None and [ticket["status"] for ticket in first["tickets"]] == ["Pending"]
    assert first["tickets"][0]["approvers"] == ["AD+EX:1"] and first["tickets"][0]["reason"]
    since = [datetime.datetime.strptime(entry["tickets"][0]["since"], "%Y-%m-%dT%H:%M:%SZ") for entry in (first, second)]
    assert round((since[1] - since[0]).total_seconds()) == 2 * 86400
    simulator.journal.clear()
    assert [len(entry["tickets"]) for entry in info(simulator, tickets=True, pending_workflow=True, details=False)["certificates"]] == [1, 1]
    assert len(simulator.journal) == 1 + 2 * 2 and not any(entry["mutates"] for entry in simulator.journal)
    assert "tickets" not in info(simulator)["certificates"][0]


def test_a_ticket_that_may_not_be_read_is_not_taken_for_none(simulator):
    simulator.tpp.load([{**TICKET, "name": "a.example.com"}])
    simulator.faults.add("status", match={"path": "ticket/details"}, status=200, body='{"Result": 7}', times=0)
    assert info(simulator, tickets=True)["certificates"][0]["tickets"][0]["since"] is None
    simulator.faults.clear()
    simulator.faults.add("status", match={"path": "ticket/enumerate"}, status=400, body='{"error": "no"}', times=0)
    result = info(simulator, tickets=True)
    assert result["certificates"][0]["tickets"] is None and "workflow tickets of 1 certificates could not be read" in result["warnings"][0]
