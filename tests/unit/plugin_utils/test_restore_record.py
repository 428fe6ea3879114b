# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role restore_certificates says can be taken back, and what never is called restored."""

from __future__ import annotations

import pathlib

import pytest
import yaml

from ansible_collections.certops.remediation.plugins.plugin_utils import find_record, flow, reissue_list
from ansible_collections.certops.remediation.plugins.plugin_utils import restore_record as restore

ROLE = pathlib.Path(__file__).parents[3] / "roles/restore_certificates"
WORDS = yaml.safe_load((ROLE / "vars/main/words.yml").read_text())["__restore_certificates_words"]
NOW = "2026-11-30T12:00:00Z"
GIVEN = dict.fromkeys(("list", "list_path", "files", "from_record", "platforms", "zones", "tpp_folder", "keyfactor_query", "fail_if_unreachable"), "")


def own(**given):
    return restore.options({**GIVEN, **given})


def certificate(serial="0A", **on):
    return {
        "name": f"c{serial}", "common_name": f"c{serial}", "serial": serial, "thumbprint": "A" * 40, "fingerprint_sha256": None, "issuer": "CN=I",
        "not_after": "2027-01-01", "on": on,
    }


def command(state="on_hold", number=1, expired=False, **revocation):
    told = {"date": "2026-11-01T00:00:00Z", "reason_name": "superseded", **revocation}
    revoked = None if state == "active" else told
    return {"id": number, "thumbprint": "A" * 40, "common_name": "c", "state_name": state, "expired": expired, "revocation": revoked}


def client(status="revoked", number="u1", expired=False, zone="z1"):
    return {"id": number, "zone_id": zone, "common_name": "c", "status": status, "expired": expired}


def order(status="revoked", *, of_order="issued", pending=(), serial="0A", number=7):
    held = {"serial": serial, "status": status, "thumbprint": None}
    return {"order_id": number, "status": of_order, "certificate": held, "reissues": [], "duplicates": [], "pending": list(pending)}


def thing(revocation=None):
    return {"guid": "{1}", "dn": "\\VED\\Policy\\a", "revocation": revocation}


def chosen(*certificates, orders=(), objects=(), **more):
    found = {"certificates": list(certificates), "not_found": [], "unreadable": [], "platforms": {}, **more}
    return restore.chosen(found, {"orders": list(orders)} if orders is not None else {"msg": "down"}, {"certificates": list(objects)})


def decided(*arguments, **more):
    return [(decision["operation"] or decision["result"]) for decision in chosen(*arguments, **more)["decisions"]]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (command(), "release"),
        (command(expired=True), "left"),
        (command("revoked"), "irreversible"),
        (command("active"), "valid"),
        (command("denied"), "left"),
    ],
)
def test_command_takes_back_a_hold_and_nothing_else(row, expected):
    assert decided(certificate(keyfactor=row)) == [expected]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (client(), "reactivate z1"), (client("pending_revocation"), "reactivate z1"), (client(expired=True), "left"), (client("active"), "valid"),
        (client("pending_reactivation"), "pending"),
    ],
)
def test_cloudflare_takes_back_what_has_not_expired(row, expected):
    assert decided(certificate(cloudflare=row)) == [expected]


REQUEST = {"type": "revoke", "request_id": 5}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (order("revoked"), "irreversible"),
        (order("issued"), "valid"),
        (order("issued", pending=[REQUEST]), "request"),
        (order("issued", of_order="revoked"), "irreversible"),
        (order("revoked", pending=[REQUEST]), "irreversible"),
        (order("issued", serial="0B"), "unread"),
        (order("expired"), "left"),
    ],
)
def test_certcentral_takes_nothing_back(seen, expected):
    assert decided(certificate(digicert={"order_id": 7}), orders=[seen]) == [expected]


def test_tpp_is_never_called_restored():
    found = certificate(tpp={"guid": "{1}", "dn": "\\VED\\Policy\\a"})
    assert decided(found, objects=[thing("Revoked")]) == ["object_only"] and decided(found, objects=[thing()]) == ["valid"]
    assert "the authority still has it revoked" in chosen(found, objects=[thing("Revoked")])["decisions"][0]["why"]


def test_what_cannot_be_read_is_not_taken_for_valid():
    assert decided(certificate(digicert={"order_id": 7}, tpp={"guid": "{1}", "dn": "x"})) == ["unread", "unread"]


def test_each_zone_is_an_operation():
    selected = chosen(certificate(cloudflare=client()), certificate("0B", cloudflare=client(number="u2", zone="z2")), certificate("0C", keyfactor=command()))
    assert [(operation["name"], len(operation["targets"])) for operation in selected["operations"]] == [
        ("release", 1), ("reactivate z1", 1), ("reactivate z2", 1),
    ]


def plan(outcome="planned", action="release", **more):
    return {
        "targets": [{"outcome": outcome, "action": action, "message": f"would {action}", **more}], "plan_digest": "sha256:1", "url": "https://k",
        "summary": {outcome: 1},
    }


def record(selected, plans, done=None, again=None, **options):
    names = yaml.safe_load((ROLE.parent / "flow/vars/main.yml").read_text())["__flow_names"]
    nothing = {"outcomes": {}, "messages": {}, "kept": {}, "waves": [], "stopped": ""}
    run = {"started": NOW, "ended": NOW}
    settings = flow.options({**dict.fromkeys(names, ""), **options}, restore.ROLE)
    return restore.record(selected, plans, done or nothing, again or {}, options=settings, own=own(list="x"), run=run, words=WORDS, check_mode=not done)


def acted(outcome, member="keyfactor:1", **kept):
    wave = {"name": "x", "size": 1, "fine": 1, "pending": 0, "bad": 0, "changed": 1}
    return {"outcomes": {member: outcome}, "messages": {}, "kept": {member: kept}, "waves": [wave], "stopped": ""}


@pytest.mark.parametrize(
    ("outcome", "kept", "after", "expected"),
    [
        ("applied", {}, command("active"), "restored"),
        ("unknown", {}, command("active"), "restored"),
        ("applied", {}, command(), "pending"),
        ("pending", {"pending_approval": True}, command(), "approval"),
        ("failed", {}, command(), "failed"),
        ("unknown", {}, command(), "unknown"),
        ("applied", {}, None, "unread"),
        ("", {}, None, "not_attempted"),
        ("not_attempted", {}, command(), "not_attempted"),
    ],
)
def test_restored_is_what_the_platform_shows(outcome, kept, after, expected):
    selected = chosen(certificate(keyfactor=command()))
    again = {"release": {"certificates": [after] if after else []}}
    assert record(selected, {"release": plan()}, acted(outcome, **kept), again)["certificates"][0]["result"] == expected


@pytest.mark.parametrize(("status", "expected"), [("active", "restored"), ("pending_reactivation", "pending"), ("revoked", "pending")])
def test_a_reactivation_under_way_is_not_done(status, expected):
    selected = chosen(certificate(cloudflare=client()))
    again = {"reactivate z1": {"certificates": [client(status)]}}
    made = record(selected, {"reactivate z1": plan(action="reactivate")}, acted("applied", "cloudflare:u1"), again)
    assert made["certificates"][0]["result"] == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [({"outcome": "refused"}, "refused"), ({"outcome": "pending", "pending_approval": True}, "approval"), ({"outcome": "unchanged"}, "left")],
)
def test_what_the_module_does_not_plan_is_told_in_its_words(target, expected):
    row = record(chosen(certificate(keyfactor=command())), {"release": plan(**target)})["certificates"][0]
    assert (row["result"], row["why"], row["planned"]) == (expected, "would release", False)


def test_what_is_revoked_elsewhere_is_said_beside_what_was_restored():
    both = certificate(keyfactor=command(), digicert={"order_id": 7})
    selected = chosen(both, orders=[order("revoked")])
    made = record(selected, {"release": plan()}, acted("applied"), {"release": {"certificates": [command("active")]}})
    rows = {row["platform"]: row for row in made["certificates"]}
    assert rows["keyfactor"]["result"] == "restored" and rows["keyfactor"]["note"] == "revoked for good by DigiCert CertCentral"
    assert made["tone"] == "bad" and not rows["digicert"]["note"]


def test_what_cannot_be_restored_has_its_next_command():
    selected = chosen(
        certificate("0A", digicert={"order_id": 7}),
        certificate("0B", digicert={"order_id": 8}),
        certificate("0C", keyfactor=command("revoked", 3)),
        certificate("0A", keyfactor=command("revoked", 4)),
        certificate("0D", tpp={"guid": "{1}", "dn": "\\VED\\Policy\\a"}),
        orders=[order("revoked"), order("revoked", serial="0B", number=8, of_order="revoked")],
        objects=[thing("Revoked")],
    )
    found = record(selected, {})["replace"]
    assert found == {
        "reissue": [{"order_id": 7, "serial": "0A", "name": "c0A"}],
        "renew": ["\\VED\\Policy\\a"],
        "enroll": ["c0B (DigiCert CertCentral 8)", "c0C (Keyfactor Command 3)"],
    }
    listed = reissue_list.read_list(restore.reissue_list(found))
    assert listed["unreadable"] == [] and [(entry["value"].lstrip("0"), entry["order_id"]) for entry in listed["entries"]] == [("A", 7)]


def test_guards_see_what_is_missing_and_platforms_that_are_down():
    selected = chosen(
        certificate(keyfactor=command()),
        not_found=[{"target": "nobody", "why": "nowhere"}],
        platforms={"tpp": {"error": "connection refused"}, "keyfactor": {"error": ""}},
    )
    made = record(selected, {"release": plan()}, max_changes="0", deny="^c0A$")
    assert [refusal["guard"] for refusal in made["refusals"]] == ["deny", "max_changes", "continue_on_error"]
    assert (made["results"]["missing"], made["results"]["unreachable"]) == (1, 1)


ROW = {"planned": True, "result": "on_hold", "thumbprint": "A" * 40, "serial": "0A", "common_name": "c", "hold": True}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (ROW, [{"thumbprint": "A" * 40, "common name": "c"}]),
        ({**ROW, "thumbprint": "", "fingerprint_sha256": "b" * 64}, [{"fingerprint": "b" * 64, "common name": "c"}]),
        ({**ROW, "planned": False, "hold": False, "ours": True}, [{"thumbprint": "A" * 40, "common name": "c"}]),
    ],
)
def test_a_record_names_what_its_run_has_done(row, expected):
    untouched = [{**ROW, "hold": False, "result": result} for result in restore.UNTOUCHED] + [{**ROW, "planned": False, "hold": False}]
    made = restore.recorded({"format": flow.FORMAT, "certificates": [row, *untouched]})
    assert made == expected
    read = find_record.read_entries({"list": made, "list_path": "", "files": [], "complaints": [], "share_key": False}, [])
    assert len(read["entries"]) == 1 and not read["unreadable"]


@pytest.mark.parametrize("wrong", [{}, [], "x", {"format": "other"}, {"format": flow.FORMAT, "certificates": []}])
def test_what_is_no_record_is_refused(wrong):
    with pytest.raises(ValueError, match="restore_certificates_from_record"):
        restore.recorded(wrong)


@pytest.mark.parametrize(
    ("given", "said"),
    [({}, "Nothing says what was revoked by mistake"), ({"from_record": "r.json", "list": "x"}, "cannot be combined with restore_certificates_list")],
)
def test_options_that_cannot_work_are_named(given, said):
    assert said in " ".join(own(**given)["complaints"])
