# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The platforms that a flow across several of them may ask: their names, and which are configured where Ansible runs. Does no I/O."""

from __future__ import annotations

import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils.flow import text, words_of

NAMES = {"tpp": "Venafi TPP", "keyfactor": "Keyfactor Command", "digicert": "DigiCert CertCentral", "cloudflare": "Cloudflare"}
# A platform is taken to be configured when one of these is set. Its modules know them; what else they need, they say themselves.
VARIABLES = {
    "tpp": ("VENAFI_URL", "VCERT_URL"),
    "keyfactor": ("KEYFACTOR_HOSTNAME", "KEYFACTOR_ADDR"),
    "digicert": ("DIGICERT_API_KEY",),
    "cloudflare": ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_TOKEN", "CLOUDFLARE_API_KEY"),
}


def chosen(given: t.Any, environment: t.Mapping[str, str], role: str) -> tuple[list[str], list[str]]:
    """The platforms to ask, in the usual order, and what is wrong with the option.

    :param given: the option of the role; without any, those that are configured.
    """
    named = [word.lower() for word in words_of(given)]
    unknown = [name for name in named if name not in NAMES]
    found = [name for name in NAMES if (name in named if named else any(text(environment.get(variable)) for variable in VARIABLES[name]))]
    if unknown:
        return found, [f"{role}_platforms does not know {', '.join(unknown)}. It knows {', '.join(NAMES)}"]
    if not found:
        variables = ", ".join(names[0] for names in VARIABLES.values())
        return found, [f"No platform is configured: none of {variables} is set. Set them, or name the platforms in {role}_platforms"]
    return found, []
