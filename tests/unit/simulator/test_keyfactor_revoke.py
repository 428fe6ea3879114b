# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command: Revoke and RevokeAll, their answers in every shape, and what really happened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
import requests

from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.unit.simulator.keyfactor_client import Command

REVOKE = {"path": "/certificates/revoke$"}
CA_TEXT = "The certificate authority could not be contacted."
# Ids 1 to 5: only the third cannot be revoked.
MIXED = [{"cn": "a"}, {"cn": "b"}, {"cn": "c", "ca_refuses": CA_TEXT}, {"cn": "d"}, {"cn": "e"}]


@pytest.fixture
def command(simulator: Simulator) -> Iterator[Command]:
    simulator.keyfactor.load([{"cn": "a"}, {"cn": "b"}])
    plain = Command(simulator)
    yield plain
    plain.session.close()


def switch(simulator: Simulator, **switches: Any) -> None:
    simulator.configure({"keyfactor": switches})


def states(simulator: Simulator) -> dict[int, int]:
    return {item.id: item.state for item in simulator.keyfactor.store}


# -- what it does ------------------------------------------------------------------------------------------------


def test_the_recorded_exchange(simulator: Simulator, command: Command) -> None:
    answer = command.revoke(1, reason=5, EffectiveDate="2026-03-07T03:08:27Z")
    assert (answer.status_code, answer.text) == (200, '{"RevokedIds":[1],"SuspendedCerts":[]}')
    shown = command.one(1)
    assert (shown["CertState"], shown["RevocationReason"], shown["RevocationComment"]) == (2, 5, "INC-1")
    assert shown["RevocationEffDate"] == "2026-03-07T03:08:27Z"
    certificate = simulator.keyfactor[1]
    assert (certificate.state, certificate.revocation_reason, certificate.revocation_comment) == (2, 5, "INC-1")
    assert certificate.revocation_date == datetime(2026, 3, 7, 3, 8, 27, tzinfo=timezone.utc).timestamp()
    assert simulator.records.effects("1") == ["revoke"]


def test_hold_release_hold_and_final_revocation(simulator: Simulator, command: Command) -> None:
    assert command.revoke(1, reason=6).json()["RevokedIds"] == [1]
    assert (command.one(1)["CertState"], command.one(1)["RevocationReason"]) == (2, 6)
    assert command.revoke(1, reason=-1).json()["RevokedIds"] == [1]
    shown = command.one(1)
    assert [shown[name] for name in ("CertState", "RevocationReason", "RevocationComment", "RevocationEffDate")] == [1, None, None, None]
    command.revoke(1, reason=6)
    assert command.revoke(1, reason=1).json()["RevokedIds"] == [1]
    assert simulator.records.effects("1") == ["hold", "release", "hold", "revoke"]


def test_the_authority_may_refuse_to_turn_a_hold_into_a_revocation(simulator: Simulator, command: Command) -> None:
    switch(simulator, hold_to_revoked="refused")
    command.revoke(1, reason=6)
    answer = command.revoke(1, reason=1)
    assert (answer.status_code, "has previously been revoked" in answer.json()["Message"]) == (400, True)
    assert command.revoke(1, reason=-1).status_code == 200
    assert simulator.records.effects("1") == ["hold", "release"]


@pytest.mark.parametrize("reason", [6, 0, 1])
def test_a_second_hold_is_refused_like_a_second_revocation(simulator: Simulator, command: Command, reason: int) -> None:
    first = 6 if reason == 6 else 1
    command.revoke(1, reason=first)
    answer = command.revoke(1, reason=reason)
    assert (answer.status_code, answer.json()["ErrorCode"]) == (400, "0xA0110002")
    assert "has previously been revoked" in answer.json()["Message"]
    assert simulator.keyfactor[1].revocation_reason == first
    assert len(simulator.records.effects("1")) == 1


def test_already_revoked_by_switch(simulator: Simulator, command: Command) -> None:
    simulator.keyfactor.load([{"cn": "a", "state": "revoked", "reason": 4}])
    switch(simulator, already_revoked_status=409)
    assert command.revoke(1).status_code == 409
    switch(simulator, already_revoked="accept")
    assert command.revoke(1, reason=1).json()["RevokedIds"] == [1]
    assert (simulator.keyfactor[1].revocation_reason, simulator.records.effects("1")) == (1, ["revoke"])


@pytest.mark.parametrize("spec", [{}, {"state": 2, "reason": 1}])
def test_only_what_is_on_hold_can_be_released(simulator: Simulator, command: Command, spec: dict[str, Any]) -> None:
    simulator.keyfactor.load([{"cn": "a", **spec}])
    answer = command.revoke(1, reason=-1)
    assert (answer.status_code, answer.json()["Message"]) == (400, "The certificate is not on hold.")
    assert simulator.records.effects("1") == []


@pytest.mark.parametrize("state", ["unknown", "denied", "failed", "pending", "external validation"])
def test_what_was_never_issued_cannot_be_revoked(simulator: Simulator, command: Command, state: str) -> None:
    simulator.keyfactor.load([{"cn": "a", "state": state}])
    before = simulator.keyfactor[1].state
    answer = command.revoke(1)
    assert (answer.status_code, state.title() in answer.json()["Message"]) == (400, True)
    assert simulator.keyfactor[1].state == before


@pytest.mark.parametrize("state", [6, 7])
def test_nothing_protects_an_authority(simulator: Simulator, command: Command, state: int) -> None:
    simulator.keyfactor.load([{"cn": "Root", "state": state}])
    assert command.revoke(1).json()["RevokedIds"] == [1]


@pytest.mark.parametrize(("behaviour", "status"), [("accept", 200), ("refuse", 400)])
def test_expired_certificates(simulator: Simulator, command: Command, behaviour: str, status: int) -> None:
    simulator.keyfactor.load([{"cn": "a", "valid_days": -1}])
    switch(simulator, revoke_expired=behaviour)
    assert command.revoke(1).status_code == status
    assert simulator.records.effects("1") == ["revoke"] * (status == 200)


# -- the request -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [-1, 0, 1, 2, 3, 4, 5, 6, 8, 999, "5", "-1", None])
def test_reasons_that_are_known(simulator: Simulator, command: Command, reason: Any) -> None:
    simulator.keyfactor.load([{"cn": "a", "on_hold": str(reason) in ("-1", "8")}])
    assert command.revoke(1, reason=reason).status_code == 200
    assert simulator.keyfactor[1].revocation_reason == (None if str(reason) in ("-1", "8") else int(reason or 0))


@pytest.mark.parametrize("reason", [7, 9, 10, -2, "keyCompromise", "", 1.5, True, [1]])
def test_reasons_that_are_not(simulator: Simulator, command: Command, reason: Any) -> None:
    answer = command.revoke(1, reason=reason)
    if reason == "":
        assert simulator.keyfactor[1].revocation_reason == 0
        return
    assert (answer.status_code, answer.json()["ErrorCode"][:2]) == (400, "0x")
    assert simulator.records.effects("1") == []


def test_seven_or_eight(simulator: Simulator, command: Command) -> None:
    switch(simulator, revoke_reason_7=7)
    simulator.keyfactor.load([{"cn": "a", "on_hold": True}])
    assert command.revoke(1, reason=8).status_code == 400
    assert command.revoke(1, reason=7).status_code == 200
    assert simulator.records.effects("1") == ["release"]


def test_without_a_reason_it_is_unspecified(simulator: Simulator, command: Command) -> None:
    assert command.post("/Certificates/Revoke", {"CertificateIds": [1]}).status_code == 200
    assert (simulator.keyfactor[1].revocation_reason, simulator.keyfactor[1].revocation_comment) == (0, "")


@pytest.mark.parametrize("keys", [("certificateIds", "reason", "comment"), ("CertificateIDs", "REASON", "Comment")])
def test_names_in_the_body_have_no_case(simulator: Simulator, command: Command, keys: tuple[str, str, str]) -> None:
    assert command.post("/Certificates/Revoke", dict(zip(keys, ([1], 1, "x")))).json()["RevokedIds"] == [1]
    assert (simulator.keyfactor[1].revocation_comment, simulator.journal[-1]["target"]) == ("x", "1")


@pytest.mark.parametrize(("comment", "status"), [("", 400), (None, 400), ("x", 200)])
def test_the_comment_can_be_mandatory(simulator: Simulator, command: Command, comment: str | None, status: int) -> None:
    switch(simulator, comment_required=True)
    assert command.revoke(1, Comment=comment).status_code == status


@pytest.mark.parametrize(
    ("date", "wanted"),
    [
        (None, None), ("2026-11-22T05:00:00Z", "05:00:00"), ("2026-11-22T05:00:00.123Z", "05:00:00"), ("2026-11-22T05:00:00.123456Z", "05:00:00"),
        ("2026-11-22T05:00:00+02:00", "03:00:00"), ("2026-11-22T05:00:00-0130", "06:30:00"), ("2026-11-22T05:00:00", "05:00:00"),
    ],
)
def test_dates_that_are_read(simulator: Simulator, command: Command, date: str | None, wanted: str | None) -> None:
    assert command.revoke(1, EffectiveDate=date).status_code == 200
    if wanted:
        assert command.one(1)["RevocationEffDate"].startswith(f"2026-11-22T{wanted}")
    else:
        assert simulator.keyfactor[1].revocation_date == simulator.clock.now()


@pytest.mark.parametrize(
    "date",
    [
        "2021-01-01 00:00:00.000 +0000 UTC", "2026-11-22T05Z", "tomorrow", "", "2026-13-01T00:00:00Z", "2026-11-22T25:00:00Z",
        "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", 1767225600,
    ],
)
@pytest.mark.parametrize("shape", ["error", "problem"])
def test_dates_that_are_not(simulator: Simulator, command: Command, date: Any, shape: str) -> None:
    switch(simulator, bad_body=shape)
    answer = command.revoke(1, EffectiveDate=date)
    assert answer.status_code == 400
    assert set(answer.json()) == ({"ErrorCode", "Message"} if shape == "error" else {"type", "title", "status", "errors"})
    assert answer.headers["Content-Type"].startswith("application/json" if shape == "error" else "application/problem+json")
    assert simulator.records.effects("1") == []


@pytest.mark.parametrize(("when", "state"), [("at_once", 2), ("on_date", 1)])
def test_a_date_in_the_future(simulator: Simulator, command: Command, when: str, state: int) -> None:
    switch(simulator, future_effective_date=when)
    date = datetime.fromtimestamp(int(simulator.clock.now()) + 3600, timezone.utc).isoformat()
    assert command.revoke(1, EffectiveDate=date).json()["RevokedIds"] == [1]
    assert (command.one(1)["CertState"], simulator.keyfactor[1].state) == (state, state)
    assert (command.one(1)["RevocationEffDate"] is None) is (when == "on_date")
    assert command.revoke(1).status_code == 400
    simulator.clock.advance(3600)
    assert (command.one(1)["CertState"], command.one(1)["RevocationReason"]) == (2, 1)
    assert command.listed("CertState -eq 2") == [1]
    assert simulator.records.effects("1") == ["revoke"]


@pytest.mark.parametrize(
    "body",
    [{}, {"CertificateIds": []}, {"CertificateIds": None}, {"CertificateIds": 1}, {"CertificateIds": ["x"]}, {"CertificateIds": [1], "Comment": 5},
     {"CertificateIds": [1], "CollectionId": "x"}, [1]],
)
def test_bodies_that_make_no_sense(simulator: Simulator, command: Command, body: Any) -> None:
    assert command.post("/Certificates/Revoke", body).status_code == 400
    assert states(simulator) == {1: 1, 2: 1}


def test_an_id_that_is_given_twice_counts_once(simulator: Simulator, command: Command) -> None:
    assert command.revoke(1, 2, 1).json()["RevokedIds"] == [1, 2]
    assert simulator.records.effects("1") == ["revoke"]


def test_the_last_day_of_the_calendar(command: Command) -> None:
    assert command.revoke(1, EffectiveDate="9999-12-31T23:59:59Z").status_code == 200
    assert command.one(1)["RevocationEffDate"] == "9999-12-31T23:59:59Z"


def test_a_batch_can_be_too_large(simulator: Simulator, command: Command) -> None:
    switch(simulator, max_ids_per_request=1)
    assert command.revoke(1, 2).status_code == 400
    assert states(simulator) == {1: 1, 2: 1}
    assert command.revoke(1).status_code == 200


@pytest.mark.parametrize(("lenient", "status"), [(True, 200), (False, 400)])
def test_what_follows_the_first_json_value(simulator: Simulator, command: Command, lenient: bool, status: int) -> None:
    switch(simulator, lenient_json=lenient)
    broken = '{"CertificateIds": [ 1 ], "Reason": 0, "Comment": "via Vault", "EffectiveDate": "2026-01-01T00:00:00Z"},"CollectionId": 0 }'
    answer = command.session.post(f"{command.base}/Certificates/Revoke", data=broken, headers={"content-type": "application/json"}, timeout=10)
    assert answer.status_code == status
    assert simulator.records.effects("1") == ["revoke"] * lenient


# -- unknown ids -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "status"), [("404", 404), ("400", 400)])
def test_an_unknown_id_stops_the_whole_request(simulator: Simulator, command: Command, form: str, status: int) -> None:
    switch(simulator, unknown_id=form)
    answer = command.revoke(1, 99, 2)
    assert (answer.status_code, answer.json()["Message"]) == (status, "Unable to find 'Certificate' with Id '99'")
    assert states(simulator) == {1: 1, 2: 1}


def test_an_unknown_id_can_simply_be_missing(simulator: Simulator, command: Command) -> None:
    switch(simulator, unknown_id="missing")
    assert command.revoke(1, 99, 2).json() == {"RevokedIds": [1, 2], "SuspendedCerts": []}
    assert command.revoke(99).json() == {"RevokedIds": [], "SuspendedCerts": []}


# -- partial failure ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "status", "body"),
    [
        ("missing", 200, {"RevokedIds": [1, 2, 4, 5], "SuspendedCerts": []}),
        ("listed", 200, {"RevokedIds": [1, 2, 4, 5], "SuspendedCerts": [], "FailedIds": [3]}),
        ("error", 400, {"ErrorCode": "0xA0110002", "Message": CA_TEXT, "FailedOperations": [{"Reason": CA_TEXT}]}),
        ("refuse_all", 400, {"ErrorCode": "0xA0110002", "Message": CA_TEXT, "FailedOperations": [{"Reason": CA_TEXT}]}),
    ],
)
def test_partial_failure_in_every_shape(simulator: Simulator, command: Command, shape: str, status: int, body: dict[str, Any]) -> None:
    simulator.keyfactor.load(MIXED)
    switch(simulator, partial_failure=shape)
    answer = command.revoke(1, 2, 3, 4, 5)
    assert (answer.status_code, answer.json()) == (status, body)
    good = [] if shape == "refuse_all" else ["revoke"]
    assert [simulator.records.effects(str(number)) for number in (1, 2, 3, 4, 5)] == [good, good, [], good, good]
    assert states(simulator) == {1: 1 + len(good), 2: 1 + len(good), 3: 1, 4: 1 + len(good), 5: 1 + len(good)}


@pytest.mark.parametrize("shape", ["missing", "listed", "error", "refuse_all"])
def test_one_alone_fails_as_an_error(simulator: Simulator, command: Command, shape: str) -> None:
    simulator.keyfactor.load(MIXED)
    switch(simulator, partial_failure=shape)
    answer = command.revoke(3)
    assert (answer.status_code, answer.json()) == (400, {"ErrorCode": "0xA0110002", "Message": CA_TEXT})


@pytest.mark.parametrize("shape", ["missing", "listed", "error", "refuse_all"])
def test_nothing_fails_in_no_shape(simulator: Simulator, command: Command, shape: str) -> None:
    switch(simulator, partial_failure=shape)
    assert command.revoke(1, 2).json() == {"RevokedIds": [1, 2], "SuspendedCerts": []}


def test_the_names_that_are_not_known_can_be_set(simulator: Simulator, command: Command) -> None:
    simulator.keyfactor.load(MIXED)
    switch(simulator, partial_failure="listed", failed_list_name="Failed", error_codes={"refused": "0xA0999999"})
    assert command.revoke(1, 3).json()["Failed"] == [3]
    assert command.revoke(3).json()["ErrorCode"] == "0xA0999999"


def test_lists_can_be_null(simulator: Simulator, command: Command) -> None:
    switch(simulator, empty_lists="null")
    assert command.revoke(1).json() == {"RevokedIds": [1], "SuspendedCerts": None}


# -- versions ----------------------------------------------------------------------------------------------------


def test_version_9_says_nothing(simulator: Simulator, command: Command) -> None:
    switch(simulator, version="9")
    answer = command.revoke(1, 2)
    assert (answer.status_code, answer.content) == (204, b"")
    assert states(simulator) == {1: 2, 2: 2}


def test_the_answer_can_be_in_camel_case(simulator: Simulator, command: Command) -> None:
    switch(simulator, response_key_case="camel")
    assert command.revoke(1).json() == {"revokedIds": [1], "suspendedCerts": []}


@pytest.mark.parametrize(("version", "status"), [("25.4.1", 404), ("11.0", 404), ("9", 404), ("10.4", 200)])
def test_revoke_all_was_there_in_10(simulator: Simulator, command: Command, version: str, status: int) -> None:
    switch(simulator, version=version)
    answer = command.post("/Certificates/RevokeAll", {"Query": 'CN -eq "a"', "Reason": 1, "Comment": "x"})
    assert answer.status_code == status
    assert states(simulator) == {1: 2 if status == 200 else 1, 2: 1}
    assert simulator.records.effects("1") == ["revoke"] * (status == 200)


@pytest.mark.parametrize(
    ("query", "body", "status", "revoked"),
    [
        ("", {"Query": ""}, 400, []),
        ("", {"Query": "CertId -gt 0", "Reason": None}, 400, []),
        ("", {"Query": "CertId -gt 0", "Comment": ""}, 400, []),
        ("", {"Query": "CertId -gt 0"}, 200, [1]),
        ("", {"Query": "CertId -gt 0", "IncludeExpired": True}, 200, [1, 3]),
        ("", {"Query": "CertId -le 2", "IncludeRevoked": True}, 200, [1]),
        ("?collectionId=1", {"Query": ""}, 200, [1]),
        ("?collectionId=1", {"Query": "CertId -eq 2"}, 200, []),
    ],
)
def test_revoke_all(simulator: Simulator, command: Command, query: str, body: dict[str, Any], status: int, revoked: list[int]) -> None:
    simulator.reset({"keyfactor": {"settings": {"version": "10.4"}, "collections": [{"name": "a", "content": 'CN -eq "a"'}], "certificates": [
        {"cn": "a"}, {"cn": "b", "state": 2}, {"cn": "c", "valid_days": -1}]}})
    answer = command.post(f"/Certificates/RevokeAll{query}", {"Reason": 1, "Comment": "x", **body})
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["RevokedIds"] == revoked
    assert [number for number in (1, 2, 3) if simulator.records.effects(str(number))] == revoked


# -- reading back ------------------------------------------------------------------------------------------------


def test_reads_can_lag_behind(simulator: Simulator, command: Command) -> None:
    switch(simulator, read_back_delay=30)
    assert command.revoke(1).json()["RevokedIds"] == [1]
    assert simulator.keyfactor[1].state == 2
    assert command.one(1)["CertState"] == 1
    assert command.listed("CertState -eq 1") == [1, 2]
    assert command.revoke(1).status_code == 400
    simulator.clock.advance(30)
    assert (command.one(1)["CertState"], command.one(1)["RevocationReason"]) == (2, 1)
    assert command.listed("CertState -eq 1") == [2]


# -- lists of revoked certificates -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("default", "body", "published"),
    [(False, {}, 0), (False, {"PublishCRL": True}, 1), (True, {}, 1), (True, {"publishCRL": False}, 0)],
)
def test_a_crl_is_published_when_asked_for(simulator: Simulator, command: Command, default: bool, body: dict[str, Any], published: int) -> None:
    switch(simulator, publish_crl=default)
    command.revoke(1, 2, **body)
    assert [item["authority"] for item in simulator.keyfactor.crls] == ["ca01.example.com\\Corp Issuing CA 1"] * published


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"CertificateAuthorityLogicalName": "Corp Issuing CA 1"}, 204),
        ({"CertificateAuthorityLogicalName": "Corp Issuing CA 1", "CertificateAuthorityHostName": "ca01.example.com"}, 204),
        ({"CertificateAuthorityLogicalName": "Corp Issuing CA 1", "CertificateAuthorityHostName": "elsewhere"}, 404),
        ({"CertificateAuthorityLogicalName": "Nonsense"}, 404),
        ({}, 400),
    ],
)
def test_publish_crl(simulator: Simulator, command: Command, body: dict[str, Any], status: int) -> None:
    answer = command.post("/CertificateAuthority/PublishCRL", body)
    assert (answer.status_code, len(simulator.keyfactor.crls)) == (status, int(status == 204))
    assert simulator.records.effects("ca01.example.com\\Corp Issuing CA 1") == ["publish"] * (status == 204)


# -- the journal and the faults ----------------------------------------------------------------------------------


def test_the_journal_knows_each_of_a_batch(simulator: Simulator, command: Command) -> None:
    simulator.keyfactor.load([{"cn": "a"}, {"cn": "b", "approval": True}, {"cn": "c", "state": 2}])
    command.revoke(1, 2, 3)
    entry = simulator.journal[-1]
    assert (entry["effects"], entry["effect"], entry["target"]) == ({"1": "revoke", "2": "suspend"}, "revoke, suspend", "")
    assert (entry["mutates"], entry["vendor"], entry["path"]) == (True, "keyfactor", "/keyfactorapi/certificates/revoke")
    assert entry["body"]["CertificateIds"] == [1, 2, 3]


@pytest.mark.parametrize(("action", "effects"), [("drop_before", []), ("drop_after", ["revoke"])])
def test_a_lost_answer(simulator: Simulator, command: Command, action: str, effects: list[str]) -> None:
    simulator.faults.add(action, match=REVOKE)
    with pytest.raises(requests.ConnectionError):
        command.revoke(1, 2)
    assert [simulator.records.effects(number) for number in ("1", "2")] == [effects, effects]


@pytest.mark.parametrize("fault", [{"action": "drop_after"}, {"action": "html", "after": True, "status": 504}])
def test_the_server_can_die_half_way(simulator: Simulator, command: Command, fault: dict[str, Any]) -> None:
    ids = simulator.keyfactor.load([{"cn": "host-{n}", "count": 100}])
    simulator.faults.add(match=REVOKE, only=37, **fault)
    if fault["action"] == "html":
        assert command.revoke(*ids).status_code == 504
    else:
        with pytest.raises(requests.ConnectionError):
            command.revoke(*ids)
    assert [number for number in ids if simulator.records.effects(str(number))] == ids[:37]
    assert command.listed("CertState -eq 2") == ids[:37]


def test_faults_strike_one_id_among_many(simulator: Simulator, command: Command) -> None:
    simulator.keyfactor.load([{"cn": "host-{n}", "count": 200}])
    simulator.faults.add("status", match={"target": "17"}, status=503, times=0)
    assert command.revoke(1, 117, 170, 171, 172).status_code == 200
    assert command.revoke(2, 17, 3).status_code == 503
    assert command.get("/Certificates/17").status_code == 503
    assert command.get("/Certificates/18").status_code == 200
    assert command.get("/Certificates", **{"pq.queryString": "CertId -eq 175"}).status_code == 200
    assert command.get("/Certificates", **{"pq.queryString": "CertId -eq 18 OR CertId -eq 17"}).status_code == 503
    assert simulator.records.effects("17") == []
