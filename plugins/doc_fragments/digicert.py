# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Address and credentials of DigiCert CertCentral."""

    DOCUMENTATION = r"""
options:
  url:
    description:
      - The address of CertCentral. CertCentral Europe is V(https://certcentral.digicert.eu), with accounts and API keys of its own. A trailing
        C(/services/v2) is ignored.
      - Falls back to E(DIGICERT_URL).
    type: str
    default: https://www.digicert.com
  api_key:
    description:
      - An API key of the account. It has the rights of the user that it is linked to, unless it is restricted further.
      - Falls back to E(DIGICERT_API_KEY).
    type: str
  ca_path:
    description:
      - A file (or a hashed directory) of PEM certificates of the authorities to trust.
      - Falls back to E(DIGICERT_CA_PATH), then E(REQUESTS_CA_BUNDLE) or E(CURL_CA_BUNDLE), then the trust store of the system.
  rate_limits:
    description:
      - Rolling limits to stay within. Every one of them holds. The default is what DigiCert allows an API key; give less when others use the
        same key.
    default:
      - {requests: 1000, seconds: 180.0}
      - {requests: 100, seconds: 5.0}
"""
