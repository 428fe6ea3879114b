# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many requests it takes from an authority's list to the chains on the disk: by two tasks alone, and by all that the role does."""

from __future__ import annotations

import base64
import pathlib

import pytest

from ansible_collections.certops.remediation.plugins.modules import digicert_order_info, digicert_order_reissue
from ansible_collections.certops.remediation.plugins.plugin_utils import reissue_record
from ansible_collections.certops.remediation.plugins.plugin_utils.reissue_list import read_list

from ansible_collections.certops.remediation.tests.unit.support import digicert_options, run_module

COUNT = 60
HANDED = ("order_id", "certificate_path", "chain_path", "fullchain_path")


@pytest.fixture
def account(simulator, tmp_path):
    return Account(simulator, tmp_path)


class Account:
    """Orders that are issued at once, a list of them with a byte order mark and semicolons, and modules that run on it."""

    def __init__(self, simulator, folder):
        self.simulator = simulator
        self.folder = str(folder)
        self.ids = simulator.digicert.load([{"common_name": "www{n}.example.com", "count": COUNT, "shape": "certificate_chain", "days_left": 90}])
        rows = [f"www;{simulator.digicert[number].current.serial_number.lower()}" for number in self.ids]
        self.read = read_list(None, base64.b64encode("\r\n".join(["Name;Serial Number", *rows]).encode("utf-8-sig")).decode())

    def module(self, module, check_mode=False, **options):
        result = run_module(module, {**digicert_options(self.simulator, rate_limits=[]), **options}, check_mode=check_mode)
        assert not result["failed"], result["msg"]
        return result

    def select(self, ledger):
        asked = reissue_record.questions(self.read, ledger)
        found = self.module(digicert_order_info, details=False, history_limit=200, **asked)
        return reissue_record.selection(found, self.read, ledger, self.folder)

    def csr(self, order):
        return self.simulator.digicert.csr(f"new {order['order_id']}", order["common_name"])

    def entries(self, selected):
        return [{"csr": self.csr(order), **{name: order[name] for name in HANDED}} for order in selected["orders"]]

    def requests(self):
        """For each order, since the last call."""
        with self.simulator.lock:
            sent = len(self.simulator.journal)
            self.simulator.journal.clear()
        return sent / COUNT

    def whole_chains(self):
        return sum(path.read_text().count("BEGIN CERTIFICATE") >= 2 for path in pathlib.Path(self.folder).glob("*.fullchain.crt"))


def test_from_the_list_to_the_chain_in_two_tasks(account):
    result = account.module(digicert_order_reissue, orders=account.entries(account.select({})), check_client_auth=False)
    assert result["summary"]["applied"] == account.whole_chains() == COUNT
    assert account.requests() <= 2.2


def plan(account, selected, with_keys, check_client_auth):
    keys = {"requests": [{"csr": account.csr(order) if with_keys else None, "outcome": "planned"} for order in selected["orders"]]}
    entries = [order["entry"] for order in reissue_record.candidates(selected, keys, account.csr({"order_id": 0, "common_name": "stand-in"}))["orders"]]
    return account.module(digicert_order_reissue, check_mode=True, orders=entries, check_client_auth=check_client_auth)


def test_what_the_role_asks_for(account):
    """Its tasks without Ansible: an approved plan costs a read for the plan, one before the reissue and the reissue; a second run one read."""
    selected = account.select({})
    plan(account, selected, False, True)
    assert account.requests() <= 2.1, "the check, which looks for client authentication"
    selected = account.select({})
    plan(account, selected, False, False)
    orders = account.entries(selected)
    waves = [orders[: COUNT // 2], orders[COUNT // 2 :]]
    targets = [target for wave in waves for target in account.module(digicert_order_reissue, orders=wave, check_client_auth=False)["targets"]]
    account.module(digicert_order_info, certificates=[target["after"]["serial"] for target in targets])
    assert account.requests() <= 3.1, "the run"
    known = {"planned": True, "step": "reissue", "serial": ""}
    rows = [{**order, **known, "serial_now": target["after"]["serial"]} for order, target in zip(selected["orders"], targets)]
    selected = account.select(reissue_record.ledger({}, rows))
    assert len(selected["orders"]) == COUNT and not selected["missing"]
    assert plan(account, selected, True, False)["summary"]["unchanged"] == COUNT
    assert account.requests() <= 1.1, "the second run"
