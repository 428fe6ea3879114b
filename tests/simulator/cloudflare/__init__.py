# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloudflare: client certificates of API Shield, with zones, host names, rules and tokens (``/client/v4``)."""

from __future__ import annotations

from .part import Cloudflare

__all__ = ["Cloudflare"]
