# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The switches of the CertCentral part: account settings, and facts about the real service that could not be confirmed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ..switchboard import Switchboard


@dataclass(slots=True)
class Switches(Switchboard):
    """Defaults are the documented or likeliest behaviour; ``README.md`` explains each."""

    rate_limits: list[dict[str, float]] = field(default_factory=lambda: [{"requests": 1000, "seconds": 180}, {"requests": 100, "seconds": 5}])
    rejected_requests_count: bool = False
    retry_after: bool = False
    approval: Literal["manual", "auto", "skip"] = "manual"
    skip_approval_without_rights: Literal["ignore", "forbid"] = "ignore"
    request_status: Literal["pending", "submitted"] = "pending"
    request_status_in_answer: bool = False
    own_request_approvable: bool = True
    request_shows_issued: bool = False
    issue_seconds: float = 0.0
    second_reissue: Literal["replace", "reject_400", "accept_both"] = "replace"
    same_key: Literal["accept", "reject_400"] = "accept"
    max_validity_days: int = 199
    over_long_validity: Literal["truncate", "refuse"] = "truncate"
    annual_plan_is_multi_year: bool = False
    ica_selection: bool = False
    profile_option_on_reissue: bool = True
    max_names: int = 250
    revocation_hours: float = 72.0
    revocation_pending: Literal["hidden", "status"] = "hidden"
    revoked_in_lists: Literal["issued", "revoked"] = "issued"
    certificate_revoke_revokes_order: bool = False
    revoke_request_shows: Literal["certificate", "primary"] = "certificate"
    revoke_again: Literal["refuse", "accept"] = "refuse"
    second_revoke_request: Literal["another", "refuse"] = "another"
    auto_reissue_days: int = 30
    reissue_list: Literal["reissues", "with_original", "copies_of_primary"] = "reissues"
    reissue_visible_after_reads: int = 0
    unapproved_reissue_listed: bool = True
    order_shows_pending: bool = False
    order_status_while: dict[str, str] = field(default_factory=lambda: dict.fromkeys(("approval", "validation", "issue"), "reissue_pending"))
    dns_names_include_common_name: bool = True
    status_filter_ignored: bool = False
    serial_filter: Literal["primary", "all"] = "primary"
    certificate_id_filter: Literal["all", "primary"] = "all"
    list_max_limit: int = 1000
    refusal_codes: dict[str, str] = field(
        default_factory=lambda: {
            "reissue_pending": "reissue_already_pending",
            "not_reissuable": "order_not_reissuable",
            "revoke_while_pending": "cannot_revoke_reissue_pending",
            "order_revoked": "order_already_revoked",
            "certificate_revoked": "certificate_already_revoked",
            "revoke_requested": "revoke_request_pending",
            "not_cancelable": "invalid_order_status",
            "request_processed": "request_already_processed",
            "same_key": "csr_key_already_used",
            "blocked_key": "csr_key_blocked",
        }
    )

    def change(self, changes: dict[str, Any]) -> dict[str, Any]:
        windows = changes.get("rate_limits")
        if isinstance(windows, list) and any(not isinstance(window, dict) or set(window) != {"requests", "seconds"} for window in windows):
            raise ValueError("switch 'rate_limits' wants a list of mappings with requests and seconds")
        return Switchboard.change(self, changes)
