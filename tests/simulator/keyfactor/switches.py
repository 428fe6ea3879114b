# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The switches of the Command part: each stands for a fact about the real server that could not be confirmed, or for a version of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..switchboard import Switchboard

# The words are documented; that there are seven numbers is all that is known of the other form.
STATUS_NUMBERS = {"Running": 1, "Suspended": 2, "Failed": 3, "Complete": 4, "Rejected": 5, "CanceledForRestart": 6}


@dataclass(slots=True)
class Switches(Switchboard):
    """Defaults are what 25.4.1 was recorded doing, or else the likeliest; ``README.md`` explains each."""

    version: str = "25.4.1"
    api_path: str = "KeyfactorAPI"
    token_path: str = "oauth2/token"
    token_seconds: float = 3600.0
    unauthorized_body: Literal["html", "empty"] = "html"
    requested_with_required: bool = False
    lenient_json: bool = True
    bad_body: Literal["error", "problem"] = "error"
    response_key_case: Literal["pascal", "camel"] = "pascal"
    error_codes: dict[str, str] = field(
        default_factory=lambda: {"refused": "0xA0110002", "permission": "0xA0140002", "not_found": "0xA0110008", "invalid": "0xA0110001"}
    )
    list_query_names: Literal["both", "prefixed", "bare"] = "both"
    dns_name_field: str = "SAN"
    max_return_limit: int = 0
    max_query_length: int = 0
    state_string_style: Literal["word_and_number", "word"] = "word_and_number"
    history_actions: dict[str, str] = field(
        default_factory=lambda: {"issue": "Issued", "revoke": "Revoked", "hold": "Placed on Hold", "release": "Removed from Hold"}
    )
    out_of_collection_status: Literal[403, 404] = 403
    max_ids_per_request: int = 0
    partial_failure: Literal["missing", "listed", "error", "refuse_all"] = "missing"
    failed_list_name: str = "FailedIds"
    empty_lists: Literal["empty", "null"] = "empty"
    unknown_id: Literal["404", "400", "missing"] = "404"
    already_revoked: Literal["error", "accept"] = "error"
    already_revoked_status: int = 400
    hold_to_revoked: Literal["allowed", "refused"] = "allowed"
    revoke_expired: Literal["accept", "refuse"] = "accept"
    revoke_reason_7: Literal[7, 8] = 8
    comment_required: bool = False
    future_effective_date: Literal["at_once", "on_date"] = "at_once"
    read_back_delay: float = 0.0
    publish_crl: bool = False
    second_revoke_while_suspended: Literal["another", "refused"] = "refused"
    suspended_message: str = "The revocation waits for an approval."
    workflow_type: str = "Revocation"
    workflow_status_form: Literal["word", "number"] = "word"
    workflow_status_numbers: dict[str, int] = field(default_factory=lambda: dict(STATUS_NUMBERS))
