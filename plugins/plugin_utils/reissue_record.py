# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role reissue_orders knows of a run, made of results of modules and of the role's options. Does no I/O."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import math
import re
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.digicert import OVER, RATE_LIMITS
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import (
    Json,
    bad_numbers,
    entries,
    groups,
    path,
    refusals,
    text,
    truth,
)
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import record as record_of
from ansible_collections.certops.remediation.plugins.plugin_utils.pace import duration, moment, pace, rate, rate_limits

ROLE = "reissue_orders"
NUMBERS = {"validity_days": "", "history_limit": "200"}
# What else there is besides lists, numbers and truth values, and what holds when it is not set.
TEXTS = {
    "key_type": "rsa-2048",
    "signature_hash": "",
    "ca_cert_id": "",
    "expires_on": "",
    "profile_option": "",
    "comments": "",
    "on_pending": "refuse",
}
PATHS = ("list_path", "folder", "deploy_tasks")
# Finding, planning, reading, reissuing, fetching: for a first estimate.
REQUESTS_PER_ORDER = 5
# What is left of a reissue after the read that comes first: to ask for it, and to fetch the certificate.
REQUESTS_TO_REISSUE = 2
# Words of the module digicert_order_reissue that it has come to this order.
ATTEMPTED = ("applied", "pending", "unchanged", "failed", "unknown", "refused")
# What the new certificate would not have any more, as the module says it, for a count of each.
LOSSES = (
    ("it would be valid till", "a shorter validity than the current certificate"),
    ("client authentication", "no client authentication any more"),
    ("a wildcard would be lost", "a wildcard less"),
)
# Texts that differ in one of these are of one kind.
IDENTIFIER = re.compile(r" since \S+(?= and)|\b\d{4}-\d\d-\d\d([T ][0-9:.]+(Z|[+-]\d\d:?\d\d)?)?|\b[0-9A-Fa-f]{16,}\b|(?<=request )\d+|(?<=order )\d+")
# What is planned for an order where nobody wishes anything else, and what the module does to one whose reissue an earlier run has asked for.
REISSUE = "reissue for a new key"
FETCH, APPROVE = "fetch the certificate", "approve request"
# Options of the module, as this role calls them.
MODULE_OPTION = re.compile(r"\b(on_pending|profile_option)\b")
SAME_FOR_ALL = {
    "approval": "waits for an approval",
    "validation": "waits for the validation of its domains",
    "issue": "waits for validation or issue",
    "replaced": "has a newer certificate than the one on the list",
}
# Stands for the columns of a row where the list has led to no order at all.
EMPTY_ORDER: Json = {
    **dict.fromkeys(("common_name", "product", "container", "key_path", "csr_path", "certificate_path", "chain_path", "fullchain_path", "problem"), ""),
    **{"order_id": 0, "status": "", "names": [], "listed": [], "exact": False, "has_key": False, "replaced": True, "over": False, "step": ""},
    "certificate": {"serial": "", "valid_till": ""},
}


# -- options -----------------------------------------------------------------------------------------------------------------------------


def options(given: Json) -> dict[str, t.Any]:
    """The role's own options as its tasks use them; ``given`` holds them without the prefix, as they were set."""
    found: dict[str, t.Any] = {name: text(given[name]) or default for name, default in TEXTS.items()}
    found["number"] = {name: text(given[name]) or default for name, default in NUMBERS.items()}
    found.update({name: path(given[name]) for name in PATHS})
    found["list"] = given["list"] if text(given["list"]) else []
    found["retired_keys"] = [str(entry) for entry in entries(given["retired_keys"])]
    for name in ("compromised", "skip_approval", "approve", "wait_for_approval"):
        found[name] = truth(given[name], False)
    for name in ("check_client_auth", "wait"):
        found[name] = truth(given[name], True)
    found["deadline"] = _utc(moment(text(given["deadline"])))
    found["rate_limits"], bad_limits = rate_limits(given["rate_limits"], ROLE, RATE_LIMITS)
    said = {
        f"Nothing says what is to be reissued. Set {ROLE}_list or {ROLE}_list_path": not found["list"] and not found["list_path"],
        f"{ROLE}_list cannot be combined with {ROLE}_list_path": found["list"] and found["list_path"],
        f"{ROLE}_folder says where the new keys are to be kept; it is needed": not found["folder"],
        f"{ROLE}_deadline is no date such as 2026-11-30 or 2026-11-30T19:30Z": text(given["deadline"]) and not found["deadline"],
        f"{ROLE}_validity_days cannot be combined with {ROLE}_expires_on": found["number"]["validity_days"] and found["expires_on"],
        bad_limits: bad_limits,
    }
    return {**found, "complaints": bad_numbers(ROLE, found["number"]) + [complaint for complaint, applies in said.items() if applies]}


def settings(found: Json) -> dict[str, t.Any]:
    """What the run was told, for the record."""
    names = (*TEXTS, *PATHS, "deadline", "compromised", "skip_approval", "approve")
    return {**{name: found[name] for name in names}, **found["number"], "listed_inline": bool(found["list"]), "retired_keys": len(found["retired_keys"])}


# -- time --------------------------------------------------------------------------------------------------------------------------------


def _utc(found: datetime.datetime | None) -> str:
    return found.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if found else ""


def reissue_pace(listed: int, limits: t.Sequence[Json]) -> list[dict[str, t.Any]]:
    """The limits for each task of a run over so many orders."""
    return pace(listed * REQUESTS_PER_ORDER, limits)


def seconds_needed(orders: int, requests_per_order: float, limits: t.Sequence[Json]) -> float:
    return orders * requests_per_order / rate(limits)


def left(done: Json, planned: int, requests: int, own: Json, now: str) -> str:
    """How far the waves have come and how long the others will take, by what those so far have cost."""
    finished = sum(wave["size"] for wave in done["waves"])
    each = requests / finished if finished else REQUESTS_TO_REISSUE + 1
    told = f"{done['told']}; about {duration(seconds_needed(planned - finished, each, own['rate_limits']))} for the other {planned - finished}"
    end, present = moment(own["deadline"]), moment(now)
    if not end or not present:
        return told
    rest = (end - present).total_seconds()
    return f"{told}, {duration(rest)} to the deadline" if rest > 0 else f"{told}, the deadline is over"


# -- selection ---------------------------------------------------------------------------------------------------------------------------


def questions(read: Json, ledger: Json) -> dict[str, t.Any]:
    """What to ask DigiCert for.

    CertCentral does not list the first certificate of an order that has been reissued. What an earlier run has found is asked for by the certificate that
    this run has left, which the order list shows, a thousand in a request, or by its order.
    """
    known = {value: number for number, kept in ledger.items() for value in kept["listed"]}
    orders: list[int] = []
    certificates: list[dict[str, t.Any]] = []
    names: list[str] = []
    for entry in read["entries"]:
        if entry["kind"] == "order_id":
            orders.append(entry["order_id"])
        elif entry["kind"] == "name":
            names.append(entry["value"])
        elif entry["value"] not in known:
            certificates.append({entry["kind"]: entry["value"], **({"order_id": entry["order_id"]} if entry["order_id"] else {})})
        else:
            number = known[entry["value"]]
            left_with = {"serial": ledger[number].get("now"), "order_id": int(number)}
            if not left_with["serial"]:
                orders.append(int(number))
            elif left_with not in certificates:
                certificates.append(left_with)
    return {"orders": list(dict.fromkeys(orders)), "certificates": certificates, "names": names}


def selection(found: Json, read: Json, ledger: Json, folder: str) -> dict[str, t.Any]:
    """The orders behind the list, each once, and what is missing.

    :param ledger: by order id, what earlier runs of this incident have found: the ``serial`` that the order had then, the entries ``listed``, the ``step``
        that was let through, and the serial number that the order has ``now``.
    """
    by_id = {order["order_id"]: order for order in found["orders"]}
    hits: dict[str, list[tuple[Json, bool]]] = {}
    for order in found["orders"]:
        for match in order["matched"]:
            hits.setdefault(match["target"], []).append((order, match["replaced"]))
    known = {value: int(number) for number, kept in ledger.items() for value in kept["listed"]}
    said = {entry["target"]: entry["error"]["message"] for entry in found["not_found"]}
    chosen: dict[int, dict[str, t.Any]] = {}
    missing = [dict(entry) for entry in read["unreadable"]]
    for entry in read["entries"]:
        kind, value = entry["kind"], entry["value"]
        number = entry["order_id"] if kind == "order_id" else known.get(value) if kind != "name" else None
        pairs = [(by_id[number], False)] if number in by_id else hits.get(value, [])
        if not pairs:
            why = said.get((ledger.get(str(number), {}).get("now") or str(number)) if number else value, "not found")
            missing.append({"target": f"{kind.replace('_', ' ')} {value}", "why": re.sub(r"^DigiCert CertCentral: ", "", why)})
        for order, replaced in pairs:
            current = order["certificate"]["serial"] or ""
            before = ledger.get(str(order["order_id"]), {}).get("serial") or current
            exact = kind == "serial" and value.lstrip("0") == current.lstrip("0")
            kept = chosen.setdefault(order["order_id"], {"order": order, "listed": [], "exact": False, "named_only": True, "replaced": True})
            kept["listed"].append(value)
            kept["exact"] = kept["exact"] or exact or (kind == "thumbprint" and not replaced and before == current)
            kept["named_only"] = kept["named_only"] and kind == "name"
            # The list may name the certificate that the run before has issued.
            kept["replaced"] = kept["replaced"] and not exact and (replaced or before != current)
    orders = [
        {
            **{name: kept[name] for name in ("listed", "exact", "replaced")},
            **{name: kept["order"][name] for name in ("order_id", "status", "product", "container", "common_name", "names", "certificate")},
            "over": kept["named_only"] and kept["order"]["status"] in OVER,
            "step": ledger.get(str(kept["order"]["order_id"]), {}).get("step", ""),
            **files(folder, kept["order"]),
        }
        for kept in chosen.values()
    ]
    return {"orders": orders, "missing": missing}


def files(folder: str, order: Json) -> dict[str, str]:
    """Where everything of an order is kept. Its number keeps two orders of one name apart."""
    stem = f"{folder}/{re.sub('[^A-Za-z0-9.-]', '_', order['common_name'])[:64] or 'order'}.{order['order_id']}"
    return {
        "key_path": f"{stem}.key",
        "csr_path": f"{stem}.csr",
        "certificate_path": f"{stem}.crt",
        "chain_path": f"{stem}.chain.crt",
        "fullchain_path": f"{stem}.fullchain.crt",
    }


def same_key(selected: Json, detailed: Json) -> dict[str, t.Any]:
    """The selection, where a compromised key is not replaced by another certificate of the same key.

    :param detailed: the orders that have been replaced, with their reissues and duplicates.
    """
    details = {order["order_id"]: order for order in detailed["orders"]}
    orders = []
    for order in selected["orders"]:
        detail = details.get(order["order_id"])
        if order["replaced"] and detail:
            key = detail["certificate"]["public_key_sha256"]
            former = [*(detail["reissues"] or []), *(detail["duplicates"] or [])]
            listed = [item for item in former if (item["serial"] or "-").lstrip("0") in [value.lstrip("0") for value in order["listed"]]]
            still = bool(key) and any(item["public_key_sha256"] == key for item in listed)
            order = {**order, "replaced": not still, "exact": still}
        orders.append(order)
    return {**selected, "orders": orders}


def requests_for(orders: t.Iterable[Json]) -> list[dict[str, t.Any]]:
    """What to make keys and CSRs for. DigiCert reads the key alone from a CSR; the names are for the people who look at it."""
    return [
        {"common_name": order["common_name"], "names": order["names"], "path": order["key_path"], "csr_path": order["csr_path"]}
        if order["common_name"]
        else {"names": order["names"], "path": order["key_path"], "csr_path": order["csr_path"]}
        for order in orders
    ]


def entries_of(rows: t.Iterable[Json]) -> list[dict[str, t.Any]]:
    """Orders with the CSRs and the files that they have."""
    return [{name: row[name] for name in ("order_id", "csr_path", "certificate_path", "chain_path", "fullchain_path")} for row in rows]


def candidates(selected: Json, keys: Json, stand_in: str) -> dict[str, t.Any]:
    """The selection with what is to be handed to the module: ``entry`` is None where there is nothing to hand on.

    :param keys: the result of certificate_request in check mode, for each of the orders.
    :param stand_in: a CSR for an order whose key is not made yet.
    """
    orders = []
    for order, request in zip(selected["orders"], keys["requests"]):
        entry: dict[str, t.Any] | None = None
        problem = request["message"] if request["outcome"] == "refused" else ""
        # The certificate of an order that has been replaced may be that of a run before, whose files may be missing.
        if not order["over"] and not problem and (request["csr"] or not order["replaced"]):
            entry = {"order_id": order["order_id"], "csr": request["csr"] or stand_in}
            if request["csr"]:
                entry.update({name: order[name] for name in ("certificate_path", "chain_path", "fullchain_path")})
        orders.append({**order, "entry": entry, "has_key": bool(request["csr"]), "problem": "" if order["over"] or order["replaced"] else problem})
    return {**selected, "orders": orders}


def ledger(before: Json, rows: t.Iterable[Json]) -> dict[str, t.Any]:
    """What later runs have to know of the orders that are acted on. What the first run has seen stays: afterwards nobody can see it any more."""
    made = {number: dict(kept) for number, kept in before.items()}
    for row in rows:
        if row["planned"]:
            kept = made.setdefault(str(row["order_id"]), {"serial": row["serial"], "listed": []})
            kept["listed"] = sorted({*kept["listed"], *row["listed"]})
            kept["step"] = row["step"]
            if row["exact"]:
                kept["serial"] = row["serial"]
        if row["serial_now"] and str(row["order_id"]) in made:
            made[str(row["order_id"])]["now"] = row["serial_now"]
    return made


# -- orders ------------------------------------------------------------------------------------------------------------------------------


def kind(said: str) -> str:
    """The text without what differs from order to order."""
    return IDENTIFIER.sub(lambda found: "" if found[0].startswith(" ") else "*", said)


def waits_for(target: Json) -> str:
    """A key of the results, by what a pending reissue waits for."""
    message = target["message"]
    if "the approval of request" in message:
        return "approval"
    return "validation" if "validation of its domains" in message or target.get("dcv_random_value") else "issue"


@dataclasses.dataclass(frozen=True)
class Course:
    """One order from its selection to what has become of it.

    :param plan: the module's word in check mode; None where nothing was handed to it.
    :param outcome: that of its wave; empty where it has not come to that.
    :param wave: what the module said of it in its wave; empty where it has not come to that.
    :param waited: what it said after all waves, where it was still pending then.
    :param current: without leading zeros, the serial numbers that were found to be those of current certificates after the waves.
    :param deployed: empty where the hand-over has worked; None where there was none.
    """

    order: Json
    plan: Json | None
    acted: bool = False
    outcome: str = ""
    message: str | None = None
    wave: Json = dataclasses.field(default_factory=dict)
    waited: Json | None = None
    current: t.Collection[str] = ()
    deployed: str | None = None

    @property
    def planned(self) -> bool:
        return self.plan is not None and self.plan["outcome"] == "planned" and not self.own_key

    @property
    def own_key(self) -> bool:
        """Whether the folder holds the key of the very certificate that is to be replaced."""
        if self.plan is None or not self.order["exact"] or not self._is_current:
            return False
        # Its reissue may have been issued after the list of orders was read and before the order was planned.
        selected, planned = self.order["certificate"]["serial"], self.plan["before"].get("serial")
        return not planned or str(planned).lstrip("0") == str(selected).lstrip("0")

    @property
    def _is_current(self) -> bool:
        """Whether the current certificate has the key in the folder."""
        return self.plan is not None and (self.plan["outcome"] == "unchanged" or self.plan["action"] == FETCH)

    @property
    def ours(self) -> bool:
        """Whether its reissue with the key in the folder is under way or done."""
        if self.plan is None or self.own_key:
            return False
        return self.plan["outcome"] == "pending" or self._is_current or str(self.plan["action"]).startswith(APPROVE)

    @property
    def last(self) -> Json:
        """The last word on it."""
        if self.waited:
            return self.waited
        return {**self.wave, "outcome": self.outcome} if self.outcome else (self.plan or {})

    def result(self) -> str:
        """A key of the results in the role's vars/main/words.yml."""
        if self.order["over"]:
            return "left"
        if self.plan is None:
            return "refused" if self.order["problem"] else "replaced"
        if self.planned and not self.acted:
            return "planned"
        if self.planned:
            return self._result_of_planned()
        if self.ours and self.plan["outcome"] == "pending":
            return self._result_of_pending(self.last)
        if self.ours:
            return "not_deployed" if self.deployed else "unchanged"
        return "replaced" if self.order["replaced"] else "refused"

    def _result_of_planned(self) -> str:
        if self.outcome not in ATTEMPTED:
            return "not_attempted"
        if self.outcome == "pending":
            return self._result_of_pending(self.last)
        if self.outcome in ("applied", "unchanged"):
            return self._result_of_issued()
        return "unknown" if self.outcome == "unknown" else "failed"

    def _result_of_pending(self, last: Json) -> str:
        if last["outcome"] == "pending":
            return waits_for({**last, "dcv_random_value": last.get("dcv_random_value") or self.wave.get("dcv_random_value")})
        return self._result_of_issued() if last["outcome"] in ("applied", "unchanged") else "failed"

    def _result_of_issued(self) -> str:
        if self.serial_now.lstrip("0") not in self.current:
            return "unread"
        if self.deployed:
            return "not_deployed"
        return "unchanged" if self._is_current else "reissued"

    @property
    def serial_now(self) -> str:
        """The serial number of the new certificate, as soon as there is one."""
        return str((self.last.get("after") or {}).get("serial") or "")

    def why(self, result: str) -> str:
        if result == "not_deployed":
            return f"the task {self.deployed!r} failed"
        if result == "left":
            return f"has the name, but the order is {self.order['status']}"
        if self.own_key:
            return "the folder holds the key of the very certificate that is to be replaced; use another folder for this incident"
        if self.plan is None:
            return self.order["problem"] or SAME_FOR_ALL["replaced"]
        if result == "replaced":
            return f"{SAME_FOR_ALL['replaced']}; its key is not the one in the folder"
        said = self.last.get("message") if self.waited or not self.acted or not self.planned else self.message or self.last.get("message")
        return MODULE_OPTION.sub(rf"{ROLE}_\1", str(said or ""))

    def row(self) -> dict[str, t.Any]:
        order, result = self.order, self.result()
        why = self.why(result)
        certificate = order["certificate"]
        issued = result in ("reissued", "unchanged", "not_deployed")
        after = self.last.get("after") or {}
        action = re.sub(r" for key [0-9a-f]+", " for a new key", self.plan["action"]) if self.plan else "none"
        said = self.plan["message"] if self.plan else ""
        name = order["common_name"] or f"order {order['order_id']}"
        random_value = self.last.get("dcv_random_value") or self.wave.get("dcv_random_value")
        return {
            **{field: order[field] for field in ("order_id", "common_name", "names", "product", "status", "listed", "exact", "has_key")},
            **{field: order[field] for field in ("key_path", "csr_path", "certificate_path", "chain_path", "fullchain_path")},
            "name": name,
            "label": f"{name} ({order['order_id']})",
            "where": f"order {order['order_id']}, {order['product']}{', ' + order['container'] if order['container'] else ''}",
            "serial": certificate["serial"] or "",
            "serial_now": self.serial_now if issued else "",
            "key_before": (self.plan or {}).get("before", {}).get("public_key_sha256"),
            "valid_till": after.get("valid_till") if issued else certificate["valid_till"],
            "planned": self.planned,
            "ours": self.ours,
            "pending": result in ("approval", "validation", "issue"),
            "deployable": issued,
            "new": self.planned and not self.ours,
            "change": action,
            "step": (order["step"] or REISSUE) if self.ours else action,
            "losses": [told for mark, told in LOSSES if self.planned and mark in said],
            "result": result,
            "outcome": self.outcome,
            "why": why,
            "kind_why": SAME_FOR_ALL.get(result) or kind(why),
            "kind": order["product"],
            "before": f"{certificate['serial'] or 'no certificate'}, till {certificate['valid_till'] or '?'}",
            "now": f"{self.serial_now}, till {after.get('valid_till')}" if issued else why,
            "note": why if result == "not_deployed" else order["fullchain_path"] if issued else f"random value {random_value}" if random_value else "",
            "approval_request_id": self.last.get("approval_request_id") or self.wave.get("approval_request_id"),
            "dcv_random_value": random_value,
        }


def missing_row(entry: Json, wanted: t.Sequence[str]) -> dict[str, t.Any]:
    """A line of the list that names no order of this account, or nothing at all."""
    lists = ("names", "listed", "losses")
    return {
        **dict.fromkeys(wanted, ""),
        **{name: [] for name in lists},
        **dict.fromkeys(("exact", "has_key", "planned", "ours", "pending", "deployable", "new"), False),
        **dict.fromkeys(("order_id", "valid_till", "approval_request_id", "dcv_random_value")),
        "name": entry["target"],
        "label": entry["target"],
        "change": "none",
        "result": "missing",
        "why": entry["why"],
        "kind_why": kind(entry["why"]),
        "before": "not found",
        "now": entry["why"],
    }


def order_rows(selected: Json, plan: Json, done: Json, waited: Json, read_again: Json, deployed: Json) -> list[dict[str, t.Any]]:
    """One row for each order, in the order of the list, and one for each line without any."""
    plans = {target["target"]: target for target in plan["targets"]}
    late = {target["target"]: target for target in waited.get("targets") or []}
    current = {(order["certificate"]["serial"] or "").lstrip("0") for order in read_again.get("orders") or [] if not order["replaced"]}
    rows = []
    for order in selected["orders"]:
        member = str(order["order_id"])
        course = Course(
            order=order,
            plan=plans.get(member) if order["entry"] else None,
            acted=bool(done["waves"]),
            outcome=done["outcomes"].get(member, ""),
            message=done["messages"].get(member),
            wave=done["kept"].get(member, {}),
            waited=late.get(member),
            current=current,
            deployed=deployed.get(member),
        )
        rows.append(course.row())
    wanted = tuple(rows[0]) if rows else tuple(Course(EMPTY_ORDER, None).row())
    return rows + [missing_row(entry, wanted) for entry in selected["missing"]]


def new_serials(done: Json, waited: Json) -> list[str]:
    """Of the certificates that the waves and the waiting after them have brought."""
    told = [(done["outcomes"].get(member), kept) for member, kept in done["kept"].items()]
    told += [(target["outcome"], target) for target in waited.get("targets") or []]
    issued = [kept["after"] for outcome, kept in told if outcome in ("applied", "unchanged")]
    return list(dict.fromkeys(after["serial"] for after in issued if after and after.get("serial")))


# -- record ------------------------------------------------------------------------------------------------------------------------------


def digest(url: str, rows: t.Sequence[Json], own: Json) -> str:
    """A fingerprint of which orders are to be reissued with which names and wishes.

    Not that of the module, which is about the keys: in a first check there are none. An order whose reissue with a key of the folder is under way
    or done stays part of the plan, as what was let through then, so that a run that was killed goes on with the approval that it had.
    """
    steps = sorted([row["order_id"], row["common_name"], row["names"], row["step"]] for row in rows if row["planned"] or row["ours"])
    wishes = {name: own[name] for name in (*TEXTS, "skip_approval", "approve") if name != "comments"}
    plan = [ROLE, url, steps, {**wishes, "validity_days": own["number"]["validity_days"]}]
    return "sha256:" + hashlib.sha256(json.dumps(plan, separators=(",", ":"), sort_keys=True).encode()).hexdigest()


def requests_per_order(plan: Json, planned: int, own: Json) -> float:
    """What a reissue is going to cost, by what the plan has cost; whether the old certificate is for clients is not looked at again."""
    reads = int(plan["http"]["requests"]) - (planned if own["check_client_auth"] else 0)
    return max(1.0, reads / max(1, len(plan["targets"]))) + REQUESTS_TO_REISSUE


def _expected(rows: t.Sequence[Json], options: Json) -> Json:
    """The options, with the expected number understood as a person means it: of the whole plan, also what an earlier run has begun of it."""
    whole = sum(row["planned"] or row["ours"] for row in rows)
    planned = sum(row["planned"] for row in rows)
    number = options["number"]
    return {**options, "number": {**number, "expected_changes": str(planned) if number["expected_changes"] == str(whole) else number["expected_changes"]}}


def _too_late(planned: int, seconds: float, own: Json, now: str) -> list[dict[str, str]]:
    """The guard of this flow alone."""
    end, present = moment(own["deadline"]), moment(now)
    if not planned or not end or not present or (end - present).total_seconds() >= seconds:
        return []
    rest = max(0.0, (end - present).total_seconds())
    most = int(planned * rest / seconds)
    helps = [
        f"begin with the {most} most important ones (a list of these alone)" if most else "",
        "share the list with another API key, which has a rate of its own",
        "" if own["skip_approval"] else f"set {ROLE}_skip_approval=true if the key may",
        f"raise {ROLE}_rate_limits if DigiCert grants this key more",
        f"leave {ROLE}_deadline out to reissue them all the same",
    ]
    message = f"{planned} reissues need about {duration(seconds)} at the rate of this API key, and it is {duration(rest)} to {own['deadline']}."
    return [{"guard": "deadline", "message": f"{message} What would help: {'; '.join(filter(None, helps))}."}]


def _burn_down(rows: t.Sequence[Json], words: Json) -> list[dict[str, t.Any]]:
    """How far it is: what counts against the deadline."""
    tones = {result["key"]: result["tone"] for result in words["results"]}
    parts: dict[str, list[Json]] = {"replaced": [], "still open": []}
    for row in rows:
        if row["result"] != "left":
            parts["replaced" if tones[row["result"]] == "good" else "still open"].append(row)
    return [{"text": said, "count": len(members), "examples": [row["label"] for row in members[:3]]} for said, members in parts.items() if members]


def record(
    selected: Json,
    plan: Json,
    done: Json,
    waited: Json,
    read_again: Json,
    deployed: Json,
    *,
    options: Json,
    own: Json,
    run: Json,
    words: Json,
    what: str,
    check_mode: bool,
) -> dict[str, t.Any]:
    """The record of a run.

    :param waited: the module's result for what was still pending after the waves.
    :param read_again: the orders of the new certificates.
    :param deployed: by order id, the task of the hand-over that failed; empty where it has worked.
    """
    rows = order_rows(selected, plan, done, waited, read_again, deployed)
    planned = [row for row in rows if row["planned"]]
    made_plan = {**plan, "plan_digest": digest(plan.get("url") or "", rows, own)}
    each = requests_per_order(plan, len(planned), own)
    seconds = seconds_needed(len(planned), each, own["rate_limits"])
    cost = f"about {math.ceil(len(planned) * each)} requests, {duration(seconds)} at the rate of the API key" if planned else ""
    late = [] if done["waves"] else _too_late(len(planned), seconds, own, run["ended"])
    bad = sum(row["result"] in ("refused", "missing") for row in rows)
    names = {row["label"]: [row["common_name"], *row["names"], row["serial"], str(row["order_id"])] for row in planned}
    return record_of(
        rows,
        made_plan,
        done,
        refused=late + refusals(made_plan, _expected(rows, options), names=names, bad=bad, selected=len(rows)),
        sections={
            "changes": groups(planned, "change", "label"),
            "losses": groups(({"label": row["label"], "loss": loss} for row in planned for loss in row["losses"]), "loss", "label"),
            "products": groups(planned, "product", "label"),
            "burn_down": _burn_down(rows, words),
        },
        key="label",
        options=options,
        settings={**settings(own), "cost": cost},
        run=run,
        words=words,
        what=what,
        check_mode=check_mode,
    )
