# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where certificates are used: TLS servers on the loopback addresses, with OCSP and CRLs of the simulator's authorities (``/pki``, plain HTTP)."""

from __future__ import annotations

from .part import Endpoints

__all__ = ["Endpoints"]
