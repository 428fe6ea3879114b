# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""digicert_order_reissue where CertCentral shows less, or something else, than its pages say: never a second reissue, never a name lost."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import tempfile

import pytest
from cryptography import x509

from ansible_collections.certops.remediation.plugins.module_utils.digicert import DigiCertClient
from ansible_collections.certops.remediation.plugins.module_utils.x509 import alternative_names
from ansible_collections.certops.remediation.plugins.modules import digicert_order_reissue

from ansible_collections.certops.remediation.tests.unit.support import digicert_options, run_module

NAMES = ["www.example.com", "b.example.com"]
ORDER = {"common_name": NAMES[0], "dns": NAMES, "key": "old", "shape": "certificate_chain"}
POST = {"path": "/reissue$", "method": "POST"}


@pytest.fixture
def account(simulator, monkeypatch, waiting_moves_the_clock):
    monkeypatch.setattr(digicert_order_reissue, "LATE_REISSUE_SECONDS", 0.01)
    return Account(simulator, monkeypatch)


class Account:
    def __init__(self, simulator, monkeypatch):
        self.simulator, self.monkeypatch = simulator, monkeypatch
        self.ids = []

    def load(self, *entries):
        self.ids = self.simulator.digicert.load([{**ORDER, **entry} for entry in entries])

    def shows(self, call, change):
        """Have ``change`` alter what a call of the client has read."""
        real = getattr(DigiCertClient, call)

        def altered(client, *arguments, **more):
            found = real(client, *arguments, **more)
            changed = change(found)
            return found if changed is None else changed

        self.monkeypatch.setattr(DigiCertClient, call, altered)

    def run(self, label="new", check_mode=False, **options):
        orders = [{"order_id": number, "csr": self.simulator.digicert.csr(f"{label}{index}", "x.example.org")} for index, number in enumerate(self.ids)]
        orders = [{**order, **options.pop("each", {})} for order in orders]
        result = run_module(digicert_order_reissue, {**digicert_options(self.simulator, rate_limits=[]), "orders": orders, **options}, check_mode=check_mode)
        return [(entry["outcome"], entry["changed"]) for entry in result["targets"]], result

    def effects(self):
        return [self.simulator.records.effects(str(number)) for number in self.ids]

    def leaf(self, path):
        return x509.load_pem_x509_certificate(path.read_bytes())


def csr_of_before(old):
    def change(record):
        record["certificate"]["csr"] = old

    return change


@pytest.mark.parametrize("csr", [None, "", "no CSR at all", "of before"])
def test_an_order_that_does_not_show_its_key_is_not_reissued_again(account, csr):
    account.load({})
    account.shows("order", csr_of_before(account.simulator.digicert.csr("old", NAMES[0]) if csr == "of before" else csr))
    assert account.run()[0] == [("applied", True)]
    assert account.run()[0] == [("unchanged", False)]
    assert account.run(check_mode=True)[0] == [("unchanged", False)] and account.effects() == [["reissue"]]


def test_a_key_that_nothing_shows_is_read_from_the_certificate(account):
    account.load({})
    account.run()
    account.shows("order", csr_of_before(None))
    account.shows("reissues", lambda found: tuple(item for item in found if item.status == "rejected"))
    assert account.run()[0] == [("unchanged", False)]
    account.shows("chain", lambda found: ["nothing\n"])
    outcome, result = account.run()
    assert outcome == [("refused", False)] and "does not show the key" in result["targets"][0]["message"] and account.effects() == [["reissue"]]


HIDDEN = {
    "missing": lambda names: None,
    "one text": ",".join,
    "mappings": lambda names: [{"name": name} for name in names],
    "in part a number": lambda names: [*names, 7],
}


@pytest.mark.parametrize("common_name", [NAMES[0], None, ""])
@pytest.mark.parametrize("shape", HIDDEN)
def test_no_name_is_lost_when_the_order_does_not_show_them(account, shape, common_name, tmp_path):
    def change(record):
        record["certificate"].update(dns_names=HIDDEN[shape](NAMES), common_name=common_name)

    account.load({})
    account.shows("order", change)
    assert account.run(each={"certificate_path": str(tmp_path / "new.pem")})[0] == [("applied", True)]
    assert set(alternative_names(account.leaf(tmp_path / "new.pem"))) == {f"DNS:{name}" for name in NAMES}
    sent = next(entry for entry in account.simulator.journal if entry["method"] == "POST")["body"]
    assert "\"\"" not in str(sent) and "{'name'" not in str(sent)


def test_names_that_nothing_shows_are_not_guessed(account):
    account.load({})
    account.shows("order", lambda record: record["certificate"].update(dns_names=None))
    account.shows("chain", lambda found: ["nothing\n"])
    outcome, result = account.run()
    assert outcome == [("refused", False)] and "does not show the names" in result["targets"][0]["message"] and account.effects() == [[]]


@pytest.mark.parametrize("names", [None, ["xn--mnchen-3ya.example.com", "www.example.com"], ["m\u00fcnchen.example.com", "www.example.com"]])
def test_an_order_with_names_that_are_not_ascii_is_delivered(account, names, tmp_path):
    def change(record):
        record["certificate"].update(common_name="m\u00fcnchen.example.com", dns_names=["M\u00dcNCHEN.example.com", "www.example.com"])

    account.load({"common_name": "xn--mnchen-3ya.example.com", "dns": ["xn--mnchen-3ya.example.com", "www.example.com"]})
    account.shows("order", change)
    each = {"certificate_path": str(tmp_path / "new.pem"), **({"names": names} if names else {})}
    assert account.run(each=each)[0] == [("applied", True)] and (tmp_path / "new.pem").exists()
    assert account.run(each=each)[0] == [("unchanged", False)] and account.effects() == [["reissue"]]


def with_colons(serial):
    return ":".join(serial[at : at + 2] for at in range(0, len(serial), 2))


@pytest.mark.parametrize("serial", [with_colons, str.lower, lambda text: "no number", lambda text: None])
def test_odd_serial_numbers_and_dates_end_no_task(account, serial, tmp_path):
    def change(record):
        certificate = record["certificate"]
        certificate["serial_number"] = serial(certificate["serial_number"])
        certificate.update(valid_from="01 MAR 2026")

    account.load({})
    account.shows("order", change)
    each = {"fullchain_path": str(tmp_path / "full.pem")}
    assert account.run(validity_days=30, each=each)[0] == [("applied", True)] and (tmp_path / "full.pem").exists()
    assert account.run(validity_days=30, each=each)[0] == [("unchanged", False)] and account.effects() == [["reissue"]]


@pytest.mark.parametrize("status", [400, 403, 404, 409])
@pytest.mark.parametrize("body", ['{"errors": [{"code": "odd", "message": "No."}]}', "<html>Forbidden</html>", ""])
def test_a_refusal_of_what_was_done_is_not_believed(account, status, body):
    account.load({})
    account.simulator.faults.add("status", match=POST, status=status, body=body, after=True)
    (outcome,), result = account.run()
    assert outcome == ("applied", True), result["msg"]
    assert account.run()[0] == [("unchanged", False)] and account.effects() == [["reissue"]]


def test_a_rejection_that_only_the_request_shows_is_final(account):
    account.load({"shape": "requests"})
    assert account.run()[0] == [("pending", True)]
    order = account.simulator.digicert[account.ids[0]]
    account.simulator.digicert.lifecycle.reject(order, order.requests[-1])
    account.shows("reissues", lambda found: tuple(item for item in found if item.status == "issued"))
    outcome, result = account.run()
    assert outcome == [("refused", False)] and "was rejected" in result["targets"][0]["message"] and account.effects() == [["reissue"]]


@pytest.mark.parametrize("status", ["approved", "processing", "needs_approval", "", "submitted", "never heard of"])
def test_an_open_reissue_by_any_other_word_is_one(account, status):
    account.load({"shape": "certificate_id"})
    assert account.run()[0] == [("pending", True)]
    account.shows("order", lambda record: record.update(status="issued"))
    account.shows("reissues", lambda found: tuple(dataclasses.replace(item, status=status) if item.status == "pending" else item for item in found))
    assert account.run()[0] == [("pending", False)]
    outcome, result = account.run(label="another")
    assert outcome == [("refused", False)] and "another key" in result["targets"][0]["message"] and account.effects() == [["reissue"]]


def test_a_chain_that_begins_with_the_root_is_turned_round(account, tmp_path):
    account.load({"shape": "certificate_id"})
    account.run()
    account.simulator.digicert.issue(account.ids[0])
    account.shows("chain", lambda found: found[::-1])
    each = {"fullchain_path": str(tmp_path / "full.pem"), "chain_path": str(tmp_path / "chain.pem")}
    assert account.run(each=each)[0] == [("applied", True)]
    assert set(alternative_names(account.leaf(tmp_path / "full.pem"))) == {f"DNS:{name}" for name in NAMES}


@pytest.mark.parametrize("count", [2, 25])
def test_who_is_faster_in_a_long_run_is_not_run_over(account, count):
    account.monkeypatch.setattr(digicert_order_reissue, "FRESH_SECONDS", 0.0)
    account.load(*[{"shape": "certificate_id"}] * count)
    last = account.ids[-1]
    real, asked = DigiCertClient.reissue, []

    def reissue(client, order, body):
        answer = real(client, order, body)
        if not asked:
            asked.append(real(client, last, {**body, "certificate": {**body["certificate"], "csr": account.simulator.digicert.csr("theirs", "x.example.org")}}))
        return answer

    account.monkeypatch.setattr(DigiCertClient, "reissue", reissue)
    outcome, result = account.run(concurrency=1)
    assert outcome == [("pending", True)] * (count - 1) + [("refused", False)]
    assert "another key" in result["targets"][-1]["message"] and account.effects() == [["reissue"]] * count


HOLDER = """
import sys, time
from ansible_collections.certops.remediation.plugins.module_utils.host_lock import HostLock
lock = HostLock()
print(lock.take(sys.argv[1]), flush=True)
time.sleep(60)
"""


def test_two_tasks_on_one_machine_do_not_reissue_the_same_order(account):
    account.load({}, {})
    name = f"{account.simulator.ready['url']} digicert_order_reissue  {account.ids[0]}"
    environment = {**os.environ, "TMPDIR": tempfile.gettempdir(), "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", HOLDER, name], env=environment, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline().strip() == "True"
            assert account.run(check_mode=True)[0] == [("planned", True)] * 2
            outcome, result = account.run()
            assert outcome == [("refused", False), ("not_attempted", False)] and "another task on this machine" in result["msg"]
            assert account.run(continue_on_error=True)[0] == [("refused", False), ("applied", True)]
        finally:
            other.kill()
    assert account.run()[0] == [("applied", True), ("unchanged", False)] and account.effects() == [["reissue"], ["reissue"]]
