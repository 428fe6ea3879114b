# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One leaked key on four platforms: found, replaced, proven on the endpoints, and only then revoked."""

from __future__ import annotations

import json
import smtplib
import ssl
import time
from collections import Counter
from typing import Any

from cryptography import x509
from stage import DIRECTORY, Stage, changed, keep, say

FLOW = "respond_to_key_compromise"
CLOCK_SCALE = 1
# Certificates with the leaked key by platform; one of TPP's is known to Command too, and one in Command has been revoked before.
HOLD = {"Venafi TPP": 3, "Keyfactor Command": 12, "DigiCert": 6, "Cloudflare": 5}
BOTH, REVOKED_BEFORE = 1, 1
FOUND = sum(HOLD.values()) - BOTH
ENDPOINTS = 8
# The servers that the deploy hook does not reach tonight: half of them.
ASLEEP = ["mail-2.shop.example.com", "api-3.shop.example.com", "pay.shop.example.com", "till-2.shop.example.com"]
# What a team puts on its tills by hand, because nothing manages these certificates.
TILLS = ["till-1.shop.example.com", "till-2.shop.example.com"]
REPLACED = {"renew": 3, "reissue": 6, "create": 5}
# Of Command's: less the one that was revoked before, one that needs an approval, and one that is deployed and replaced by nobody.
REVOKED = HOLD["DigiCert"] + HOLD["Cloudflare"] + HOLD["Keyfactor Command"] - REVOKED_BEFORE - 2
# What a team's own tasks do on its servers is done on the simulator's here. One that is asleep does not answer.
INSTALL = """\
---
- name: Install the new certificate where the old one is
  ansible.builtin.uri:
    url: "{{ incident_control_url if reached else 'https://127.0.0.1:1/' }}endpoints/replace"
    ca_path: "{{ incident_ca_path }}"
    method: POST
    body_format: json
    body: {serial: "{{ certificate.old_serial }}", certificate: "{{ from_tpp if certificate.platform == 'tpp' else from_files }}"}
  vars:
    certificate: "{{ respond_to_key_compromise_certificate }}"
    reached: "{{ incident_awake is file or not (certificate.names | intersect(incident_asleep)) }}"
    from_tpp: {from: {tpp: "{{ certificate.on.tpp.dn | default('') }}"}}
    from_files:
      pem: "{{ lookup('ansible.builtin.file', certificate.fullchain_path, rstrip=false) }}"
      key_pem: "{{ lookup('ansible.builtin.file', certificate.key_path, rstrip=false) }}"
  # The devices fetch theirs.
  when: certificate.platform != 'cloudflare'
"""


def show(stage: Stage) -> None:
    begun = time.monotonic()
    say(
        "A leaked key, four platforms",
        "At 3 a.m. a private key is found on the internet. One certificate that it belongs to is known. Simulated: a Venafi TPP, a Keyfactor",
        "Command, a DigiCert account and a Cloudflare zone with 130 certificates, and TLS servers with OCSP and CRLs. All credentials are exported.",
    )
    stage.begin("shared_key", CLOCK_SCALE)
    _prepare(stage)

    say(
        "1 of 4: the plan",
        "What shares the key, anywhere? Who would replace it, what serves it now, what would be revoked? With --check nothing is written and no key",
        "is made. The plan gets a digest to be approved.",
    )
    stage.play(*_flow("incident-plan"), "--check")
    plan = _report("incident-plan")
    stage.expect(plan["counts"]["selected"] == FOUND, f"{FOUND} certificates share the key")
    stage.expect(not any(entry["mutates"] for entry in _calls(stage)), "check mode sends no changing request")

    say(
        "2 of 4: the run, and half of the servers do not follow",
        "New keys, then reissues, renewals and new client certificates, a canary first; a deploy hook of ours; then the endpoints are looked at.",
        f"{len(ASLEEP)} of {ENDPOINTS} still serve the leaked key. What they serve is not revoked; what is proven is. The job ends red, and says why.",
    )
    _install_by_hand(stage, TILLS[0])
    run = [f"{FLOW}_plan_digest={plan['plan_digest']}", f"{FLOW}_journal_path=incident-journal.jsonl"]
    stage.play(*_flow("incident-first", *run), status=2)
    first = _report("incident-first")
    effects = _effects(stage)
    kinds = Counter(kind for kind, dummy in effects)
    stage.expect({kind: kinds[kind] for kind in REPLACED} == REPLACED, "each is replaced once, where it is managed")
    stage.expect(0 < kinds["revoke"] < REVOKED, "only a part is revoked")
    lagging = _serials_served(stage) & _revoked(stage)
    stage.expect(not lagging, "nothing is revoked that an endpoint still serves")

    say(
        "3 of 4: the others have followed",
        "The servers are reached again, the shop has a new certificate on its till, Command's approver has approved, and the new client",
        "certificates have been seen in use. The same command once more: it asks for nothing twice and revokes what is proven now.",
    )
    (DIRECTORY / "incident-awake").touch()
    _install_by_hand(stage, TILLS[1])
    _see_new_clients(stage)
    stage.control("keyfactor/approve", {"id": 400001})
    stage.play(*_flow("incident", *run))
    effects = _effects(stage)
    kinds = Counter(kind for kind, dummy in effects)
    wanted = {**REPLACED, "revoke": REVOKED + 1, "suspend": 1}
    stage.expect({kind: kinds[kind] for kind in wanted} == wanted, f"all are revoked that can be, the approved one among them; there were {dict(kinds)}")
    repeated = [effect for effect, times in Counter(effects).items() if times > 1]
    stage.expect(not repeated, f"no target sees the same effect twice; there were {repeated}")
    stage.expect(not _serials_served(stage) & _revoked(stage), "nothing is revoked that an endpoint still serves")
    report = _report("incident")

    say("4 of 4: proof, and the second run", "What OCSP and CRL tell everybody of the certificate that was found; then the same command again: changed=0.")
    question = json.dumps({"revoked_certificates": ["incident-leaked.pem"], "revocation": "any", "allow_loopback": True, "ca_path": stage.ready["ca_path"]})
    told = stage.play("ansible", "localhost", "-m", "certops.remediation.tls_endpoint_info", "-a", question)
    stage.expect("status: revoked" in told, "OCSP or CRL says that it is revoked")
    again = stage.play(*_flow("incident-again", *run))
    stage.expect(changed(again) == 0 and _effects(stage) == effects, "the second run changes nothing")
    stage.play("ansible-playbook", "certops.remediation.verify_journal", "-e", "verify_journal_path=incident-journal.jsonl")
    calls = _calls(stage)
    say("What you have seen", "Counted in the simulator's journal and on its servers, not taken from the playbook's word:")
    for label, value in (
        ("certificates with the leaked key, on four platforms", FOUND),
        ("replaced with new keys, once each", sum(REPLACED.values())),
        ("revoked after the first run, when half of the servers lagged", first["results"].get("done", 0)),
        ("revoked in the end, once each", kinds["revoke"]),
        ("revoked while an endpoint served it", 0),
        ("still open, with whose turn it is", sum(group["count"] for group in report["open"])),
        ("requests sent to the platforms by all of the above", sum(bool(entry["method"]) for entry in calls)),
        ("of these, changing ones", sum(bool(entry["mutates"]) for entry in calls)),
        ("seconds", round(time.monotonic() - begun)),
    ):
        print(f"{value:8,}  {label}")
    keep("incident.html", "incident.md", "incident.json", "incident-plan.html", "incident-journal.jsonl")


def _prepare(stage: Stage) -> None:
    """The files that somebody on call has: the certificate that was found, the endpoints, the tasks that deploy."""
    leak = stage.ready["leaks"]["leaked"]
    (DIRECTORY / "incident-leaked.pem").write_text(leak["certificate"], encoding="ascii")
    (DIRECTORY / "incident-install.yml").write_text(INSTALL, encoding="utf-8")
    (DIRECTORY / "incident-seen.txt").write_text("", encoding="utf-8")
    options = {
        "files": ["incident-leaked.pem"], "folder": "incident", "key_type": "ecdsa-p256", "skip_approval": True, "continue_on_error": True,
        "endpoints": list(stage.ready["endpoints"]["servers"].values()), "derive_endpoints": False, "search_hosts": False, "attempts": 4,
        "prove_timeout": 0, "published_timeout": 10, "wait_interval": 1, "allow_loopback": True, "without_endpoint": "revoke",
        "deploy_tasks": "incident-install.yml", "seen_path": "incident-seen.txt", "reference": "INC-4711", "report_formats": "html,markdown,json",
    }
    settings = {
        **{f"{FLOW}_{name}": value for name, value in options.items()},
        "incident_asleep": ASLEEP, "incident_awake": str(DIRECTORY / "incident-awake"),
        "incident_control_url": stage.ready["control_url"], "incident_ca_path": stage.ready["ca_path"],
    }
    (DIRECTORY / "incident.yml").write_text(json.dumps(settings, indent=2), encoding="utf-8")


def _flow(report: str, *options: str) -> list[str]:
    values = ["@incident.yml", *options, f"{FLOW}_report_path={report}"]
    return ["ansible-playbook", f"certops.remediation.{FLOW}", *(word for value in values for word in ("-e", value))]


def _report(name: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((DIRECTORY / f"{name}.json").read_text(encoding="utf-8"))
    return report


def _install_by_hand(stage: Stage, name: str) -> None:
    """A team gives its server a certificate of its own making."""
    stage.control("endpoints/show", {"name": name, "certificates": [{}]})


def _see_new_clients(stage: Stage) -> None:
    """The gateway's log shows the client certificates that devices use by now."""
    token = {"Authorization": f"Bearer {stage.ready['cloudflare']['api_token']}"}
    zone = stage.ready["cloudflare"]["zone_id"]
    listed = stage.get(f"/client/v4/zones/{zone}/client_certificates?per_page=50&status=active", token)["result"]
    (DIRECTORY / "incident-seen.txt").write_text("\n".join(item["fingerprint_sha256"] for item in listed), encoding="utf-8")


def _calls(stage: Stage) -> list[dict[str, Any]]:
    """The requests to the platforms; what they publish is looked at by everybody."""
    return [entry for entry in stage.control("journal") if entry["vendor"] not in ("", "endpoints")]


def _effects(stage: Stage) -> list[tuple[str, str]]:
    """What really happened, as pairs of effect and target."""
    found = []
    for entry in _calls(stage):
        pairs = entry["effects"] or {entry["target"]: entry["effect"]}
        # A grant is the login of an OAuth client.
        found += [("renew" if "restart" in effect else effect, target) for target, effect in pairs.items() if effect not in ("", "grant")]
    return found


def _serials_served(stage: Stage) -> set[int]:
    """What the servers show by now, two handshakes each, because some stand behind one address."""
    found = set()
    context = ssl.create_default_context(cafile=stage.ready["ca_path"])
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for server in stage.ready["endpoints"]["servers"].values():
        host, dummy, port = server["host"].rpartition(":")
        for dummy_turn in range(2):
            if server["starttls"] == "smtp":
                mail = smtplib.SMTP(host, int(port), local_hostname="localhost", timeout=10)
                mail.starttls(context=context)
                found.add(_serial(mail.sock))
                # The server speaks no SMTP beyond this, so there is no farewell.
                mail.close()
            else:
                found.add(x509.load_pem_x509_certificate(ssl.get_server_certificate((host, int(port))).encode()).serial_number)
    return found


def _serial(connection: Any) -> int:
    return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True)).serial_number


def _revoked(stage: Stage) -> set[int]:
    """The serial numbers that the authorities publish as revoked."""
    return {int(serial, 16) for serial in stage.control("state")["endpoints"]["revoked"]}
