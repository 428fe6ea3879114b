# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role reissue_orders selects, how fast it goes, what it tells of orders, and which of its options cannot work."""

from __future__ import annotations

import json

import pytest

from ansible_collections.certops.remediation.plugins.plugin_utils import flow, pace, reissue_record
from ansible_collections.certops.remediation.plugins.plugin_utils.reissue_list import read_list
from ansible_collections.certops.remediation.tests.unit.support import FLOW_OPTIONS

HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }} {% raw %} \\ ' \" | `x` \u202e & \U0001f512"
BAD = "failed unknown unread not_deployed refused missing"
WORDS = {
    "title": "Reissue",
    "nothing_selected": "Nothing found",
    "results": [
        *({"key": key, "label": key, "tone": "bad", "who": "You", "what": f"mend {key}", "told_by": "kind_why"} for key in BAD.split()),
        *({"key": key, "label": key, "tone": "wait", "who": "You", "what": key, "told_by": "kind_why"} for key in "approval validation issue".split()),
        {"key": "not_attempted", "label": "not attempted", "tone": "idle", "who": "You", "what": "again"},
        {"key": "planned", "label": "planned", "tone": "plan"},
        *({"key": key, "label": key, "tone": "good"} for key in "reissued unchanged replaced".split()),
        {"key": "left", "label": "left", "tone": "idle"},
    ],
    "advice": [],
}
OPTIONS = flow.options(FLOW_OPTIONS, "reissue_orders")
NOT_SET = dict.fromkeys([
    *reissue_record.TEXTS, *reissue_record.NUMBERS, *reissue_record.PATHS, "list", "retired_keys", "compromised", "skip_approval", "approve",
    "wait_for_approval", "check_client_auth", "wait", "deadline", "rate_limits",
])
NOTHING_DONE = {"outcomes": {}, "messages": {}, "kept": {}, "stopped": "", "waves": []}
NOW = "2026-11-22T20:00:00Z"
STAND_IN = "a CSR that stands for one"


def own_of(**given):
    return reissue_record.options({**NOT_SET, "list": ["1"], "folder": "/srv/folder", **given})


def complaints(**given):
    return "; ".join(own_of(**given)["complaints"])


def order(number=1, serial=None, matched=(), **changes):
    serial = serial or f"{number:02X}" * 16
    return {
        "order_id": number, "status": "issued", "product": "ssl_basic", "container": "Retail", "common_name": f"web{number}.example.com",
        "names": [f"web{number}.example.com", f"www{number}.example.com"], "replaced": False,
        "certificate": {"id": number, "serial": serial, "valid_till": "2027-03-01", "public_key_sha256": None},
        "matched": [{"target": target, "as": "current", "replaced": replaced} for target, replaced in matched], **changes,
    }


def found_of(*orders, not_found=()):
    return {"orders": list(orders), "not_found": [{"target": target, "error": {"message": why}} for target, why in not_found]}


def selected_of(entries, *orders, ledger=None, not_found=()):
    return reissue_record.selection(found_of(*orders, not_found=not_found), read_list(entries), ledger or {}, "/srv/folder")


def keys_of(selected, *with_key, refused=()):
    numbers = [entry["order_id"] for entry in selected["orders"]]
    return {"requests": [
        {"csr": f"CSR {number}" if number in with_key else None, "message": "said", "outcome": "refused" if number in refused else "planned"}
        for number in numbers
    ]}


def target(number=1, outcome="planned", message="", action="reissue for key 0123456789abcdef", **more):
    return {
        "target": str(number), "outcome": outcome, "message": message, "action": action if outcome == "planned" else "none",
        "before": {"public_key_sha256": "old"}, "after": {"serial": "AA", "valid_till": "2027-06-01"}, **more,
    }


def done_with(outcome, said=None, number=1, **kept):
    return {
        **NOTHING_DONE,
        "outcomes": {str(number): outcome} if outcome else {},
        "messages": {} if said is None else {str(number): said},
        "kept": {str(number): {"message": "", "after": {"serial": "00AA", "valid_till": "2027-06-01"}, **kept}} if outcome else {},
        "waves": [{"name": "wave 1 of 1", "size": 1, "changed": 1}],
    }


def record_of(selected, targets, done=None, *, waited=None, again=("AA",), deployed=None, with_key=(), refused=(), own=None, check_mode=False, **options):
    candidates = reissue_record.candidates(selected, keys_of(selected, *with_key, refused=refused), STAND_IN)
    read_again = {"orders": [order(9, serial) for serial in again]}
    return reissue_record.record(
        candidates, {"targets": list(targets), "url": "https://www.digicert.com", "plan_digest": "sha256:1", "http": {"requests": 2 * len(targets)}},
        done or NOTHING_DONE, {"targets": waited} if waited else {}, read_again, deployed or {},
        options={**OPTIONS, **options}, own=own or own_of(), run={"ended": NOW}, words=WORDS, what="reissued", check_mode=check_mode,
    )


def only_row(plan, done=None, *, entries=("1",), orders=None, **more):
    (row,) = record_of(selected_of(list(entries), *(orders or [order()])), [plan], done, **more)["certificates"]
    return row


# -- options -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unset", [None, "", " "])
def test_what_is_not_set_has_its_default(unset):
    given = dict.fromkeys(NOT_SET, unset)
    found = reissue_record.options({**given, "list": unset, "list_path": "x.csv", "folder": "x"})
    assert found["complaints"] == []
    assert (found["key_type"], found["on_pending"], found["deadline"]) == ("rsa-2048", "refuse", "")
    assert (found["skip_approval"], found["check_client_auth"]) == (False, True)
    assert found["rate_limits"] == [{"requests": 1000, "seconds": 180.0}, {"requests": 100, "seconds": 5.0}]


@pytest.mark.parametrize(
    "given, complaint",
    [
        ({"list": []}, "Nothing says what is to be reissued"),
        ({"list_path": "x"}, "reissue_orders_list cannot be combined with reissue_orders_list_path"),
        ({"folder": ""}, "reissue_orders_folder says where"),
        ({"deadline": "tomorrow"}, "reissue_orders_deadline is no date"),
        ({"validity_days": "many"}, "reissue_orders_validity_days must be a whole number"),
        ({"validity_days": "10", "expires_on": "2026-12-01"}, "cannot be combined with reissue_orders_expires_on"),
        ({"rate_limits": "fast"}, "reissue_orders_rate_limits is a list"),
        ({"rate_limits": [{"requests": 0, "seconds": 1}]}, "reissue_orders_rate_limits is a list"),
        ({"rate_limits": [7]}, "reissue_orders_rate_limits is a list"),
    ],
)
def test_options_that_cannot_work(given, complaint):
    assert complaint in complaints(**given)


def test_rate_limits_as_a_survey_sends_them():
    assert own_of(rate_limits='[{"requests": 10, "seconds": 2}]')["rate_limits"] == [{"requests": 10, "seconds": 2.0}]


@pytest.mark.parametrize(
    "said, meant",
    [
        ("2026-11-30", "2026-11-30T00:00:00Z"),
        ("2026-11-30T19:30", "2026-11-30T19:30:00Z"),
        ("2026-11-30T19:30Z", "2026-11-30T19:30:00Z"),
        ("2026-11-30 19:30:00+02:00", "2026-11-30T17:30:00Z"),
    ],
)
def test_deadline(said, meant):
    assert own_of(deadline=said)["deadline"] == meant


# -- time --------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "seconds, told", [(0, "0 s"), (-5, "0 s"), (59.2, "60 s"), (120, "2 min"), (3660, "1 h 01 min"), (100_000, "27 h 47 min"), (400_000, "4 d 15 h")]
)
def test_durations_in_words(seconds, told):
    assert pace.duration(seconds) == told


@pytest.mark.parametrize("listed", [1, 18, 19, 20, 100, 190, 191, 1000, 50_000])
def test_a_task_stays_within_the_limits_of_all(listed):
    limits = own_of()["rate_limits"]
    paced = reissue_record.reissue_pace(listed, limits)
    expected = listed * reissue_record.REQUESTS_PER_ORDER
    if expected <= 93:
        assert paced == limits
        return
    (only,) = paced
    for limit in limits:
        most = (limit["seconds"] // only["seconds"] + 1) * only["requests"]
        assert min(most, expected) <= limit["requests"]
    # As fast as can be.
    needed = [limit for limit in limits if expected > limit["requests"] * 0.93]
    assert only["requests"] / only["seconds"] == pytest.approx(min(limit["requests"] / limit["seconds"] for limit in needed) * 0.93)


def test_how_far_it_is():
    done = {"waves": [{"size": 10}, {"size": 90}], "told": "100 of 1000 done, 2 failed"}
    own = own_of(deadline="2026-11-23")
    assert reissue_record.left(done, 1000, 300, own, NOW) == "100 of 1000 done, 2 failed; about 9 min for the other 900, 4 h 00 min to the deadline"
    assert reissue_record.left(done, 1000, 300, own, "2026-11-24T00:00:00Z").endswith("the deadline is over")
    assert reissue_record.left({"waves": [], "told": "none done yet"}, 1000, 0, own_of(), NOW) == "none done yet; about 10 min for the other 1000"


# -- selection ---------------------------------------------------------------------------------------------------------------------------


def test_what_to_ask_for():
    serial, print_ = "0A" * 16, "AB" * 20
    read = read_list(f"Order ID;Serial;Thumbprint;CN\n;{serial};;\n7;0B;;\n;;{print_};\n5;;;\n5;;;\n;;;a.example.com\n;0C;;\n")
    ledger = {"3": {"serial": "0C", "listed": ["0C"]}}
    assert reissue_record.questions(read, ledger) == {
        "orders": [5, 3], "certificates": [{"serial": serial}, {"serial": "0B", "order_id": 7}, {"thumbprint": print_}], "names": ["a.example.com"],
    }


def test_what_the_last_run_has_left_is_asked_for_by_its_certificate():
    ledger = {"3": {"serial": "0C", "listed": ["0C", "web.example.com"], "now": "AA"}, "4": {"serial": "0D", "listed": ["0D"]}}
    read = read_list("Serial\n0C\n0D\n")
    assert reissue_record.questions(read, ledger) == {"orders": [4], "certificates": [{"serial": "AA", "order_id": 3}], "names": []}
    found = found_of(order(3, "AA", [("AA", False)]), not_found=[("4", "DigiCert CertCentral: no such order")])
    selected = reissue_record.selection(found, read, ledger, "/f")
    assert [(entry["order_id"], entry["listed"], entry["replaced"]) for entry in selected["orders"]] == [(3, ["0C"], True)]
    assert selected["missing"] == [{"target": "serial 0D", "why": "no such order"}]
    selected = reissue_record.selection(found_of(not_found=[("AA", "order 3 is gone")]), read_list("Serial\n0C\n"), ledger, "/f")
    assert selected["missing"] == [{"target": "serial 0C", "why": "order 3 is gone"}]


def test_an_order_is_there_once_whatever_leads_to_it():
    serial = order()["certificate"]["serial"]
    selected = selected_of([serial, "1", "web1.example.com"], order(matched=[(serial, False), ("web1.example.com", False)]))
    (only,) = selected["orders"]
    assert (only["listed"], only["exact"], only["replaced"], only["over"]) == ([serial, "1", "web1.example.com"], True, False, False)
    assert only["key_path"] == "/srv/folder/web1.example.com.1.key" and only["fullchain_path"] == "/srv/folder/web1.example.com.1.fullchain.crt"


def test_what_is_unknown_is_named():
    selected = selected_of(["0F" * 16, "7", "no.example.com", "???"], not_found=[("0F" * 16, "DigiCert CertCentral: not there"), ("7", "no order")])
    assert [(entry["target"], entry["why"]) for entry in selected["missing"]] == [
        ("entry 4: ???", "is no serial number, thumbprint, order id or host name"), ("serial " + "0F" * 16, "not there"), ("order id 7", "no order"),
        ("name no.example.com", "not found"),
    ]


@pytest.mark.parametrize(
    "entries, matched, ledger, replaced",
    [
        # Found as a former certificate of the order.
        (["0B"], [("0B", True)], {}, True),
        (["0B"], [("0B", False)], {}, False),
        # A duplicate has another serial number and is replaced when the order is.
        (["0B"], [], {"1": {"serial": "01" * 16, "listed": ["0B"]}}, False),
        (["0B"], [], {"1": {"serial": "0B", "listed": ["0B"]}}, True),
        (["1"], [], {}, False),
        (["1"], [], {"1": {"serial": "0B", "listed": ["1"]}}, True),
        (["web1.example.com"], [("web1.example.com", False)], {"1": {"serial": "0B", "listed": []}}, True),
        # Of two entries, one is not replaced.
        (["0B", "0C"], [("0B", True), ("0C", False)], {}, False),
        # A new list names what the run before has issued.
        (["01" * 16], [("01" * 16, False)], {"1": {"serial": "0B", "listed": ["0B"]}}, False),
        (["01" * 16], [], {"1": {"serial": "0B", "listed": ["01" * 16]}}, False),
    ],
)
def test_what_has_been_replaced(entries, matched, ledger, replaced):
    entries = [{"serial": entry} if entry.startswith("0") else entry for entry in entries]
    (only,) = selected_of(entries, order(matched=matched), ledger=ledger)["orders"]
    assert only["replaced"] == replaced


def test_an_order_of_the_past_is_left_alone_where_only_its_name_is_listed():
    gone = order(2, matched=[("web1.example.com", False)], status="revoked")
    selected = selected_of(["web1.example.com"], order(matched=[("web1.example.com", False)]), gone)
    assert [entry["over"] for entry in selected["orders"]] == [False, True]
    rows = record_of(selected, [target()])["certificates"]
    assert [row["result"] for row in rows] == ["planned", "left"] and rows[1]["why"] == "has the name, but the order is revoked"
    assert not selected_of(["2"], gone)["orders"][0]["over"]


def test_a_new_certificate_with_a_compromised_key_is_no_replacement():
    former = {"serial": "0B", "public_key_sha256": "leaked"}
    selected = selected_of([{"serial": "B"}], order(matched=[("B", True)]))
    for key, replaced in (("leaked", False), ("other", True), (None, True)):
        detailed = {"orders": [{**order(), "certificate": {"public_key_sha256": key}, "reissues": [former], "duplicates": None}]}
        (only,) = reissue_record.same_key(selected, detailed)["orders"]
        assert (only["replaced"], only["exact"]) == (replaced, not replaced)


@pytest.mark.parametrize("name, stem", [("*.example.com", "_.example.com.1"), ("../../etc/x", ".._.._etc_x.1"), ("", "order.1"), ("x" * 99, "x" * 64 + ".1")])
def test_names_of_files(name, stem):
    assert reissue_record.files("/f", order(common_name=name))["key_path"] == f"/f/{stem}.key"


def test_requests_for_keys():
    rows = selected_of(["1", "2"], order(1), order(2, common_name=""))["orders"]
    first, second = reissue_record.requests_for(rows)
    assert first == {
        "common_name": "web1.example.com", "names": ["web1.example.com", "www1.example.com"], "path": "/srv/folder/web1.example.com.1.key",
        "csr_path": "/srv/folder/web1.example.com.1.csr",
    }
    assert "common_name" not in second


def test_only_what_may_have_to_be_done_is_handed_to_the_module():
    orders = [order(1), order(2, matched=[("0B", True)]), order(3, matched=[("0C", True)]), order(4)]
    selected = selected_of(["1", {"serial": "0B"}, {"serial": "0C"}, "4"], *orders)
    made = reissue_record.candidates(selected, keys_of(selected, 2, refused=[4]), STAND_IN)["orders"]
    assert made[0]["entry"] == {"order_id": 1, "csr": STAND_IN}
    # Replaced by a run before, perhaps: its files may be missing.
    assert made[1]["entry"]["csr"] == "CSR 2" and made[1]["entry"]["chain_path"].endswith("web2.example.com.2.chain.crt")
    assert (made[2]["entry"], made[2]["problem"]) == (None, "") and (made[3]["entry"], made[3]["problem"]) == (None, "said")


def test_the_ledger_keeps_what_was_seen_first():
    rows = [
        {"order_id": 1, "planned": True, "serial": "NEW", "listed": ["web1"], "exact": False, "step": "reissue", "serial_now": "AA"},
        {"order_id": 2, "planned": True, "serial": "02", "listed": ["02"], "exact": True, "step": "cancel and reissue", "serial_now": ""},
        {"order_id": 3, "planned": False, "serial": "03", "listed": ["03"], "exact": True, "step": "none", "serial_now": "CC"},
        {"order_id": 4, "planned": False, "serial": "04", "listed": ["04"], "exact": False, "step": "none", "serial_now": "DD"},
    ]
    first = {"serial": "OLD", "listed": ["OLD"]}
    fourth = {"serial": "OLD", "listed": ["OLD"], "step": "reissue, signature_hash sha384", "now": "BB"}
    before = {"1": first, "4": fourth}
    made = reissue_record.ledger(before, rows)
    assert made == {
        "1": {"serial": "OLD", "listed": ["OLD", "web1"], "step": "reissue", "now": "AA"},
        "2": {"serial": "02", "listed": ["02"], "step": "cancel and reissue"},
        "4": {**fourth, "now": "DD"},
    }
    assert first == {"serial": "OLD", "listed": ["OLD"]} and fourth["now"] == "BB"


# -- what has become of an order ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "outcome, message, again, deployed, result",
    [
        ("applied", None, ["AA"], {}, "reissued"),
        ("applied", None, ["AA"], {"1": ""}, "reissued"),
        ("applied", None, ["AA"], {"1": "Restart"}, "not_deployed"),
        ("applied", None, [], {}, "unread"),
        ("unchanged", None, ["AA"], {}, "reissued"),
        ("pending", "asked for; waits for the approval of request 7", [], {}, "approval"),
        ("pending", "asked for; waits for the validation of its domains", [], {}, "validation"),
        ("pending", "asked for and approved (request 7); waits for validation or issue", [], {}, "issue"),
        ("failed", "no", [], {}, "failed"),
        ("refused", "no", [], {}, "failed"),
        ("unknown", "lost", [], {}, "unknown"),
        ("not_attempted", "stopped", [], {}, "not_attempted"),
        ("", None, [], {}, "not_attempted"),
    ],
)
def test_result_of_what_was_planned(outcome, message, again, deployed, result):
    row = only_row(target(), done_with(outcome, message, **({"message": message} if message else {})), again=again, deployed=deployed)
    assert (row["result"], row["planned"], row["outcome"]) == (result, True, outcome)
    assert row["deployable"] == (result in ("reissued", "not_deployed"))
    if message:
        assert row["why"] == message


@pytest.mark.parametrize(
    "late, again, result",
    [
        (target(outcome="unchanged"), ["AA"], "reissued"),
        (target(outcome="applied"), [], "unread"),
        (target(outcome="pending", message="its reissue waits for validation or issue"), [], "issue"),
        (target(outcome="failed", message="its reissue was rejected or cancelled"), [], "failed"),
        (target(outcome="refused", message="a reissue with this key was rejected"), [], "failed"),
    ],
)
@pytest.mark.parametrize("before", [False, True])
def test_result_of_what_was_waited_for(late, again, result, before):
    plan = target(outcome="pending", message="waits for validation or issue") if before else target()
    done = NOTHING_DONE if before else done_with("pending")
    row = only_row(plan, done, waited=[late], again=again, with_key=[1])
    assert (row["result"], row["ours"]) == (result, before)
    if result == "failed":
        assert row["why"] == late["message"]


def test_the_random_value_of_a_domain_is_not_forgotten():
    late = target(outcome="pending", message="its reissue waits for validation or issue")
    row = only_row(target(), done_with("pending", dcv_random_value="abc", message="asked for"), waited=[late])
    assert (row["result"], row["dcv_random_value"], row["note"]) == ("validation", "abc", "random value abc")


@pytest.mark.parametrize(
    "plan, with_key, entries, result",
    [
        (target(), [], ["1"], "planned"),
        (target(outcome="unchanged"), [1], ["1"], "unchanged"),
        (target(outcome="pending", message="waits for the approval of request 7"), [1], ["1"], "approval"),
        (target(outcome="refused", message="the order is revoked"), [], ["1"], "refused"),
        (target(outcome="failed", message="cannot be read"), [], ["1"], "refused"),
        # The key in the folder is that of the certificate on the list.
        (target(outcome="unchanged"), [1], ["01" * 16], "refused"),
        (target(action="fetch the certificate"), [1], ["01" * 16], "refused"),
        (target(), [1], ["01" * 16], "planned"),
    ],
)
def test_result_of_what_was_not_acted_on(plan, with_key, entries, result):
    row = only_row(plan, entries=entries, orders=[order(matched=[("01" * 16, False)])], with_key=with_key)
    assert (row["result"], row["planned"]) == (result, result == "planned")
    if with_key and result == "refused":
        assert "use another folder" in row["why"]


@pytest.mark.parametrize("plan", [target(outcome="unchanged"), target(action="fetch the certificate")])
@pytest.mark.parametrize("serial, own", [("01" * 16, True), ("1" + "01" * 15, True), ("0E" * 16, False)])
def test_a_reissue_that_is_issued_while_the_plan_is_made_is_ours(plan, serial, own):
    plan = {**plan, "before": {"serial": serial, "public_key_sha256": "new"}}
    row = only_row(plan, entries=["01" * 16], orders=[order(matched=[("01" * 16, False)])], with_key=[1])
    assert (row["ours"], row["result"] == "refused") == (not own, own)
    # Its key is not one that is replaced.
    assert not row["new"]


def test_what_was_replaced_by_somebody_else():
    selected = selected_of([{"serial": "0B"}], order(matched=[("0B", True)]))
    (row,) = record_of(selected, [])["certificates"]
    assert (row["result"], row["why"]) == ("replaced", "has a newer certificate than the one on the list")
    (row,) = record_of(selected, [target(outcome="refused", message="is not the current one")], with_key=[1])["certificates"]
    assert row["result"] == "replaced"
    (row,) = record_of(selected, [target(outcome="unchanged")], with_key=[1])["certificates"]
    assert row["result"] == "unchanged"


def test_a_key_that_cannot_be_used_is_said():
    selected = selected_of(["1"], order())
    (row,) = record_of(selected, [], refused=[1])["certificates"]
    assert (row["result"], row["why"]) == ("refused", "said")


def test_options_of_the_module_are_told_as_those_of_the_role():
    assert only_row(target(outcome="refused", message="is pending; set on_pending=cancel"))["why"] == "is pending; set reissue_orders_on_pending=cancel"


def test_texts_of_one_kind_are_told_once():
    said = "a reissue is pending by Robin since {} and waits for the approval of request {}"
    targets = [target(number, "refused", said.format(f"2026-11-22T1{number}:00:00+00:00", number)) for number in (1, 2)]
    made = record_of(selected_of(["1", "2"], order(1), order(2)), targets)
    assert [(group["text"], group["count"]) for group in made["open"]] == [("a reissue is pending by Robin and waits for the approval of request *", 2)]


def test_what_would_be_lost_is_counted():
    said = "would reissue; it would be valid till 2027-01-01 at most; the current certificate is for client authentication too"
    made = record_of(selected_of(["1", "2"], order(1), order(2)), [target(1, message=said), target(2)])
    assert [(group["text"], group["count"]) for group in made["losses"]] == [
        ("a shorter validity than the current certificate", 1), ("no client authentication any more", 1),
    ]


def test_how_far_it_is_is_counted():
    gone = order(3, matched=[("0B", True)])
    made = record_of(selected_of(["1", "2", {"serial": "0B"}, "9"], order(1), order(2), gone), [target(1), target(2)], done_with("applied"))
    assert [(part["text"], part["count"]) for part in made["burn_down"]] == [("replaced", 2), ("still open", 2)]


def test_hostile_text_passes_through_unharmed():
    selected = selected_of(["1"], order(common_name=HOSTILE, container=HOSTILE))
    made = json.loads(json.dumps(record_of(selected, [target()], done_with("failed", HOSTILE), waited=None)))
    (row,) = made["certificates"]
    assert (row["name"], row["why"]) == (HOSTILE, HOSTILE)


def test_ten_thousand():
    numbers = range(1, 10_001)
    made = record_of(selected_of(list(map(str, numbers)), *map(order, numbers)), [target(number) for number in numbers])
    assert made["counts"]["planned"] == len(made["certificates"]) == 10_000


def test_the_serial_numbers_of_new_certificates():
    kept = {"1": {"after": {"serial": "AA"}}, "2": {"after": {"serial": "BB"}}, "3": {"after": None}}
    done = {"outcomes": {"1": "applied", "2": "failed", "3": "applied"}, "kept": kept}
    waited = {"targets": [target(4, "unchanged", after={"serial": "CC"}), target(5, "pending", after={"serial": "new"})]}
    assert reissue_record.new_serials(done, waited) == ["AA", "CC"]
    assert reissue_record.new_serials(NOTHING_DONE, {}) == []


# -- guards ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["^web1[.]", "^WWW1", "^0101", "^1$"])
def test_the_deny_list_knows_all_names(pattern):
    (refusal,) = record_of(selected_of(["1"], order()), [target()], deny=[pattern])["refusals"]
    assert refusal["guard"] == "deny" and "such as web1.example.com (1)" in refusal["message"]


def test_a_deadline_that_cannot_be_met_says_what_would_help():
    numbers = range(1, 1001)
    made = record_of(
        selected_of(list(map(str, numbers)), *map(order, numbers)), [target(number) for number in numbers], own=own_of(deadline="2026-11-22T20:05Z")
    )
    (refusal,) = made["refusals"]
    assert refusal["guard"] == "deadline"
    assert refusal["message"].startswith("1000 reissues need about 10 min at the rate of this API key, and it is 5 min to 2026-11-22T20:05:00Z.")
    assert "begin with the 516 most important ones" in refusal["message"] and "reissue_orders_skip_approval=true" in refusal["message"]
    over = record_of(selected_of(["1"], order()), [target()], own=own_of(deadline="2026-11-22", skip_approval=True))["refusals"][0]["message"]
    assert "begin with" not in over and "skip_approval" not in over


def test_a_deadline_stops_nothing_that_is_done_or_under_way():
    own = own_of(deadline="2026-11-22")
    assert record_of(selected_of(["1"], order()), [target(outcome="pending")], own=own, with_key=[1])["refusals"] == []
    assert record_of(selected_of(["1"], order()), [target()], done_with("applied"), own=own)["refusals"] == []
    assert record_of(selected_of(["1"], order()), [target()], own=own_of(deadline="2026-11-23"))["refusals"] == []


def test_what_cannot_be_acted_on_is_a_guard():
    selected = selected_of(["1", "2", "7"], order(1), order(2))
    targets = [target(1), target(2, "refused", "no")]
    (refusal,) = record_of(selected, targets)["refusals"]
    assert refusal["guard"] == "continue_on_error" and refusal["message"].startswith("2 of the 3 selected")
    assert record_of(selected, targets, continue_on_error=True)["refusals"] == []


@pytest.mark.parametrize("expected, refused", [("3", False), ("1", False), ("2", True)])
def test_a_person_expects_the_whole_plan_also_what_is_begun_of_it(expected, refused):
    targets = [target(1, "unchanged"), target(2, "pending"), target(3)]
    options = {"number": {**OPTIONS["number"], "expected_changes": expected}}
    made = record_of(selected_of(["1", "2", "3"], order(1), order(2), order(3)), targets, with_key=[1, 2], **options)
    assert bool(made["refusals"]) == refused


# -- digest ------------------------------------------------------------------------------------------------------------------------------


def digest_of(targets, orders=None, with_key=(), ledger=None, **own):
    orders = orders or [order(1), order(2)]
    selected = selected_of([str(entry["order_id"]) for entry in orders], *orders, ledger=ledger)
    return record_of(selected, targets, with_key=with_key, own=own_of(**own))["plan_digest"]


def test_the_digest_stays_while_the_plan_is_carried_out():
    first = digest_of([target(1), target(2)])
    assert first.startswith("sha256:") and len(first) == 71
    assert first == digest_of([target(1, action="reissue for key fedcba9876543210"), target(2)])
    for outcome in ("pending", "unchanged"):
        assert first == digest_of([target(1, outcome), target(2)], with_key=[1])
    assert first == digest_of([target(1, action="fetch the certificate"), target(2)], with_key=[1])
    assert first == digest_of([target(2), target(1)], [order(2), order(1)])
    assert first == digest_of([target(1), target(2)], history_limit="0")


@pytest.mark.parametrize("begun", [("unchanged",), ("pending",), ("planned", "", "fetch the certificate"), ("planned", "", "approve request 7")])
@pytest.mark.parametrize(
    "action", ["reissue for key 0123456789abcdef, signature_hash sha384, validity 90", "cancel and reissue for key 0123456789abcdef"]
)
def test_what_was_let_through_stays_in_the_digest_with_its_wishes(begun, action):
    orders = [order(1), order(2)]
    selected = selected_of(["1", "2"], *orders)
    approved = record_of(selected, [target(1, action=action), target(2)])
    ledger = reissue_record.ledger({}, approved["certificates"])
    assert digest_of([target(1, *begun), target(2)], with_key=[1], ledger=ledger) == approved["plan_digest"]
    # What the key is for now is no longer what was let through.
    assert digest_of([target(1), target(2)], with_key=[1], ledger=ledger) != approved["plan_digest"]


@pytest.mark.parametrize(
    "targets, orders, own",
    [
        ([target(1)], [order(1)], {}),
        ([target(1), target(2, "refused")], None, {}),
        ([target(1), target(2, action="cancel and reissue for key 0123456789abcdef")], None, {}),
        ([target(1), target(2)], [order(1), order(2, names=["web2.example.com"])], {}),
        ([target(1), target(2)], None, {"skip_approval": True}),
        ([target(1), target(2)], None, {"validity_days": "10"}),
        ([target(1), target(2)], None, {"key_type": "ecdsa-p256"}),
    ],
)
def test_another_plan_has_another_digest(targets, orders, own):
    assert digest_of(targets, orders, **own) != digest_of([target(1), target(2)])


def test_a_list_that_leads_to_no_order_is_told():
    made = record_of(selected_of(["AA", "BB"], not_found=[("AA", "no such order"), ("BB", "no such order")]), [])
    assert made["results"]["missing"] == 2 and made["counts"]["planned"] == 0
