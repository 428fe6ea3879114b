# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How a vendor is reached: TLS, proxy, time, pace."""

    DOCUMENTATION = r"""
requirements:
  - python >= 3.9
  - requests >= 2.25.1
  - cryptography >= 36.0.1
notes:
  - The module runs where the vendor can be reached, as a rule on the controller (C(hosts) or C(delegate_to) V(localhost)). Environment
    variables and files are those of the host that runs the module.
  - In an option that holds text, an empty string is the same as not setting it; so it is in the environment.
  - Redirects are not followed and C(.netrc) is not read, because both could send credentials elsewhere.
options:
  validate_certs:
    description:
      - Verify the TLS certificate of the vendor's host. With V(false), anyone on the path can read the credentials.
    type: bool
    default: true
  allow_http:
    description:
      - Allow an address with C(http://). Credentials and certificates then travel in clear text.
    type: bool
    default: false
  ca_path:
    description:
      - A file (or a hashed directory) of PEM certificates of the authorities to trust.
      - Without it, E(REQUESTS_CA_BUNDLE) or E(CURL_CA_BUNDLE) is used, and without those the trust store of the system.
    type: path
  client_cert:
    description:
      - A PEM file with a TLS client certificate and its chain.
    type: path
  client_key:
    description:
      - The PEM file with the private key of O(client_cert), when that file does not hold it.
    type: path
  client_key_passphrase:
    description:
      - The passphrase of O(client_key).
    type: str
  proxy:
    description:
      - The address of an HTTP proxy, such as V(http://proxy.example.com:3128).
      - Without it, E(HTTPS_PROXY) and E(NO_PROXY) are honoured.
    type: str
  timeout:
    description:
      - For how many seconds one whole answer may take.
    type: int
    default: 60
  retry_timeout:
    description:
      - For how many seconds, in all, one request may be tried again. Only requests that change nothing, or that provably did not arrive, are
        tried again. V(0) turns this off.
    type: int
    default: 120
  concurrency:
    description:
      - How many requests may be under way at the same time, from 1 to 64.
    type: int
    default: 8
  rate_limits:
    description:
      - Rolling limits to stay within. Every one of them holds.
    type: list
    elements: dict
    default: []
    suboptions:
      requests:
        description: How many requests.
        type: int
        required: true
      seconds:
        description: Within how many seconds.
        type: float
        required: true
"""
