#!/usr/bin/python
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_request
short_description: Make private keys and CSRs on disk
version_added: 0.2.0
author:
  - certops.remediation contributors (@certops)
description:
  - Makes private keys and certificate signing requests (CSRs), one or a thousand in one task. It talks to no vendor.
  - A private key is on the disk, whole and flushed, before its CSR is made, and both before the task returns. So a certificate that is ordered
    with the CSR never lacks its key, and a run that was killed goes on with the same key when it is run again.
  - An existing private key is never overwritten, and its content never changed. A CSR that is not what is asked for (other names, another
    subject, another key) is made again from the existing key.
  - All requests are checked before the first file is written. If one of them cannot be met, nothing is written.
  - The private key never appears in a result, a message or a diff.
  - All options but O(requests) can be given for the whole task, for one request, or for both; then that of the request counts.
options:
  requests:
    description:
      - Many requests. Each is a mapping of the options of this module; what it leaves out is taken from the task.
      - An empty list is fine and does nothing. Without this option the task is one request.
    type: list
    elements: dict
    suboptions:
      folder: &folder
        description:
          - Where O(path) and O(csr_path) start unless they are absolute, and where files are made that are not named.
        type: path
      path: &path
        description:
          - The file of the private key, in PEM form; a new one is PKCS#8. A symbolic link is followed.
          - Without it, the file is named after the common name or the first name, in O(folder), as in C(www.example.com.key); the C(*) of a
            wildcard becomes C(_).
        type: path
      csr_path: &csr_path
        description:
          - The file of the CSR. Without it, O(path) with C(.csr) in place of C(.key) or C(.pem), or after any other ending.
        type: path
      create_folder: &create_folder
        description:
          - Make folders that are missing, with mode 0700. They belong to the user who runs the module, whatever O(owner) says.
          - Not done by default.
        type: bool
      common_name: &common_name
        description:
          - The common name (CN) of the subject. It may be left out when there are O(names).
          - At most 64 characters. A longer name goes into O(names) alone.
        type: str
      common_name_in_san: &common_name_in_san
        description:
          - Whether the common name is a DNS name or an IP address that is to be the first of the subject alternative names, as public CAs
            require. This is the default.
          - Set it to V(false) for a common name that is something else, such as the name of a client.
        type: bool
      names: &names
        description:
          - The subject alternative names. A DNS name or an IP address as it is, or with C(DNS:), C(IP:), C(email:) or C(URI:) in front.
          - International domain names become A-labels by IDNA 2008, which needs the Python package C(idna), and upper case becomes lower case. The
            dot at the end of a DNS name is taken off, and what is listed twice is there once.
        type: list
        elements: str
      allow_underscores: &allow_underscores
        description:
          - Accept underscores in DNS names. Public CAs must refuse them, and so does this module by default.
        type: bool
      country: &country
        description:
          - The country (C) of the subject, two letters.
        type: str
      state_or_province: &state_or_province
        description:
          - The state or province (ST) of the subject.
        type: str
      locality: &locality
        description:
          - The locality (L) of the subject.
        type: str
      organization: &organization
        description:
          - The organization (O) of the subject.
        type: str
      organizational_unit: &organizational_unit
        description:
          - The organizational unit (OU) of the subject. Public CAs drop it.
        type: str
      key_type: &key_type
        description:
          - Algorithm and size of the private key. V(rsa-2048) by default. Many public CAs accept no V(ed25519).
          - An existing key of another type is refused, see O(rotate).
        type: str
        choices: [rsa-2048, rsa-3072, rsa-4096, ecdsa-p256, ecdsa-p384, ed25519]
      signature_hash: &signature_hash
        description:
          - The hash of the signature of the CSR. V(sha256) by default. It has no meaning for V(ed25519).
        type: str
        choices: [sha256, sha384, sha512]
      passphrase: &passphrase
        description:
          - Encrypts new private keys, and opens existing ones.
          - An existing key without encryption is refused if this is given, see O(rotate).
          - Ansible masks it wherever it occurs in a result, so it must not be part of a name or a path.
        type: str
      rotate: &rotate
        description:
          - Replace an existing private key that cannot be used. It cannot when it is one of O(retired_keys), is of another type than
            O(key_type), or is not encrypted although O(passphrase) is given. Without this, such a key is refused.
          - The old key stays beside the new one, under its name with the time in UTC added. Remove it when nothing needs it any more.
          - A key that can be used stays, so a second run does not rotate again. A key that cannot be read is never replaced.
          - A server that reads O(path) cannot start with the new key before it has the new certificate. Make keys in another folder, and install
            both together, where that matters.
        type: bool
      retired_keys: &retired_keys
        description:
          - Private keys that must not be used again, because they are compromised or because each new certificate is to have a new key.
          - Each is the SHA-256 of the public key (of its SubjectPublicKeyInfo) in hexadecimal, or a certificate, a CSR or a public key in PEM form.
          - Give what is to be replaced from a list or a copy, not from the file in which the new certificate will be installed, or the next run
            would retire the new key.
        type: list
        elements: str
      mode: &mode
        description:
          - The mode of the private key as four octal digits in quotes, as in V("0640").
          - Without it, a new key has mode 0600 and an existing one keeps its mode. An existing key that group or others may read is refused then.
        type: str
      csr_mode: &csr_mode
        description:
          - The mode of the CSR. Without it, a new CSR has mode 0644 and an existing one keeps its mode.
        type: str
      owner: &owner
        description:
          - The owner of private key and CSR, by name or number. Without it, new files belong to the user who runs the module; when root makes a
            file again, it keeps its owner.
        type: str
      group: &group
        description:
          - The group of private key and CSR, by name or number.
        type: str
  folder: *folder
  path: *path
  csr_path: *csr_path
  create_folder: *create_folder
  common_name: *common_name
  common_name_in_san: *common_name_in_san
  names: *names
  allow_underscores: *allow_underscores
  country: *country
  state_or_province: *state_or_province
  locality: *locality
  organization: *organization
  organizational_unit: *organizational_unit
  key_type: *key_type
  signature_hash: *signature_hash
  passphrase: *passphrase
  rotate: *rotate
  retired_keys: *retired_keys
  mode: *mode
  csr_mode: *csr_mode
  owner: *owner
  group: *group
extends_documentation_fragment:
  - certops.remediation.attributes
attributes:
  check_mode:
    support: full
    details:
      - Existing keys are opened to know whether they can be used. A full disk cannot be predicted.
  diff_mode:
    support: full
    details:
      - Shows types, hashes of public keys, names and modes; never key material.
  idempotent:
    support: full
    details:
      - With O(rotate=true) too, unless O(retired_keys) names the key that the first run has made.
notes:
  - A run that is killed may leave a file in the folder whose name begins with C(.new-), with mode 0600. Nothing refers to it; remove it.
  - Two runs at the same time never lose or overwrite a key. The one that is late fails and says so; run it again.
seealso:
  - module: community.crypto.openssl_privatekey
  - module: community.crypto.openssl_csr
"""

EXAMPLES = r"""
- name: Make a folder for the keys of this incident
  ansible.builtin.tempfile:
    state: directory
  register: keys

- name: Make one private key and its CSR
  certops.remediation.certificate_request:
    path: "{{ keys.path }}/www.example.com.key"
    common_name: www.example.com
    names:
      - example.com
      - IP:192.0.2.10
    organization: Example Ltd
    country: GB

- name: Make many, each in a file of its own name
  certops.remediation.certificate_request:
    folder: "{{ keys.path }}/reissue"
    create_folder: true
    key_type: ecdsa-p256
    requests:
      - common_name: shop.example.com
        names: [www.shop.example.com]
      - common_name: "*.example.com"
        key_type: rsa-3072
      - common_name: bücher.example.com
  register: made

- name: Show what to order with
  ansible.builtin.debug:
    msg: "{{ item.names | join(', ') }}: {{ item.csr_path }}"
  loop: "{{ made.requests }}"
  loop_control:
    label: "{{ item.path }}"

- name: Replace the keys that have leaked, and keep all others
  certops.remediation.certificate_request:
    folder: "{{ keys.path }}/reissue"
    key_type: ecdsa-p256
    rotate: true
    retired_keys: "{{ made.requests[:1] | map(attribute='public_key_sha256') | list }}"
    requests:
      - common_name: shop.example.com
        names: [www.shop.example.com]
      - common_name: bücher.example.com
"""

RETURN = r"""
summary:
  description: How many requests ended with each outcome.
  returned: when the options could be read
  type: dict
  sample: {"unchanged": 1, "planned": 0, "applied": 2, "refused": 0, "failed": 0, "not_attempted": 0}
requests:
  description: One entry for each request, in the order given.
  returned: when the options could be read
  type: list
  elements: dict
  contains:
    outcome:
      description:
        - C(unchanged), private key and CSR are there as asked for; C(planned), check mode, something would be written; C(applied), it is on the disk.
        - C(refused), it cannot be met, and nothing was written; C(failed), writing failed; C(not_attempted), nothing was written because of others.
      returned: always
      type: str
      sample: applied
    changed:
      description: Whether anything was written or changed for this request, or would be.
      returned: always
      type: bool
      sample: true
    message:
      description: What was found or done.
      returned: always
      type: str
      sample: new private key; new CSR
    path:
      description: The file of the private key; null if the request does not say which.
      returned: always
      type: str
      sample: /etc/pki/reissue/shop.example.com.key
    csr_path:
      description: The file of the CSR; null if the request does not say which.
      returned: always
      type: str
      sample: /etc/pki/reissue/shop.example.com.csr
    csr:
      description: The CSR in PEM form; null while it is not there as asked for.
      returned: always
      type: str
      sample: "-----BEGIN CERTIFICATE REQUEST-----\n..."
    public_key_sha256:
      description: SHA-256 of the public key (of its SubjectPublicKeyInfo), the same for private key, CSR and certificate; null while there is no key to use.
      returned: always
      type: str
      sample: 7d1a0c4a6c9b1c0f4b8f6b1a5d1f7a9b6a0d2c3e4f5061728394a5b6c7d8e9f0
    names:
      description: The subject alternative names, in the form that O(names) takes.
      returned: always
      type: list
      elements: str
      sample: ["DNS:shop.example.com", "DNS:www.shop.example.com"]
    kept_path:
      description: Where the old private key is now, if it was replaced.
      returned: always
      type: str
      sample: null
diff:
  description: Type, hash and mode of the private key and the content of the CSR, before and after, of what changed, by the path of the private key.
  returned: in diff mode
  type: dict
  sample:
    before: {"/etc/pki/www.key": {"key": null, "csr": null}}
    after: {"/etc/pki/www.key": {"key": {"type": "rsa-2048", "mode": "0600"}, "csr": {"names": ["DNS:www.example.com"]}}}
error:
  description:
    - What went wrong, if it was not one request but the whole task, with the keys C(kind), C(message), C(status), C(code), C(detail) and
      C(request_id).
  returned: on such a failure
  type: dict
  sample: null
"""

import collections
import contextlib
import dataclasses
import datetime
import errno
import functools
import grp
import os
import pwd
import re
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.certops.remediation.plugins.module_utils import options
from ansible_collections.certops.remediation.plugins.module_utils.engine import APPLIED, FAILED, FAILING, NOT_ATTEMPTED, PLANNED, REFUSED, UNCHANGED
from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.parallel import in_parallel
from ansible_collections.certops.remediation.plugins.module_utils.private_files import (
    Access,
    make_folders,
    move_to_free_name,
    read_file,
    sync_folder,
    write_file,
)
from ansible_collections.certops.remediation.plugins.module_utils.task import Task, run_local
from ansible_collections.certops.remediation.plugins.module_utils.x509 import (
    CRYPTOGRAPHY_IMPORT_ERROR,
    alternative_names,
    general_name,
    key_type,
    load_private_key,
    load_request,
    meant_key_sha256,
    normalise_name,
    public_key_sha256,
)

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.x509.oid import NameOID
except ImportError:
    pass  # CRYPTOGRAPHY_IMPORT_ERROR tells.

SIGNATURE_HASHES = ("sha256", "sha384", "sha512")
KEY_TYPES = ("rsa-2048", "rsa-3072", "rsa-4096", "ecdsa-p256", "ecdsa-p384", "ed25519")
# In the order of a distinguished name; the lengths are the upper bounds of RFC 5280.
SUBJECT = {
    "country": ("COUNTRY_NAME", 2),
    "state_or_province": ("STATE_OR_PROVINCE_NAME", 128),
    "locality": ("LOCALITY_NAME", 128),
    "organization": ("ORGANIZATION_NAME", 64),
    "organizational_unit": ("ORGANIZATIONAL_UNIT_NAME", 64),
    "common_name": ("COMMON_NAME", 64),
}
# No defaults here: an option that a request leaves out must be told from one that it sets to the default.
REQUEST_OPTIONS: options.Spec = {
    "folder": {"type": "path"},
    "path": {"type": "path"},
    "csr_path": {"type": "path"},
    "create_folder": {"type": "bool"},
    "common_name_in_san": {"type": "bool"},
    "names": {"type": "list", "elements": "str"},
    "allow_underscores": {"type": "bool"},
    **{option: {"type": "str"} for option in SUBJECT},
    "key_type": {"type": "str", "choices": list(KEY_TYPES), "no_log": False},
    "signature_hash": {"type": "str", "choices": list(SIGNATURE_HASHES)},
    "passphrase": {"type": "str", "no_log": True},
    "rotate": {"type": "bool"},
    "retired_keys": {"type": "list", "elements": "str", "no_log": False},
    "mode": {"type": "str"},
    "csr_mode": {"type": "str"},
    "owner": {"type": "str"},
    "group": {"type": "str"},
}
DEFAULTS = {"names": [], "retired_keys": [], "common_name_in_san": True, "key_type": KEY_TYPES[0], "signature_hash": SIGNATURE_HASHES[0]}
ARGUMENT_SPEC: options.Spec = {**REQUEST_OPTIONS, "requests": {"type": "list", "elements": "dict", "options": REQUEST_OPTIONS}}

PROBLEMS_IN_MESSAGE = 20
WORKERS = 8  # some make keys, some wait for the disk
OUTCOMES = (UNCHANGED, PLANNED, APPLIED, REFUSED, FAILED, NOT_ATTEMPTED)

Item = t.TypeVar("Item")
Result = t.TypeVar("Result")


# -- what is wanted ----------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Wanted:
    """One request as it was asked for, checked."""

    path: str
    csr_path: str
    create_folder: bool
    subject: x509.Name
    names: tuple[str, ...]
    key_type: str
    signature_hash: str
    passphrase: bytes | None
    rotate: bool
    retired: frozenset[str]
    key_access: Access
    csr_access: Access


def read_request(given: t.Mapping[str, t.Any]) -> Wanted:
    """:raises InputError: something in it cannot work."""
    fields = {option: (given.get(option) or "").strip() for option in SUBJECT}
    underscores = bool(given.get("allow_underscores"))
    names = [normalise_name("names", text, allow_underscores=underscores) for text in given["names"]]
    if fields["common_name"] and given["common_name_in_san"]:
        names.insert(0, normalise_name("common_name", fields["common_name"], allow_underscores=underscores))
        kind, dummy, fields["common_name"] = names[0].partition(":")
        if kind not in ("DNS", "IP"):
            raise InputError("common_name", "is neither a DNS name nor an IP address; set common_name_in_san=false, and give it in names too if need be")
    if not names and not fields["common_name"]:
        raise InputError("common_name", "there is no name at all; give common_name or names")
    for option, (dummy, limit) in SUBJECT.items():
        if len(fields[option]) > limit or not fields[option].isprintable():
            more = "; leave common_name out and give the name in names" if option == "common_name" else ""
            raise InputError(option, f"holds a control character or more than {limit} characters, which no certificate can carry{more}")
    if not re.fullmatch("([A-Za-z]{2})?", fields["country"]):
        raise InputError("country", "is not a country code of two letters")
    fields["country"] = fields["country"].upper()
    subject = [x509.NameAttribute(getattr(NameOID, oid), fields[option]) for option, (oid, limit) in SUBJECT.items() if fields[option]]
    path, csr_path = _paths(given, names)
    ids = {
        "uid": _number("owner", given.get("owner"), lambda name: pwd.getpwnam(name).pw_uid),
        "gid": _number("group", given.get("group"), lambda name: grp.getgrnam(name).gr_gid),
    }
    return Wanted(
        path=path,
        csr_path=csr_path,
        create_folder=bool(given.get("create_folder")),
        subject=x509.Name(subject),
        names=tuple(dict.fromkeys(names)),
        key_type=given["key_type"],
        signature_hash=given["signature_hash"] if given["key_type"] != "ed25519" else "none",
        passphrase=given["passphrase"].encode("utf-8") if given.get("passphrase") else None,
        rotate=bool(given.get("rotate")),
        retired=_retired(tuple(given["retired_keys"])),
        key_access=Access(_mode("mode", given.get("mode")), **ids),
        csr_access=Access(_mode("csr_mode", given.get("csr_mode")), **ids),
    )


def _paths(given: t.Mapping[str, t.Any], names: t.Sequence[str]) -> tuple[str, str]:
    path = given.get("path")
    if not path:
        kind, dummy, name = names[0].partition(":") if names else ("", "", "")
        if not given.get("folder") or kind not in ("DNS", "IP"):
            raise InputError("path", "is needed, or folder together with a DNS name or an IP address after which the file is named")
        path = f"{name.replace('*', '_')}.key"
    if "\0" in path + (given.get("csr_path") or ""):
        raise InputError("path", "holds a NUL character")
    folder = given.get("folder") or ""
    path = os.path.realpath(os.path.join(folder, path))
    csr_path = given.get("csr_path") or re.sub(r"\.(key|pem)\Z", "", path) + ".csr"
    return path, os.path.realpath(os.path.join(folder, csr_path))


def _mode(option: str, text: str | None) -> int | None:
    if text and not re.fullmatch("0[0-7]{3}", text):
        # YAML reads 0600 without quotes as 384, and 600 as a decimal number.
        raise InputError(option, f"{text!r} is not a mode; write four octal digits in quotes, as in \"0600\"")
    return int(text, 8) if text else None


def _number(option: str, name: str | None, lookup: t.Callable[[str], int]) -> int | None:
    try:
        return None if not name else int(name) if name.isdecimal() else lookup(name)
    except KeyError:
        raise InputError(option, f"{name!r} does not exist on the host that runs the module") from None


@functools.lru_cache(maxsize=None)
def _retired(texts: tuple[str, ...]) -> frozenset[str]:
    """A list for the whole task is read once, not for each of its requests."""
    return frozenset(meant_key_sha256("retired_keys", text) for text in texts)


# -- what is there, and what is to be done -----------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Place:
    """One of the two files of a request: what is there, and who is to have access to it afterwards."""

    option: str
    path: str
    wanted: Access
    content: bytes | None
    found: Access | None
    access: Access

    @property
    def loose(self) -> bool:
        """Whether the file may stay, but mode, owner or group may not."""
        return self.found is not None and self.access.over(self.found) != self.found

    def shown(self, access: Access | None) -> dict[str, t.Any]:
        """What a diff shows of it: the mode, and owner and group where they are asked for."""
        access = access or Access()
        ids = {name: getattr(access, name) for name in ("uid", "gid") if getattr(self.wanted, name) is not None}
        return {"mode": f"{access.mode:04o}", **ids}


def look(option: str, path: str, wanted: Access, mode: int) -> Place:
    """:raises InputError: it cannot be read."""
    try:
        content, found = read_file(path) or (None, None)
    except OSError as exc:
        raise InputError(option, f"{path!r} cannot be read ({exc.strerror})") from None
    # A file that is made again stays its owner's; only root can see to that.
    there = (found if os.geteuid() == 0 else Access(found.mode)) if found else Access(mode)
    return Place(option, path, wanted, content, found, wanted.over(there))


@dataclasses.dataclass
class Step:
    """What is to be done for one request, and what became of it. ``key`` and ``csr`` are None while there is none that can stay."""

    wanted: Wanted
    key_file: Place
    csr_file: Place
    key: t.Any = None
    csr: x509.CertificateSigningRequest | None = None
    outcome: str = UNCHANGED
    message: str = "private key and CSR are there as asked for"
    changed: bool = False
    kept_path: str | None = None
    before: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    after: dict[str, t.Any] = dataclasses.field(default_factory=dict)


def plan(wanted: Wanted) -> Step:
    """Only reads.

    :raises InputError: the request cannot be met.
    """
    key_file = look("path", wanted.path, wanted.key_access, 0o600)
    csr_file = look("csr_path", wanted.csr_path, wanted.csr_access, 0o644)
    step = Step(wanted, key_file, csr_file)
    tasks = _plan_key(step) + _plan_csr(step)
    if tasks:
        step.outcome, step.message = PLANNED, "; ".join(tasks)
        for place, stays in ((key_file, step.key), (csr_file, step.csr)):
            if not stays:
                _check_folder(place, wanted.create_folder)
            if not stays or place.loose:
                _check_rights(place)
    return step


def _plan_key(step: Step) -> list[str]:
    wanted, place = step.wanted, step.key_file
    tasks = ["new private key"]
    if place.content is not None and place.found:
        key, protected = load_private_key("path", place.content, wanted.passphrase)
        found = {"type": key_type(key.public_key()), "public_key_sha256": public_key_sha256(key)}
        step.before["key"] = {**found, **place.shown(place.found)}
        if place.wanted.mode is None and (place.found.mode or 0) & 0o077:
            problem = f"the private key that is there can be used by others (mode {place.found.mode:04o})"
            raise InputError("path", f"{problem}; say with mode what it is to be, such as \"0600\", or \"{place.found.mode:04o}\" to leave it so")
        if found["public_key_sha256"] in wanted.retired:
            misfit = "is one of retired_keys"
        elif found["type"] != wanted.key_type:
            misfit = f"is {found['type']} instead of {wanted.key_type}"
        else:
            misfit = "" if protected else "is not encrypted"
        if not misfit:
            if not _works(wanted, key):
                raise InputError("path", "the private key that is there is damaged: what it signs does not verify with its public key")
            step.key = key
            tasks = ["other mode, owner or group of the private key"] if place.loose else []
        elif wanted.rotate:
            tasks = [f"new private key, because the old one {misfit}"]
        else:
            raise InputError("path", f"the private key that is there {misfit}; with rotate=true a new one takes its place, and the old one is kept beside it")
    found = {"type": wanted.key_type, "public_key_sha256": public_key_sha256(step.key) if step.key else "new"}
    step.after["key"] = {**found, **place.shown(place.access)}
    return tasks


def _plan_csr(step: Step) -> list[str]:
    wanted, place = step.wanted, step.csr_file
    expected = {
        "subject": wanted.subject.rfc4514_string(),
        "names": sorted(wanted.names),
        "signature_hash": wanted.signature_hash,
        "public_key_sha256": step.after["key"]["public_key_sha256"],
    }
    step.after["csr"] = {**expected, **place.shown(place.access)}
    if place.content is None:
        return ["new CSR"]
    csr = load_request("csr_path", place.content)
    found = _facts(csr)
    step.before["csr"] = {**found, **place.shown(place.found)}
    if found == expected:
        step.csr = csr
        return ["other mode, owner or group of the CSR"] if place.loose else []
    differing = [field.replace("_", " ").replace(" sha256", "") for field in expected if found.get(field) != expected[field]]
    return [f"CSR made again (other {', '.join(differing)})"]


def _works(wanted: Wanted, key: t.Any) -> bool:
    try:
        return make_csr(wanted, key).is_signature_valid
    except ValueError:
        return False


def _facts(csr: x509.CertificateSigningRequest) -> dict[str, t.Any]:
    """What has to be as asked for; nothing of a CSR that is broken."""
    try:
        if not csr.is_signature_valid:
            return {}
        algorithm = csr.signature_hash_algorithm
        return {
            "subject": csr.subject.rfc4514_string(),
            "names": sorted(alternative_names(csr)),
            "signature_hash": algorithm.name if algorithm else "none",
            "public_key_sha256": public_key_sha256(csr),
        }
    except (ValueError, UnsupportedAlgorithm):
        return {}


def _check_folder(place: Place, create: bool) -> None:
    """:raises InputError: a file cannot be made there."""
    folder = os.path.dirname(place.path)
    if not create and not os.path.isdir(folder):
        raise InputError(place.option, f"the folder {folder!r} does not exist; make it, or set create_folder=true")
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(place.option, f"nothing can be made in {folder!r}: it is not a folder, not writable for this user, or on a read-only file system")


def _check_rights(place: Place) -> None:
    """:raises InputError: only root could give the file to that owner or group, or change it."""
    user = os.geteuid()
    owners = {place.access.uid, place.found.uid if place.found and place.loose else None} - {None, user}
    groups = {place.access.gid} - {None, os.getegid(), *os.getgroups()}
    if user and (owners or groups):
        raise InputError("owner, group", f"only root can see to the owner, group or mode of {place.path!r}")


# -- doing it ----------------------------------------------------------------------------------------------------------------------------


def make_key(kind: str) -> t.Any:
    """A new private key."""
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind.startswith("ecdsa-"):
        return ec.generate_private_key({"ecdsa-p256": ec.SECP256R1, "ecdsa-p384": ec.SECP384R1}[kind]())
    return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[len("rsa-") :]))


def make_csr(wanted: Wanted, key: t.Any) -> x509.CertificateSigningRequest:
    """The CSR of the request for a key."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(wanted.subject)
    if wanted.names:
        builder = builder.add_extension(x509.SubjectAlternativeName([general_name(name) for name in wanted.names]), critical=not list(wanted.subject))
    algorithm: t.Any = {"sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}.get(wanted.signature_hash, lambda: None)
    return builder.sign(key, algorithm())


def apply(step: Step) -> None:
    """Write what is missing: first the key, and nothing further before it is on the disk."""
    wanted = step.wanted
    try:
        if not step.key:
            _apply_key(step)
        elif step.key_file.loose:
            step.key_file.access.give(wanted.path)
            step.changed = True
        if not step.csr:
            csr = make_csr(wanted, step.key)
            make_folders(os.path.dirname(wanted.csr_path))
            write_file(wanted.csr_path, csr.public_bytes(serialization.Encoding.PEM), step.csr_file.access, replace=True)
            step.csr = csr
        elif step.csr_file.loose:
            step.csr_file.access.give(wanted.csr_path)
        step.changed = True
        step.outcome = APPLIED
    except (OSError, UnsupportedAlgorithm) as exc:
        reason = "somebody else has made or changed it meanwhile" if isinstance(exc, FileExistsError) else getattr(exc, "strerror", None) or exc
        if step.key:
            reached = "the private key is as asked for, the CSR is not"
        elif step.changed:
            reached = "the new private key is there, but a power failure may undo that"
        else:
            reached = "no private key was made" + (f", and the old one is now {step.kept_path!r}" if step.kept_path else "")
        step.outcome, step.message = FAILED, f"{reached} ({reason}); run the task again"
        step.after = {**step.before, **({"key": step.after["key"]} if step.changed else {})}
        step.changed = step.changed or step.kept_path is not None


def _apply_key(step: Step) -> None:
    wanted, path = step.wanted, step.wanted.path
    key = make_key(wanted.key_type)
    encryption = serialization.BestAvailableEncryption(wanted.passphrase) if wanted.passphrase else serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)

    def holds(name: str, content: bytes | None) -> bool:
        return (read_file(name) or (None,))[0] == content

    def put_aside() -> None:
        kept = f"{path}.{datetime.datetime.now(datetime.timezone.utc):%Y%m%dT%H%M%S.%f}Z"
        # Two runs at once: only one of them can take the old key away. It looks before, and at what it has got.
        if holds(path, step.key_file.content):
            os.rename(path, kept)
            step.kept_path = kept
        if not holds(kept, step.key_file.content):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)

    make_folders(os.path.dirname(path))
    try:
        write_file(path, pem, step.key_file.access, replace=False, make_room=put_aside if step.key_file.content is not None else None)
    except OSError:
        with contextlib.suppress(OSError):
            step.changed = holds(path, pem)
            if step.kept_path and not step.changed:
                move_to_free_name(step.kept_path, path)
                step.kept_path = None
        raise
    step.key, step.changed = key, True


# -- the whole task ----------------------------------------------------------------------------------------------------------------------


def work(task: Task) -> dict[str, t.Any]:
    """The result of the task. Nothing is written unless all of it can be."""
    common = _given(task.params)
    for text in (text for entry in (task.params, *(task.params["requests"] or ())) for text in entry["retired_keys"] or ()):
        if "PRIVATE KEY" in text:
            # Refused below, but Ansible would show it among the arguments.
            task.secrets.add(text)
    entries = [{}] if task.params["requests"] is None else [_given(entry) for entry in task.params["requests"]]
    wanted = [_or_refusal(read_request, {**DEFAULTS, **common, **entry}) for entry in entries]
    files = collections.Counter(path for request in wanted if isinstance(request, Wanted) for path in (request.path, request.csr_path))
    steps: list[Step | InputError] = []
    for request in wanted:
        if isinstance(request, InputError):
            steps.append(request)
        elif files[request.path] > 1 or files[request.csr_path] > 1:
            steps.append(InputError("path", f"{request.path!r} or {request.csr_path!r} is the file of more than one private key or CSR of this task"))
        else:
            steps.append(_or_refusal(plan, request))

    refused = sum(isinstance(step, InputError) for step in steps)
    planned = [step for step in steps if isinstance(step, Step) and step.outcome == PLANNED]
    if refused:
        for step in planned:
            step.outcome, step.message = NOT_ATTEMPTED, f"nothing was written, because {refused} of {len(steps)} requests cannot be met"
    elif task.check_mode:
        for step in planned:
            step.changed = True
    else:
        in_parallel(apply, planned, WORKERS)
        # What was there already may be of a run that was killed before it had flushed the folder.
        there = [step.wanted for step in steps if isinstance(step, Step) and step.outcome == UNCHANGED]
        for folder in sorted({os.path.dirname(path) for request in there for path in (request.path, request.csr_path)}):
            with contextlib.suppress(OSError):
                sync_folder(folder)

    results = [_result(request, step) for request, step in zip(wanted, steps)]
    shown = [step for step in planned if step.changed]
    return {
        "changed": bool(shown),
        "failed": any(result["outcome"] in FAILING for result in results),
        "msg": _message(results),
        "summary": {outcome: sum(result["outcome"] == outcome for result in results) for outcome in OUTCOMES},
        "requests": results,
        "diff": {side: {step.wanted.path: {"key": None, "csr": None, **getattr(step, side)} for step in shown} for side in ("before", "after")},
    }


def _given(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The options that are set. An empty text is an unset one."""
    return {option: params[option] for option in REQUEST_OPTIONS if params.get(option) not in (None, "")}


def _or_refusal(function: t.Callable[[Item], Result], item: Item) -> Result | InputError:
    try:
        return function(item)
    except InputError as error:
        return error


def _result(wanted: Wanted | InputError, step: Step | InputError) -> dict[str, t.Any]:
    done = step if isinstance(step, Step) else None
    request = wanted if isinstance(wanted, Wanted) else None
    return {
        "outcome": done.outcome if done else REFUSED,
        "changed": bool(done and done.changed),
        "message": step.message,
        "path": request.path if request else None,
        "csr_path": request.csr_path if request else None,
        "csr": done.csr.public_bytes(serialization.Encoding.PEM).decode("ascii") if done and done.csr else None,
        "public_key_sha256": public_key_sha256(done.key) if done and done.key else None,
        "names": list(request.names) if request else [],
        "kept_path": done.kept_path if done else None,
    }


def _message(results: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    counts = collections.Counter(result["outcome"] for result in results)
    told = ", ".join(f"{counts[outcome]} {outcome.replace('_', ' ')}" for outcome in OUTCOMES if counts[outcome])
    lines = [f"{len(results)} request{'' if len(results) == 1 else 's'}: {told or 'nothing to do'}."]
    problems = [(number, result) for number, result in enumerate(results) if result["outcome"] in (REFUSED, FAILED)]
    lines += [f"{result['path'] or f'requests[{number}]'}: {result['outcome']}: {result['message']}" for number, result in problems[:PROBLEMS_IN_MESSAGE]]
    if len(problems) > PROBLEMS_IN_MESSAGE:
        lines.append(f"... and {len(problems) - PROBLEMS_IN_MESSAGE} more; see requests")
    return "\n".join(lines)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if CRYPTOGRAPHY_IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("cryptography"), exception=CRYPTOGRAPHY_IMPORT_ERROR)
    run_local(module, ARGUMENT_SPEC, work)


if __name__ == "__main__":
    main()
