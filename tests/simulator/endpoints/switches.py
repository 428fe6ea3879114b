# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The switches of the endpoints: what the OCSP responder and the CRLs are like on a bad day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..switchboard import Switchboard


@dataclass(slots=True)
class Switches(Switchboard):
    """Defaults are what a healthy authority does; ``README.md`` explains each."""

    certificate_urls: bool = False
    publication_lag_seconds: float = 0.0
    ocsp_status: Literal["successful", "malformed_request", "internal_error", "try_later", "sig_required", "unauthorized"] = "successful"
    ocsp_signer: Literal["issuer", "delegate", "delegate_without_usage", "expired_delegate", "stranger"] = "issuer"
    ocsp_serial: Literal["right", "other"] = "right"
    ocsp_knows: bool = True
    ocsp_age_seconds: float = 60.0
    ocsp_lifetime_seconds: float = 86400.0
    crl_signer: Literal["issuer", "stranger"] = "issuer"
    crl_issuer: Literal["right", "other"] = "right"
    crl_scope: Literal["all", "delta", "ca_only", "some_reasons", "other_part"] = "all"
    crl_form: Literal["der", "pem"] = "der"
    crl_age_seconds: float = 60.0
    crl_lifetime_seconds: float = 604800.0
