# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One certificate of an incident from the plan to its revocation: what there is to do, what stands in the way, what has become of it. Does no I/O."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils import respond_proof
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import Json
from ansible_collections.certops.remediation.plugins.plugin_utils.reissue_record import FETCH, waits_for
from ansible_collections.certops.remediation.plugins.plugin_utils.respond_case import PLATFORMS, bare, held

VERBS = {"digicert": "reissue", "tpp": "renew in TPP", "cloudflare": "create a new client certificate"}
# What has been done cannot be told apart from what was never asked for by the word of a module alone.
FAILED = {"failed": "failed", "refused": "failed", "unknown": "unknown", "not_attempted": "not_attempted"}


@dataclasses.dataclass(frozen=True)
class Step:
    """Where a replacement or a revocation stands.

    :param state: ``none`` (there is nothing to do here), ``open`` (is to be done), ``waiting``, ``done``, ``unreached`` (its platform could not be asked),
        or what a module has made of it: ``failed``, ``refused``, ``unknown``, ``not_attempted``.
    :param new: what the new certificate is recognised by.
    :param acted: whether this run has done it.
    """

    state: str
    why: str = ""
    new: Json = dataclasses.field(default_factory=dict)
    acted: bool = False
    wait: str = ""


@dataclasses.dataclass(frozen=True)
class State:
    """What is known at one moment of a run.

    :param known: what the role has read so far, see ``respond_record.described``.
    :param done: what the waves have come to.
    """

    known: Json
    own: Json
    done: Json

    @property
    def chosen(self) -> t.Any:
        return self.known["chosen"]

    @property
    def looked(self) -> Json:
        """The last look at the endpoints."""
        proof = self.known.get("proof") or {}
        return t.cast(Json, proof if proof.get("endpoints") is not None else self.known.get("served") or {})

    def down(self, platform: str) -> str:
        said = self.chosen["down"].get(platform) or self.known.get("unasked", {}).get(platform)
        return str(said or ("" if platform in self.chosen["asked"] else "is not set up"))


# -- replacement -------------------------------------------------------------------------------------------------------------------------


def replacement(state: State, case: Json) -> Step:
    """Where the replacement of a certificate stands."""
    platform, unit = case["replacer"], case["unit"]
    if not platform:
        return Step("none")
    entry = next((item for item in state.known.get("units") or () if item["unit"] == unit), None)
    if entry and entry["problem"]:
        return Step("refused", entry["problem"])
    outcome = state.done["outcomes"].get(f"replace {unit}")
    if outcome:
        return _after_wave(state, case, unit, outcome)
    if entry and platform == "cloudflare" and unit not in state.known["replace_plan"] and not state.down(platform):
        return Step("open")
    plan = (state.known.get("replace_plan") or {}).get(unit)
    if plan is None:
        return Step("unreached", f"{PLATFORMS[platform]} could not be asked: {state.down(platform)}")
    return {"digicert": _at_digicert, "tpp": _at_tpp, "cloudflare": _at_cloudflare}[platform](state, case, plan)


def _after_wave(state: State, case: Json, unit: str, outcome: str) -> Step:
    kept = state.done["kept"].get(f"replace {unit}") or {}
    said = str(state.done["messages"].get(f"replace {unit}") or kept.get("message") or "")
    if outcome in FAILED:
        return Step(FAILED[outcome], said, acted=outcome != "not_attempted")
    if outcome == "pending":
        return Step("waiting", said, acted=True, wait=waits_for({"message": said, **kept}) if case["replacer"] == "digicert" else "issue")
    return Step("done", said, _new_of(case["replacer"], kept), acted=outcome == "applied")


def _new_of(platform: str, target: Json) -> dict[str, t.Any]:
    """What a new certificate is recognised by, in a module's result."""
    if platform == "digicert":
        after = target.get("after") or {}
        return {"serial": after.get("serial"), "public_key_sha256": after.get("public_key_sha256"), "not_after": after.get("valid_till")}
    if platform == "tpp":
        return {"thumbprint": target.get("thumbprint")}
    return {
        "serial": target.get("serial_number"), "public_key_sha256": target.get("public_key_sha256"), "not_after": target.get("expires_on"),
        "fingerprint_sha256": target.get("fingerprint_sha256"), "id": target.get("id"),
    }  # fmt: skip


def _at_digicert(state: State, case: Json, plan: Json) -> Step:
    before = plan.get("before") or {}
    if plan["outcome"] == "unchanged":
        return Step("done", "reissued by an earlier run", _new_of("digicert", {"after": before}))
    if str(plan["action"]).startswith(FETCH):
        return Step("open", "fetch the certificate", _new_of("digicert", {"after": before}))
    key, serial = before.get("public_key_sha256"), before.get("serial")
    if key and key not in state.chosen["leaked"] and bare(serial) != bare(case["serial"]):
        return Step("done", "the order has a newer certificate with another key already", _new_of("digicert", {"after": before}))
    return _by_plan(plan, waits_for(plan) if plan["outcome"] == "pending" else "")


def _at_tpp(dummy: State, case: Json, plan: Json) -> Step:
    now = str(plan.get("thumbprint") or "")
    if now and case["thumbprint"] and now.upper() != str(case["thumbprint"]).upper():
        # Its renewal may still be under way to the applications; the endpoints tell.
        return Step("done", "TPP has a newer certificate", _new_of("tpp", plan))
    if plan["outcome"] == "unchanged":
        return Step("refused", str(plan["message"]))
    return _by_plan(plan, "issue")


def _at_cloudflare(dummy: State, dummy_case: Json, plan: Json) -> Step:
    return Step("done", "created by an earlier run", _new_of("cloudflare", plan)) if plan["outcome"] == "unchanged" else _by_plan(plan, "issue")


def _by_plan(plan: Json, wait: str) -> Step:
    """By the word of a module in check mode."""
    if plan["outcome"] == "planned":
        return Step("open")
    if plan["outcome"] == "pending":
        return Step("waiting", str(plan["message"]), wait=wait)
    return Step("refused", str(plan["message"]))


# -- revocation --------------------------------------------------------------------------------------------------------------------------


def revocation(state: State, case: Json) -> Step:
    """Where the revocation of a certificate stands."""
    platform, member = case["revoker"], f"revoke {case['id']}"
    if not platform:
        return Step("none")
    outcome = state.done["outcomes"].get(member)
    if outcome:
        kept = state.done["kept"].get(member) or {}
        said = str(state.done["messages"].get(member) or kept.get("message") or "")
        if outcome in FAILED:
            return Step(FAILED[outcome], said, acted=outcome != "not_attempted")
        # Cloudflare ends by itself what it has accepted.
        waits = outcome == "pending" and platform != "cloudflare"
        return Step("waiting" if waits else "done", said, acted=outcome != "unchanged")
    if case["kept"].get("revoked"):
        return Step("done", f"revoked by an earlier run, {case['kept']['revoked']}")
    plan = (state.known.get("revoke_plan") or {}).get(case["id"])
    if plan is None:
        return Step("unreached", f"{PLATFORMS[platform]} could not be asked: {state.down(platform)}")
    if plan["outcome"] == "unchanged":
        return Step("done", str(plan["message"]))
    if plan["outcome"] == "pending":
        return Step("done" if platform == "cloudflare" else "waiting", str(plan["message"]))
    return Step("failed", str(plan["message"])) if plan["outcome"] == "failed" else Step("open", str(plan["message"]))


# -- the whole of one certificate --------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Course:
    """One certificate at one moment of a run.

    :param steps: what the run was to do, as it was seen before it began.
    :param at: by certificate, its endpoints.
    :param new: by certificate, what replaces it.
    """

    case: Json
    state: State
    at: t.Mapping[str, t.Sequence[Json]]
    new: t.Mapping[str, Json]
    acted: bool = False
    steps: t.Sequence[str] = ()

    @property
    def number(self) -> str:
        return str(self.case["id"])

    @property
    def own(self) -> Json:
        return self.state.own

    @property
    def endpoints(self) -> t.Sequence[Json]:
        return self.at[self.number]

    @property
    def replaced(self) -> Step:
        return replacement(self.state, self.case)

    @property
    def revoked(self) -> Step:
        return revocation(self.state, self.case)

    @property
    def was_over(self) -> bool:
        """Whether it was revoked or had expired before this incident was worked on."""
        return not self.case["kept"].get("steps") and self.revoked.state == "done" and not self.revoked.acted

    @property
    def failed_hook(self) -> str:
        """Which task of the hand-over has failed."""
        return str(self.state.known["hooks"]["failed"].get(self.case["unit"]) or "") if self.case["unit"] else ""

    @property
    def delivered(self) -> str:
        return str(self.state.known["hooks"]["delivered"].get(self.case["unit"]) or self.case["kept"].get("delivered") or "")

    @property
    def to_deliver(self) -> bool:
        """Whether the tasks of the user have still to be given the new certificate."""
        return bool(self.own["deploy_tasks"]) and self.replaced.state == "done" and not self.delivered and bool(self.case["unit"]) and not self.was_over

    # -- proof -------------------------------------------------------------------------------------------------------------------------

    @property
    def verdict(self) -> respond_proof.Verdict:
        return respond_proof.verdict(self.case, self.at, self.new, self.state.looked, self.state.chosen)

    @property
    def by_hook(self) -> bool:
        """Whether only tasks of the user can say that it is not needed any more."""
        return not self.endpoints and bool(self.own["verify_tasks"])

    @property
    def stores(self) -> list[str]:
        return respond_proof.stores(self.case, self.state.known.get("located") or {})

    def proof(self) -> tuple[str, str]:
        """What keeps the replacement from being proven, as a key of the results and in words; the first is empty where it is."""
        if self.replaced.state not in ("done", "none"):
            return "not_attempted", ""
        if self.failed_hook:
            return "not_deployed", f"the task {self.failed_hook!r} failed"
        if self.to_deliver:
            return "not_attempted", ""
        if self.endpoints:
            found = self.verdict
            return ("", found.why) if found.proven else ("unproven", found.why)
        if self.by_hook:
            verified = self.number in self.state.known["hooks"]["verified"]
            failed = self.state.known["hooks"]["failed"].get(self.number)
            why = f"the task {failed!r} failed" if failed else "your tasks have not confirmed that the new one is in use"
            return ("", "confirmed by your tasks") if verified else ("unverified", why)
        if self.case["client"]:
            return self._client_proof()
        if self.own["without_endpoint"] != "revoke":
            return "no_endpoint", "no endpoint is known on which its replacement could be proven"
        if not self.case["replacer"] and self.stores:
            return "no_endpoint", f"Command still finds it at {self.stores[0]}, and nothing shows that it was replaced there"
        return "", "has no endpoint, and is revoked without one as you have said"

    def _client_proof(self) -> tuple[str, str]:
        reported = self.state.known.get("reported")
        if reported is None:
            return "unconfirmed", "nobody says whether the client uses its new certificate"
        if (self.new.get(self.number) or {}).get("fingerprint_sha256") in reported:
            return "", "its new certificate was reported as in use"
        return "unconfirmed", "its new certificate is not among those that were reported as in use"

    @property
    def provable(self) -> bool:
        """Whether anything can prove its replacement at all."""
        if self.endpoints or self.by_hook:
            return True
        if self.case["client"]:
            return self.state.known.get("reported") is not None
        return self.own["without_endpoint"] == "revoke" and (bool(self.case["replacer"]) or not self.stores)

    @property
    def held(self) -> str:
        return held(self.case, self.state.chosen["down"])

    @property
    def to_verify(self) -> bool:
        """Whether the tasks of the user that verify are to be asked."""
        waits = self.revoked.state == "open" and self.replaced.state in ("done", "none") and not self.failed_hook and not self.to_deliver
        return waits and self.by_hook and bool(self.case["revoker"]) and not self.held and self.number not in self.state.known["hooks"]["verified"]

    @property
    def to_revoke(self) -> bool:
        if self.revoked.state != "open" or self.held or self.was_over:
            return False
        return self.own["revocation_order"] == "revoke_first" or not self.proof()[0]

    # -- plan --------------------------------------------------------------------------------------------------------------------------

    def planned(self) -> list[str]:
        """What a run is to do that begins with this."""
        replaced, revoked = self.replaced, self.revoked
        if self.was_over or revoked.state == "failed" or replaced.state in ("refused", "unreached") or revoked.state == "unreached":
            return []
        steps = []
        if replaced.state == "open":
            steps.append(replaced.why or VERBS[self.case["replacer"]])
        elif replaced.state == "waiting":
            steps.append("wait for what replaces it")
        if self.own["deploy_tasks"] and self.case["unit"] and not self.delivered:
            steps.append("hand over")
        if revoked.state == "open" and not self.held:
            where = "at DigiCert" if self.case["revoker"] == "digicert" else f"through {PLATFORMS[self.case['revoker']]}"
            if self.own["revocation_order"] == "revoke_first":
                steps.insert(0, f"revoke {where} at once")
            elif self.provable:
                steps.append(f"prove, then revoke {where}")
        return steps

    # -- result ------------------------------------------------------------------------------------------------------------------------

    def result(self) -> tuple[str, str]:
        """A key of the results in the role's vars/main/words.yml, and why."""
        if self.was_over:
            return "left", self.revoked.why
        replaced, revoked = self.replaced, self.revoked
        for step in (replaced, revoked):
            if step.state == "unreached":
                return "unreached", step.why
        if not self.acted and replaced.state == "refused":
            return "refused", replaced.why
        if not self.acted and self.steps:
            return "planned", ""
        for step in (replaced, revoked):
            if step.state in ("failed", "unknown", "refused"):
                return ("refused" if step.state == "refused" else step.state), step.why
        if replaced.state == "waiting":
            return replaced.wait or "issue", replaced.why
        if replaced.state in ("open", "not_attempted"):
            return "not_attempted", replaced.why
        return self._result_of_revocation(revoked)

    def _result_of_revocation(self, revoked: Step) -> tuple[str, str]:
        cause, why = self.proof()
        if revoked.state == "done":
            if self.own["revocation_order"] == "revoke_first" and cause:
                return ("still_served" if cause == "unproven" else cause), why
            return self._result_of_published(revoked)
        if revoked.state == "waiting":
            return "revocation", revoked.why
        # What is unproven has somebody else to act; for the rest, nobody was asked while it was held.
        if self.held and cause != "unproven":
            return "held", self.held
        if cause:
            return cause, why
        if revoked.state == "none":
            return "elsewhere", f"{why}; no platform here can revoke it"
        return "not_attempted", revoked.why

    def _result_of_published(self, revoked: Step) -> tuple[str, str]:
        """Whether relying parties are told of the revocation, where they can be asked."""
        status = self.published
        if status and status["status"] != "revoked":
            told = status["status"] + (f" ({status['error']})" if status.get("error") else "")
            return "unpublished", f"revoked, but {(status.get('source') or 'its authority').upper()} says {told}"
        return "done" if self.changed_here else "unchanged", revoked.why

    @property
    def published(self) -> Json | None:
        """What its authority tells relying parties."""
        found = (self.state.known.get("published") or {}).get("revoked_certificates") or ()
        return next((entry["revocation"] for entry in found if respond_proof.is_leaf_of(self.case, entry)), None)

    @property
    def changed_here(self) -> bool:
        return self.replaced.acted or self.revoked.acted or self.case["unit"] in self.state.known["hooks"]["delivered"]
