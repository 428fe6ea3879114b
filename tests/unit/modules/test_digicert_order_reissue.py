# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""digicert_order_reissue against the simulator: each row of the decision table, each shape of an answer, each option."""

from __future__ import annotations

import datetime
import json
import re
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from ansible_collections.certops.remediation.plugins.module_utils import private_files
from ansible_collections.certops.remediation.plugins.module_utils.digicert import DigiCertClient
from ansible_collections.certops.remediation.plugins.module_utils.x509 import public_key_sha256
from ansible_collections.certops.remediation.plugins.modules import digicert_order_reissue

from ansible_collections.certops.remediation.tests.unit.support import digicert_options, run_module

# An order for two names whose reissue is issued at once.
ORDER = {"common_name": "www.example.com", "dns": ["www.example.com", "example.com"], "key": "old", "shape": "certificate_chain"}
OTHER_CA = "1A2B3C4D5E6F7081"


@pytest.fixture
def account(simulator, monkeypatch, waiting_moves_the_clock):
    """The simulator's CertCentral with a way to run the module. Waiting moves its clock and takes no time."""
    monkeypatch.setattr(digicert_order_reissue, "LATE_REISSUE_SECONDS", 0.01)
    return Account(simulator)


class Account:
    def __init__(self, simulator):
        self.simulator = simulator
        self.ids = []

    def load(self, *entries):
        self.ids = self.simulator.digicert.load([{**ORDER, **entry} for entry in entries])
        return self.ids

    def switch(self, **switches):
        self.simulator.configure({"digicert": switches})

    def csr(self, label="new"):
        return self.simulator.digicert.csr(label, "ignored.example.org")

    def run(self, check_mode=False, diff=False, **options):
        """Reissue the first order for the key "new", or what the options say."""
        named = {} if "orders" in options else {"order_id": self.ids[0], "csr": self.csr(), **options}
        return run_module(digicert_order_reissue, {**digicert_options(self.simulator, rate_limits=[]), **options, **named}, check_mode=check_mode, diff=diff)

    def each(self, label="n{}"):
        return [{"order_id": number, "csr": self.csr(label.format(index))} for index, number in enumerate(self.ids)]

    def sent(self, method="POST"):
        return [entry for entry in self.simulator.journal if entry["method"] == method]

    def changes(self):
        return [entry for entry in self.simulator.journal if entry["mutates"]]

    def effects(self, index=0):
        return self.simulator.records.effects(str(self.ids[index]))

    def order(self, index=0):
        return self.simulator.digicert[self.ids[index]]

    def key(self, label="new"):
        return public_key_sha256(x509.load_pem_x509_csr(self.csr(label).encode()))


def outcomes(result):
    return [entry["outcome"] for entry in result["targets"]]


def only(result):
    assert len(result["targets"]) == 1
    return result["targets"][0]


def leaf_key(path):
    return public_key_sha256(x509.load_pem_x509_certificate(path.read_bytes()))


# -- the decision table ----------------------------------------------------------------------------------------------------------------

OURS = {"key": "new", "waits": "validation"}
THEIRS = {"key": "theirs", "waits": "validation", "requester": "Robin Colleague"}
NEW = ("pending", "needs_approval", "processing", "waiting_pickup", "needs_csr", "approved")
ROWS = [
    # the order, outcome, effects at DigiCert, what is said
    ({"account": "another"}, "failed", [], "could not be found"),
    ({"status": "revoked"}, "refused", [], "is revoked and cannot be reissued"),
    ({"status": "canceled"}, "refused", [], "is canceled and"),
    ({"status": "rejected"}, "refused", [], "is rejected and"),
    ({"status": "expired"}, "refused", [], "is expired and"),
    *[({"status": status, "shape": "certificate_id"}, "refused", [], "first certificate") for status in NEW],
    ({"key": "new"}, "unchanged", [], "with this key and these names already"),
    ({"reissues": [{"key": "new"}]}, "unchanged", [], "already"),
    ({"key": "new", "certificate_status": "revoked"}, "refused", [], "is revoked; make a new key"),
    ({"key": "new", "days_left": -3, "order_days_left": 90}, "refused", [], "is expired; make a new key"),
    ({"pending": OURS}, "pending", [], "not asked for again"),
    ({"pending": {**OURS, "waits": "approval"}}, "pending", [], "waits for the approval of request"),
    ({"pending": {**OURS, "waits": "issue"}}, "pending", [], "not asked for again"),
    ({"pending": THEIRS}, "refused", [], "by Robin Colleague <robin.colleague@example.com> since 20"),
    ({"pending": {**THEIRS, "waits": "approval"}}, "refused", [], "waits for the approval"),
    ({"pending": {**OURS, "dns": ["www.example.com", "example.com", "added.example.com"]}}, "refused", [], "or other names"),
    ({"pending": {"auto": True}, "auto_reissue": True, "key": "leaked"}, "refused", [], "DigiCert itself may have asked"),
    ({"reissues": [{"key": "new"}, {"key": "later"}]}, "refused", [], "somebody has reissued the order since"),
    ({"reissues": [{"key": "new", "archived": True}, {"key": "later"}]}, "refused", [], "is not the current one"),
    ({"reissues": [{"key": "new", "status": "revoked"}, {"key": "later"}]}, "refused", [], "is not the current one"),
    ({"reissues": [{"key": "new", "status": "rejected"}]}, "refused", [], "was rejected; make a new key"),
    ({"duplicates": [{"key": "new"}]}, "refused", [], "is not the current one"),
    ({}, "applied", ["reissue"], "issued; valid till"),
    ({"certificate_status": "revoked"}, "applied", ["reissue"], "issued"),
    ({"days_left": -3, "order_days_left": 90}, "applied", ["reissue"], "issued"),
    ({"reissues": [{"key": "before"}], "duplicates": [{"key": "copy"}]}, "applied", ["reissue"], "issued"),
]


@pytest.mark.parametrize("found, outcome, happens, said", ROWS)
def test_each_row_of_the_decision_table(account, found, outcome, happens, said):
    account.load(found)
    plan = account.run(check_mode=True)
    assert account.changes() == []
    result = account.run(diff=True)
    assert outcomes(result) == [outcome] and account.effects() == happens, result["msg"]
    assert said in only(result)["message"]
    assert result["changed"] is bool(happens) and result["failed"] is (outcome in ("refused", "failed"))
    assert outcomes(plan) == [{"applied": "planned"}.get(outcome, outcome)] and plan["changed"] is bool(happens)
    assert (result["diff"]["after"] != {}) is bool(happens)
    again = account.run()
    assert again["changed"] is False and account.effects() == happens
    assert outcomes(again) == [{"applied": "unchanged"}.get(outcome, outcome)]


def test_an_unknown_order(account):
    account.load({})
    result = account.run(order_id=999)
    assert outcomes(result) == ["failed"] and only(result)["error"]["code"] == "not_found|order" and account.changes() == []


def test_a_used_key_can_be_allowed(account):
    for past in ({"reissues": [{"key": "new", "status": "rejected"}]}, {"reissues": [{"key": "new"}, {"key": "later"}]}, {"duplicates": [{"key": "new"}]}):
        account.load(past)
        assert outcomes(account.run(allow_used_key=True)) == ["applied"]


def test_an_old_rejected_reissue_is_not_taken_for_the_new_one(account):
    account.load({"reissues": [{"key": "new", "status": "rejected"}], "shape": "certificate_id"})
    assert outcomes(account.run(allow_used_key=True, wait=True)) == ["applied"]


def test_names_and_key_decide_together(account):
    account.load({"key": "new"})
    names = ["www.example.com", "example.com", "shop.example.com"]
    result = account.run(names=names)
    assert outcomes(result) == ["applied"] and only(result)["after"]["names"] == sorted(names), "the same key with one more name"


@pytest.mark.parametrize("status", ["issued", "revoked"])
def test_what_the_lists_call_a_revoked_certificate_does_not_matter(account, status):
    account.switch(revoked_in_lists=status)
    account.load({"reissues": [{"key": "new", "status": "revoked"}, {"key": "later"}]})
    assert outcomes(account.run()) == ["refused"]


def test_what_was_done_is_shown(account):
    account.load({})
    result = account.run(diff=True)
    entry = only(result)
    order = account.order()
    assert (entry["before"]["public_key_sha256"], entry["after"]["public_key_sha256"]) == (account.key("old"), account.key())
    assert entry["before"]["names"] == entry["after"]["names"] == ["example.com", "www.example.com"]
    assert entry["after"]["serial"] == order.current.serial_number and entry["after"]["valid_till"] > entry["before"]["valid_till"]
    assert (entry["certificate_id"], entry["order_id"], entry["order_status"], entry["product"]) == (order.primary, order.id, "issued", "ssl_basic")
    assert entry["action"] == f"reissue for key {account.key()[:16]}" and entry["target"] == str(order.id)
    assert entry["reversible"].startswith("A pending reissue can be cancelled") and list(result["diff"]["after"].values()) == [entry["after"]]
    assert result["url"] == account.simulator.ready["digicert"]["url"]
    body = account.sent()[0]["body"]
    assert body["certificate"]["dns_names"] == ["example.com", "www.example.com"] and body["certificate"]["common_name"] == "www.example.com"
    assert body["certificate"]["signature_hash"] == "sha256" and body["skip_approval"] is False and "comments" not in body


def test_the_names_in_the_csr_do_not_matter(account):
    account.load({})
    account.run()
    assert "ignored.example.org" not in account.order().current.names


def test_the_hash_of_the_current_certificate_is_kept(account):
    account.load({"signature_hash": "sha384"})
    account.run()
    assert account.order().current.signature_hash == "sha384"


# -- the four shapes of an answer, approval, validation and issue ----------------------------------------------------------------------

SHAPES = [
    ("requests", {"approved_after": 60}, "waits for the approval of request", "approval_request_id"),
    ("certificate_id", {}, "waits for validation or issue", "certificate_id"),
    ("certificate_chain", {}, "issued", "certificate_id"),
    ("dcv_random_value", {"validated_after": 60}, "waits for the validation of its domains", "dcv_random_value"),
]


@pytest.mark.parametrize("shape, later, said, key", SHAPES)
def test_each_shape_of_an_answer(account, shape, later, said, key):
    account.load({"shape": shape})
    result = account.run(comments="INC-4711")
    assert outcomes(result) == ["applied" if shape == "certificate_chain" else "pending"] and result["changed"] and not result["failed"]
    assert said in only(result)["message"] and only(result)[key]
    again = account.run()
    assert again["changed"] is False and not again["failed"] and account.effects() == ["reissue"]
    assert account.sent()[0]["body"]["comments"] == "INC-4711"


@pytest.mark.parametrize("shape, later, said, key", SHAPES)
@pytest.mark.parametrize("split", [False, True])
def test_waiting_follows_each_step_to_the_files(account, tmp_path, shape, later, said, key, split):
    account.load({"shape": shape, **later})
    options = {"wait": True, "wait_for_approval": True, "certificate_path": str(tmp_path / "c.pem")}
    if split:
        account.run()
    result = account.run(**options)
    assert outcomes(result) == ["applied"] and result["changed"], "a file that is written is a change, whoever asked for it"
    assert leaf_key(tmp_path / "c.pem") == account.key() and only(result)["written"] == [str(tmp_path / "c.pem")]
    assert account.effects() == ["reissue"] and only(result)["certificate_id"] == account.order().primary
    again = account.run(**options)
    assert outcomes(again) == ["unchanged"] and again["changed"] is False and account.effects() == ["reissue"]


def test_waiting_alone_does_not_wait_for_people(account):
    account.load({"shape": "requests"}, {})
    result = account.run(orders=account.each(), wait=True)
    assert outcomes(result) == ["pending", "applied"] and not result["failed"] and "approve or reject it in CertCentral" in result["targets"][0]["message"]


@pytest.mark.parametrize("shape, options, said", [("requests", {"wait_for_approval": True}, "approval"), ("dcv_random_value", {}, "validation or issue")])
def test_what_never_comes_ends_the_waiting(account, shape, options, said):
    account.load({"shape": shape})
    result = account.run(wait=True, wait_timeout=1, **options)
    assert outcomes(result) == ["pending"] and result["failed"] and only(result)["timed_out"] and said in only(result)["message"]


@pytest.mark.parametrize("way", ["reject", "cancel"])
def test_a_reissue_that_somebody_turns_down_fails(account, way):
    account.load({"shape": "requests"})
    after_the_reissue(account, lambda order: turn_down(account, order, way))
    result = account.run(wait=True, wait_for_approval=True)
    assert outcomes(result) == ["failed"] and "rejected or cancelled" in result["msg"] and result["changed"]
    again = account.run()
    assert outcomes(again) == ["refused"] and again["changed"] is False and account.effects() == ["reissue"]


def turn_down(account, order, way):
    lifecycle = account.simulator.digicert.lifecycle
    if way == "reject":
        lifecycle.reject(order, order.requests[-1])
    else:
        lifecycle.cancel(order, "no")


def after_the_reissue(account, do, path="/reissue$"):
    """Let somebody else act on the first order right after the request was processed."""
    part = account.simulator.digicert
    original = part.handle

    def handle(call):
        answer = original(call)
        if call.mutates and re.search(path, call.path):
            do(account.order())
        return answer

    part.handle = handle


def before_the_reissue(account, do):
    part = account.simulator.digicert
    original = part.handle

    def handle(call):
        if call.mutates and call.path.endswith("/reissue"):
            do(account.order())
        return original(call)

    part.handle = handle


@pytest.fixture(autouse=True)
def undo_handlers(shared_simulator):
    yield
    vars(shared_simulator.digicert).pop("handle", None)


@pytest.mark.parametrize("mode, outcome", [("manual", "pending"), ("auto", "applied"), ("skip", "applied")])
def test_the_approval_setting_of_the_account(account, mode, outcome):
    account.switch(approval=mode)
    account.ids = account.simulator.digicert.load([{key: value for key, value in ORDER.items() if key != "shape"}])
    assert outcomes(account.run(wait=True)) == [outcome] and account.effects() == ["reissue"]


@pytest.mark.parametrize("status", ["pending", "submitted"])
def test_an_open_request_is_found_in_either_state(account, status):
    account.switch(request_status=status, unapproved_reissue_listed=False)
    account.load({"shape": "requests"})
    account.run()
    again = account.run()
    assert outcomes(again) == ["pending"] and only(again)["approval_request_id"] == account.order().requests[-1].id and account.effects() == ["reissue"]


def test_an_administrator_skips_the_approval(account):
    account.load({"shape": "requests"})
    assert outcomes(account.run(skip_approval=True)) == ["applied"]
    assert not [request for request in account.order().requests if request.type == "reissue"], "nothing of it is among the requests"


ORDINARY = {"key": "ORDINARY" * 8, "role": 5}
VIEWER = {"key": "VIEWER" * 8, "restriction": 102}


@pytest.mark.parametrize("behaviour", ["ignore", "forbid"])
def test_skipping_the_approval_without_the_right_to(account, behaviour):
    account.simulator.reset({"digicert": {"keys": [ORDINARY], "settings": {"rate_limits": []}}}, {"clock_scale": 0})
    account.switch(skip_approval_without_rights=behaviour)
    account.load({"shape": "requests"})
    result = account.run(skip_approval=True, api_key=ORDINARY["key"])
    assert outcomes(result) == ["pending" if behaviour == "ignore" else "failed"] and result["failed"] is (behaviour == "forbid")
    if behaviour == "forbid":
        assert "skip_approval" in result["msg"] and result["targets"][0]["error"]["kind"] == "authorization" and account.effects() == []
    assert account.run(skip_approval=True, api_key=ORDINARY["key"])["changed"] is False


def test_our_own_request_is_approved_if_asked_for(account):
    account.load({"shape": "requests"})
    result = account.run(approve=True, wait=True)
    assert outcomes(result) == ["applied"] and account.effects() == ["reissue", "approve"]
    assert account.run(approve=True)["changed"] is False


def test_a_request_of_an_earlier_run_is_approved_as_well(account):
    account.load({"shape": "requests"}, {"pending": {**THEIRS, "waits": "approval"}})
    account.run()
    plan = account.run(approve=True, check_mode=True)
    assert outcomes(plan) == ["planned"] and only(plan)["action"] == f"approve request {account.order().requests[-1].id}"
    result = account.run(approve=True, wait=True)
    assert outcomes(result) == ["applied"] and account.effects() == ["reissue", "approve"]
    refused = account.run(orders=[{"order_id": account.ids[1], "csr": account.csr()}], approve=True)
    assert outcomes(refused) == ["refused"] and account.effects(1) == [], "never the request of somebody else's reissue"


def test_a_request_that_may_not_be_approved_stays_pending(account):
    account.switch(own_request_approvable=False)
    account.load({"shape": "requests"}, {})
    result = account.run(orders=account.each("new{}"), approve=True)
    assert outcomes(result) == ["pending", "applied"] and result["changed"] and "invalid_approver" in result["targets"][0]["message"]
    again = account.run(orders=account.each("new{}"), approve=True)
    assert outcomes(again) == ["pending", "unchanged"] and again["changed"] is False and account.effects() == ["reissue"]


def test_the_request_does_not_tell_whether_it_was_issued(account):
    for shows in (False, True):
        account.switch(request_shows_issued=shows)
        account.load({"shape": "requests", "approved_after": 30})
        assert outcomes(account.run(wait=True, wait_for_approval=True)) == ["applied"]


# -- checking the domains --------------------------------------------------------------------------------------------------------------

UNSEEN = {"shape": "dcv_random_value"}
FOUND = {"shape": "dcv_random_value", "dcv_token": True}
VALIDATIONS = [
    # the order, outcome, status, names that are not valid, code, what is said
    (UNSEEN, "pending", None, {}, "invalid_dns_txt", "Unable to find the random value in the DNS record"),
    ({**UNSEEN, "dcv_method": "http-token"}, "pending", None, {}, "file_random_value_not_found", "Unable to find the random value in the file"),
    ({**FOUND, "dcv_missing": ["example.com"]}, "pending", "pending", {"example.com": "pending"}, None, "not valid are example.com (pending)"),
    (FOUND, "applied", "valid", {}, None, "issued"),
    ({**FOUND, "issue_seconds": 60}, "pending", "valid", {}, None, "they are valid"),
]


def checks(account):
    return [entry for entry in account.simulator.journal if entry["path"].endswith("/check-dcv")]


@pytest.mark.parametrize("order, outcome, status, not_valid, code, said", VALIDATIONS)
@pytest.mark.parametrize("later", [False, True])
def test_the_domains_are_checked_once_in_a_run(account, tmp_path, order, outcome, status, not_valid, code, said, later):
    account.load(order)
    if later:
        account.run()
    options = {"check_dcv": True, "fullchain_path": str(tmp_path / "c.pem")}
    plan = account.run(check_mode=True, **options)
    assert outcomes(plan) == ["pending" if later else "planned"] and plan["changed"] is not later and checks(account) == []
    result = account.run(**options)
    assert outcomes(result) == [outcome] and not result["failed"] and said in only(result)["message"]
    found = only(result)["validation"]
    assert (found["status"], found["not_valid"], found["code"]) == (status, not_valid, code)
    assert result["changed"] is (not later or outcome == "applied") and len(checks(account)) == 1
    assert (tmp_path / "c.pem").exists() is (outcome == "applied")
    again = account.run(**options)
    assert again["changed"] is False and account.effects().count("reissue") == 1
    assert outcomes(again) == ["unchanged" if outcome == "applied" else "pending"]


@pytest.mark.parametrize("approve", [False, True])
def test_the_domains_are_checked_once_an_approval_is_there(account, approve):
    account.load({"shape": "requests", "validation": True, "dcv_token": True, "approved_after": 0 if approve else 30})
    options = {} if approve else {"wait": True, "wait_for_approval": True}
    result = account.run(check_dcv=True, approve=approve, **options)
    assert outcomes(result) == ["applied"] and result["changed"] and only(result)["validation"]["status"] == "valid" and len(checks(account)) == 1


def test_the_domains_are_not_checked_while_an_approval_is_missing_nor_without_being_asked_for(account):
    account.load({"shape": "requests", "validation": True, "dcv_token": True})
    assert "validation" not in only(account.run(check_dcv=True)) and checks(account) == []
    account.load(FOUND)
    assert "validation" not in only(account.run()) and checks(account) == []


def test_waiting_checks_the_domains_once(account):
    account.load({**UNSEEN, "validated_after": 100})
    result = account.run(check_dcv=True, wait=True)
    assert outcomes(result) == ["applied"] and len(checks(account)) == 1 and only(result)["validation"]["code"] == "invalid_dns_txt"


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "html"])
def test_a_check_that_fails_is_no_failure_of_the_reissue(account, fault):
    account.load({**FOUND, "issue_seconds": 60})
    account.simulator.faults.add(fault, match={"path": "/check-dcv$"})
    result = account.run(check_dcv=True)
    assert outcomes(result) == ["pending"] and result["changed"] and not result["failed"] and only(result)["validation"]["message"]


# -- watching --------------------------------------------------------------------------------------------------------------------------


def test_many_that_are_issued_while_waiting_are_fetched_at_the_same_time(account, tmp_path):
    """Downloads take a while; one after the other, a thousand of them would take an hour."""
    count = 24
    account.load(*[{"shape": "certificate_id"}] * count)
    busy, most = [], []
    chain = DigiCertClient.chain

    def slowly(client, number):
        busy.append(1)
        most.append(len(busy))
        time.sleep(0.02)
        try:
            return chain(client, number)
        finally:
            busy.pop()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DigiCertClient, "chain", slowly)
        orders = [{**entry, "certificate_path": str(tmp_path / f"{entry['order_id']}.pem")} for entry in account.each()]
        result = account.run(orders=orders, wait=True, check_client_auth=False, concurrency=8)
    assert result["summary"]["applied"] == count and len(list(tmp_path.iterdir())) == count and max(most) > 3


def test_many_that_wait_are_watched_through_the_list(account):
    account.load(*[{"shape": "certificate_id"}] * 24, {"shape": "requests"}, *[{"shape": "dcv_random_value", "validated_after": 200}] * 5)
    result = account.run(orders=account.each(), wait=True, check_client_auth=False)
    assert result["summary"]["applied"] == 29 and outcomes(result)[24] == "pending" and not result["failed"]
    reads = [entry for entry in account.sent("GET") if entry["path"] == "/services/v2/order/certificate"]
    assert len(reads) > 3 and result["http"]["requests"] < 30 * 8, result["http"]
    assert account.run(orders=account.each())["changed"] is False


def test_what_has_happened_since_the_list_was_read_is_seen(account, monkeypatch):
    monkeypatch.setattr(digicert_order_reissue, "MANY", 1)
    account.load({})
    part = account.simulator.digicert
    original = part.handle

    def handle(call):
        answer = original(call)
        if call.path == "/services/v2/order/certificate":
            part.change(account.ids[0], {"pending": THEIRS})
        return answer

    part.handle = handle
    result = account.run(check_mode=True)
    assert outcomes(result) == ["refused"] and "Robin Colleague" in result["msg"], "the list knew of no reissues"


def test_many_that_wait_in_other_states_are_not_lost(account):
    account.switch(order_status_while={"approval": "needs_approval", "validation": "processing", "issue": "processing"}, status_filter_ignored=True)
    account.load(*[{"shape": "certificate_id"}] * 22)
    result = account.run(orders=account.each(), wait=True, check_client_auth=False)
    assert result["summary"]["applied"] == 22


# -- what order info and the lists may show --------------------------------------------------------------------------------------------

VIEWS = [
    {"reissue_list": "with_original"},
    {"reissue_list": "copies_of_primary"},
    {"unapproved_reissue_listed": False},
    {"order_shows_pending": True},
    {"order_shows_pending": True, "dns_names_include_common_name": False},
    {"dns_names_include_common_name": False},
    {"order_status_while": {"approval": "needs_approval", "validation": "processing", "issue": "pending"}},
    {"order_shows_pending": True, "order_status_while": {"approval": "issued", "validation": "issued", "issue": "issued"}},
    {"request_shows_issued": True},
    {"request_status_in_answer": True},
    {"second_reissue": "reject_400"},
    {"second_reissue": "accept_both"},
    {"same_key": "reject_400"},
    {"revocation_pending": "status"},
]


@pytest.mark.parametrize("switches", VIEWS, ids=str)
@pytest.mark.parametrize("shape", ["requests", "certificate_id", "certificate_chain", "dcv_random_value"])
def test_a_second_run_asks_for_nothing_whatever_is_shown(account, switches, shape):
    account.switch(**switches)
    account.load({"shape": shape, "reissues": [{"key": "before"}], "duplicates": [{"key": "copy"}]})
    first = account.run()
    assert first["changed"] and not first["failed"], first["msg"]
    again = account.run()
    assert again["changed"] is False and account.effects() == ["reissue"]
    if switches.get("reissue_list") != "copies_of_primary":
        assert outcomes(again) == ["unchanged" if shape == "certificate_chain" else "pending"], again["msg"]
    other = account.run(csr=account.csr("another"), order_id=account.ids[0])
    assert outcomes(other) == ["applied" if shape == "certificate_chain" else "refused"], other["msg"]
    account.simulator.digicert.load([])


@pytest.mark.parametrize("on_pending", ["refuse", "cancel"])
@pytest.mark.parametrize("waits", ["validation", "issue"])
def test_what_is_in_flight_but_not_shown_yet_is_nobodys(account, waits, on_pending):
    """It may be our own of a minute ago: neither asked for again nor cancelled."""
    account.switch(reissue_visible_after_reads=3)
    account.load({"shape": "certificate_id" if waits == "issue" else "dcv_random_value"})
    account.run()
    again = account.run(on_pending=on_pending)
    assert outcomes(again) == ["refused"] and "may be this very one" in again["msg"] and account.effects() == ["reissue"]
    for dummy in range(2):
        account.run(on_pending=on_pending)
    assert outcomes(account.run(on_pending=on_pending)) == ["pending"] and account.effects() == ["reissue"]


def test_an_unknown_state_is_never_free_to_be_reissued(account):
    account.switch(order_status_while=dict.fromkeys(("approval", "validation", "issue"), "quarantined"), reissue_visible_after_reads=99)
    account.load({"shape": "certificate_id"})
    account.run()
    assert outcomes(account.run(on_pending="cancel")) == ["refused"] and account.effects() == ["reissue"]


def test_what_is_in_flight_does_not_pass_for_the_current_certificate(account):
    """Where order info shows the pending certificate, only the issued one may be compared, kept names included."""
    account.switch(order_shows_pending=True)
    account.load({"pending": {**OURS, "dns": ["www.example.com"]}})
    refused = account.run()
    assert outcomes(refused) == ["refused"] and only(refused)["before"]["names"] == ["example.com", "www.example.com"]
    account.load({"pending": OURS})
    assert outcomes(account.run()) == ["pending"]
    account.load({"pending": THEIRS, "key": "new"})
    assert outcomes(account.run()) == ["unchanged"]


# -- what is pending with another key --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("waits", ["approval", "validation", "issue"])
@pytest.mark.parametrize("switches", [{}, {"order_shows_pending": True}, {"second_reissue": "reject_400"}, {"unapproved_reissue_listed": False}], ids=str)
def test_what_is_pending_can_be_cancelled_first(account, waits, switches):
    account.switch(**switches)
    account.load({"pending": {**THEIRS, "waits": waits}})
    plan = account.run(on_pending="cancel", check_mode=True)
    assert outcomes(plan) == ["planned"] and only(plan)["action"].startswith("cancel and reissue") and "Robin Colleague" in only(plan)["message"]
    result = account.run(on_pending="cancel", plan_digest=plan["plan_digest"], comments="INC-4711")
    assert outcomes(result) == ["pending" if waits == "validation" else "applied"] and account.effects() == ["cancel", "reissue"]
    assert account.order().notes == ["Replaced by another reissue: INC-4711"]
    assert account.run(on_pending="cancel")["changed"] is False


def test_digicerts_own_reissue_is_told_apart(account):
    account.load({"days_left": 20, "order_days_left": 200, "auto_reissue": True, "shape": "requests"})
    refused = account.run()
    assert outcomes(refused) == ["refused"] and "auto_reissue is on" in refused["msg"] and "DigiCert System" in refused["msg"]
    assert outcomes(account.run(on_pending="cancel", skip_approval=True)) == ["applied"] and account.effects() == ["cancel", "reissue"]


def test_a_cancellation_is_told_when_the_reissue_fails(account):
    account.load({"pending": THEIRS})
    refusal = '{"errors":[{"code":"invalid_value:x","message":"no"}]}'
    account.simulator.faults.add("status", match={"path": "/reissue$", "method": "POST"}, status=400, body=refusal)
    result = account.run(on_pending="cancel")
    assert outcomes(result) == ["failed"] and result["changed"] and "was cancelled, but no other one asked for" in result["msg"]
    assert account.effects() == ["cancel"]


@pytest.mark.parametrize("action, effects", [("drop_before", []), ("drop_after", ["cancel"])])
def test_the_answer_to_a_cancellation_is_lost(account, action, effects):
    account.load({"pending": {**THEIRS, "waits": "issue"}})
    account.simulator.faults.add(action, match={"path": "/status$"})
    result = account.run(on_pending="cancel")
    if effects:
        assert outcomes(result) == ["applied"] and account.effects() == ["cancel", "reissue"]
    else:
        assert outcomes(result) == ["unknown"] and result["changed"] and "Nothing was reissued" in result["msg"] and account.effects() == []
        assert outcomes(account.run(on_pending="cancel")) == ["applied"] and account.effects() == ["cancel", "reissue"]


def test_what_is_issued_instead_of_being_cancelled_stops_the_reissue(account):
    account.load({"pending": THEIRS})
    part = account.simulator.digicert
    original = part.handle

    def handle(call):
        if call.path.endswith("/status") and account.order().pending:
            part.issue(account.ids[0])
        return original(call)

    part.handle = handle
    result = account.run(on_pending="cancel")
    assert outcomes(result) == ["failed"] and not result["changed"] and account.effects() == []


def test_a_rejection_of_a_second_reissue_is_told(account):
    """Somebody else was faster by a moment, which nothing can prevent."""
    account.switch(second_reissue="reject_400")
    account.load({})
    before_the_reissue(account, lambda order: order.pending or account.simulator.digicert.change(order.id, {"pending": THEIRS}))
    result = account.run()
    assert outcomes(result) == ["failed"] and not result["changed"] and "already pending" in result["msg"] and account.effects() == []
    assert outcomes(account.run()) == ["refused"]


# -- names -----------------------------------------------------------------------------------------------------------------------------

BROKEN = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
BOTH = ["www.example.com", "example.com"]
NAMES = [
    # order, wanted common name and names, outcome, in the message or the action
    ({}, {"names": BOTH}, "applied", ""),
    ({}, {"names": ["EXAMPLE.com.", "Www.Example.Com"], "common_name": "WWW.example.com"}, "applied", ""),
    ({}, {"names": ["example.com"]}, "applied", ""),
    ({}, {"names": [*BOTH, "b.example.com", "a.example.com"]}, "applied", "adding a.example.com, b.example.com"),
    ({}, {"names": ["www.example.com"]}, "refused", "would drop example.com"),
    ({}, {"names": []}, "refused", "would drop example.com"),
    ({}, {"common_name": "example.com", "names": BOTH}, "refused", "would change the common name"),
    ({}, {"common_name": "new.example.com"}, "refused", "would drop www.example.com"),
    ({"dns": ["www.example.com", "*.example.com"]}, {"names": ["www.example.com"]}, "refused", "would drop *.example.com"),
    ({"certificate_status": "revoked"}, {"names": ["www.example.com"]}, "applied", "dropping example.com"),
]


@pytest.mark.parametrize("included", [True, False])
@pytest.mark.parametrize("order, wanted, outcome, said", NAMES)
def test_names(account, order, wanted, outcome, said, included):
    account.switch(dns_names_include_common_name=included)
    account.load(order)
    result = account.run(**wanted)
    assert outcomes(result) == [outcome], result["msg"]
    assert said in only(result)["message"] + only(result)["action"]
    if outcome == "refused":
        assert "allow_revoking_previous=true" in result["msg"] and account.effects() == []
        result = account.run(allow_revoking_previous=True, **wanted)
        assert outcomes(result) == ["applied"] and only(result)["reversible"].startswith("Cannot be undone")
    again = account.run(**wanted)
    assert again["changed"] is False and outcomes(again) == ["unchanged"] and account.effects() == ["reissue"]
    expected = {wanted.get("common_name", "www.example.com").lower(), *(name.lower().rstrip(".") for name in wanted.get("names", ["example.com"]))}
    assert account.order().current.names == expected


def test_dropping_a_name_tells_what_would_be_revoked_and_when(account):
    past = {"reissues": [{"key": "second"}, {"key": "third", "status": "rejected"}], "duplicates": [{"key": "copy"}]}
    account.load({**past, "dns": ["www.example.com", "*.example.com"]})
    order = account.order()
    current, duplicate = order.current.serial_number, order.duplicates[0].serial_number
    plan = account.run(names=["www.example.com"], allow_revoking_previous=True, check_mode=True, diff=True)
    entry = only(plan)
    assert set(entry["after"]["revoked_within_72_hours"]) == {current, duplicate}, "those that the lists show"
    assert "a wildcard would be lost" in entry["message"] and entry["action"].endswith("dropping *.example.com") and "72 hours" in entry["reversible"]
    assert entry["before"]["revoked_within_72_hours"] == [] and plan["diff"]["after"]
    result = account.run(names=["www.example.com"], allow_revoking_previous=True)
    assert only(result)["after"]["revoked_within_72_hours"] == entry["after"]["revoked_within_72_hours"]
    account.simulator.clock.advance(73 * 3600)
    revoked = {item.serial_number for item in account.order().certificates if item.status == "revoked"}
    assert {current, duplicate} <= revoked


@pytest.mark.parametrize("wanted", [{}, {"names": [*BOTH, "added.example.com"]}])
def test_a_new_key_or_one_more_name_leaves_the_old_certificate_valid(account, wanted):
    account.load({})
    result = account.run(**wanted)
    assert only(result)["after"]["revoked_within_72_hours"] == []
    account.simulator.clock.advance(100 * 3600)
    assert [item.status for item in account.order().certificates] == ["issued", "issued"]


def test_international_names_become_what_certificates_carry(account):
    account.load({})
    result = account.run(names=[*BOTH, "bücher.example.com"])
    assert outcomes(result) == ["applied"] and "xn--bcher-kva.example.com" in account.order().current.names
    assert account.run(names=[*BOTH, "BÜCHER.example.com"])["changed"] is False


@pytest.mark.parametrize(
    "wanted, said",
    [
        ({"names": ["a.example.com", "A.EXAMPLE.com"]}, "twice"),
        ({"names": [""]}, "empty"),
        ({"names": ["a..example.com"]}, "between two dots"),
        ({"names": ["*.*.example.com"]}, "wildcard"),
        ({"names": ["w*.example.com"]}, "wildcard"),
        ({"names": ["-a.example.com"]}, "hyphen"),
        ({"names": ["localhost"]}, "no complete DNS name"),
        ({"names": ["*.com"]}, "top-level domain"),
        ({"names": ["192.0.2.1"]}, "its last part is a number"),
        ({"names": ["a b.example.com"]}, "not a DNS name"),
        ({"names": ["a" * 64 + ".example.com"]}, "too long"),
        ({"names": [f"n{number}.example.com" for number in range(251)]}, "251 names"),
        ({"names": [f"n{number}.example.com" for number in range(250)], "common_name": "www.example.com"}, "251 names"),
        ({"common_name": "https://example.com"}, "not a DNS name"),
        ({"common_name": "a" * 60 + ".example.com"}, "64 characters"),
    ],
)
def test_names_that_cannot_be_meant(account, wanted, said):
    account.load({})
    result = account.run(**wanted)
    assert result["failed"] and said in result["msg"] and "targets" not in result and account.simulator.journal == []


def test_names_that_only_digicert_can_judge(account):
    account.load({"product": "ssl_ev_basic"}, {"caa_failed": ["bad.example.com"]})
    result = account.run(names=[*BOTH, "*.example.com"])
    assert outcomes(result) == ["failed"] and "dns_names contains an invalid value" in result["msg"] and not result["changed"]
    result = account.run(orders=[{"order_id": account.ids[1], "csr": account.csr(), "names": [*BOTH, "bad.example.com"]}])
    assert outcomes(result) == ["failed"] and only(result)["error"]["code"] == "caa_check_failed|bad.example.com"
    account.switch(max_names=3)
    assert "dns_names" in account.run(names=[*BOTH, "a.example.com", "b.example.com"])["msg"] and account.effects() == account.effects(1) == []


# -- what DigiCert ignores -------------------------------------------------------------------------------------------------------------


def days_from_now(days):
    return datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=days)


WISHES = [
    # order, wish, switches that make DigiCert obey, what is said if it does not
    ({}, {"ca_cert_id": OTHER_CA}, {"ica_selection": True}, f"instead of {OTHER_CA}"),
    ({}, {"validity_days": 30}, {"annual_plan_is_multi_year": True}, "instead of"),
    ({}, {"expires_on": str(days_from_now(30))}, {"annual_plan_is_multi_year": True}, f"instead of {days_from_now(30)}"),
    ({"client_auth": True}, {"profile_option": "server_client_auth_eku"}, {"profile_option_on_reissue": True}, "profile_option"),
]


@pytest.mark.parametrize("shape", ["certificate_chain", "certificate_id"])
@pytest.mark.parametrize("order, wish, obey, said", WISHES)
def test_what_digicert_ignores_is_warned_about_and_never_asked_for_again(account, order, wish, obey, said, shape):
    account.load({**order, "shape": shape})
    account.switch(profile_option_on_reissue=False)
    result = account.run(wait=True, **wish)
    assert outcomes(result) == ["applied"] and [text for text in result["warnings"] if said in text and "ignored" in text], result["warnings"]
    again = account.run(wait=True, **wish)
    assert outcomes(again) == ["unchanged"] and again["changed"] is False and account.effects() == ["reissue"]
    if "profile_option" not in wish:
        assert said in only(again)["message"]


@pytest.mark.parametrize("shape", ["certificate_chain", "certificate_id"])
@pytest.mark.parametrize("order, wish, obey, said", WISHES)
def test_what_digicert_obeys_needs_no_warning(account, order, wish, obey, said, shape):
    account.load({**order, "shape": shape})
    account.switch(**obey)
    result = account.run(wait=True, **wish)
    assert outcomes(result) == ["applied"] and result["warnings"] == []
    again = account.run(**wish)
    assert outcomes(again) == ["unchanged"] and "instead" not in only(again)["message"]


def test_another_hash_alone_is_no_reason_to_reissue(account):
    account.load({"key": "new"})
    result = account.run(signature_hash="sha512")
    assert outcomes(result) == ["unchanged"] and "signed with sha256 instead of sha512" in only(result)["message"] and account.effects() == []
    account.load({})
    result = account.run(signature_hash="sha512")
    assert outcomes(result) == ["applied"] and account.order().current.signature_hash == "sha512" and result["warnings"] == []


def test_the_vendors_form_of_a_date(account):
    account.load({})
    year = datetime.date.today().year + 1
    account.run(expires_on=f"{year}-06-09", server_platform=45)
    body = account.sent()[0]["body"]["certificate"]
    assert body["cert_validity"] == {"custom_expiration_date": f"09 JUN {year}"} and body["server_platform"] == {"id": 45}


@pytest.mark.parametrize("wish", [{"validity_days": 300}, {"expires_on": str(days_from_now(300))}])
def test_more_than_is_possible_is_cut_or_refused(account, wish):
    account.switch(annual_plan_is_multi_year=True, over_long_validity="refuse")
    account.load({})
    refused = account.run(**wish)
    assert outcomes(refused) == ["failed"] and only(refused)["error"]["code"] == "cert_validity_exceeds_order_validity" and account.effects() == []
    account.switch(over_long_validity="truncate")
    result = account.run(**wish)
    assert outcomes(result) == ["applied"] and any("valid till" in text for text in result["warnings"])
    assert account.run(**wish)["changed"] is False


def test_a_shorter_validity_is_said_in_the_plan(account):
    account.load({"days_left": 190, "order_days_left": 190})
    assert "valid till" not in only(account.run(check_mode=True))["message"]
    account.order().valid_till -= 90 * 86400
    assert f"it would be valid till {days_from_now(100)} at most" in only(account.run(check_mode=True))["message"]


def test_a_reissue_does_not_keep_the_day_of_expiry(account):
    account.switch(max_validity_days=100)
    account.load({"days_left": 20})
    assert only(account.run())["after"]["valid_till"] == str(days_from_now(100))


# -- client authentication -------------------------------------------------------------------------------------------------------------


def test_the_loss_of_client_authentication_is_said_before(account):
    account.load({"client_auth": True})
    loss = "for client authentication too"
    assert loss in only(account.run(check_mode=True))["message"]
    assert loss not in only(account.run(check_mode=True, check_client_auth=False))["message"]
    kept = account.run(check_mode=True, profile_option="server_client_auth_eku")
    assert loss not in only(kept)["message"]
    account.run(profile_option="server_client_auth_eku")
    assert account.order().current.client_auth
    account.load({})
    assert loss not in only(account.run(check_mode=True))["message"]


def test_nothing_is_downloaded_for_what_is_not_reissued(account):
    account.load({"key": "new"})
    account.run()
    assert not [entry for entry in account.sent("GET") if entry["path"].endswith("/chain")]


# -- the CSR ---------------------------------------------------------------------------------------------------------------------------


def pem_of(key, algorithm=hashes.SHA256()):
    return x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, algorithm).public_bytes(serialization.Encoding.PEM).decode()


def mixed_csr():
    """The signed part of one CSR with the signature of another."""
    one, other = (x509.load_pem_x509_csr(pem_of(rsa.generate_private_key(65537, 2048)).encode()) for dummy in range(2))
    der = one.public_bytes(serialization.Encoding.DER).replace(one.signature, other.signature)
    return x509.load_der_x509_csr(der).public_bytes(serialization.Encoding.PEM).decode()


CSRS = {
    "no CSR": (lambda: "hello", "holds no readable CSR"),
    "damaged": (lambda: pem_of(ec.generate_private_key(ec.SECP256R1())).replace("MI", "IM", 1), "holds no readable CSR"),
    "certificate": (lambda: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds no readable CSR"),
    "signed wrongly": (mixed_csr, "not signed with its own key"),
    "short": (lambda: pem_of(rsa.generate_private_key(65537, 1536)), "rsa-1536"),
    "small curve": (lambda: pem_of(ec.generate_private_key(ec.SECP224R1())), "ecdsa-p224"),
    "dsa": (lambda: pem_of(dsa.generate_private_key(1024)), "dsa"),
}


@pytest.mark.parametrize("name", CSRS)
def test_csrs_that_nobody_would_sign(account, name):
    make, said = CSRS[name]
    account.load({})
    result = account.run(csr=make())
    assert result["failed"] and said in result["msg"] and result["msg"].startswith("order.csr") and account.simulator.journal == []


def test_a_kind_of_key_that_digicert_refuses(account):
    account.load({})
    result = account.run(csr=pem_of(ed25519.Ed25519PrivateKey.generate(), None))
    assert outcomes(result) == ["failed"] and not result["changed"] and account.effects() == []


def test_csrs_in_every_form(account, tmp_path):
    account.load({}, {}, {})
    text = account.csr()
    (tmp_path / "a.csr").write_bytes(text.replace("\n", "\r\n").encode())
    (tmp_path / "b.csr").write_bytes(x509.load_pem_x509_csr(text.encode()).public_bytes(serialization.Encoding.DER))
    orders = [{"csr": "some text\n" + text.replace("\n", "\r\n")}, {"csr_path": str(tmp_path / "a.csr")}, {"csr_path": str(tmp_path / "b.csr")}]
    result = account.run(orders=[{**entry, "order_id": number} for entry, number in zip(orders, account.ids)], concurrency=1)
    assert outcomes(result) == ["applied"] * 3
    assert {entry["after"]["public_key_sha256"] for entry in result["targets"]} == {account.key()}
    assert all("\r" not in entry["body"]["certificate"]["csr"] for entry in account.sent())
    assert "cannot be read" in account.run(orders=[{"order_id": 1, "csr_path": str(tmp_path / "none")}])["msg"]


@pytest.mark.parametrize("form", ["hash", "csr", "certificate"])
def test_retired_keys_are_refused(account, form):
    account.load({"key": "leaked"})
    retired = {"hash": account.key("leaked").upper(), "csr": account.csr("leaked"), "certificate": account.simulator.digicert.pem(account.ids[0])}[form]
    refused = account.run(csr=account.csr("leaked"), retired_keys=[retired])
    assert refused["failed"] and "retired_keys" in refused["msg"]
    assert outcomes(account.run(retired_keys=[retired])) == ["applied"]


def test_a_key_that_was_revoked_for_compromise_is_refused_by_digicert(account):
    account.load({"key": "leaked"}, {"key": "fine"})
    part = account.simulator.digicert
    with account.simulator.lock:
        part.lifecycle.revoke(account.order(), account.order().issued, "keyCompromise", False)
    assert "is revoked; make a new key" in account.run(csr=account.csr("leaked"))["msg"]
    result = account.run(orders=[{"order_id": account.ids[1], "csr": account.csr("leaked")}])
    assert outcomes(result) == ["failed"] and only(result)["error"]["code"] == "csr_key_blocked"


# -- files -----------------------------------------------------------------------------------------------------------------------------


def test_certificate_chain_and_both_in_one(account, tmp_path):
    account.load({})
    paths = {name: str(tmp_path / name) for name in ("certificate_path", "chain_path", "fullchain_path")}
    result = account.run(**paths)
    certificate, chain, full = ((tmp_path / name).read_text() for name in paths)
    assert full == certificate + chain and certificate.count("BEGIN CERT") == 1 and chain.count("BEGIN CERT") == 2 and "\r" not in full
    assert leaf_key(tmp_path / "certificate_path") == account.key()
    assert set(only(result)["written"]) == set(paths.values()) and all((tmp_path / name).stat().st_mode & 0o777 == 0o644 for name in paths)
    assert not [path for path in tmp_path.iterdir() if path.name not in paths]
    reads = len(account.simulator.journal)
    again = account.run(**paths)
    assert outcomes(again) == ["unchanged"] and not [entry for entry in account.simulator.journal[reads:] if entry["path"].endswith("/chain")]


@pytest.mark.parametrize("lost", ["certificate_path", "chain_path", "fullchain_path"])
@pytest.mark.parametrize("how", ["removed", "damaged", "another"])
def test_a_file_that_is_missing_or_wrong_is_fetched_again(account, tmp_path, lost, how):
    account.load({})
    before = account.simulator.digicert.pem(account.ids[0])
    paths = {name: str(tmp_path / name) for name in ("certificate_path", "chain_path", "fullchain_path")}
    account.run(**paths)
    right = (tmp_path / lost).read_text()
    if how == "removed":
        (tmp_path / lost).unlink()
    else:
        (tmp_path / lost).write_text("" if how == "damaged" else before)
    plan = account.run(check_mode=True, **paths)
    result = account.run(**paths)
    # Of a chain alone nobody can tell whose it is.
    if (lost, how) != ("chain_path", "another"):
        assert outcomes(plan) == ["planned"] and only(plan)["action"] == "fetch the certificate"
        assert outcomes(result) == ["applied"] and result["changed"] and only(result)["written"] == [paths[lost]] and (tmp_path / lost).read_text() == right
    assert account.run(**paths)["changed"] is False and account.effects() == ["reissue"]


@pytest.mark.parametrize("failing", [1, 2, 3])
def test_a_full_disk(account, tmp_path, monkeypatch, failing):
    account.load({})
    paths = {name: str(tmp_path / name) for name in ("certificate_path", "chain_path", "fullchain_path")}
    calls = fill_the_disk(monkeypatch, failing)
    result = account.run(**paths)
    assert outcomes(result) == ["failed"] and result["changed"] and "is issued, but cannot be written (No space left on device)" in result["msg"]
    assert len(only(result)["written"]) == failing - 1
    calls[:] = [None] * 9
    again = account.run(**paths)
    assert outcomes(again) == ["applied"] and all((tmp_path / name).exists() for name in paths) and account.effects() == ["reissue"]
    assert account.run(**paths)["changed"] is False


def fill_the_disk(monkeypatch, failing):
    """Let one write fail; the paths that were to be written."""
    write, calls = private_files.write_file, []

    def full(path, *args, **options):
        calls.append(path)
        if len(calls) == failing:
            raise OSError(28, "No space left on device")
        write(path, *args, **options)

    monkeypatch.setattr(private_files, "write_file", full)
    return calls


def test_an_old_chain_never_stays_beside_a_new_certificate(account, tmp_path, monkeypatch):
    account.load({})
    paths = {name: str(tmp_path / name) for name in ("certificate_path", "chain_path")}
    (tmp_path / "chain_path").write_text("the chain of the certificate before")
    fill_the_disk(monkeypatch, 2)
    assert outcomes(account.run(**paths)) == ["failed"]
    assert outcomes(account.run(**paths)) == ["applied"] and (tmp_path / "chain_path").read_text().startswith("-----BEGIN CERT")


def test_a_disk_that_is_full_while_fetching_is_no_change(account, tmp_path, monkeypatch):
    account.load({"key": "new"})
    fill_the_disk(monkeypatch, 1)
    result = account.run(certificate_path=str(tmp_path / "c.pem"))
    assert outcomes(result) == ["failed"] and result["changed"] is False


@pytest.mark.parametrize("shape", ["certificate_id", "certificate_chain"])
@pytest.mark.parametrize("same_key", [False, True])
def test_a_wrong_certificate_is_fetched_again_and_never_written(account, tmp_path, shape, same_key):
    """DigiCert may hand out another certificate of the order for a while; even one with the same key."""
    account.load({"shape": shape, "wrong_pem_first": 70, **({"key": "new"} if same_key else {})})
    wanted = {"names": [*BOTH, "added.example.com"]} if same_key else {}
    seen = []
    write = private_files.write_file
    options = {"certificate_path": str(tmp_path / "c.pem"), "wait": True, **wanted}

    def watched(path, data, *args, **more):
        seen.append(x509.load_pem_x509_certificate(data).serial_number)
        write(path, data, *args, **more)

    private_files.write_file = watched
    try:
        if shape == "certificate_chain":
            # The answer to the reissue brings the right one; the downloads of the next run do not.
            account.run(**wanted)
        result = account.run(**options)
    finally:
        private_files.write_file = write
    assert outcomes(result) == ["applied"] and result["changed"] and seen == [account.order().current.serial]
    assert len([entry for entry in account.sent("GET") if entry["path"].endswith("/chain")]) > 2 and account.effects() == ["reissue"]


@pytest.mark.parametrize("what", ["another key", "fewer names", "no certificate", "a broken chain"])
def test_a_wrong_certificate_in_the_answer_is_not_taken_for_the_new_one(account, tmp_path, what):
    account.load({"key": "new"} if what == "fewer names" else {})
    part = account.simulator.digicert
    original = part.handle
    before = part.pem(account.ids[0])

    def handle(call):
        answer = original(call)
        if call.method == "POST":
            body = json.loads(answer.body)
            index = 1 if what == "a broken chain" else 0
            body["certificate_chain"][index]["pem"] = before if what in ("another key", "fewer names") else BROKEN
            answer.body = json.dumps(body).encode()
        return answer

    part.handle = handle
    # Each is wrong in one way only.
    added = ["added.example.com"] if what == "fewer names" else []
    wanted = {"names": [*BOTH, *added], "certificate_path": str(tmp_path / "c.pem")}
    result = account.run(**wanted)
    assert outcomes(result) == ["pending"] and result["changed"] and "fetched again" in only(result)["message"] and not (tmp_path / "c.pem").exists()
    again = account.run(**wanted)
    assert outcomes(again) == ["applied"] and only(again)["written"] and account.effects() == ["reissue"]


@pytest.mark.parametrize("wait", [False, True])
def test_a_wrong_certificate_for_ever(account, tmp_path, wait):
    account.load({"shape": "certificate_id", "wrong_pem_first": 10**9})
    options = {"certificate_path": str(tmp_path / "c.pem"), "wait": wait, "wait_timeout": 1, "retry_timeout": 1}
    first = account.run(**options)
    account.simulator.clock.advance(120)
    result = account.run(**options)
    assert first["changed"] and outcomes(result) == ["failed"] and result["changed"] is False and "hands out another certificate" in result["msg"]
    assert not (tmp_path / "c.pem").exists() and account.effects() == ["reissue"]


def test_an_older_certificate_of_the_same_key_and_names_is_not_the_current_one(account, tmp_path):
    account.load({"key": "new", "reissues": [{"key": "new"}], "wrong_pem_first": 10**9})
    result = account.run(certificate_path=str(tmp_path / "c.pem"), retry_timeout=0)
    assert outcomes(result) == ["failed"] and not (tmp_path / "c.pem").exists()


def test_a_download_that_fails_is_no_lost_reissue(account, tmp_path):
    account.load({"key": "new"})
    account.simulator.faults.add("drop_before", match={"path": "/chain$"}, times=0)
    result = account.run(certificate_path=str(tmp_path / "c.pem"), retry_timeout=0)
    assert outcomes(result) == ["failed"] and result["changed"] is False and account.changes() == []


# -- lists -----------------------------------------------------------------------------------------------------------------------------


def test_entries_win_over_common_options(account, tmp_path):
    account.load({}, {}, {"validity_years": 3})
    (tmp_path / "x.csr").write_text(account.csr("own"))
    orders = [
        {"order_id": account.ids[0], "comments": "mine", "common_name": "", "names": None},
        {"order_id": str(account.ids[1]), "csr_path": str(tmp_path / "x.csr"), "server_platform": "2", "serial_number": "other keys are ignored"},
        {"order_id": account.ids[2], "expires_on": str(days_from_now(40)), "signature_hash": "sha384"},
    ]
    result = account.run(orders=orders, csr=account.csr(), comments="common", validity_days=60, signature_hash="sha512", concurrency=1)
    assert outcomes(result) == ["applied"] * 3
    bodies = [entry["body"] for entry in account.sent()]
    assert [body["comments"] for body in bodies] == ["mine", "common", "common"]
    assert [body["certificate"]["server_platform"]["id"] for body in bodies] == [-1, 2, -1]
    assert [body["certificate"]["signature_hash"] for body in bodies] == ["sha512", "sha512", "sha384"]
    assert [list(body["certificate"]["cert_validity"]) for body in bodies] == [["days"], ["days"], ["custom_expiration_date"]]
    assert [entry["after"]["public_key_sha256"] for entry in result["targets"]] == [account.key(), account.key("own"), account.key()]


@pytest.mark.parametrize(
    "entry, said",
    [
        ({}, "has no order_id"),
        ({"order_id": "abc"}, "'abc' is no order id"),
        ({"order_id": 0}, "is no order id"),
        ({"order_id": -5}, "is no order id"),
        ({"order_id": True}, "is no order id"),
        ({"order_id": 1.5}, "is no order id"),
        ({"order_id": [1]}, "is no order id"),
        ({"order_id": 1, "csr": 5}, "orders[0].csr: must be a text"),
        ({"order_id": 1, "names": "a.example.com"}, "orders[0].names: must be a list of texts"),
        ({"order_id": 1, "names": [5]}, "orders[0].names: must be a list of texts"),
        ({"order_id": 1, "validity_days": "many"}, "orders[0].validity_days: must be a number"),
        ({"order_id": 1, "validity_days": True}, "orders[0].validity_days: must be a number"),
        ({"order_id": 1, "validity_days": 0}, "out of range"),
        ({"order_id": 1, "validity_days": 9999}, "out of range"),
        ({"order_id": 1, "validity_days": 5, "expires_on": "2030-01-01"}, "give one of the two"),
        ({"order_id": 1, "expires_on": "09 JUN 2030"}, "is not a date"),
        ({"order_id": 1, "expires_on": "2030-02-30"}, "is not a date"),
        ({"order_id": 1, "expires_on": "2020-01-01"}, "is over"),
        ({"order_id": 1, "signature_hash": "md5"}, "is not one of sha256"),
        ({"order_id": 1, "profile_option": "x"}, "is not one of server_auth_only_eku"),
        ({"order_id": 1, "common_name": 7}, "must be a text"),
        ({"order_id": 1, "csr": "x", "csr_path": "y"}, "exactly one of the two"),
        ({"order_id": 1, "certificate_path": "/nowhere/at/all.pem"}, "is a folder, or in none"),
        ({"order_id": 1, "certificate_path": "/tmp"}, "is a folder, or in none"),
        ({"order_id": 1, "certificate_path": "/tmp/a.pem", "chain_path": "/tmp/../tmp/a.pem"}, "a file of its own"),
    ],
)
def test_entries_that_cannot_be_meant(account, entry, said):
    csr = {} if "csr" in entry and "csr_path" not in entry else {"csr": account.csr()}
    result = account.run(orders=[entry], **csr)
    assert result["failed"] and said in result["msg"] and result["msg"].startswith("orders[0]") and account.simulator.journal == []


def test_a_csr_is_needed(account):
    result = account.run(orders=[{"order_id": 1}])
    assert result["failed"] and "csr, csr_path: exactly one of the two is needed" in result["msg"]


@pytest.mark.parametrize("options", [{}, {"order_id": 1, "orders": []}])
def test_exactly_one_way_to_name_the_orders(account, options):
    result = run_module(digicert_order_reissue, {**digicert_options(account.simulator), "csr": account.csr(), **options})
    assert result["failed"] and result["msg"].startswith("order_id, orders")


def test_an_empty_list_changes_nothing(account):
    result = account.run(orders=[])
    assert not result["changed"] and not result["failed"] and result["targets"] == [] and account.simulator.journal == []


def test_the_same_order_twice(account):
    account.load({})
    entry = {"order_id": account.ids[0], "csr": account.csr()}
    result = account.run(orders=[entry, {**entry, "order_id": str(account.ids[0])}])
    assert outcomes(result) == ["applied", "unchanged"] and account.effects() == ["reissue"]
    refused = account.run(orders=[entry, {**entry, "csr": account.csr("another")}])
    assert refused["failed"] and "listed twice with different wishes" in refused["msg"]


def test_two_orders_never_write_one_file(account, tmp_path):
    account.load({}, {})
    path = str(tmp_path / "x.pem")
    assert "names one file for several orders" in account.run(orders=account.each(), certificate_path=path)["msg"]
    clash = [{**entry, name: path} for entry, name in zip(account.each(), ("certificate_path", "fullchain_path"))]
    result = account.run(orders=clash)
    assert result["failed"] and f"is a file of order {account.ids[0]} already" in result["msg"] and account.simulator.journal == []


def test_one_bad_order_in_a_list_and_nothing_is_written(account):
    account.load(*[{}] * 3, {"status": "revoked"})
    refused = account.run(orders=account.each())
    assert outcomes(refused) == ["not_attempted"] * 3 + ["refused"] and account.changes() == []
    result = account.run(orders=account.each(), continue_on_error=True)
    assert outcomes(result) == ["applied"] * 3 + ["refused"] and result["failed"]


def test_guards(account):
    account.load({}, {})
    refused = account.run(orders=account.each(), max_changes=1)
    assert outcomes(refused) == ["refused"] * 2 and "max_changes" in refused["msg"]
    one = account.csr()
    digests = {
        account.run(csr=csr, check_mode=True, check_client_auth=False, **options)["plan_digest"]
        for csr, options in [
            (one, {}),
            (account.csr("other"), {}),
            (one, {"names": [*BOTH, "a.example.com"]}),
            (one, {"signature_hash": "sha512"}),
            (one, {"validity_days": 30}),
            (one, {"expires_on": "2033-01-01"}),
            (one, {"ca_cert_id": OTHER_CA}),
            (one, {"profile_option": "server_client_auth_eku"}),
        ]
    }
    assert len(digests) == 8 and account.run(check_mode=True, comments="other", certificate_path="/tmp/x.pem")["plan_digest"] in digests
    refused = account.run(plan_digest=min(digests), csr=account.csr("third"))
    assert outcomes(refused) == ["refused"] and account.changes() == []


# -- keys of the API and rates ---------------------------------------------------------------------------------------------------------


def test_a_key_for_viewing_can_plan_and_is_told_when_it_cannot_act(account):
    account.load({}, {}, {"key": "n2"}, {"pending": {**THEIRS, "waits": "approval"}})
    view = {"api_key": account.simulator.ready["digicert"]["view_key"], "continue_on_error": True}
    plan = account.run(orders=account.each(), check_mode=True, **view)
    assert outcomes(plan) == ["planned", "planned", "unchanged", "refused"]
    result = account.run(orders=account.each(), concurrency=1, **view)
    assert outcomes(result) == ["failed", "failed", "unchanged", "refused"] and result["changed"] is False
    error = result["targets"][0]["error"]
    assert error["kind"] == "authorization" and error["status"] == 403 and "a key for viewing may only read" in error["message"]
    assert len(account.changes()) == 2 and account.effects() == []


def test_a_key_without_rights_is_not_tried_at_every_order(account):
    account.load(*[{}] * 9)
    result = account.run(orders=account.each(), concurrency=1, api_key=account.simulator.ready["digicert"]["view_key"])
    assert outcomes(result) == ["failed"] * 3 + ["not_attempted"] * 6 and len(account.changes()) == 3


DENIED = {"status": 403, "body": '{"errors": [{"code": "access_denied", "message": "Access denied."}]}', "times": 0}


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_order_that_is_closed_to_the_key_stops_no_other(account, method, concurrency):
    account.load(*[{}] * 9)
    path = f"/certificate/{account.ids[4]}{'/reissue' if method == 'POST' else ''}$"
    account.simulator.faults.add("status", match={"path": path, "method": method}, **DENIED)
    result = account.run(orders=account.each(), continue_on_error=True, concurrency=concurrency)
    assert outcomes(result) == ["applied"] * 4 + ["failed"] + ["applied"] * 4
    assert result["targets"][4]["error"]["kind"] == "authorization" and "targets" in result


def test_a_wrong_key_is_no_missing_permission(account):
    account.load({})
    result = account.run(api_key="F" * 66)
    assert result["failed"] and result["error"]["kind"] == "authentication" and result["error"]["status"] == 403
    assert "FFFF" not in result["msg"]
    assert "api_key" in account.run(api_key="")["msg"]


def test_the_address_of_another_region(account):
    account.load({})
    assert outcomes(account.run(url=account.simulator.ready["digicert"]["url"] + "/services/v2/")) == ["applied"]


def test_nothing_secret_is_in_the_result(account):
    account.load({})
    result = account.run(diff=True)
    assert account.simulator.ready["digicert"]["api_key"] not in result["output"] and "BEGIN" not in str(result["targets"])
