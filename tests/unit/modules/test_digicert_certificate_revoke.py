# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""digicert_certificate_revoke against the simulator: each row of the decision table, each shape of an answer, each option."""

from __future__ import annotations

import re

import pytest

from ansible_collections.certops.remediation.plugins.modules import digicert_certificate_revoke, digicert_order_info, digicert_order_reissue

from ansible_collections.certops.remediation.tests.unit.support import digicert_options, run_module

ORDER = {"common_name": "www.example.com", "dns": ["www.example.com", "example.com"], "key": "old"}
AT_ONCE = {"shape": "certificate_chain"}
AGAIN = [{"key": "newer"}]
ORDINARY = {"key": "ORDINARY" * 8, "role": 5}
VIEWER = {"key": "VIEWER" * 8, "restriction": 102}
KEYS = {"digicert": {"keys": [ORDINARY, VIEWER], "settings": {"rate_limits": []}}}


@pytest.fixture
def account(simulator, monkeypatch, waiting_moves_the_clock):
    """The simulator's CertCentral with a way to run the module. Waiting moves its clock and takes no time."""
    monkeypatch.setattr(digicert_certificate_revoke, "LATE_REQUEST_SECONDS", 0.01)
    simulator.reset(KEYS, {"clock_scale": 0})
    yield Account(simulator)
    vars(simulator.digicert).pop("handle", None)


class Account:
    def __init__(self, simulator):
        self.simulator = simulator
        self.part = simulator.digicert
        self.ids = []

    def load(self, *entries):
        self.ids = self.part.load([{**ORDER, **entry} for entry in entries])
        return self.ids

    def switch(self, **switches):
        self.simulator.configure({"digicert": switches})

    def order(self, index=0):
        return self.part[self.ids[index]]

    def certificate(self, which, index=0):
        order = self.order(index)
        return order.current if which == "current" else {"original": order.certificates[:1], "reissue": order.reissues, "duplicate": order.duplicates}[which][0]

    def named(self, which, index=0):
        """The certificate as an entry that says all of it."""
        found = self.part.sign(self.order(index), self.certificate(which, index))
        return {"order_id": self.ids[index], "certificate_id": found.id, "serial": found.serial_number, "thumbprint": found.thumbprint}

    def run(self, *certificates, check_mode=False, diff=False, **options):
        """Revoke the certificates, or what the options say, at once if the key may."""
        given = {"certificates": list(certificates)} if certificates else {}
        params = {"skip_approval": True, **digicert_options(self.simulator, rate_limits=[]), **given, **options}
        return run_module(digicert_certificate_revoke, params, check_mode=check_mode, diff=diff)

    def ask(self, which="current", index=0, user="Robin Colleague", comments="not needed", whole_order=False):
        """A request of somebody else."""
        order = self.order(index)
        ids = [item.id for item in order.issued] if whole_order else [self.certificate(which, index).id]
        request = self.part.lifecycle.add_request(order, "revoke", self.part.colleague(user), comments, ids)
        request.whole_order = whole_order
        return request

    def sent(self, *methods):
        return [entry for entry in self.simulator.journal if entry["method"] in methods]

    def puts(self):
        return [entry for entry in self.sent("PUT") if entry["path"].endswith("/revoke")]

    def effects(self, index=0):
        return self.simulator.records.effects(str(self.ids[index]))


def outcomes(result):
    return [entry["outcome"] for entry in result["targets"]]


def only(result):
    assert len(result["targets"]) == 1
    return result["targets"][0]


# -- the decision table ----------------------------------------------------------------------------------------------------------------

ALLOW = {"current": "allow"}
ASKING = {"skip_approval": False}
OLDER = {"reissues": AGAIN, "duplicates": [{"key": "copy", "days_ago": 150}]}
ROWS = [
    # the order, which certificate of it, options, outcome, effects at DigiCert, what is said
    ({}, "current", {}, "refused", [], "nothing valid has been issued in its place"),
    ({}, "current", ALLOW, "applied", ["revoke"], "cannot be undone"),
    ({}, "current", {**ALLOW, **ASKING}, "pending", ["request_revoke"], "waits for the approval of request"),
    ({}, "current", {**ALLOW, **ASKING, "approve": True}, "applied", ["request_revoke", "approve"], "by request"),
    ({"certificate_status": "revoked"}, "current", {}, "unchanged", [], "is revoked already"),
    ({"certificate_status": "revoked"}, "current", ALLOW, "unchanged", [], "is revoked already"),
    ({"status": "revoked"}, "current", {}, "unchanged", [], "is revoked already"),
    ({"status": "canceled"}, "current", ALLOW, "refused", [], "has no issued certificate"),
    ({"status": "needs_approval"}, "current", ALLOW, "refused", [], "has no issued certificate"),
    ({"days_left": -3, "order_days_left": 90}, "current", ALLOW, "unchanged", [], "has expired"),
    ({"days_left": -3, "order_days_left": 90}, "current", {**ALLOW, "expired": "act"}, "applied", ["revoke"], "revoked"),
    ({"reissues": AGAIN}, "original", {}, "applied", ["revoke"], "revoked"),
    ({"reissues": AGAIN}, "original", ASKING, "pending", ["request_revoke"], "waits for the approval"),
    ({"reissues": AGAIN}, "current", {}, "refused", [], "is the current certificate"),
    ({"reissues": [{}, {}]}, "reissue", {}, "applied", ["revoke"], "revoked"),
    ({"reissues": [{"status": "revoked"}, {}]}, "reissue", {}, "unchanged", [], "is revoked already"),
    ({"reissues": [{"days_ago": 300, "days_left": -101}, {}]}, "reissue", {}, "unchanged", [], "has expired"),
    ({"reissues": [{"status": "revoked"}]}, "original", {}, "refused", [], "whose current one is not valid"),
    ({"reissues": [{"status": "revoked"}]}, "original", ALLOW, "applied", ["revoke"], "revoked"),
    ({"duplicates": [{"key": "copy"}]}, "duplicate", {}, "refused", [], "is a duplicate on order"),
    ({"duplicates": [{"key": "copy"}]}, "duplicate", ALLOW, "applied", ["revoke"], "revoked"),
    (OLDER, "duplicate", {}, "applied", ["revoke"], "revoked"),
    ({"pending": {"waits": "approval"}}, "current", ALLOW, "refused", [], "by Robin Colleague <robin.colleague@example.com> since 20"),
    ({"pending": {"waits": "validation"}}, "current", ALLOW, "refused", [], "DigiCert revokes nothing on the order before that has ended"),
    ({"pending": {"waits": "issue"}, "reissues": AGAIN}, "original", ALLOW, "refused", [], "finish it or cancel it, then run the task again"),
    ({"pending": {"waits": "issue"}, "certificate_status": "revoked"}, "current", ALLOW, "unchanged", [], "is revoked already"),
    ({"account": "another"}, "current", ALLOW, "failed", [], "could not be found"),
]


@pytest.mark.parametrize("found, which, options, outcome, happens, said", ROWS)
def test_each_row_of_the_decision_table(account, found, which, options, outcome, happens, said):
    account.switch(revoked_in_lists="revoked")
    account.load(found)
    entry = account.named(which)
    plan = account.run(entry, check_mode=True, api_key=VIEWER["key"], **options)
    assert account.sent("PUT", "POST") == []
    result = account.run(entry, diff=True, **options)
    assert outcomes(result) == [outcome] and account.effects() == happens, result["msg"]
    assert said in only(result)["message"]
    assert result["changed"] is bool(happens) and result["failed"] is (outcome in ("refused", "failed"))
    expected = "planned" if happens else outcome
    assert outcomes(plan) == [expected] and plan["changed"] is bool(happens) and only(plan)["action"] == only(result)["action"]
    assert (result["diff"]["after"] != {}) is bool(happens)
    again = account.run(entry, **options)
    assert again["changed"] is False and account.effects() == happens
    if not (found.get("reissues") == [{"status": "revoked"}]):
        assert outcomes(again) == ["unchanged" if outcome == "applied" else outcome]


def test_what_was_done_is_shown(account):
    account.load({"reissues": AGAIN})
    old = account.certificate("original")
    result = account.run(account.named("original"), reason="keyCompromise", comment="INC-4711", skip_approval=False, approve=True, diff=True)
    entry = only(result)
    assert entry["before"] == {"status": "issued", "reason": None, "final": False}
    assert entry["after"] == {"status": "revoked", "reason": "key_compromise", "final": True} == result["diff"]["after"][old.serial_number]
    assert entry["action"] == "revoke (key_compromise)" and entry["reversible"].startswith("Cannot be undone.")
    assert (entry["order_id"], entry["certificate_id"], entry["serial"], entry["role"]) == (account.ids[0], old.id, old.serial_number, "original")
    assert (entry["order_status"], entry["common_name"]) == ("issued", "example.com") and entry["valid_till"] and entry["approval_request_id"]
    assert entry["target"] == old.serial_number and result["url"] == account.simulator.ready["digicert"]["url"]
    put = account.puts()[0]
    assert put["path"] == f"/services/v2/certificate/{old.id}/revoke" and old.reason == "keyCompromise"
    assert put["body"] == {"revocation_reason": "keyCompromise", "comments": f"[certificate {old.serial_number}] INC-4711", "skip_approval": False}
    assert account.order().status == "issued" and account.order().current.status == "issued", "the order and its new certificate stay"


def test_the_loss_is_said_before(account):
    account.load({})
    plan = account.run(account.named("current"), check_mode=True, **ALLOW)
    assert "what uses it will stop working" in only(plan)["message"] and only(plan)["after"]["final"] is True


SPELLINGS = [("4", "superseded"), ("Affiliation Changed", "affiliationChanged"), ("cessation_of_operation", "cessationOfOperation")]


@pytest.mark.parametrize("given, word", SPELLINGS)
def test_reasons_in_their_usual_spellings(account, given, word):
    account.load({})
    account.run(account.named("current"), reason=given, **ALLOW)
    assert account.order().current.reason == word


@pytest.mark.parametrize("given", ["ca_compromise", "certificateHold", "9", "because"])
def test_reasons_that_digicert_does_not_take(account, given):
    account.load({})
    result = account.run(account.named("current"), reason=given, **ALLOW)
    assert result["failed"] and result["msg"].startswith("reason: ") and account.simulator.journal == []


# -- naming certificates ---------------------------------------------------------------------------------------------------------------

HISTORY = {"reissues": [{"key": "middle", "days_ago": 100}, {"key": "newest", "days_ago": 10}], "duplicates": [{"key": "copy", "days_ago": 50}]}


@pytest.mark.parametrize("which", ["original", "reissue", "duplicate", "current"])
@pytest.mark.parametrize("by", [["certificate_id"], ["serial"], ["thumbprint"], ["certificate_id", "serial", "thumbprint"]])
@pytest.mark.parametrize("switches", [{}, {"reissue_list": "with_original"}, {"revoked_in_lists": "revoked"}], ids=str)
def test_a_certificate_is_found_by_each_mark(account, which, by, switches):
    account.switch(**switches)
    account.load(HISTORY, HISTORY)
    entry = account.named(which, 1)
    result = account.run({name: value for name, value in entry.items() if name in ["order_id", *by]}, **ALLOW)
    assert outcomes(result) == ["applied"] and only(result)["role"] == ("reissue" if switches.get("reissue_list") and which == "original" else which)
    assert account.certificate(which, 1).status == "revoked" and account.effects(0) == []
    assert [item.status for item in account.order(1).certificates].count("revoked") == 1


def test_where_the_list_of_reissues_shows_copies_of_the_current_one(account):
    account.switch(reissue_list="copies_of_primary")
    account.load(HISTORY)
    result = account.run(account.named("reissue"))
    assert outcomes(result) == ["applied"] and account.certificate("reissue").status == "revoked"


@pytest.mark.parametrize("mark", ["serial", "thumbprint"])
def test_a_current_certificate_is_found_without_its_order(account, mark):
    account.load(HISTORY)
    text = account.named("current")[mark]
    written = ":".join(re.findall("..", text.lower()))
    assert outcomes(account.run(written, {mark: text}, text, **ALLOW)) == ["applied", "unchanged", "unchanged"] and len(account.puts()) == 1


@pytest.mark.parametrize("which", ["original", "reissue", "duplicate"])
def test_a_former_one_is_not_found_without_its_order(account, which):
    account.load(HISTORY)
    result = account.run(account.named(which)["serial"])
    assert outcomes(result) == ["failed"] and "digicert_order_info" in result["msg"] and account.puts() == []


def test_marks_that_contradict_each_other_revoke_nothing(account):
    account.load(HISTORY, HISTORY)
    mine, other = account.named("original"), account.named("original", 1)
    for wrong in (
        {**mine, "serial": other["serial"]},
        {**mine, "certificate_id": other["certificate_id"]},
        {**mine, "thumbprint": other["thumbprint"]},
        {**mine, "order_id": other["order_id"]},
        {**account.named("current"), "certificate_id": mine["certificate_id"]},
        {**account.named("current", 1), "order_id": mine["order_id"]},
        {"order_id": mine["order_id"], "certificate_id": other["certificate_id"]},
        {"order_id": mine["order_id"], "certificate_id": 4242},
    ):
        result = account.run(wrong, **ALLOW)
        assert outcomes(result) == ["failed"] and account.puts() == [], wrong


@pytest.mark.parametrize("approval", ["skip", "manual"])
def test_an_unlisted_certificate_of_another_order_is_not_taken_for_the_first_one(account, approval):
    """Not even where the two carry the same names."""
    account.switch(approval=approval)
    account.load({**HISTORY, "approval": approval}, {"reissues": AGAIN})
    theirs = account.certificate("original", 1).id
    result = account.run({"order_id": account.ids[0], "certificate_id": theirs})
    assert outcomes(result) == ["failed"] and "of another order" in result["msg"] and account.puts() == []


@pytest.mark.parametrize("finds", ["all", "primary"])
def test_a_current_certificate_is_never_taken_for_the_first_one_of_another_order(account, finds):
    account.switch(certificate_id_filter=finds)
    account.load({**HISTORY, "approval": False}, {"approval": False})
    theirs = {**account.named("current", 1), "order_id": account.ids[0]}
    assert outcomes(account.run(theirs, **ALLOW)) == ["failed"] and account.puts() == []
    # Where the filter finds nothing, the documented look-up by serial number has to.
    original = account.part.handle

    def handle(call):
        if "filters[certificate_id]" in dict(call.query):
            call.raw_query = "filters[id]=0"
        return original(call)

    account.part.handle = handle
    assert outcomes(account.run(theirs, **ALLOW)) == ["failed"] and account.puts() == []
    assert outcomes(account.run(account.named("original"))) == ["applied"]


@pytest.mark.parametrize("filter_finds", ["primary", "all"])
def test_without_the_first_request_a_serial_number_may_not_lead_to_the_first_certificate(account, filter_finds):
    account.switch(serial_filter=filter_finds)
    account.load({**HISTORY, "approval": False})
    entry = account.named("original")
    result = account.run({"order_id": entry["order_id"], "serial": entry["serial"]}, check_mode=filter_finds == "primary")
    assert outcomes(result) == ["failed" if filter_finds == "primary" else "applied"]
    assert filter_finds == "all" or "give certificate_id as well" in result["msg"]
    result = account.run({**entry, "thumbprint": None})
    assert outcomes(result) == ["applied" if filter_finds == "primary" else "unchanged"]
    assert outcomes(account.run({"order_id": entry["order_id"], "certificate_id": entry["certificate_id"]})) == ["unchanged"]


def test_what_the_download_confuses_is_not_revoked(account):
    account.load({**HISTORY, "wrong_pem_first": 10**9})
    # What is handed out for the first certificate is itself; for a reissue it is the one before.
    account.switch(reissue_list="copies_of_primary")
    result = account.run(account.named("reissue"))
    assert outcomes(result) == ["failed"] and "is the one with the serial number" in result["msg"] and account.puts() == []


def test_one_certificate_by_options(account):
    account.load({})
    entry = account.named("current")
    assert outcomes(account.run(order_id=account.ids[0], certificate_id=entry["certificate_id"], check_mode=True, **ALLOW)) == ["planned"]
    assert outcomes(account.run(order_id=account.ids[0], serial_number=entry["serial"], **ALLOW)) == ["applied"]


@pytest.mark.parametrize(
    "options, said",
    [
        ({}, "exactly one of the two"),
        ({"order_id": 7}, "the order itself is never revoked"),
        ({"certificate_id": 7}, "exactly one"),
        ({"certificates": [], "order_id": 7}, "excludes order_id"),
        ({"certificates": [{"certificate_id": 7}]}, "give order_id as well"),
        ({"certificates": [{"order_id": 7}]}, "has neither serial nor thumbprint"),
        ({"certificates": [{"order_id": 7, "certificate_id": "x"}]}, "is no certificate id"),
        ({"certificates": [{"order_id": 0, "serial": "AB"}]}, "is no order id"),
        ({"certificates": ["no serial"]}, "is not hexadecimal"),
        ({"certificates": [12]}, "put it in quotes"),
        ({"certificates": [{"previous": {"order_id": 7}}]}, "certificates[0].previous"),
    ],
    ids=str,
)
def test_entries_that_cannot_be_meant(account, options, said):
    result = account.run(**options)
    assert result["failed"] and said in result["msg"] and account.simulator.journal == []


def test_an_empty_list_changes_nothing(account):
    result = account.run(certificates=[])
    assert result["changed"] is False and not result["failed"] and account.simulator.journal == []


def test_the_same_certificate_under_two_names_is_revoked_once(account):
    account.load({"reissues": AGAIN})
    entry = account.named("original")
    by_id = {"order_id": entry["order_id"], "certificate_id": entry["certificate_id"]}
    assert outcomes(account.run(entry, by_id)) == ["applied", "unchanged"] and len(account.puts()) == 1


# -- results of other modules ----------------------------------------------------------------------------------------------------------


def reissue(account, **options):
    orders = [{"order_id": number, "csr": account.part.csr(f"new{number}", "x.example.com")} for number in account.ids]
    return run_module(digicert_order_reissue, {"orders": orders, **digicert_options(account.simulator, rate_limits=[]), **options})


def test_what_a_reissue_has_replaced_is_revoked(account):
    account.load(AT_ONCE, {**AT_ONCE, "reissues": AGAIN}, {**AT_ONCE, "duplicates": [{"key": "copy"}]})
    olds = [account.certificate("current", index).id for index in range(3)]
    done = reissue(account)
    assert [entry["previous"]["certificate_id"] for entry in done["targets"]] == olds
    result = account.run(*done["targets"], reason="superseded")
    assert outcomes(result) == ["applied"] * 3 and [entry["certificate_id"] for entry in result["targets"]] == olds
    assert [account.certificate("current", index).status for index in range(3)] == ["issued"] * 3
    again = reissue(account)
    assert [entry["previous"] for entry in again["targets"]] == [None] * 3
    assert account.run(certificates=again["targets"])["targets"] == [], "what had the wanted certificate names nothing"


def test_what_a_reissue_has_not_replaced_yet_is_refused(account):
    account.load({"shape": "requests"}, {"status": "expired"}, {"account": "another"})
    done = reissue(account, continue_on_error=True)
    assert outcomes(done) == ["pending", "refused", "failed"]
    result = account.run(*done["targets"], expired="act", reason="superseded")
    assert outcomes(result) == ["refused", "refused"] and account.puts() == []
    account.part.approve(account.ids[0])
    assert outcomes(account.run(*done["targets"], expired="act", continue_on_error=True)) == ["applied", "refused"]


def info(account, **options):
    return run_module(digicert_order_info, {**digicert_options(account.simulator, rate_limits=[]), **options})["orders"]


@pytest.mark.parametrize("which", ["original", "reissue", "duplicate", "current"])
def test_what_led_to_an_order_is_revoked(account, which):
    account.switch(serial_filter="all")
    account.load(HISTORY)
    certificate = account.certificate(which)
    found = info(account, certificates=[{"serial": certificate.serial_number, "order_id": account.ids[0]}])
    result = account.run(*found, **ALLOW)
    assert outcomes(result) == ["applied"] and certificate.status == "revoked" and only(result)["role"] == which


def test_what_a_file_led_to_is_revoked(account, tmp_path):
    account.load(HISTORY)
    path = tmp_path / "a: b.pem"
    path.write_text(account.part.pem(account.ids[0]))
    assert outcomes(account.run(*info(account, certificate_path=[str(path)]), **ALLOW)) == ["applied"]


@pytest.mark.parametrize("way", [{"common_name": ["www.example.com"]}, {"names": ["example.com"]}, {"details": True}])
def test_an_order_that_was_found_otherwise_means_its_current_certificate(account, way):
    account.load(HISTORY)
    found = info(account, **way)
    assert outcomes(account.run(*found)) == ["refused"]
    assert outcomes(account.run(*found, **ALLOW)) == ["applied"] and account.certificate("current").status == "revoked"


# -- requests that wait for an approval ------------------------------------------------------------------------------------------------

SHOWN = [{}, {"revoke_request_shows": "primary"}, {"request_status": "submitted"}, {"second_revoke_request": "refuse"}]


@pytest.mark.parametrize("switches", SHOWN, ids=str)
@pytest.mark.parametrize("which", ["original", "current"])
def test_a_request_that_is_open_is_named_and_not_opened_twice(account, switches, which):
    account.switch(**switches)
    account.load({"reissues": AGAIN})
    entry = account.named(which)
    first = account.run(entry, skip_approval=False, **ALLOW)
    assert outcomes(first) == ["pending"] and first["changed"] and not first["failed"]
    for options in ({}, {"skip_approval": False}, {"check_mode": True}, {"comment": "another"}):
        again = account.run(entry, **ALLOW, **options)
        assert outcomes(again) == ["pending"] and again["changed"] is False and "not asked for again" in only(again)["message"]
        assert only(again)["approval_request_id"] == only(first)["approval_request_id"] == account.order().requests[-1].id
    assert account.effects() == ["request_revoke"]


@pytest.mark.parametrize("switches", [{}, {"revoke_request_shows": "primary"}], ids=str)
def test_two_of_one_order_each_have_a_request(account, switches):
    account.switch(**switches)
    account.load({"reissues": [{"key": "a"}, {"key": "b"}]})
    entries = [account.named(which) for which in ("original", "reissue", "current")]
    first = account.run(*entries, skip_approval=False, **ALLOW)
    assert outcomes(first) == ["pending"] * 3 and len({entry["approval_request_id"] for entry in first["targets"]}) == 3
    again = account.run(*entries, skip_approval=False, **ALLOW)
    assert [entry["approval_request_id"] for entry in again["targets"]] == [entry["approval_request_id"] for entry in first["targets"]]
    assert again["changed"] is False and account.effects() == ["request_revoke"] * 3


def test_a_request_of_somebody_else_for_it_is_pending_and_never_approved(account):
    account.load({"reissues": AGAIN})
    account.ask("original")
    result = account.run(account.named("original"), approve=True)
    assert outcomes(result) == ["pending"] and "Robin Colleague" in only(result)["message"] and account.effects() == [] and not result["changed"]


def test_a_request_of_somebody_else_for_another_certificate_does_not_matter(account):
    account.load({"reissues": [{"key": "a"}, {"key": "b"}]})
    account.ask("reissue")
    assert outcomes(account.run(account.named("original"))) == ["applied"]


@pytest.mark.parametrize("whole_order", [False, True])
def test_a_request_that_may_be_for_it_is_refused(account, whole_order):
    """DigiCert may show the current certificate for any request; it does for the whole order."""
    account.switch(revoke_request_shows="primary")
    account.load({"reissues": AGAIN})
    account.ask("original", whole_order=whole_order)
    result = account.run(account.named("original"))
    assert outcomes(result) == ["refused"] and "does not show for sure" in result["msg"] and "Robin Colleague" in result["msg"]
    assert account.effects() == []


def test_our_own_request_is_approved_also_later(account):
    account.load({"reissues": AGAIN})
    entry = account.named("original")
    number = only(account.run(entry, skip_approval=False))["approval_request_id"]
    plan = account.run(entry, approve=True, check_mode=True)
    assert outcomes(plan) == ["planned"] and only(plan)["action"] == f"approve request {number}" and only(plan)["after"]["reason"] is None
    result = account.run(entry, approve=True, plan_digest=plan["plan_digest"])
    assert outcomes(result) == ["applied"] and result["changed"] and account.effects() == ["request_revoke", "approve"]
    assert outcomes(account.run(entry, approve=True)) == ["unchanged"]


def test_a_request_that_may_not_be_approved_stays_pending(account):
    account.switch(own_request_approvable=False)
    account.load({"reissues": AGAIN}, {"reissues": AGAIN})
    entries = [account.named("original", index) for index in range(2)]
    first = account.run(*entries, skip_approval=False, approve=True)
    assert outcomes(first) == ["pending"] * 2 and first["changed"] and "invalid_approver" in first["targets"][0]["message"] and not first["failed"]
    again = account.run(*entries, skip_approval=False, approve=True)
    assert outcomes(again) == ["pending"] * 2 and again["changed"] is False and account.effects() == ["request_revoke"]


@pytest.mark.parametrize("wait_for_approval", [False, True])
@pytest.mark.parametrize("approved", [False, True])
def test_waiting_follows_a_request_to_its_end(account, approved, wait_for_approval):
    account.load({"reissues": AGAIN}, {"reissues": AGAIN})
    entries = [account.named("original"), account.named("original", 1)]
    looks = []
    original = account.part.handle

    def handle(call):
        order = account.order()
        if call.method == "GET" and any(item.type == "revoke" for item in order.requests):
            looks.append(call.path)
            if len(looks) == 6:
                decide = account.part.lifecycle.approve if approved else account.part.lifecycle.reject
                decide(order, order.requests[-1])
        return original(call)

    account.part.handle = handle
    result = account.run(*entries, skip_approval=False, wait=True, wait_for_approval=wait_for_approval, wait_timeout=1)
    if not wait_for_approval:
        assert outcomes(result) == ["pending"] * 2 and not result["failed"] and "approve or reject it in CertCentral" in result["targets"][0]["message"]
        return
    assert outcomes(result) == ["applied" if approved else "failed", "pending"] and result["targets"][1]["timed_out"] and result["failed"]
    assert result["targets"][0]["changed"] and account.effects() == ["request_revoke"]
    if approved:
        assert result["targets"][0]["after"]["status"] == "revoked"
    else:
        assert "was rejected" in result["targets"][0]["message"]


def test_one_that_was_open_already_and_is_approved_meanwhile_is_not_this_runs_change(account):
    account.load({})
    request = account.ask()
    original = account.part.handle
    looks = []

    def handle(call):
        answer = original(call)
        looks.append(call.path)
        if len(looks) == 6:
            account.part.lifecycle.approve(account.order(), request)
        return answer

    account.part.handle = handle
    result = account.run(account.named("current"), wait=True, wait_for_approval=True)
    assert outcomes(result) == ["unchanged"] and not result["changed"] and account.puts() == []


def test_a_rejected_request_may_be_asked_for_again(account):
    account.load({"reissues": AGAIN})
    entry = account.named("original")
    account.run(entry, skip_approval=False)
    account.part.lifecycle.reject(account.order(), account.order().requests[-1])
    assert outcomes(account.run(entry)) == ["applied"]


def test_a_key_without_the_rights_of_an_administrator_opens_a_request(account):
    account.load({"reissues": AGAIN})
    entry = account.named("original")
    result = account.run(entry, api_key=ORDINARY["key"])
    assert outcomes(result) == ["pending"] and account.effects() == ["request_revoke"]
    account.part.approve(account.ids[0])
    assert outcomes(account.run(entry, api_key=ORDINARY["key"])) == ["unchanged"]


def test_the_current_certificate_is_revoked_when_digicert_shows_it(account):
    """An approved request alone is not enough where DigiCert would show the status."""
    account.load({})
    entry = account.named("current")
    account.run(entry, skip_approval=False, **ALLOW)
    account.order().requests[-1].status = "approved"
    result = account.run(entry, **ALLOW)
    assert outcomes(result) == ["pending"] and "does not show it yet" in only(result)["message"] and len(account.puts()) == 1


# -- what DigiCert may not show --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["order_already_revoked", "order_is_revoked", "certificate_already_revoked"])
def test_what_the_lists_hide_digicerts_refusal_tells(account, code):
    account.switch(refusal_codes={"certificate_revoked": code})
    account.load({"reissues": AGAIN})
    entry = account.named("original")
    assert outcomes(account.run(entry)) == ["applied"]
    again = account.run(entry, diff=True)
    assert outcomes(again) == ["unchanged"] and again["changed"] is False and again["diff"]["after"] == {} and account.effects() == ["revoke"]


def test_a_second_revocation_that_is_accepted_does_no_harm(account):
    account.switch(revoke_again="accept")
    account.load({"reissues": AGAIN})
    assert outcomes(account.run(account.named("original"))) == outcomes(account.run(account.named("original"))) == ["applied"]
    assert account.effects() == ["revoke"]


def test_a_refusal_without_a_known_code_is_told(account):
    account.switch(refusal_codes={"certificate_revoked": "no_such_luck"})
    account.load({"reissues": AGAIN})
    entry = account.named("original")
    account.run(entry)
    again = account.run(entry)
    assert outcomes(again) == ["failed"] and again["changed"] is False and "no such luck" in again["msg"].lower()


def test_the_account_may_revoke_the_order_with_its_last_certificate(account):
    account.switch(certificate_revoke_revokes_order=True)
    account.load({})
    entry = account.named("current")
    assert outcomes(account.run(entry, **ALLOW)) == ["applied"] and account.order().status == "revoked"
    assert outcomes(account.run(entry, **ALLOW)) == ["unchanged"]


# -- somebody else is at work ----------------------------------------------------------------------------------------------------------


def before_the_revocation(account, do):
    original = account.part.handle
    done = []

    def handle(call):
        if call.mutates and not done:
            done.append(1)
            do()
        return original(call)

    account.part.handle = handle


def test_a_reissue_that_begins_in_between_is_told(account):
    account.load({"reissues": AGAIN})
    before_the_revocation(account, lambda: account.part.change(account.ids[0], {"pending": {"requester": "Robin Colleague"}}))
    result = account.run(account.named("original"))
    assert outcomes(result) == ["failed"] and not result["changed"] and "Robin Colleague" in result["msg"] and account.effects() == []
    assert outcomes(account.run(account.named("original"))) == ["refused"]


@pytest.mark.parametrize("which", ["original", "current"])
def test_somebody_who_was_faster_is_not_this_runs_change(account, which):
    account.load({"reissues": AGAIN})
    certificate = account.certificate(which)
    before_the_revocation(account, lambda: account.part.lifecycle.revoke(account.order(), [certificate], "superseded", False))
    result = account.run(account.named(which), **ALLOW)
    assert outcomes(result) == ["unchanged"] and result["changed"] is False and account.effects() == []


def test_somebody_who_asked_faster_is_not_this_runs_change(account):
    account.switch(second_revoke_request="refuse")
    account.load({"reissues": AGAIN})
    before_the_revocation(account, lambda: account.ask("original"))
    result = account.run(account.named("original"), skip_approval=False)
    assert outcomes(result) == ["pending"] and result["changed"] is False and "Robin Colleague" in result["msg"] + only(result)["message"]


# -- guards, rights, secrets -----------------------------------------------------------------------------------------------------------


def test_one_bad_one_in_a_list_and_nothing_is_written(account):
    account.load({"reissues": AGAIN}, {"reissues": AGAIN}, {})
    entries = [account.named("original"), account.named("original", 1), account.named("current", 2)]
    result = account.run(*entries)
    assert outcomes(result) == ["not_attempted", "not_attempted", "refused"] and account.puts() == []
    assert outcomes(account.run(*entries, continue_on_error=True)) == ["applied", "applied", "refused"]


def test_guards(account):
    account.load({"reissues": AGAIN}, {"reissues": AGAIN})
    entries = [account.named("original"), account.named("original", 1)]
    assert outcomes(account.run(*entries, max_changes=1)) == ["refused"] * 2
    digests = {account.run(*entries, check_mode=True, reason=reason)["plan_digest"] for reason in ("superseded", "superseded", "key_compromise")}
    assert len(digests) == 2
    assert outcomes(account.run(*entries, plan_digest=digests.pop(), reason="unspecified")) == ["refused"] * 2 and account.puts() == []


def test_a_key_for_viewing_can_plan_and_is_told_when_it_cannot_act(account):
    account.load({"reissues": AGAIN}, {"reissues": AGAIN})
    entries = [account.named("original"), account.named("original", 1)]
    assert outcomes(account.run(*entries, api_key=VIEWER["key"], check_mode=True)) == ["planned"] * 2
    result = account.run(*entries, api_key=VIEWER["key"], concurrency=1)
    assert outcomes(result) == ["failed", "not_attempted"] and "may only read" in result["msg"] and account.effects() == []


def test_nothing_secret_is_in_the_result(account):
    account.load({})
    result = account.run(account.named("current"), diff=True, **ALLOW)
    assert account.simulator.ready["digicert"]["api_key"] not in result["output"]


# -- many ------------------------------------------------------------------------------------------------------------------------------


def test_each_order_is_read_once_however_many_of_its_certificates_are_listed(account):
    account.load(HISTORY)
    account.run(*[account.named(which) for which in ("original", "reissue", "duplicate")], check_mode=True)
    paths = [entry["path"] for entry in account.sent("GET")]
    assert sum(path == f"/services/v2/order/certificate/{account.ids[0]}" for path in paths) == 1
    assert sum(path.endswith("/reissue") for path in paths) == 1 and sum(path.endswith("/duplicate") for path in paths) == 1


def test_many_that_were_replaced_take_a_few_requests_each(account):
    account.load(*[{"reissues": AGAIN}] * 60)
    entries = [account.named("original", index) for index in range(60)]
    result = account.run(*entries, reason="superseded")
    assert result["summary"]["applied"] == 60 and all(account.effects(index) == ["revoke"] for index in range(60))
    # The list of orders once; the order, its reissues, the certificate itself, what was ordered at first, and the revocation.
    assert result["http"]["requests"] == 1 + 60 * 5


def test_many_that_were_never_reissued_take_two_requests_each(account):
    account.load(*[{}] * 60)
    result = account.run(*[account.named("current", index) for index in range(60)], **ALLOW)
    assert result["summary"]["applied"] == 60 and result["http"]["requests"] == 1 + 60 * 2


def test_many_that_wait_take_one_request_each_look(account):
    account.load(*[{"reissues": AGAIN}] * 25)
    entries = [account.named("original", index) for index in range(25)]
    result = account.run(*entries, skip_approval=False, wait=True, wait_for_approval=True, wait_timeout=1, wait_interval=1)
    assert result["summary"]["pending"] == 25 and result["failed"]
    looks = account.sent("GET")[1 + 25 * 4 :]
    assert looks and len(looks) % 25 == 0 and {entry["path"].rpartition("/")[0] for entry in looks} == {"/services/v2/order/certificate"}
