# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Web SDK's certificate calls: details, reset, retry, renew, revoke, request, retrieve."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from ..authority import new_key, private_pem
from ..clock import iso
from ..exchange import Answer, Call, Refusal
from ..routes import Routes
from . import search
from .issuing import DETAIL_NAMES, KEY_KINDS, SAN_KINDS, key_kind_of, names_of, pem, read_csr
from .lifecycle import CLICK_RETRY, LOCKED, QUEUED
from .objects import Certificate, Node, Version

if TYPE_CHECKING:
    from .part import Tpp

ROUTES: Routes[Tpp] = Routes()
REASON = "Bad request. Check the error in the response for details."  # VCERT-T
NOTHING_TO_RESET = "Reset is not completed. No reset is required for the certificate."
GUID_PATH = r"/vedsdk/certificates/(?P<guid>\{?[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?)"
MAX_WAIT = 120
Form = Callable[[x509.Certificate, list[x509.Certificate], Any, bytes, bool], tuple[bytes, str]]


def error(text: str, reason: str = REASON, **more: Any) -> Answer:
    """The certificate calls' dialect: ``Error``."""
    return Answer.json({"Error": text, **more}, 400, reason)


class Body:
    """The fields of a request body, with the tolerance that ASP.NET has for types."""

    def __init__(self, tpp: Tpp, call: Call) -> None:
        self._fields = call.fields
        if tpp.switches.body_keys_any_case:
            self._fields = {name.lower(): value for name, value in self._fields.items()}
        self._fold = tpp.switches.body_keys_any_case

    def get(self, name: str) -> Any:
        return self._fields.get(name.lower() if self._fold else name)

    def text(self, name: str) -> str:
        value = self.get(name)
        if value is not None and not isinstance(value, str):
            raise Refusal(error(f"Error converting value of {name} to type 'System.String'."))
        return value or ""

    def flag(self, name: str) -> bool:
        """vcert-python sends ``"true"`` and ``"false"`` (VCPY)."""
        value = self.get(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise Refusal(error(f"Error converting value of {name} to type 'System.Boolean'."))

    def number(self, name: str, low: int, high: int, default: int = 0) -> int:
        value = self.get(name)
        if value is None:
            return default
        if isinstance(value, str) and value.lstrip("-").isdigit():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Refusal(error(f"Invalid {name}. The value must be between {low} and {high}."))
        return value


def missing(dn: str, name: str = "CertificateDN") -> Refusal:
    """The same for an object that does not exist and one that the user may not see (VCERT-T)."""
    return Refusal(error(f'{name} error. {name}: "{dn}" does not exist or you do not have sufficient rights to the object.'))


def visible(tpp: Tpp, call: Call, dn: str) -> Certificate:
    """The certificate of a DN, brought up to the clock."""
    if not dn.strip():
        raise Refusal(error("Invalid CertificateDN format. The Certificate DN contained null or white spaces for (CertificateDN)."))
    node = tpp.store.get(dn)
    if not isinstance(node, Certificate) or not node.may(call.user, "read"):
        raise missing(dn)
    call.target = node.dn
    return tpp.lifecycle.settle(node)


# -- reading -----------------------------------------------------------------------------------------------------


def processing_of(tpp: Tpp, certificate: Certificate) -> dict[str, Any]:
    """Empty for a clean object; members that do not apply are left out (XSOAR)."""
    if certificate.stage == QUEUED and not tpp.switches.queued_visible:
        return {}
    newest = tpp.switches.at_least("26.1")
    members = {
        "Stage": certificate.stage,
        "Status": certificate.status or None,
        "InError": certificate.in_error or None,
        "InProcess": (certificate.in_process or None) if newest else None,
        "TicketDN": (certificate.ticket_dn or None) if newest else None,
    }
    return {name: value for name, value in members.items() if value is not None}


def facts_of(tpp: Tpp, certificate: Certificate) -> dict[str, Any]:
    if certificate.current is None:
        return {}
    facts = tpp.sign(certificate, certificate.current).facts
    if certificate.revocation == "none":
        return facts
    revoked = {
        "RevocationStatus": tpp.switches.revocation_words[certificate.revocation],
        "RevocationDate": iso(certificate.revocation_date) if certificate.revocation_date else None,
        "RevocationInitiatedBy": certificate.revocation_by or None,
    }
    return {**facts, **{name: value for name, value in revoked.items() if value is not None}}


def details_of(tpp: Tpp, certificate: Certificate) -> dict[str, Any]:
    """``DetailedCertificateResult`` (S-CERT); what is empty is left out, as recorded (XSOAR)."""
    sans = {DETAIL_NAMES[kind]: values for kind, values in certificate.sans.items() if values}
    members = {
        "Approver": certificate.approver,
        "CertificateAuthorityDN": certificate.authority,
        "CertificateDetails": facts_of(tpp, certificate),
        "Consumers": [consumer.dn for consumer in certificate.consumers],
        "Contact": certificate.contact,
        "CreatedBy": [certificate.created_by],
        "CreatedOn": iso(certificate.created_on),
        "CustomFields": [{"Name": name, "Type": "Text", "Value": value} for name, value in certificate.custom_fields.items()],
        "DN": certificate.dn,
        "Description": certificate.description,
        "Disabled": certificate.disabled,
        "Guid": certificate.guid,
        "ManagementType": certificate.management_type,
        "Name": certificate.name,
        "Origin": certificate.origin,
        "ParentDn": certificate.parent,
        "SchemaClass": certificate.class_name,
    }
    return {
        **{name: value for name, value in members.items() if value},
        "ProcessingDetails": processing_of(tpp, certificate),
        "RenewalDetails": {"Subject": certificate.subject, **sans},
        "ValidationDetails": {"ValidationState": certificate.validation},
    }


def by_guid(tpp: Tpp, call: Call) -> Certificate:
    guid = call.args["guid"]
    node = tpp.store.by_guid(guid)
    if not isinstance(node, Certificate) or not node.may(call.user, "read"):
        raise Refusal(error(tpp.switches.unknown_guid_text.format(guid=guid)))
    call.target = node.dn
    return tpp.lifecycle.settle(node)


@ROUTES.add("GET HEAD", "/vedsdk/certificates", scope="certificate")
def listing(tpp: Tpp, call: Call) -> Answer:
    return search.listing(tpp, call)


@ROUTES.add("GET", GUID_PATH, scope="certificate", target="guid")
def details(tpp: Tpp, call: Call) -> Answer:
    """D-GUID."""
    return Answer.json(details_of(tpp, by_guid(tpp, call)))


# -- reset -------------------------------------------------------------------------------------------------------


def _check_rights(tpp: Tpp, call: Call, certificate: Certificate) -> Answer | None:
    writable = certificate.may(call.user, "write")
    if tpp.switches.reset_needs_consumer_rights:
        writable = writable and all(consumer.writable for consumer in certificate.consumers)
    if writable:
        return None
    return error(f"Access error. Your don't have write permissions for certificate {certificate.dn}.")


def _check_management_type(dummy: Tpp, call: Call, certificate: Certificate) -> Answer | None:
    if certificate.management_type.lower() != "unassigned":
        return None
    return error("Management Type error. The reset failed because the certificate Management Type is Unassigned.")


def _check_lock(tpp: Tpp, dummy: Call, certificate: Certificate) -> Answer | None:
    return error(LOCKED) if tpp.lifecycle.busy(certificate) else None


_CHECKS: dict[str, Callable[[Tpp, Call, Certificate], Answer | None]] = {
    "rights": _check_rights,
    "management_type": _check_management_type,
    "lock": _check_lock,
}


@ROUTES.add("POST", "/vedsdk/certificates/reset", scope="certificate:manage", mutates=True, target="CertificateDN")
def reset(tpp: Tpp, call: Call) -> Answer:
    """D-RESET; recorded answers in VCERT-T. Only flags that are true are sent."""
    body = Body(tpp, call)
    restart, wait = body.flag("Restart"), body.number("WorkToDoTimeout", 0, MAX_WAIT)
    clear_csr = body.flag("ClearCSR") and tpp.switches.at_least("26.1")
    certificate = visible(tpp, call, body.text("CertificateDN"))
    for name in tpp.switches.reset_order:
        refusal = _CHECKS[name](tpp, call, certificate)
        if refusal is not None:
            return refusal
    flags = tpp.lifecycle.resettable(certificate)
    if not flags and not (restart and tpp.switches.restart_renews_healthy):
        return Answer.json({}) if tpp.switches.reset_without_flags else error(NOTHING_TO_RESET)
    tpp.lifecycle.reset(certificate, restart, clear_csr)
    call.effect = "reset+restart" if restart else "reset"
    if restart:
        flags.append("RestartCompleted")
    return Answer.json(dict.fromkeys(flags, True), _accepted(tpp, certificate, wait))


# -- the other verbs ---------------------------------------------------------------------------------------------


def _accepted(tpp: Tpp, certificate: Certificate, wait: int) -> int:
    """The status of an answer whose ``WorkToDoTimeout`` ran out (unconfirmed)."""
    return tpp.switches.work_to_do_expired_status if wait and certificate.work else 200


def _writable(tpp: Tpp, call: Call, certificate: Certificate) -> None:
    refusal = _check_rights(tpp, call, certificate) or _check_lock(tpp, call, certificate)
    if refusal is not None:
        raise Refusal(refusal)


@ROUTES.add("POST", "/vedsdk/certificates/retry", scope="certificate:manage", mutates=True, target="CertificateDN")
def retry(tpp: Tpp, call: Call) -> Answer:
    """Resume the failed stage (D-RETRY)."""
    body = Body(tpp, call)
    wait = body.number("WorkToDoTimeout", 0, MAX_WAIT)
    certificate = visible(tpp, call, body.text("CertificateDN"))
    _writable(tpp, call, certificate)
    if not certificate.in_error:
        return error("Retry canceled. No retry is required for the certificate.")
    tpp.lifecycle.retry(certificate)
    call.effect = "retry"
    return Answer.json({"Success": True}, _accepted(tpp, certificate, wait))


@ROUTES.add("POST", "/vedsdk/certificates/renew", scope="certificate:manage", mutates=True, target="CertificateDN")
def renew(tpp: Tpp, call: Call) -> Answer:
    """Renew a healthy certificate (S-CERT). vcert looks at ``Success`` only; all texts but the first are unconfirmed."""
    body = Body(tpp, call)
    wait, csr = body.number("WorkToDoTimeout", 0, MAX_WAIT), _csr(body)
    certificate = visible(tpp, call, body.text("CertificateDN"))
    _writable(tpp, call, certificate)
    text = ""
    if certificate.user_csr and not csr:
        # Sic (#267).
        text = f'Certificate renew mismatch. Certificate "{certificate.dn}", which originated from a user provided CSR, requires a PKSC#10'
    elif certificate.in_error:
        text = CLICK_RETRY
    elif certificate.work is not None or certificate.stage is not None:
        text = f'Certificate "{certificate.dn}" is already being processed.'
    elif certificate.management_type in ("Monitoring", "Unassigned"):
        text = f'Certificate "{certificate.dn}" cannot be renewed because its Management Type is {certificate.management_type}.'
    elif certificate.disabled and not body.flag("Reenable"):
        text = f'Certificate "{certificate.dn}" is disabled.'
    if text:
        return error(text, Success=False)
    certificate.disabled = False
    _take_csr(certificate, csr)
    tpp.lifecycle.start(certificate, certificate.csr)
    call.effect = "renew"
    return Answer.json({"Success": True}, _accepted(tpp, certificate, wait))


@ROUTES.add("POST", "/vedsdk/certificates/revoke", scope="certificate:revoke", mutates=True, target="CertificateDN")
def revoke(tpp: Tpp, call: Call) -> Answer:
    """D-REVOKE. A second call is a success with a warning and without ``Requested`` (#138)."""
    body = Body(tpp, call)
    wait = body.number("WorkToDoTimeout", 0, MAX_WAIT)
    body.number("Reason", 0, 10)
    thumbprint = body.text("Thumbprint").lower()
    if thumbprint and not body.text("CertificateDN"):
        found = search.matching(tpp, {"thumbprint": [thumbprint]}, call.user)
        if not found:
            return error(f'Thumbprint error. Thumbprint: "{thumbprint}" does not exist or you do not have sufficient rights to the object.', Success=False)
        certificate = visible(tpp, call, found[0].dn)
    else:
        certificate = visible(tpp, call, body.text("CertificateDN"))
    if not certificate.may(call.user, "revoke"):
        raise missing(certificate.dn)
    _writable(tpp, call, certificate)
    if certificate.current is None:
        return error(f"Certificate [{certificate.dn}] does not have a certificate to revoke", Success=False)
    if certificate.revocation in ("pending", "revoked"):
        return Answer.json({"Success": True, "Warning": "Revocation is already in progress or has been completed."})
    tpp.lifecycle.revoke(certificate, tpp.grants.users[call.user.lower()].identity, body.flag("Disable"))
    call.effect = "revoke"
    answer = {"Requested": True, "Success": True}
    if certificate.revocation == "revoked":
        answer["Revoked"] = True
    return Answer.json(answer, 202 if wait and certificate.work else 200)


def _csr(body: Body) -> str:
    text = body.text("PKCS10")
    if text:
        try:
            read_csr(text)
        except ValueError:
            raise Refusal(error("PKCS10 error. The PKCS#10 data is invalid.", Success=False)) from None
    return text


def _take_csr(certificate: Certificate, csr: str) -> None:
    """A certificate that was enrolled with a CSR from outside takes its names and key from there."""
    if not csr:
        return
    request = read_csr(csr)
    common_name, sans = names_of(request)
    certificate.csr, certificate.user_csr = csr, True
    certificate.subject, certificate.sans = common_name or certificate.subject, sans or certificate.sans
    certificate.key_kind = key_kind_of(request.public_key())


def _wanted_key(body: Body) -> str:
    """The key type by its OID (25.1 and later) or by the older names (VCPY)."""
    oid = body.text("PkixParameterSet")
    if oid:
        family, dummy, size = oid.removeprefix("1.3.6.1.4.1.28783.10.").partition(".1.")
        kind = ("EC" if family == "2" else "RSA") + size
    elif body.text("KeyAlgorithm").upper() == "RSA":
        kind = f"RSA{body.number('KeyBitSize', 2048, 8192, 2048)}"
    else:
        kind = "EC" + (body.text("EllipticCurve") or "P256").upper().removeprefix("P")
    if kind not in KEY_KINDS:
        raise Refusal(error(f"Key type {kind} is not supported."))
    return kind


@ROUTES.add("POST", "/vedsdk/certificates/request", scope="certificate:manage", mutates=True, target="ObjectName")
def request(tpp: Tpp, call: Call) -> Answer:
    """Enrol. On an object in error the request is taken although nothing will come of it (#269)."""
    body = Body(tpp, call)
    wait, csr = body.number("WorkToDoTimeout", 0, MAX_WAIT), _csr(body)
    policy_dn, name = body.text("PolicyDN").rstrip("\\"), body.text("ObjectName")
    if not isinstance(tpp.store.get(policy_dn), Node):
        raise missing(policy_dn, "PolicyDN")
    subject = body.text("Subject")
    name = name or (names_of(read_csr(csr))[0] if csr else subject)
    if not name:
        return error("Subject error. A Subject, ObjectName or PKCS10 is required.")
    kinds = {"0": "UPN", "1": "Email", "2": "DNS", "6": "URI", "7": "IP"}
    sans: dict[str, list[str]] = {}
    for item in body.get("SubjectAltNames") or ():
        kind = str(item.get("Type", item.get("TypeName")))
        sans.setdefault(kinds.get(kind, kind), []).append(str(item.get("Name")))
    if not set(sans) <= set(SAN_KINDS):
        return error("SubjectAltNames error. A type is not known.")
    dn = f"{policy_dn}\\{name}"
    certificate = tpp.store.get(dn)
    if certificate is None:
        spec = {"dn": dn, "versions": 0, "age_days": 0, "created_by": f"local:{call.user}", "origin": body.text("Origin") or "Web SDK"}
        authority = body.text("CADN")
        tpp.add([{**spec, "authority": authority} if authority in tpp.authorities.issuers else spec])
        certificate = tpp.store.get(dn)
    if not isinstance(certificate, Certificate):
        return error(f'"{dn}" exists and is not a certificate.')
    call.target = certificate.dn
    tpp.lifecycle.settle(certificate)
    _writable(tpp, call, certificate)
    if csr:
        _take_csr(certificate, csr)
    else:
        certificate.subject, certificate.sans = subject or certificate.subject, sans or certificate.sans
        certificate.csr, certificate.user_csr, certificate.key_kind = "", False, _wanted_key(body)
    if certificate.in_error:
        certificate.status = CLICK_RETRY
        tpp.store.touch(certificate)
    else:
        tpp.lifecycle.start(certificate, csr)
    call.effect = "request"
    return Answer.json({"CertificateDN": certificate.dn, "Guid": certificate.guid}, _accepted(tpp, certificate, wait))


_ATTRIBUTES: dict[str, Callable[[Certificate, list[str]], None]] = {
    "disabled": lambda certificate, values: setattr(certificate, "disabled", values[:1] == ["1"]),
    "description": lambda certificate, values: setattr(certificate, "description", "".join(values)),
    "management type": lambda certificate, values: setattr(certificate, "management_type", "".join(values)),
    "contact": lambda certificate, values: setattr(certificate, "contact", values),
    "approver": lambda certificate, values: setattr(certificate, "approver", values),
}


@ROUTES.add("PUT", GUID_PATH, scope="certificate:manage", mutates=True, target="guid")
def update(tpp: Tpp, call: Call) -> Answer:
    """Write attributes, for instance ``Disabled`` to retire a certificate (VCPY)."""
    certificate = by_guid(tpp, call)
    _writable(tpp, call, certificate)
    changes = {}
    for item in Body(tpp, call).get("AttributeData") or ():
        name = str(item.get("Name", "")).lower() if isinstance(item, dict) else ""
        if name not in _ATTRIBUTES:
            return error(f"Attribute {name} is not known.", Success=False)
        values = item.get("Value") or []
        changes[name] = [str(value) for value in (values if isinstance(values, list) else [values])]
    for name, values in changes.items():
        _ATTRIBUTES[name](certificate, values)
    tpp.store.touch(certificate)
    call.effect = f"update {', '.join(changes)}" if changes else ""
    return Answer.json({"Success": True})


# -- versions and files ------------------------------------------------------------------------------------------


@ROUTES.add("GET", GUID_PATH + "/previousversions", scope="certificate", target="guid")
def previous_versions(tpp: Tpp, call: Call) -> Answer:
    """Newest first (S-CERT)."""
    certificate = by_guid(tpp, call)
    skip = {name.lower() for name, value in call.query if value.lower() in ("", "1", "true")}
    versions = [
        {"VaultId": str(version.vault_id), "CertificateDetails": tpp.sign(certificate, version).facts}
        for version in reversed(certificate.versions[:-1])
        if "excludeexpired" not in skip or version.not_after > tpp.clock.now()
    ]
    return Answer.json({"PreviousVersions": versions, "Success": True})


@ROUTES.add("GET", GUID_PATH + "/validationresults", scope="certificate", target="guid")
def validation_results(tpp: Tpp, call: Call) -> Answer:
    """204: there are none."""
    by_guid(tpp, call)
    return Answer(204)


@ROUTES.add("POST", "/vedsdk/certificates/retrieve", scope="certificate:manage", target="CertificateDN")
def retrieve(tpp: Tpp, call: Call) -> Answer:
    """200 with the file, 202 while it is being made, 500 when that has failed: a state, not a crash (VCERT-T)."""
    body = Body(tpp, call)
    dn = body.text("CertificateDN")
    node = tpp.store.get(dn)
    if not isinstance(node, Certificate) or not node.may(call.user, "read"):
        return error(f"Certificate {dn} does not exist.", "Certificate does not exist.")
    certificate = tpp.lifecycle.settle(node)
    state = {"Stage": certificate.stage, "Status": certificate.status}
    summary = f"Status: {certificate.status}, Stage: {certificate.stage}."
    if certificate.in_error:
        return Answer.json(state, 500, f"Certificate {dn} has encountered an error while processing, {summary}")
    if certificate.stage is not None:
        return Answer.json(state, 202, f"Certificate {dn} being processed, {summary}")
    if certificate.current is None:
        return error(f"Certificate {dn} does not have a certificate.")
    return _file(tpp, call, certificate, certificate.current, body)


@ROUTES.add("POST", r"/vedsdk/certificates/retrieve/(?P<vault>\d+)", scope="certificate:manage")
def retrieve_version(tpp: Tpp, call: Call) -> Answer:
    """An archived version."""
    wanted = int(call.args["vault"])
    for certificate in tpp.store.certificates.values():
        for version in certificate.versions:
            if version.vault_id == wanted and certificate.may(call.user, "read"):
                call.target = certificate.dn
                return _file(tpp, call, certificate, version, Body(tpp, call))
    return error(f"Vault id {wanted} does not exist.")


def _file(tpp: Tpp, call: Call, certificate: Certificate, version: Version, body: Body) -> Answer:
    form = (body.text("Format") or "Base64").lower()
    if form not in _FORMS:
        return error(f"Format {body.text('Format')} is not supported.")
    password = body.text("Password").encode()
    leaf = x509.load_pem_x509_certificate(tpp.sign(certificate, version).pem.encode())
    chain = [tpp.authority.issuer(version.authority).certificate, tpp.authority.root.certificate] if body.flag("IncludeChain") else []
    key = None
    if body.flag("IncludePrivateKey"):
        if certificate.key_state in ("none", "missing", "foreign") or not version.key_pem or not certificate.may(call.user, "private key read"):
            return error("Failed to lookup private key, error: Failed to lookup private key vault id")
        if not password:
            return error("Password error. A password is required to retrieve the private key.")
        # A mismatched key is one that does not belong to the certificate.
        text = version.key_pem.encode() if certificate.key_state != "mismatch" else private_pem(new_key())
        key = serialization.load_pem_private_key(text, None)
    content, suffix = _FORMS[form](leaf, chain, key, password, body.flag("RootFirstOrder"))
    data = {"CertificateData": base64.b64encode(content).decode(), "Filename": f"{certificate.name}.{suffix}", "Format": body.text("Format") or "Base64"}
    return Answer.json(data)


def _pem_file(private_format: serialization.PrivateFormat) -> Form:
    def write(leaf: x509.Certificate, chain: list[x509.Certificate], key: Any, password: bytes, root_first: bool) -> tuple[bytes, str]:
        parts = [pem(leaf).encode()]
        if key is not None:
            encryption = serialization.BestAvailableEncryption(password)
            parts.append(key.private_bytes(serialization.Encoding.PEM, private_format, encryption))
        issuers = [pem(item).encode() for item in chain]
        return b"".join([*reversed(issuers), *parts] if root_first else [*parts, *issuers]), "pem"

    return write


def _pkcs12(leaf: x509.Certificate, chain: list[x509.Certificate], key: Any, password: bytes, dummy: bool) -> tuple[bytes, str]:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return pkcs12.serialize_key_and_certificates(None, key, leaf, chain, encryption), "p12"


_FORMS: dict[str, Form] = {
    "base64": _pem_file(serialization.PrivateFormat.TraditionalOpenSSL),
    "base64 (pkcs #8)": _pem_file(serialization.PrivateFormat.PKCS8),
    "der": lambda leaf, chain, key, password, root_first: (leaf.public_bytes(serialization.Encoding.DER), "cer"),
    "pkcs #7": lambda leaf, chain, key, password, root_first: (pkcs7.serialize_certificates([leaf, *chain], serialization.Encoding.PEM), "p7b"),
    "pkcs #12": _pkcs12,
}


@ROUTES.add("POST", "/vedsdk/certificates/checkpolicy", scope="certificate")
def check_policy(tpp: Tpp, call: Call) -> Answer:
    """A policy that demands nothing: vcert-python asks before every request (VCPY)."""
    policy_dn = Body(tpp, call).text("PolicyDN").rstrip("\\")
    if tpp.store.get(policy_dn) is None:
        raise missing(policy_dn, "PolicyDN")

    def open_(value: Any) -> dict[str, Any]:
        return {"Locked": False, "Value": value}

    subject = {name: open_("") for name in ("City", "Country", "Organization", "State")}
    allowed = ("Dns", "Email", "Ip", "Upn", "Uri")
    policy = {
        "CertificateAuthority": open_(next(iter(tpp.authorities.issuers))),
        "CsrGeneration": open_("ServiceGenerated"),
        "KeyGeneration": open_("Central"),
        "KeyPair": {"KeyAlgorithm": open_("ECC"), "KeySize": open_(2048), "EllipticCurve": open_("P256")},
        "ManagementType": open_("Enrollment"),
        "PrivateKeyReuseAllowed": True,
        **{f"SubjAltName{kind}Allowed": True for kind in allowed},
        "Subject": {**subject, "OrganizationalUnit": {"Locked": False, "Values": []}},
        "UniqueSubjectEnforced": False,
        "WhitelistedDomains": [],
        "WildcardsAllowed": True,
    }
    return Answer.json({"Policy": policy})
