# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Address and credentials of Keyfactor Command."""

    DOCUMENTATION = r"""
options:
  url:
    description:
      - The address of the Command server, such as V(https://keyfactor.example.com). A trailing O(api_path) is ignored.
      - Falls back to E(KEYFACTOR_HOSTNAME), then E(KEYFACTOR_ADDR); E(KEYFACTOR_PORT) is added to a name without a port.
    type: str
  api_path:
    description:
      - The path of the API on that server. Installations in containers often have V(Keyfactor/API).
      - Falls back to E(KEYFACTOR_API_PATH).
    type: str
    default: KeyfactorAPI
  access_token:
    description:
      - A bearer token. It is used first when several credentials are given.
      - Falls back to E(KEYFACTOR_AUTH_ACCESS_TOKEN).
    type: str
  client_id:
    description:
      - The id of an OAuth2 client, for the client-credentials grant of the identity provider that Command trusts. The token is kept for the
        task and renewed when Command refuses it.
      - Falls back to E(KEYFACTOR_AUTH_CLIENT_ID).
    type: str
  client_secret:
    description:
      - The secret of O(client_id).
      - Falls back to E(KEYFACTOR_AUTH_CLIENT_SECRET).
    type: str
  token_url:
    description:
      - The full address of the token endpoint of the identity provider, such as
        V(https://idp.example.com/realms/keyfactor/protocol/openid-connect/token).
      - Falls back to E(KEYFACTOR_AUTH_TOKEN_URL).
    type: str
  scopes:
    description:
      - The scopes to ask the identity provider for.
      - Falls back to E(KEYFACTOR_AUTH_SCOPES), separated by commas.
    type: list
    elements: str
  audience:
    description:
      - The audience to ask the identity provider for.
      - Falls back to E(KEYFACTOR_AUTH_AUDIENCE).
    type: str
  username:
    description:
      - A user for Basic authentication, as V(DOMAIN\\user), as V(user@domain), or alone with O(domain).
      - Falls back to E(KEYFACTOR_USERNAME), then E(KEYFACTOR_USER).
    type: str
  password:
    description:
      - The password of O(username).
      - Falls back to E(KEYFACTOR_PASSWORD).
    type: str
  domain:
    description:
      - The Active Directory domain of O(username), if that does not name one.
      - Falls back to E(KEYFACTOR_DOMAIN).
    type: str
  collection:
    description:
      - The name of a certificate collection to look through and to act in. Needed by credentials that have their permissions on a collection
        only; without it, their requests are refused.
    type: str
  collection_id:
    description:
      - The same by number.
    type: int
  ca_path:
    description:
      - A file (or a hashed directory) of PEM certificates of the authorities to trust.
      - Falls back to E(KEYFACTOR_CA_CERT), then E(REQUESTS_CA_BUNDLE) or E(CURL_CA_BUNDLE), then the trust store of the system.
  validate_certs:
    description:
      - Verify the TLS certificate of the Command server. With V(false), anyone on the path can read the credentials.
      - Falls back to the opposite of E(KEYFACTOR_SKIP_VERIFY).
  timeout:
    description:
      - For how many seconds one whole answer may take. A revocation gets two more for each certificate in its request.
      - Falls back to E(KEYFACTOR_CLIENT_TIMEOUT).
"""
