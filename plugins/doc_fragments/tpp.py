# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Address and credentials of Venafi TPP."""

    DOCUMENTATION = r"""
options:
  url:
    description:
      - The address of the TPP server, such as V(https://tpp.example.com). A trailing C(/vedsdk) is ignored.
      - Falls back to E(VENAFI_URL), then E(VCERT_URL).
    type: str
  access_token:
    description:
      - A bearer token with the scope C(certificate:manage), or C(certificate) for reading. It is used first when several credentials are given.
      - Falls back to E(VENAFI_TOKEN), then E(VCERT_TOKEN).
    type: str
  refresh_token:
    description:
      - A refresh token, to begin with. TPP refresh tokens work once and each brings the next, so O(token_path) is needed to keep that.
      - Falls back to E(VENAFI_REFRESH_TOKEN).
    type: str
  token_path:
    description:
      - The file that keeps the current pair of access and refresh token between runs. It is written with mode 0600, as a whole, before
        the new token is used; a lock file beside it lets only one process refresh at a time.
      - Once it is there, O(refresh_token) is not needed any more. Giving a different O(refresh_token) starts a new chain.
      - Falls back to E(VENAFI_TOKEN_PATH).
    type: path
  username:
    description:
      - A user to log in as.
      - Falls back to E(VENAFI_USER).
    type: str
  password:
    description:
      - The password of O(username).
      - Falls back to E(VENAFI_PASS).
    type: str
  client_id:
    description:
      - The id of the API integration in TPP. Needed with all credentials but an O(access_token) alone.
      - Falls back to E(VENAFI_CLIENT_ID), then E(VCERT_CLIENT_ID).
    type: str
  scope:
    description:
      - The scope to ask for when logging in.
    type: str
    default: certificate:manage
  ca_path:
    description:
      - A file (or a hashed directory) of PEM certificates of the authorities to trust.
      - Falls back to E(VENAFI_CA_PATH), then E(VCERT_TRUST_BUNDLE), then E(REQUESTS_CA_BUNDLE) or E(CURL_CA_BUNDLE), then the trust store of
        the system.
  validate_certs:
    description:
      - Verify the TLS certificate of the TPP server. With V(false), anyone on the path can read the credentials.
      - Falls back to the opposite of E(VENAFI_SKIP_VERIFY).
  client_cert:
    description:
      - A PEM file with a TLS client certificate and its chain. Without other credentials, the module logs in to TPP with it.
"""
