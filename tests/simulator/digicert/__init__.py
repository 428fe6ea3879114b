# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigiCert CertCentral: the Services API v2 (``/services/v2``)."""

from __future__ import annotations

from .part import DigiCert

__all__ = ["DigiCert"]
