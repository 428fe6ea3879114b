# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role respond_to_key_compromise without Ansible: the same modules and filters in the same order, in this process, against the simulator.

That the role's tasks do the same is shown by tests/system/test_respond.py.
"""

from __future__ import annotations

import json
import pathlib
import re
import typing as t

import yaml
from cryptography import x509

from ansible_collections.certops.remediation.plugins.modules import (
    certificate_request,
    cloudflare_client_cert,
    cloudflare_client_cert_info,
    digicert_certificate_revoke,
    digicert_order_info,
    digicert_order_reissue,
    keyfactor_certificate_info,
    keyfactor_certificate_revoke,
    tls_endpoint_info,
    tpp_certificate_info,
    tpp_certificate_reset,
)
from ansible_collections.certops.remediation.plugins.plugin_utils import flow, respond_record
from ansible_collections.certops.remediation.tests.unit.support import (
    FLOW_OPTIONS,
    cloudflare_options,
    digicert_options,
    keyfactor_options,
    run_module,
    tpp_options,
)

ROLE = respond_record.ROLE
ROOT = pathlib.Path(__file__).parents[3]
TASKS = yaml.safe_load((ROOT / "roles" / ROLE / "vars" / "main" / "options.yml").read_text(encoding="utf-8"))
WORDS = yaml.safe_load((ROOT / "roles" / ROLE / "vars" / "main" / "words.yml").read_text(encoding="utf-8"))[f"__{ROLE}_words"]
DEFAULTS = yaml.safe_load((ROOT / "roles" / ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
STAND_IN = TASKS[f"__{ROLE}_stand_in"]
# The names of the role's own options, as its tasks hand them to the filter.
OWN = re.findall(rf"'(\w+)': {ROLE}_", TASKS[f"__{ROLE}_own"])
CONNECTIONS = {"digicert": digicert_options, "tpp": tpp_options, "keyfactor": keyfactor_options, "cloudflare": cloudflare_options}
MODULES = {
    ("replace", "digicert"): digicert_order_reissue,
    ("replace", "tpp"): tpp_certificate_reset,
    ("replace", "cloudflare"): cloudflare_client_cert,
    ("revoke", "digicert"): digicert_certificate_revoke,
    ("revoke", "keyfactor"): keyfactor_certificate_revoke,
    ("revoke", "cloudflare"): cloudflare_client_cert,
}
TARGETS = {
    ("replace", "digicert"): "orders",
    ("replace", "cloudflare"): "requests",
}


class Killed(Exception):
    """The controller has died."""


class Incident:
    """One engineer's runs of the role with one folder.

    :param deploy: called with what the tasks of a user are given; raises AssertionError where they would fail.
    :param verify: likewise.
    :param options: of the role, without its prefix.
    """

    def __init__(
        self,
        simulator: t.Any,
        folder: pathlib.Path,
        deploy: t.Callable[[t.Mapping[str, t.Any]], None] | None = None,
        verify: t.Callable[[t.Mapping[str, t.Any]], None] | None = None,
        **options: t.Any,
    ) -> None:
        self.simulator = simulator
        self.folder = folder
        self.deploy = deploy
        self.verify = verify
        self.options = options
        self.die_before = ""
        # What the endpoints served, by the serial number of the certificate, when the incident was found.
        self.served = {f"{serial_of(item.pem):X}": server for server in simulator.endpoints.servers.values() for item in server.material}

    # -- the tasks -----------------------------------------------------------------------------------------------------------------

    def run(self, check_mode: bool = False, die_before: str = "", **options: t.Any) -> dict[str, t.Any]:
        """The record of a run; ``die_before`` is the stage before which it is killed."""
        given = {**self.options, **options}
        hooks = {"deploy_tasks": "/deploy.yml" if self.deploy else "", "verify_tasks": "/verify.yml" if self.verify else ""}
        own = {name: DEFAULTS[f"{ROLE}_{name}"] for name in OWN}
        own.update(folder=str(self.folder), list=[leaked_key(self.simulator)], derive_endpoints=False, prove_timeout=0, key_type="ecdsa-p256", **hooks)
        self.own = respond_record.options({**own, **{name: value for name, value in given.items() if name in OWN}})
        assert self.own["complaints"] == []
        shared = {name: value for name, value in given.items() if name in FLOW_OPTIONS}
        self.flow = flow.options({**FLOW_OPTIONS, "max_changes": 100, "wait_interval": 1, "wait_timeout": 60, **shared}, ROLE)
        assert self.flow["complaints"] == []
        self.check_mode, self.acted, self.die_before = check_mode, False, die_before
        self.done: dict[str, t.Any] = {"outcomes": {}, "messages": {}, "kept": {}, "waves": [], "stopped": "", "told": "none done yet"}
        ledger = self.folder / "incident.json"
        self.ledger = json.loads(ledger.read_text()) if ledger.exists() else {}
        self._plan(given.get("down", ()))
        record = self.described()
        if not check_mode and not record["refusals"] and record["counts"]["planned"]:
            self._act(record)
        if not check_mode and not record["refusals"]:
            self._stage("verify", self._verify)
        return self.described()

    def described(self) -> dict[str, t.Any]:
        run = {"started": "2026-11-29T21:00:00Z", "ended": "2026-11-29T21:05:00Z", "by": "Robin", "job": ""}
        return respond_record.record(
            self.known, self.done, acted=self.acted, options=self.flow, own=self.own, run=run, words=WORDS, what="done", check_mode=self.check_mode
        )

    def _plan(self, down: t.Collection[str]) -> None:
        found = find(self.simulator, down)
        self.known = respond_record.begin(found, self.ledger, self.own, [])
        keys = self._keys(respond_record.requests(self.known, self.own), check_mode=True)
        self.known = respond_record.with_units(self.known, keys, self.own, STAND_IN)
        for question in respond_record.questions(self.known):
            self.known = respond_record.planned(self.known, question["phase"], question["platform"], self._module(question, True))
        places: dict[str, t.Any] = {}
        if respond_record.numbers(self.known):
            places = self._ask(keyfactor_certificate_info, "keyfactor", certificates=respond_record.numbers(self.known), locations=True)
        asked = respond_record.endpoints(self.known, self.own, places, self.done)
        self.known = respond_record.seen(self.known, places, self._look(endpoints=asked, pem=True) if asked else {})

    def _act(self, plan: t.Mapping[str, t.Any]) -> None:
        self.acted = True
        self._dies("keys")
        made = self._keys(respond_record.requests(self.known, self.own, plan))
        assert not made["failed"], made["msg"]
        self.known = respond_record.with_units(self.known, made, self.own, STAND_IN)
        self._keep()
        if self.own["revocation_order"] == "revoke_first":
            self._waves("revoke")
        self._waves("replace")
        self._stage("deploy", self._deploy)
        self._stage("prove", self._prove)
        if self.own["revocation_order"] != "revoke_first":
            self._waves("revoke")
        self._keep()

    def _stage(self, name: str, work: t.Callable[[], None]) -> None:
        self._dies(name)
        if not self.done["stopped"]:
            work()

    def _dies(self, stage: str) -> None:
        if self.die_before == stage:
            raise Killed(stage)

    def _waves(self, phase: str) -> None:
        self._stage(phase, lambda: self._go_through(phase))

    def _go_through(self, phase: str) -> None:
        for wave in respond_record.waves(self.described(), self.known, self.flow, phase):
            if self.done["stopped"]:
                break
            if phase == "revoke" and self.own["revocation_order"] == "prove_first":
                self.nothing_is_in_use(wave)
            answer = self._module(wave, False)
            targets = [{**target, "timed_out": False} for target in answer["targets"]]
            ended = flow.Wave(ROLE, wave["name"], wave["members"], wave["limit"], wave["is_canary"], {**answer, "targets": targets})
            keep = ("message", "after", "thumbprint", "id", "serial_number", "fingerprint_sha256", "public_key_sha256", "expires_on", "dcv_random_value")
            self.done = flow.progress(self.done, ended, total=100, ended="2026-11-29T21:05:00Z", keep=keep)
        self._keep()

    def nothing_is_in_use(self, wave: t.Mapping[str, t.Any]) -> None:
        """Seen by the servers themselves: no certificate that is about to be revoked is on any of those that had it."""
        rows = {f"revoke {row['id']}": row for row in self.described()["certificates"]}
        for member in wave["members"]:
            server = self.served.get(rows[member]["serial"].lstrip("0"))
            if server:
                shown = [f"{serial_of(item.pem):X}" for item in server.material]
                assert rows[member]["serial"].lstrip("0") not in shown, f"{member} would be revoked and is in use on {server.name}"

    def _deploy(self) -> None:
        for row in respond_record.first_of_units([row for row in self.described()["certificates"] if row["to_deliver"]]):
            self._hook(self.deploy, "delivered", row["unit"], row)
        self._keep()

    def _prove(self) -> None:
        asked = respond_record.endpoints(self.known, self.own, {}, self.done)
        if asked:
            self.known = {**self.known, "proof": self._look(endpoints=asked, unwanted=respond_record.unwanted(self.known))}
        for row in [row for row in self.described()["certificates"] if row["to_verify"]]:
            self._hook(self.verify, "verified", row["id"], row)

    def _hook(self, hook: t.Any, phase: str, key: str, row: t.Mapping[str, t.Any]) -> None:
        try:
            hook(respond_record.handed(row))
        except AssertionError as error:
            phase, value = "failed", str(error)
        else:
            value = "2026-11-29T21:03:00Z"
        self.known = respond_record.noted(self.known, phase, key, value)

    def _verify(self) -> None:
        old = respond_record.published(self.described(), self.ledger)
        if old and self.own["revocation_check"] != "none":
            self.known = {**self.known, "published": self._look(revoked_certificates=old, revocation=self.own["revocation_check"])}

    # -- modules -------------------------------------------------------------------------------------------------------------------

    def _ask(self, module: t.Any, platform: str, check_mode: bool = False, **options: t.Any) -> dict[str, t.Any]:
        return run_module(module, {**CONNECTIONS[platform](self.simulator), "retry_timeout": 30, **options}, check_mode=check_mode)

    def _module(self, wave: t.Mapping[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
        phase, platform = wave["phase"], wave["platform"]
        approving = {"skip_approval": self.own["skip_approval"], "approve": self.own["approve"]}
        leaked = self.known["chosen"]["leaked"]
        first = self.own["revocation_order"] == "revoke_first"
        options = {
            ("replace", "digicert"): {"retired_keys": leaked, "check_client_auth": False, "wait": True, **approving},
            ("replace", "tpp"): {"restart": True, "renew": True, "revoked": "reset", "wait": True},
            ("replace", "cloudflare"): {"state": "present", "retired_keys": leaked, "wait": True},
            ("revoke", "digicert"): {"reason": self.own["reason"], "current": "allow" if check_mode or first else "refuse", "wait": True, **approving},
            ("revoke", "keyfactor"): {"reason": self.own["reason"], "deployed": "ignore", "wait": True},
            ("revoke", "cloudflare"): {"state": "revoked"},
        }[phase, platform]
        number = self.flow["number"]
        more = {} if check_mode else {"stop_after_failures": wave["stop_after_failures"]}
        times = {"wait_timeout": int(number["wait_timeout"]), "wait_interval": int(number["wait_interval"])}
        targets = {TARGETS.get((phase, platform), "certificates"): wave["targets"], "max_changes": wave["size"]}
        return self._ask(MODULES[phase, platform], platform, check_mode, continue_on_error=True, **targets, **options, **more, **times)

    def _keys(self, requests: t.Sequence[t.Any], check_mode: bool = False) -> dict[str, t.Any]:
        options = {"create_folder": True, "key_type": self.own["key_type"], "retired_keys": self.known["chosen"]["leaked"], "requests": requests}
        return run_module(certificate_request, options, check_mode=check_mode)

    def _look(self, **options: t.Any) -> dict[str, t.Any]:
        common = {"ca_path": self.simulator.ready["ca_path"], "timeout": 1, "allow_loopback": True, "attempts": 2}
        return run_module(tls_endpoint_info, {**common, **options})

    def _keep(self) -> None:
        self.ledger = respond_record.ledger_of(self.ledger, self.described(), self.known, "2026-11-29T21:04:00Z")
        self.folder.mkdir(exist_ok=True)
        (self.folder / "incident.json").write_text(json.dumps(self.ledger))


# -- what the simulator has ----------------------------------------------------------------------------------------------------------------


def serial_of(pem: str) -> int:
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def leaked_key(simulator: t.Any) -> str:
    return str(simulator.leaks.dump()["leaked"]["public_key_sha256"])


def find(simulator: t.Any, down: t.Collection[str] = ()) -> dict[str, t.Any]:
    """What find_certificates leaves of the leaked key; ``down`` are platforms that do not answer."""
    key = leaked_key(simulator)

    def ask(module: t.Any, platform: str, **options: t.Any) -> dict[str, t.Any]:
        return {} if platform in down else run_module(module, {**CONNECTIONS[platform](simulator), "retry_timeout": 30, **options})

    orders = ask(digicert_order_info, "digicert", details=True).get("orders", ())
    command = ask(keyfactor_certificate_info, "keyfactor", public_key_sha256=[key], locations=True).get("certificates", ())
    clients = ask(cloudflare_client_cert_info, "cloudflare", public_keys=[key]).get("certificates", ())
    objects = ask(tpp_certificate_info, "tpp", folder="\\VED\\Policy\\Certificates\\Shop").get("certificates", ())
    shown = {} if "tpp" in down else {item.dn: item for item in simulator.tpp.store}
    rows: dict[str, dict[str, t.Any]] = {}

    def add(platform: str, row: t.Any, serial: str, **more: t.Any) -> None:
        number = serial.upper().lstrip("0")
        certificate = rows.setdefault(number,
                                      {"name": row["common_name"], "common_name": row["common_name"], "serial": number, "on": {}, "matched": [], **more})
        certificate["on"][platform] = row
        certificate["matched"].append({"target": key, "as": "public_key"})
        for name, value in more.items():
            certificate[name] = certificate.get(name) or value

    for order in orders:
        for item in (order["certificate"], *(order["reissues"] or ())):
            if item["public_key_sha256"] == key and item["serial"]:
                more = {"names": order["names"], "issuer": "", "not_after": item["valid_till"] or ""}
                add("digicert", order, item["serial"], thumbprint=item["thumbprint"], fingerprint_sha256=None, public_key_sha256=key, **more)
    for row in objects:
        current = shown[row["dn"]].current
        if current and current.key == "leaked":
            more = {"names": row["dns_names"], "issuer": row["issuer"], "not_after": row["valid_to"]}
            add("tpp", row, row["serial"], thumbprint=row["thumbprint"], fingerprint_sha256=None, public_key_sha256=key, **more)
    for row in command:
        more = {"names": row["dns_names"], "issuer": row["issuer"], "not_after": row["not_after"]}
        add("keyfactor", row, row["serial"], thumbprint=row["thumbprint"], fingerprint_sha256=None, public_key_sha256=key, **more)
    for row in clients:
        more = {"names": [], "issuer": row["certificate_authority"], "not_after": row["expires_on"], "fingerprint_sha256": row["fingerprint_sha256"]}
        add("cloudflare", row, row["serial_number"], thumbprint=None, public_key_sha256=key, **more)
    return {
        "platforms": {name: {"asked": True, "error": "connection refused" if name in down else "", "requests": 1} for name in CONNECTIONS},
        "certificates": [{**row, "platforms": sorted(row["on"])} for row in rows.values()],
        "not_found": [],
        "unreadable": [],
    }
