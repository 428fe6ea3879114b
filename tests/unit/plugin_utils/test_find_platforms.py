# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The questions of the role find_certificates, asked with the four info modules of the four platforms of the simulator, as the role asks them."""

from __future__ import annotations

import base64
import collections
import typing as t

import pytest

from ansible_collections.certops.remediation.plugins.modules import (
    cloudflare_client_cert,
    cloudflare_client_cert_info,
    digicert_certificate_revoke,
    digicert_order_info,
    keyfactor_certificate_info,
    keyfactor_certificate_revoke,
    tpp_certificate_info,
    tpp_certificate_reset,
)
from ansible_collections.certops.remediation.plugins.plugin_utils import find_record
from ansible_collections.certops.remediation.tests.unit.plugin_utils.test_find_record import NOT_SET
from ansible_collections.certops.remediation.tests.unit.support import cloudflare_options, digicert_options, keyfactor_options, run_module, tpp_options

MODULES = {
    "tpp": (tpp_certificate_info, tpp_options),
    "keyfactor": (keyfactor_certificate_info, keyfactor_options),
    "cloudflare": (cloudflare_client_cert_info, cloudflare_options),
    "digicert": (digicert_order_info, digicert_options),
}


class Search:
    """One run of the role without Ansible."""

    def __init__(self, simulator: t.Any, *, down: t.Collection[str] = (), files: t.Mapping[str, bytes] | None = None, **options: t.Any) -> None:
        self.simulator = simulator
        self.down = down
        self.own = find_record.options({**NOT_SET, "platforms": list(find_record.PLATFORMS), "files": list(files or ()), **options})
        assert not self.own["complaints"]
        self.looked_for = find_record.read_entries(self.own,
                                                   [{"path": name, "content": base64.b64encode(data).decode()} for name, data in (files or {}).items()])
        assert not self.looked_for["complaints"]
        simulator.journal.clear()
        answers: list[t.Any] = []
        for second in (False, True) if self.own["share_key"] else (False,):
            for platforms in (["tpp", "keyfactor", "cloudflare"], ["digicert"]):
                asked = find_record.questions(answers, platforms, self.looked_for, self.own, second=second)
                answers += find_record.answers_to(asked, {name: [self.ask(name, question, second)] for name, question in asked.items()})
        self.answers = answers
        self.found = find_record.result(answers, self.looked_for, self.own)
        self.requests = collections.Counter(entry["vendor"] for entry in simulator.journal)
        assert not [entry for entry in simulator.journal if entry["mutates"]]
        assert down or not [told["error"] for told in self.found["platforms"].values() if told["error"]], self.found["platforms"]
        assert down or sum(self.requests.values()) == self.found["requests"]

    def ask(self, platform: str, question: dict[str, t.Any], second: bool) -> dict[str, t.Any]:
        module, connection = MODULES[platform]
        own = self.own
        asked = {name: value for name, value in question.items() if name != "left_out"}
        if platform == "tpp":
            asked.update(details=False, public_key=own["share_key"], public_key_limit=own["number"]["key_limit"], folder=own["tpp_folder"])
        elif platform == "keyfactor":
            asked.update(query=own["keyfactor_query"], locations=True)
        elif platform == "digicert":
            history = 0 if second else own["number"]["history_limit"]
            asked.update(details=own["share_key"], public_key_limit=own["number"]["key_limit"], history_limit=history)
        more = {"url": "https://127.0.0.1:1", "retry_timeout": 0} if platform in self.down else {}
        return run_module(module, {**connection(self.simulator), **asked, **more}, check_mode=True)

    @property
    def platforms(self) -> dict[str, int]:
        counts = find_record.counts(self.found)
        return {name: counts[name] for name in find_record.PLATFORMS}


EVERYWHERE = {"tpp": 3, "keyfactor": 12, "digicert": 6, "cloudflare": 5}


@pytest.fixture
def incident(shared_simulator):
    shared_simulator.reset("shared_key", {"clock_scale": 0})
    return shared_simulator


@pytest.fixture
def leaked(incident):
    """What somebody has found."""
    return incident.leaks.dump()["leaked"]


@pytest.mark.parametrize("form", ["certificate", "key", "public_key_sha256"])
def test_everything_that_shares_a_leaked_key(incident, leaked, form):
    given = {"list": f"spki:{leaked[form]}"} if form == "public_key_sha256" else {"files": {"/x/leaked": leaked[form].encode()}}
    search = Search(incident, **given)
    found = search.found
    assert search.platforms == EVERYWHERE and len(found["certificates"]) == 25 and not found["not_found"]
    (both,) = [certificate for certificate in found["certificates"] if len(certificate["platforms"]) > 1]
    assert (both["name"], both["platforms"]) == ("api-3.shop.example.com", ["tpp", "keyfactor"])
    assert found["shared"] == [{"public_key_sha256": leaked["public_key_sha256"], "count": 25, "platforms": list(find_record.PLATFORMS)}]
    assert {certificate["public_key_sha256"] for certificate in found["certificates"]} == {leaked["public_key_sha256"]}
    # One page of each list, and each certificate of TPP and order of CertCentral once for its key.
    # CertCentral is asked for the serial number of a certificate too.
    assert search.requests == {"tpp": 1 + 30, "keyfactor": 1, "cloudflare": 1, "digicert": 1 + 30 + (form == "certificate")}
    leaked_key = leaked["key"].splitlines()[1]
    assert leaked_key not in repr(search.answers) + repr(search.looked_for)


@pytest.mark.parametrize("named", ["till-1.shop.example.com", "www-1.shop.example.com", "kiosk-1.shop.example.com", "pay-2.shop.example.com"])
def test_from_one_name_on_one_platform_to_all(incident, named):
    assert Search(incident, list=named).platforms == EVERYWHERE
    assert sum(Search(incident, list=named, share_key=False).platforms.values()) == 1


def test_one_platform_is_down(incident, leaked):
    search = Search(incident, down=["digicert"], files={"/x/leaked.pem": leaked["certificate"].encode()}, list="nowhere.example.com")
    assert search.platforms == {**EVERYWHERE, "digicert": 0}
    assert "cannot connect" in search.found["platforms"]["digicert"]["error"]
    assert search.found["not_found"] == [{"target": "nowhere.example.com", "why": "no platform that was asked has it", "not_asked": ["digicert"]}]


def test_what_was_not_compared_is_told(incident, leaked):
    search = Search(incident, list=f"spki:{leaked['public_key_sha256']}", key_limit="10")
    # The second question is for what shares a key; there is no new one, and it looks again for the same certificates by their marks.
    assert {name: platform["not_compared"] for name, platform in search.found["platforms"].items()} == {"tpp": 20, "keyfactor": 0, "digicert": 20,
                                                                                                        "cloudflare": 0}
    assert search.platforms["tpp"] >= 1, "the one that Command has too is found by its thumbprint"


def test_the_targets_are_what_the_modules_that_act_take(incident, leaked):
    targets = Search(incident, list=f"spki:{leaked['public_key_sha256']}").found["targets"]
    done = {
        "tpp": run_module(tpp_certificate_reset, tpp_options(incident, certificates=targets["tpp"]), check_mode=True),
        "keyfactor": run_module(
            keyfactor_certificate_revoke,
            keyfactor_options(incident, certificates=targets["keyfactor"], reason="key_compromise", deployed="report", continue_on_error=True),
            check_mode=True,
        ),
        "digicert": run_module(
            digicert_certificate_revoke,
            digicert_options(incident, certificates=targets["digicert"], reason="key_compromise", comment="x", current="allow"),
            check_mode=True,
        ),
        "cloudflare": run_module(cloudflare_client_cert, cloudflare_options(incident, certificates=targets["cloudflare"], state="revoked"), check_mode=True),
    }
    assert {name: len(result["targets"]) for name, result in done.items()} == EVERYWHERE
    assert not [result["msg"] for result in done.values() if result["failed"]]
    orders = run_module(digicert_order_info, digicert_options(incident, orders=targets["digicert"]))
    assert orders["count"] == 6


# -- thousands by thousands --------------------------------------------------------------------------------------------------------------

MANY = {
    "tpp": {"certificates": [{"name": "t-{n}.example.com", "folder": "Many", "count": 300}]},
    "keyfactor": {"certificates": [{"cn": "k-{n}.example.com", "count": 1100}]},
    "digicert": {"orders": [{"common_name": "d-{n}.example.com", "count": 300}]},
    "cloudflare": {"zones": [{"name": "example.com", "certificates": [{"cn": "c-{n}.example.com", "count": 120}]}]},
}


def test_thousands_of_entries_are_no_request_each(shared_simulator):
    shared_simulator.reset(MANY, {"clock_scale": 0})
    held = run_module(keyfactor_certificate_info, keyfactor_options(shared_simulator))["certificates"]
    orders = run_module(digicert_order_info, digicert_options(shared_simulator))["orders"]
    serials = [certificate["serial"] for certificate in held[:500]] + [order["certificate"]["serial"] for order in orders[:200]]
    serials += [f"{number:032X}" for number in range(1 << 100, (1 << 100) + 1000)]
    marks = [certificate["thumbprint"] for certificate in held[500:]]
    names = [f"{kind}-{number}.example.com" for kind in "tdcx" for number in range(1, 101)]
    search = Search(shared_simulator, list=[*serials, *names, *({"thumbprint": mark} for mark in marks)], share_key=False, history_limit=0, key_limit=100)
    assert search.platforms == {"tpp": 100, "keyfactor": 1100, "digicert": len({*orders_of(orders[:200]), *orders_named(orders)}), "cloudflare": 100}
    assert len(search.found["not_found"]) == 1000 + 100 and search.found["unreadable"] == []
    # Lists of 300 in one page and of 1100 in three, one of 120 in pages of 50. CertCentral's list does not have the 500 serial numbers of Command, the 600 that
    # Command has told of its thumbprints, and the 1000 that nobody has, which it is asked for 50 at a time.
    assert search.requests["tpp"] <= 3 and search.requests["keyfactor"] <= 4 and search.requests["cloudflare"] <= 4
    assert search.requests["digicert"] <= 2 + 2100 / 50


def orders_of(orders):
    return [order["order_id"] for order in orders]


def orders_named(orders):
    return [order["order_id"] for order in orders if order["common_name"] in {f"d-{number}.example.com" for number in range(1, 101)}]
