# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A key that is on four platforms has leaked: whole runs on the simulator, good days and bad ones."""

from __future__ import annotations

import collections
import json
import pathlib

import pytest
import yaml

from ansible_collections.certops.remediation.plugins.modules import tls_endpoint_info
from ansible_collections.certops.remediation.plugins.plugin_utils import respond_proof, respond_record
from ansible_collections.certops.remediation.tests.simulator.digicert.part import OPEN
from ansible_collections.certops.remediation.tests.unit.plugin_utils.incident import ROOT, Incident, Killed
from ansible_collections.certops.remediation.tests.unit.support import run_module

# What the scenario has of the leaked key, less the one in Command that was revoked a month ago.
EFFECTS = {"reissue": 6, "renew": 3, "create": 5, "revoke": 21, "suspend": 1}


def scenario():
    """The scenario shared_key with fewer of the certificates that have nothing to do with it."""
    data = yaml.safe_load((ROOT / "tests" / "simulator" / "scenarios" / "shared_key.yml").read_text(encoding="utf-8"))
    zone = data["cloudflare"]["zones"][0]
    for entries in (data["tpp"]["certificates"], data["digicert"]["orders"], data["keyfactor"]["certificates"], zone["certificates"]):
        for entry in entries:
            if entry.get("key") != "leaked" and "from" not in entry:
                entry["count"] = 1
    return data


SCENARIO = scenario()


@pytest.fixture
def incident(simulator, tmp_path, waiting_moves_the_clock):
    simulator.reset(SCENARIO, {"clock_scale": 0})

    def deploy(certificate):
        """What an engineer's tasks do: install the new certificate wherever the old one was."""
        for endpoint in certificate["endpoints"]:
            show(simulator, endpoint["server_name"], certificate)

    def begin(deploy=deploy, folder="incident", **options):
        options = {"deploy": deploy, "endpoints": list(simulator.endpoints.state()["servers"].values()), **options}
        return Incident(simulator, tmp_path / folder, **options)

    return begin


def show(simulator, name, certificate):
    if certificate["platform"] == "tpp":
        simulator.endpoints.show(name, {"from": {"tpp": certificate["on"]["tpp"]["dn"]}})
    else:
        pem, key = (pathlib.Path(certificate[name]).read_text() for name in ("fullchain_path", "key_path"))
        simulator.endpoints.show(name, {"pem": pem, "key_pem": key})


def install_elsewhere(simulator):
    """What Command alone knows is replaced by somebody else."""
    for name in ("till-1.shop.example.com", "till-2.shop.example.com"):
        simulator.endpoints.show(name, {})


def results(record):
    return {result: count for result, count in record["results"].items() if count}


def named(record, name):
    return next(row for row in record["certificates"] if row["name"] == name)


def effects(simulator):
    """What was done to what, each with how often."""
    found = collections.Counter()
    for entry in simulator.journal:
        for target, effect in (entry["effects"] or {entry["target"]: entry["effect"]}).items():
            if effect:
                found[effect, target] += 1
    return found


def kinds(simulator):
    """Of each kind of effect, on how many targets; no target has had one twice."""
    found = effects(simulator)
    assert set(found.values()) <= {1}, [what for what, count in found.items() if count > 1]
    return dict(collections.Counter(effect for effect, dummy in found))


# -- a good day --------------------------------------------------------------------------------------------------------------------------


def test_from_the_plan_to_the_last_revocation(simulator, incident):
    incident = incident(verify=lambda certificate: None, skip_approval=True)
    plan = incident.run(check_mode=True)
    assert not [entry for entry in simulator.journal if entry["mutates"]] and not incident.folder.exists()
    assert results(plan) == {"planned": 24, "left": 1}
    install_elsewhere(simulator)
    record = incident.run(plan_digest=plan["plan_digest"], expected_changes="24")
    assert record["refusals"] == [] and record["stopped"] == ""
    # One revocation in Command needs an approval, and two certificates are TPP's alone.
    assert results(record) == {"revocation": 1, "elsewhere": 2, "done": 21, "left": 1}
    assert kinds(simulator) == EFFECTS
    assert {row["id"]: row["action"] for row in plan["certificates"]} == {row["id"]: row["action"] for row in record["certificates"]}
    assert {row["platform"]: row["revoker"] for row in record["certificates"] if row["name"].startswith("api-3")} == {"Keyfactor and TPP": "keyfactor"}
    assert {row["published"] for row in record["certificates"] if row["name"] in ("shop.example.com", "api-3.shop.example.com")} == {"revoked"}
    again = incident.run(plan_digest=plan["plan_digest"], expected_changes="24")
    assert again["counts"]["planned"] == 0 and again["refusals"] == [] and kinds(simulator) == EFFECTS
    assert results(again) == {"revocation": 1, "elsewhere": 2, "unchanged": 21, "left": 1}


def test_new_keys_are_new_and_are_on_the_disk_before_anything_is_ordered(simulator, incident):
    incident = incident()
    with pytest.raises(Killed):
        incident.run(die_before="replace")
    ledger = json.loads((incident.folder / "incident.json").read_text())
    assert len(list(incident.folder.glob("*.key"))) == 11 and len(ledger["certificates"]) == 25 and not effects(simulator)
    record = incident.run()
    new = [row["new"]["public_key_sha256"] for row in record["certificates"] if row["new"].get("public_key_sha256")]
    assert new and not set(new) & set(ledger["leaked"])


# -- bad days ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["replace", "deploy", "revoke", "verify"])
def test_killed_at_any_stage_and_run_again(simulator, incident, stage):
    incident = incident(verify=lambda certificate: None, skip_approval=True)
    approved = incident.run(check_mode=True)["plan_digest"]
    install_elsewhere(simulator)
    with pytest.raises(Killed):
        incident.run(plan_digest=approved, die_before=stage)
    if stage in ("deploy", "revoke"):
        assert not [effect for effect, dummy in effects(simulator) if effect == "revoke"]
    record = incident.run(plan_digest=approved, expected_changes="24")
    assert record["refusals"] == [] and record["stopped"] == "" and kinds(simulator) == EFFECTS
    assert results(record).keys() <= {"revocation", "elsewhere", "done", "unchanged", "left"}


@pytest.mark.parametrize("platform, held", [("digicert", 10), ("keyfactor", 0)])
def test_a_platform_is_down(simulator, incident, platform, held):
    incident = incident(verify=lambda certificate: None, skip_approval=True)
    install_elsewhere(simulator)
    refused = incident.run(down=[platform])
    assert [refusal["guard"] for refusal in refused["refusals"]] == ["continue_on_error"] and not effects(simulator)
    record = incident.run(down=[platform], continue_on_error=True)
    assert record["results"]["down"] == 1 and "connection refused" in named(record,
                                                                            {"tpp": "TPP"}.get(platform, platform.capitalize().replace("cert", "Cert")))["why"]
    # What only Command shows may have its replacement pending there.
    assert record["results"]["held"] == held
    # The others are done to the end, and the rest when it is back.
    assert record["results"]["done"] > 0
    later = incident.run()
    assert kinds(simulator) == EFFECTS and results(later).keys() <= {"revocation", "elsewhere", "done", "unchanged", "left"}


def test_half_of_the_endpoints_still_serve_the_old_certificate(simulator, incident):
    def half(certificate):
        for endpoint in certificate["endpoints"]:
            if not endpoint["server_name"].startswith(("pay", "api")):
                show(simulator, endpoint["server_name"], certificate)

    incident = incident(half, verify=lambda certificate: None, skip_approval=True)
    record = incident.run()
    unproven = {row["name"] for row in record["certificates"] if row["result"] == "unproven"}
    assert unproven == {f"{name}.shop.example.com" for name in ("api-3", "pay", "till-1", "till-2")}
    assert all("still serves the leaked key" in row["why"] for row in record["certificates"] if row["result"] == "unproven")
    told = {entry["target"].split()[0]: entry["proven"] for entry in respond_record.proofs(record)}
    assert told["pay.shop.example.com"] is False and told["shop.example.com"] is True and told["kiosk-1.shop.example.com"] is True
    revoked = {target for effect, target in effects(simulator) if effect == "revoke"}
    assert len(revoked) == EFFECTS["revoke"] - 6 and {row["result"] for row in record["certificates"] if row["name"] == "shop.example.com"} == {"done"}
    install_elsewhere(simulator)
    for row in record["certificates"]:
        if row["name"] in ("pay.shop.example.com", "api-3.shop.example.com"):
            show(simulator, row["name"], {**row["paths"], "platform": row["replacer"], "on": row["on"]})
    incident.run()
    assert kinds(simulator) == EFFECTS


def test_a_wave_fails_at_thirty_percent(simulator, incident):
    incident = incident(verify=lambda certificate: None, skip_approval=True, canary_size="0", wave_size="10", max_failed_percent="20")
    simulator.faults.add("status", match={"method": "POST", "path": "/reissue$"}, nth=2, times=2, status=403, body='{"errors":[{"code":"access_denied"}]}')
    record = incident.run()
    assert "2 of the 6 certificates" in record["stopped"] and record["results"]["failed"] == 2
    assert {effect for effect, dummy in effects(simulator)} == {"reissue"}, "nothing else is begun, and nothing is revoked"
    install_elsewhere(simulator)
    simulator.faults.clear()
    assert incident.run()["stopped"] == "" and kinds(simulator) == EFFECTS


def test_the_approval_is_refused(simulator, incident):
    incident = incident(verify=lambda certificate: None)
    other = incident.run(plan_digest="sha256:0")
    assert [refusal["guard"] for refusal in other["refusals"]] == ["plan_digest"] and not effects(simulator)
    record = incident.run()
    waiting = [row for row in record["certificates"] if row["result"] == "approval"]
    assert [row["name"] for row in waiting] == ["bank-1.shop.example.com"]
    with simulator.lock:
        order = simulator.digicert[23000001]
        simulator.digicert.lifecycle.reject(order, next(request for request in order.requests if request.status in OPEN))
    record = incident.run()
    bank = named(record, "bank-1.shop.example.com")
    assert bank["result"] == "refused" and "rejected" in bank["why"]
    assert [entry["who"] for entry in record["open"] if entry["result"] == "refused"] == ["The approver"]
    assert [target for effect, target in effects(simulator) if effect == "reissue" and "23000001" in target] == ["23000001"]


def test_an_endpoint_hangs_and_one_is_gone(simulator, incident):
    incident = incident(verify=lambda certificate: None, skip_approval=True)
    install_elsewhere(simulator)
    simulator.endpoints["www-1.shop.example.com"].behaviour = "hang"
    simulator.endpoints["bank-1.shop.example.com"].behaviour = "close"
    simulator.endpoints["till-1.shop.example.com"].behaviour = "reset"
    record = incident.run()
    assert {row["name"] for row in record["certificates"] if row["result"] == "unproven"} == {f"{name}.shop.example.com" for name in ("www-1",
                                                                                                                                      "till-1", "bank-1")}
    assert "could not be looked at" in named(record, "www-1.shop.example.com")["why"]
    assert named(record, "till-2.shop.example.com")["result"] == "done" and named(record, "shop.example.com")["result"] == "done"


def test_ocsp_says_unknown(simulator, incident):
    incident = incident(verify=lambda certificate: None, skip_approval=True, revocation_check="ocsp")
    install_elsewhere(simulator)
    simulator.endpoints.configure({"ocsp_knows": False})
    record = incident.run()
    told = {row["why"] for row in record["certificates"] if row["result"] == "unpublished"}
    assert told == {"revoked, but OCSP says unknown"} and kinds(simulator) == EFFECTS
    later = incident.run()
    assert later["counts"]["planned"] == 0 and later["results"]["unpublished"] == len(
        [row for row in record["certificates"] if row["result"] == "unpublished"]
    )
    simulator.endpoints.configure({"ocsp_knows": True})
    assert incident.run()["results"]["unpublished"] == 0


def test_a_hand_over_fails(simulator, incident):
    def deploy(certificate):
        if certificate["name"].startswith("shop"):
            raise AssertionError("Copy it to the server")
        for endpoint in certificate["endpoints"]:
            show(simulator, endpoint["server_name"], certificate)

    def verify(certificate):
        if certificate["name"].startswith("old-1"):
            raise AssertionError("Ask the client")

    record = incident(deploy, verify=verify, skip_approval=True).run()
    assert {row["name"]: row["why"] for row in record["certificates"] if row["result"] == "unverified"} == {
        "old-1.shop.example.com": "the task 'Ask the client' failed"
    }
    assert {row["name"] for row in record["certificates"] if row["result"] == "not_deployed"} == {"shop.example.com"}
    assert {row["why"] for row in record["certificates"] if row["result"] == "not_deployed"} == {"the task 'Copy it to the server' failed"}


# -- order, proof and what has none -------------------------------------------------------------------------------------------------------


def test_revoke_first_is_a_choice_that_the_plan_tells(simulator, incident):
    incident = incident(verify=lambda certificate: None, skip_approval=True, revocation_order="revoke_first", max_changes=24)
    plan = incident.run(check_mode=True)
    assert {row["steps"][0] for row in plan["certificates"] if row["revoker"] == "digicert"} == {"revoke at DigiCert at once"}
    with pytest.raises(Killed):
        incident.run(plan_digest=plan["plan_digest"], die_before="replace")
    assert {effect for effect, dummy in effects(simulator)} == {"revoke", "suspend"}
    record = incident.run(plan_digest=plan["plan_digest"])
    # Nobody has installed anything at the tills.
    assert {row["name"] for row in record["certificates"] if row["result"] == "still_served"} == {"till-1.shop.example.com", "till-2.shop.example.com"}
    assert kinds(simulator) == EFFECTS


def test_what_nothing_proves_stays_open(simulator, incident):
    record = incident(skip_approval=True).run()
    assert {row["name"][:4] for row in record["certificates"] if row["result"] == "no_endpoint"} == {"old-", "till", "vaul"}
    assert {row["client"] for row in record["certificates"] if row["result"] == "unconfirmed"} == {True}
    assert not [target for effect, target in effects(simulator) if effect == "revoke" and target.startswith("30")]


def test_without_an_endpoint_only_what_is_deployed_nowhere_is_revoked(simulator, incident):
    record = incident(skip_approval=True, without_endpoint="revoke").run()
    assert {row["result"] for row in record["certificates"] if row["name"].startswith("old-")} == {"done"}
    till = named(record, "till-3.shop.example.com")
    assert till["result"] == "no_endpoint" and "keystore.jks" in till["why"]


def test_a_client_certificate_goes_when_the_new_one_is_seen(simulator, incident):
    incident = incident(seen="none yet")
    record = incident.run()
    kiosks = [row for row in record["certificates"] if row["client"]]
    assert {row["result"] for row in kiosks} == {"unconfirmed"}
    record = incident.run(seen=" ".join(row["new"]["fingerprint_sha256"].upper() for row in kiosks[:2]))
    assert collections.Counter(row["result"] for row in record["certificates"] if row["client"]) == {"done": 2, "unconfirmed": 3}


def test_guards_are_over_all_platforms_at_once(simulator, incident):
    record = incident(verify=lambda certificate: None, max_changes="23", expected_changes="7", deny="kiosk-3\nvault").run()
    assert [refusal["guard"] for refusal in record["refusals"]] == ["deny", "max_changes", "expected_changes"] and not effects(simulator)
    assert record["refusals"][0]["message"].startswith("2 of the 24")


def test_what_a_compromised_host_serves_and_holds(simulator, incident):
    """What it served when the incident was found; later it serves what has replaced it."""
    server = simulator.endpoints["shop.example.com"]
    place = respond_proof.place({"host": server.endpoint, "server_name": server.name})
    own = {"hosts": [place], "list": "a.example.com\nb.example.com"}
    looked = run_module(tls_endpoint_info, {"endpoints": [place], "ca_path": simulator.ready["ca_path"], "attempts": 2})
    on_it, elsewhere = {"kind": "store", "machine": "127.0.0.1", "text": "x"}, {"kind": "store", "machine": "other", "text": "x"}
    inventory = {"certificates": [{"thumbprint": "AA", "locations": [elsewhere, on_it]}, {"thumbprint": "BB", "locations": [elsewhere]}]}
    served = [entry["chain"][0]["thumbprint"] for entry in looked["endpoints"]]
    assert len(served) == 2
    assert respond_record.listed(own, looked, inventory, {}) == ["a.example.com", "b.example.com", *served, "AA"]
    assert respond_record.listed(own, {}, {}, {"leaked": ["11"]}) == ["a.example.com", "b.example.com", "11"]


def test_the_leaked_key_in_a_certificate_that_nobody_knows(simulator, incident):
    simulator.endpoints.serve("rogue.example.com", certificates=[{"key": "leaked"}])
    record = incident().run(check_mode=True)
    stray = [row for row in record["certificates"] if row["result"] == "stray"]
    assert len(stray) == 1 and "rogue.example.com" in stray[0]["why"]
    assert [refusal["guard"] for refusal in record["refusals"]] == ["continue_on_error"]
