# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cloudflare_client_cert where Cloudflare shows less, or something else, than its pages say: never a second certificate, never a false word."""

from __future__ import annotations

import dataclasses
import json

import pytest

from ansible_collections.certops.remediation.plugins.module_utils.cloudflare import CloudflareClient
from ansible_collections.certops.remediation.plugins.modules import cloudflare_client_cert

from ansible_collections.certops.remediation.tests.unit.support import cloudflare_options, run_module

LIST = "/client_certificates?"


@pytest.fixture
def zone(simulator, monkeypatch, waiting_moves_the_clock):
    monkeypatch.setattr(cloudflare_client_cert, "backoff", lambda attempt: 0.01)
    monkeypatch.setattr(cloudflare_client_cert, "LIST_LAG_SECONDS", 0.05)
    monkeypatch.setattr(cloudflare_client_cert, "READ_BACK_SECONDS", 0.05)
    return Zone(simulator, monkeypatch)


class Zone:
    def __init__(self, simulator, monkeypatch):
        self.simulator, self.monkeypatch, self.cloudflare = simulator, monkeypatch, simulator.cloudflare
        self.ids = []

    def load(self, *entries):
        self.ids = self.cloudflare.load(list(entries))
        return self.ids

    def shows(self, change, listed=True):
        """Have ``change`` alter what a list (or else a certificate by itself) says."""
        real = CloudflareClient._get

        def altered(client, path, purpose):
            answer = real(client, path, purpose)
            if "/client_certificates" in path and (LIST in path) == listed:
                change(answer)
            return answer

        self.monkeypatch.setattr(CloudflareClient, "_get", altered)

    def records(self, change):
        self.shows(lambda answer: [change(item) for item in answer["result"]])

    def run(self, **options):
        return run_module(cloudflare_client_cert, {**cloudflare_options(self.simulator, rate_limits=[]), **options})

    def present(self, **options):
        return self.run(csr=self.cloudflare.csr("a", "a.example.com"), validity_days=30, **options)

    def created(self):
        return [entry for entry in self.simulator.journal if entry["method"] == "POST"]


def only(result):
    assert len(result["targets"]) == 1, result["msg"]
    return result["targets"][0]


@pytest.mark.parametrize("lose", [lambda answer: answer.update(result=answer["result"][:-1]), lambda answer: answer.update(result=None)])
@pytest.mark.parametrize("options", [{}, {"state": "revoked", "several": "all"}, {"state": "revoked", "not_found": "ignore"}])
def test_a_list_that_is_known_to_lack_something_is_no_ground_to_act_on(zone, lose, options):
    zone.load({"key": "a"}, {"key": "a"}, {"key": "b"})
    zone.shows(lose)
    call = zone.run(csr=zone.cloudflare.csr("a", "a"), **options) if options else zone.present()
    assert call["failed"] and not any(entry["mutates"] for entry in zone.simulator.journal)


@pytest.mark.parametrize("total", [0, 10, 50, "many", None, "", -1, "56"])
def test_a_total_is_not_believed_against_what_is_listed(zone, total):
    zone.load({"key": "a", "age_days": 3}, {"count": 55, "cn": "other-{n}"})
    zone.shows(lambda answer: answer["result_info"].update(total_count=total))
    result = zone.present()
    assert only(result)["outcome"] == "unchanged" and zone.created() == []


@pytest.mark.parametrize("status", [None, "", "missing"])
def test_a_status_that_the_list_leaves_out_is_read(zone, status):
    zone.load({"key": "a", "status": "revoked"}, {"key": "b"})
    zone.records(lambda item: item.pop("status") if status == "missing" else item.update(status=status))
    assert only(zone.present())["outcome"] == "applied"
    result = zone.run(certificates=[zone.ids[0], zone.cloudflare.csr("b", "b")], state="revoked")
    assert [entry["outcome"] for entry in result["targets"]] == ["unchanged", "pending"]
    assert [zone.simulator.records.effects(number) for number in zone.ids] == [[], ["revoke"]]


def test_a_reactivation_without_effect_is_not_believed(zone):
    zone.load({"status": "revoked"})
    zone.monkeypatch.setattr(CloudflareClient, "reactivate", CloudflareClient.certificate)
    assert only(zone.run(certificates=zone.ids, state="active"))["outcome"] == "unknown"


@pytest.mark.parametrize("state, before, after", [("active", "revoked", "pending_reactivation"), ("revoked", "active", "pending_revocation")])
def test_an_answer_that_tells_no_status_is_read_back(zone, state, before, after):
    zone.load({"status": before})
    real = CloudflareClient._change
    zone.monkeypatch.setattr(CloudflareClient, "_change", lambda client, *arguments: dataclasses.replace(real(client, *arguments), status=""))
    result = only(zone.run(certificates=zone.ids, state=state))
    assert (result["outcome"], result["changed"], result["after"]["status"]) == ("pending", True, after)


def test_what_the_list_leaves_out_of_a_certificate_is_written_all_the_same(zone, tmp_path):
    zone.load({"key": "a"})
    zone.records(lambda item: item.pop("certificate"))
    result = zone.present(certificate_path=str(tmp_path / "a.pem"))
    assert only(result)["outcome"] == "applied" and "BEGIN CERTIFICATE" in (tmp_path / "a.pem").read_text() and zone.created() == []
    assert only(zone.present(certificate_path=str(tmp_path / "a.pem")))["outcome"] == "unchanged"


@pytest.mark.parametrize("expires_on", [None, "", "2026-11-12 23:13:39 +0000 UTC", "never", 7])
def test_an_end_that_cannot_be_read_is_that_of_the_certificate(zone, expires_on):
    zone.load({"key": "a", "validity_days": 10, "age_days": 20})
    zone.records(lambda item: item.update(expires_on=expires_on))
    assert only(zone.present())["outcome"] == "applied" and len(zone.created()) == 1


@pytest.mark.parametrize("status", ["issuing", "initializing", "pending_deployment"])
def test_a_status_that_nobody_knows_is_no_reason_to_create(zone, status):
    zone.load({"key": "a"})
    zone.records(lambda item: item.update(status=status))
    result = only(zone.present())
    assert result["outcome"] == "refused" and status in result["message"] and zone.created() == []


@pytest.mark.parametrize("change", [lambda item: item.update(certificate=None, csr=item["csr"].replace("\r\n", "\\n")), lambda item: item.update(csr=None)])
def test_a_key_is_found_in_whatever_shows_it(zone, change):
    zone.load({"key": "a"})
    zone.records(change)
    assert only(zone.present())["outcome"] == "unchanged" and zone.created() == []


def test_a_chain_that_begins_with_the_authority(zone):
    zone.load({"key": "a"}, {"key": "b"})
    authority = zone.cloudflare[zone.ids[1]].certificate
    zone.records(lambda item: item.update(certificate=authority + item["certificate"]))
    assert only(zone.present())["outcome"] == "unchanged" and zone.created() == []


def test_a_create_that_shows_nothing_of_its_key_is_read(zone):
    real = CloudflareClient._change

    def bare(client, method, path, body, purpose):
        made = real(client, method, path, body, purpose)
        return made if method != "POST" else dataclasses.replace(made, key=None, pem="")

    zone.monkeypatch.setattr(CloudflareClient, "_change", bare)
    result = only(zone.present())
    assert result["outcome"] == "applied" and "BEGIN CERTIFICATE" in result["certificate"] and len(zone.created()) == 1


def test_a_record_that_lags_behind_a_revocation_is_no_reactivation(zone):
    zone.load({})
    zone.monkeypatch.setattr(cloudflare_client_cert, "LIST_LAG_SECONDS", 1000)
    zone.shows(lambda answer: answer["result"].update(status="active"), listed=False)
    result = only(zone.run(certificates=zone.ids, state="revoked", wait=True, wait_timeout=1))
    assert (result["outcome"], result["changed"], result["timed_out"]) == ("pending", True, True) and "still shows it as active" in result["message"]
    assert zone.simulator.records.effects(zone.ids[0]) == ["revoke"]


def test_already_deleted_after_a_lost_answer_is_our_own_doing(zone):
    zone.load({})
    zone.simulator.faults.add("drop_after", match={"method": "DELETE"})
    zone.shows(lambda answer: answer["result"].update(status="active"), listed=False)
    result = only(zone.run(certificates=zone.ids, state="revoked"))
    assert result["outcome"] == "unknown" and result["changed"] and "already deleted" in result["message"]
    assert zone.simulator.records.effects(zone.ids[0]) == ["revoke"]


@pytest.mark.parametrize("success", ["false", 0, None])
def test_any_success_but_true_with_errors_is_none(zone, success):
    body = {"success": success, "errors": [{"code": 1, "message": "no"}], "messages": [], "result": None}
    zone.simulator.faults.add("status", status=200, body=json.dumps(body), times=0, match={"method": "GET"})
    assert zone.present()["failed"] and zone.created() == []


def test_a_zone_that_has_moved_away_is_not_acted_on_by_its_name(zone):
    ready = zone.simulator.ready["cloudflare"]
    real = CloudflareClient._get

    def husk(client, path, purpose):
        answer = real(client, path, purpose)
        if path.startswith("/zones?"):
            answer["result"] = [{**item, "status": "moved"} for item in answer["result"]]
        return answer

    zone.monkeypatch.setattr(CloudflareClient, "_get", husk)
    result = zone.run(zone_id="", zone=ready["zone_name"], certificates=[], state="revoked")
    assert result["failed"] and "is moved there" in result["msg"]


def test_a_serial_number_that_looks_like_an_id_is_found(zone):
    zone.load({}, {})
    serial = "0123456789abcdef0123456789abcdef"
    zone.records(lambda item: item.update(serial_number=serial, certificate=None) if item["id"] == zone.ids[1] else None)
    result = only(zone.run(certificates=[serial], state="revoked", not_found="ignore"))
    assert result["outcome"] == "pending" and result["id"] == zone.ids[1]


@pytest.mark.parametrize("name", ["cc_01HXYZ", "a.b:c~d"])
def test_ids_of_any_form_are_taken_as_they_are_returned(zone, name):
    zone.load({"id": name.lower()})
    assert only(zone.run(certificates=[{"id": name.lower()}], state="revoked"))["outcome"] == "pending"
