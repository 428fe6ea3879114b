# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The authority revokes by tomorrow: one playbook goes from its list to new keys and certificates on the disk, inside the rate limits."""

from __future__ import annotations

import datetime
import json
import re
import time
from collections import Counter
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from stage import DIRECTORY, Stage, changed, keep, say

CLOCK_SCALE = 30
# What CertCentral lets one API key send, requests in seconds; the simulator counts by its own clock.
WINDOWS = ((1000, 180), (100, 5))
# Which orders of the scenario are on the list, by the first word of their names.
LISTED = {"web": 60, "pos": 30, "pay": 20, "slow": 6, "mixed": 2, "edge": 4, "bank": 6, "shared": 4, "auto": 2, "closed": 2}
REPLACED, UNKNOWN = 6, 3
APPROVALS = LISTED["bank"]
REFUSED = LISTED["shared"] + LISTED["auto"] + LISTED["closed"]
PLANNED = sum(LISTED.values()) - REPLACED - REFUSED
FOLDER = "reissue"


def show(stage: Stage) -> None:
    begun = time.monotonic()
    say(
        "A mass revocation",
        f"The authority has sent a list: it is going to revoke {sum(LISTED.values())} certificates tomorrow. A simulated CertCentral",
        f"holds 1,000 orders and lets an API key send {WINDOWS[0][0]} requests in {WINDOWS[0][1]} s and {WINDOWS[1][0]} in {WINDOWS[1][1]} s. Its clock runs",
        f"{CLOCK_SCALE} times as fast as yours, and so do the deadline and these limits. DIGICERT_URL and DIGICERT_API_KEY are exported.",
    )
    stage.begin("mass_reissue", CLOCK_SCALE)
    _write_list(_orders(stage))
    _replace(stage)
    deadline = _in(datetime.timedelta(days=1) / CLOCK_SCALE)
    common = {
        "reissue_orders_list_path": "affected.csv",
        "reissue_orders_folder": FOLDER,
        "reissue_orders_key_type": "ecdsa-p256",
        "reissue_orders_continue_on_error": "true",
        "reissue_orders_reference": "INC-4711",
    }
    scaled = {"reissue_orders_rate_limits": [{"requests": requests, "seconds": seconds / CLOCK_SCALE} for requests, seconds in WINDOWS]}
    # What has set the scene is no part of the count.
    stage.control("journal", method="DELETE")

    say("1 of 4: too late", "At the rate as it is published, and with a deadline in half a minute. The role says so before it has made a key.")
    # The longer one as published tells how long it takes; the shorter one scaled keeps what is sent now within what the simulator lets through.
    real = {"reissue_orders_rate_limits": [{"requests": WINDOWS[0][0], "seconds": WINDOWS[0][1]}, scaled["reissue_orders_rate_limits"][1]]}
    options = {**common, "reissue_orders_deadline": _in(datetime.timedelta(seconds=30)), "reissue_orders_check_client_auth": "false"}
    said = stage.play(*_flow(options, real), status=2)
    stage.expect("Refused by deadline" in said and "What would help" in said, "a deadline that cannot be met stops the run, with what would help")
    stage.expect(not list((DIRECTORY / FOLDER).glob("*.key")), "no key was made")

    say(
        "2 of 4: the plan",
        "With a day left: what is to be done, what has been replaced and what is unknown, what it costs, and what the new certificates would lose.",
        "A spreadsheet has left a byte order mark, semicolons, some lines twice and one serial number damaged.",
    )
    options = {**common, "reissue_orders_deadline": deadline}
    stage.play(*_flow({**options, "reissue_orders_report_path": "reissue-plan", "reissue_orders_report_formats": "json"}, scaled), "--check")
    plan = json.loads((DIRECTORY / "reissue-plan.json").read_text(encoding="utf-8"))
    found = (plan["counts"]["planned"], plan["results"]["replaced"], plan["results"]["refused"], plan["results"]["missing"])
    stage.expect(found == (PLANNED, REPLACED, REFUSED, UNKNOWN), f"{PLANNED} are planned, {REPLACED} have been replaced, {UNKNOWN} lines are unknown")
    stage.expect(not any(entry["mutates"] for entry in _calls(stage)), "neither run has sent a changing request")

    say("3 of 4: the run", "Exactly the plan that was approved: keys first, a canary, then waves with the time that is left; then certificates and chains.")
    run = {
        **options,
        "reissue_orders_plan_digest": plan["plan_digest"],
        "reissue_orders_wave_size": "50",
        "reissue_orders_wait_interval": "1",
        "reissue_orders_journal_path": "reissue-journal.jsonl",
    }
    before = len(_calls(stage))
    stage.play(*_flow({**run, "reissue_orders_report_path": "reissue"}, scaled))
    report = json.loads((DIRECTORY / "reissue.json").read_text(encoding="utf-8"))
    done = [row for row in report["certificates"] if row["result"] == "reissued"]
    stage.expect(len(done) == PLANNED - APPROVALS, "all are reissued that need no approval")
    stage.expect(report["results"]["approval"] == APPROVALS, "the others wait for their approval")
    first = _calls(stage)
    effects = _effects(first)
    stage.expect(set(effects.values()) == {1} and len(effects) == PLANNED, "each planned order is reissued once")
    now = {order["id"]: order["certificate"]["serial_number"] for order in _orders(stage)}
    fitting = [row for row in done if _fits(row, now[row["order_id"]])]
    stage.expect(len(fitting) == len(done), "each certificate on the disk is the current one of its order and has the key beside it")

    say("4 of 4: the second run", "The same command. The approvals are still open, and nothing is asked for twice: changed=0.")
    second = stage.play(*_flow(run, scaled))
    stage.expect(changed(second) == 0, "the second run reports changed=0")
    calls = _calls(stage)
    stage.expect(_effects(calls) == effects, "the second run has no effect")
    stage.expect(not any(entry["status"] == 429 for entry in calls), "the rate limits were never exceeded")
    say("What you have seen", "Counted in the simulator's journal and on the disk, not taken from the playbook's word:")
    for label, value in (
        ("certificates on the list", sum(LISTED.values())),
        ("reissued, with their new keys and chains on the disk", len(fitting)),
        ("asked for and waiting for an approval", APPROVALS),
        ("replaced before, left alone", REPLACED),
        ("in the hands of others, or over: told whose turn it is", REFUSED),
        ("reissues done per order", max(effects.values())),
        ("requests of the run, for each order that it reissued", round((len(first) - before) / PLANNED, 2)),
        ("refused for too many requests", sum(entry["status"] == 429 for entry in calls)),
        ("seconds", round(time.monotonic() - begun)),
    ):
        print(f"{value:8,}  {label}")
    keep("affected.csv", "reissue.html", "reissue.json", "reissue-plan.json", "reissue-journal.jsonl", f"{FOLDER}/orders.json")


def _in(time_left: datetime.timedelta) -> str:
    return (datetime.datetime.now(datetime.timezone.utc) + time_left).strftime("%Y-%m-%dT%H:%M:%SZ")


def _flow(options: dict[str, str], limits: dict[str, Any]) -> list[str]:
    words = [*(f"{name}={value}" for name, value in options.items()), json.dumps(limits)]
    return ["ansible-playbook", "certops.remediation.reissue_orders", *(word for value in words for word in ("-e", value))]


def _orders(stage: Stage) -> list[dict[str, Any]]:
    """The order list, as anybody may read it."""
    orders: list[dict[str, Any]] = stage.get("/services/v2/order/certificate?limit=1000", {"X-DC-DEVKEY": stage.ready["digicert"]["api_key"]})["orders"]
    return orders


def _of_list(orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The orders of the scenario that are on the list."""
    left = Counter(LISTED)
    chosen = []
    for order in sorted(orders, key=lambda order: order["id"]):
        kind = re.split("[-.]", order["certificate"]["common_name"])[0]
        if left[kind] > 0:
            left[kind] -= 1
            chosen.append(order)
    return chosen


def _write_list(orders: list[dict[str, Any]]) -> None:
    """As such lists come: a spreadsheet's export, with lines twice, others damaged, and one that belongs to somebody else."""
    rows = [f"{order['certificate']['common_name']};{order['certificate']['serial_number']};{order['id']}" for order in _of_list(orders)]
    twice = [f"{name};{':'.join(re.findall('..', serial)).lower()};" for name, serial, dummy in (row.split(";") for row in rows[-5:])]
    odd = ["damaged.example.com;1.23E+37;", "please see the second sheet;;", "foreign.example.org;0badc0de0badc0de0badc0de0badc0de;"]
    text = "\r\n".join(["Common Name;Serial Number;Order ID", *rows, *twice, *odd, ""])
    (DIRECTORY / "affected.csv").write_bytes(text.encode("utf-8-sig"))


def _replace(stage: Stage) -> None:
    """A colleague has replaced some of them since the list was written."""
    for order in _of_list(_orders(stage))[:REPLACED]:
        stage.control("digicert/change", {"order_id": order["id"], "fields": {"pending": {"requester": "Robin Colleague"}}})
        stage.control("digicert/issue", {"order_id": order["id"]})


def _calls(stage: Stage) -> list[dict[str, Any]]:
    """The requests of the runs; what happens by itself, and what the demonstration looks at, is left out."""
    return [entry for entry in stage.control("journal") if entry.get("method") and entry["path"] != "/services/v2/order/certificate?limit=1000"]


def _effects(calls: list[dict[str, Any]]) -> Counter[str]:
    """How often each order was really reissued."""
    return Counter(entry["target"] for entry in calls if entry["effect"] == "reissue")


def _fits(row: dict[str, Any], serial: str) -> bool:
    """Whether the files of an order are its current certificate, with a chain, and the key of that certificate."""
    with open(row["key_path"], "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    with open(row["fullchain_path"], "rb") as file:
        leaf, *chain = x509.load_pem_x509_certificates(file.read())
    return bool(chain) and leaf.public_key() == key.public_key() and leaf.serial_number == int(serial, 16)
