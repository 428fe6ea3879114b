# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters for the role restore_certificates, each documented in a file of its own name."""

from __future__ import annotations

import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils.restore_record import asked_again, chosen, options, record, recorded, reissue_list


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "restore_options": options,
            "restore_recorded": recorded,
            "restore_asked_again": asked_again,
            "restore_chosen": chosen,
            "restore_record": record,
            "restore_reissue_list": reissue_list,
        }
