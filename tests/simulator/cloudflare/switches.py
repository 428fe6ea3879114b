# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The switches of the Cloudflare part: facts about the real service that could not be confirmed, and limits that tests want to set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..switchboard import Switchboard


@dataclass(slots=True)
class Switches(Switchboard):
    """Defaults are the documented or likeliest behaviour; ``README.md`` explains each."""

    revoke_seconds: float = 30.0
    reactivate_seconds: float = 30.0
    list_lag_seconds: float = 0.0
    hostname_lag_seconds: float = 0.0
    create_status: Literal["active", "omit", "pending_reactivation"] = "active"
    reactivate_answer: Literal["pending_reactivation", "active"] = "pending_reactivation"
    reactivate_revoked: Literal["allow", "refuse"] = "allow"
    reactivate_active: Literal["refuse", "accept"] = "refuse"
    reactivate_over_quota: Literal["refuse", "allow"] = "refuse"
    delete_pending_reactivation: Literal["allow", "refuse"] = "allow"
    already_revoked_status: Literal[400, 404, 409] = 400
    unknown_id_status: Literal[404, 400] = 404
    unknown_zone: Literal["403", "404"] = "403"
    malformed_zone_status: Literal[400, 404] = 400
    bad_token_status: Literal[403, 401] = 403
    bad_token_verify_status: Literal[401, 403] = 401
    restricted_token_lists_zones: Literal["refuse", "own"] = "refuse"
    serial_base: Literal["hex", "decimal", "mixed"] = "hex"
    csr_line_ends: Literal["crlf", "lf"] = "crlf"
    empty_subject: Literal["empty", "null", "omit"] = "empty"
    copy_san: bool = False
    per_page_out_of_range: Literal["clamp", "refuse"] = "clamp"
    page_past_the_end: Literal["empty", "error"] = "empty"
    list_order: Literal["newest", "oldest"] = "newest"
    result_info: bool = True
    total_pages: bool = True
    quota: int = 100
    max_validity_days: int = 3650
    success_false_with_200: str = ""
    envelope_without_messages: bool = False
    error_items_without_code: bool = False
    rate_limit: int = 1200
    rate_window_seconds: float = 300.0
    rate_block_seconds: float = 300.0
    address_rate_limit: int = 200
    rate_limit_code: Literal[971, 10100] = 971
    ratelimit_headers: Literal["new", "old", "both", "none"] = "new"
