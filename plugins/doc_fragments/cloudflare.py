# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Address, credentials and zone of Cloudflare."""

    DOCUMENTATION = r"""
options:
  url:
    description:
      - The address of the API. A trailing C(/client/v4) is ignored.
      - Falls back to E(CLOUDFLARE_BASE_URL).
    type: str
    default: https://api.cloudflare.com
  api_token:
    description:
      - An API token of a user or an account, with the permission C(SSL and Certificates Edit) for the zone; C(Read) is enough for looking and for
        check mode. It wins over O(account_api_key).
      - Falls back to E(CLOUDFLARE_API_TOKEN), then E(CLOUDFLARE_TOKEN).
    type: str
  account_email:
    description:
      - The e-mail address of the user whose global API key O(account_api_key) is.
      - Falls back to E(CLOUDFLARE_EMAIL).
    type: str
  account_api_key:
    description:
      - The global API key of a user, where there is no token.
      - Falls back to E(CLOUDFLARE_API_KEY).
    type: str
  zone_id:
    description:
      - The id of the zone. Either this or O(zone) is needed; if both are given, they must agree.
      - Falls back to E(CLOUDFLARE_ZONE_ID).
    type: str
  zone:
    description:
      - The name of the zone, which costs one more request. A token that is limited to some zones may not be allowed to look zones up.
    type: str
  ca_path:
    description:
      - A file (or a hashed directory) of PEM certificates of the authorities to trust.
      - Falls back to E(CLOUDFLARE_CA_PATH), then E(REQUESTS_CA_BUNDLE) or E(CURL_CA_BUNDLE), then the trust store of the system.
  retry_timeout:
    description:
      - For how many seconds altogether one request is tried again. The default outlasts the five minutes for which Cloudflare blocks a token that
        has used up its rate.
    default: 420
  rate_limits:
    description:
      - Rolling limits to stay within. Every one of them holds. The default is what Cloudflare allows a token; give less when others use the same
        token or user.
    default:
      - {requests: 1200, seconds: 300.0}
"""
