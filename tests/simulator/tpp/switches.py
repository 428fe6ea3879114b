# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The switches of the TPP part: each stands for a fact about the real server that could not be confirmed, or for a version of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..switchboard import Switchboard

DAY = 86400


@dataclass(slots=True)
class Switches(Switchboard):
    """Defaults are the documented or likeliest behaviour; ``README.md`` explains each."""

    version: str = "26.1.1.0"
    access_token_seconds: float = 90.0 * DAY
    grant_seconds: float = 365.0 * DAY
    refresh_kills_access_token: bool = True
    refresh_error_body: bool = True
    expired_token_error: str = "expired_token"
    expired_token_text: str = "Access token expired"
    config_lookup_scope: str = "any"
    is_auth_server_status: int = 202
    body_keys_any_case: bool = False
    reset_order: list[str] = field(default_factory=lambda: ["rights", "management_type", "lock"])
    reset_without_flags: bool = False
    restart_renews_healthy: bool = False
    reset_needs_consumer_rights: bool = False
    work_to_do_expired_status: int = 200
    queued_visible: bool = True
    work_to_do_readable: bool = False
    list_default_limit: int = 100
    list_max_limit: int = 0
    unknown_ticket_result: int = 2
    unknown_guid_text: str = "Certificate {guid} does not exist."
    revocation_words: dict[str, str] = field(default_factory=lambda: {"revoked": "Revoked", "pending": "Pending", "error": "Failed"})
