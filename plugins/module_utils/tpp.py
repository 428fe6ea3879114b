# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Venafi Trust Protection Platform (TLS Protect Datacenter, CyberArk Certificate Manager Self-Hosted): certificates of the Web SDK.

Facts: vendor pages GET Certificates, GET Certificates/{guid}, "Certificates status filters", POST Certificates/Reset, POST Config/DnToGuid,
and exchanges recorded by third parties where noted. Nothing here knows a module.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime
import math
import re
import typing as t
import urllib.parse

from ansible_collections.certops.remediation.plugins.module_utils import options
from ansible_collections.certops.remediation.plugins.module_utils.answers import Remedies, Told, decode, json_of
from ansible_collections.certops.remediation.plugins.module_utils.errors import (
    AuthorizationError,
    BusyError,
    InputError,
    RemediationError,
    VendorError,
)
from ansible_collections.certops.remediation.plugins.module_utils.paging import Page, read_all
from ansible_collections.certops.remediation.plugins.module_utils.parallel import each_in_parallel, in_parallel
from ansible_collections.certops.remediation.plugins.module_utils.redaction import Secrets, printable
from ansible_collections.certops.remediation.plugins.module_utils.tpp_credentials import TppCredentials, TppLogin, vendor_text
from ansible_collections.certops.remediation.plugins.module_utils.transport import Answer, Transport

VENDOR = "Venafi TPP"
PAGE_SIZE = 1000

# The names of the life cycle stages (VenafiPS TppCertificateStage; vendor page "Application Objects and Lifecycle Management").
STAGES: t.Mapping[int, str] = {
    -1: "Queued",
    0: "StartProcessing",
    100: "CheckStore",
    200: "CreateConfigureStore",
    300: "CreateKey",
    400: "CreateCSR",
    500: "PostCSR",
    600: "ApproveRequest",
    700: "RetrieveCertificate",
    800: "InstallCertificate",
    900: "CheckConfiguration",
    1000: "ConfigureApplication",
    1100: "RestartApplication",
    1200: "EndProcessing",
    1400: "Revocation",
    1500: "UpdateTrustStore",
    1600: "EndTrustStoreProcessing",
}
# What a ticket that waits for nobody any more is called (vendor page Workflow/Ticket/Status).
TICKETS_DECIDED = frozenset({"approved", "rejected"})
STAGE_ENROLLED = 800  # from here on the certificate is there; what is left is its installation
STAGE_REVOCATION = 1400

REMEDIES = Remedies(
    authentication="The access token is malformed, expired or revoked. Give a new access_token, or credentials that can renew it",
    authorization="The token needs the scope certificate:manage, or certificate for reading",
    # TPP has no rate limit of its own; a gateway in front of it may, and has then not let the request through.
    rate="Lower concurrency or set rate_limits",
)

CONNECTION_OPTIONS: options.Spec = options.merge(
    options.HTTP_OPTIONS,
    {
        "url": {"type": "str", "fallback": (options.from_environment, ["VENAFI_URL", "VCERT_URL"])},
        "access_token": {"type": "str", "no_log": True, "fallback": (options.from_environment, ["VENAFI_TOKEN", "VCERT_TOKEN"])},
        "refresh_token": {"type": "str", "no_log": True, "fallback": (options.from_environment, ["VENAFI_REFRESH_TOKEN"])},
        "token_path": {"type": "path", "no_log": False, "fallback": (options.from_environment, ["VENAFI_TOKEN_PATH"])},
        "username": {"type": "str", "fallback": (options.from_environment, ["VENAFI_USER"])},
        "password": {"type": "str", "no_log": True, "fallback": (options.from_environment, ["VENAFI_PASS"])},
        "client_id": {"type": "str", "fallback": (options.from_environment, ["VENAFI_CLIENT_ID", "VCERT_CLIENT_ID"])},
        "scope": {"type": "str", "default": "certificate:manage"},
        "ca_path": {"fallback": (options.from_environment, ["VENAFI_CA_PATH", "VCERT_TRUST_BUNDLE"])},
        "validate_certs": {"fallback": (options.unless_environment, ["VENAFI_SKIP_VERIFY"])},
    },
)

_GUID = re.compile(r"\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?\Z", re.IGNORECASE)
_SEPARATOR = re.compile(r"(?<!\\)\\(?!\\)")
# IIS refuses longer query strings (maxQueryString, 2048) unless its administrator raised the limit.
_MAX_QUERY = 1800
# Below this many names in a folder, asking for each is cheaper than asking four filters for all.
_FEW = 4


@dataclasses.dataclass(frozen=True)
class CertificateRef:
    """One certificate object as a user names it: by DN, by GUID, or both (then the GUID is asked for).

    ``guid`` is in lower case with braces, as TPP shows it. ``thumbprint`` is the certificate that is meant, where a newer one would not be.
    """

    dn: str | None = None
    guid: str | None = None
    thumbprint: str | None = dataclasses.field(default=None, compare=False)

    @property
    def key(self) -> str:
        """DNs and GUIDs are the same in any case."""
        return self.guid or (self.dn or "").lower()

    @property
    def label(self) -> str:
        """The DN where it is known."""
        return self.dn or self.guid or ""


@dataclasses.dataclass(frozen=True)
class CertificateState:
    """What TPP shows of one certificate object.

    :param awaits_approval: a workflow ticket must be approved by a person first.
    :param detailed: read from the object itself. Otherwise only what the list's filters tell: that it exists, whether it is in error or in
        process, and its thumbprint; not its stage, status text and revocation.
    """

    dn: str
    guid: str
    in_error: bool = False
    in_process: bool = False
    stage: int | None = None
    status: str | None = None
    ticket_dn: str | None = None
    awaits_approval: bool = False
    revocation: str | None = None
    disabled: bool = False
    management_type: str | None = None
    thumbprint: str | None = None
    valid_to: str | None = None
    detailed: bool = True

    @property
    def stage_name(self) -> str | None:
        """The stage in the vendor's words."""
        return None if self.stage is None else STAGES.get(self.stage, "unknown")

    @property
    def processing(self) -> bool:
        """Something is going on, waits or has failed: a reset would clear it."""
        return self.in_error or self.in_process or self.stage is not None or bool(self.status) or bool(self.ticket_dn)


@dataclasses.dataclass(frozen=True)
class ResetAnswer:
    """What Certificates/Reset says it did; TPP leaves out what it did not do. ``nothing`` is its 400 "No reset is required"."""

    processing: bool = False
    private_key_mismatch: bool = False
    revocation: bool = False
    restart: bool = False
    nothing: bool = False

    @property
    def anything(self) -> bool:
        """At least one of the four was done."""
        return self.processing or self.private_key_mismatch or self.revocation or self.restart


@dataclasses.dataclass(frozen=True)
class Ticket:
    """A workflow ticket.

    :param since: when it was made, ISO 8601; None where TPP does not say it in a form that can be read.
    :param approvers: as TPP names identities, such as ``local:{guid}``.
    """

    guid: str
    status: str
    since: str | None
    approvers: tuple[str, ...]
    reason: str


def json_date(value: t.Any) -> str | None:
    """A moment as TPP's older calls write it, ``/Date(1489096754000)/``, or in ISO 8601, which is kept; None for anything else."""
    text = str(value or "")
    milliseconds = re.fullmatch(r"/Date\((-?[0-9]{1,14})(?:[+-][0-9]{4})?\)/", text)
    if milliseconds:
        moment = datetime.datetime.fromtimestamp(int(milliseconds[1]) / 1000, datetime.timezone.utc)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return text if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,16}(?:Z|[+-][0-9:]{4,6})?", text) else None


def guid_of(text: str) -> str | None:
    """``text`` as TPP writes a GUID, or None when it is none."""
    match = _GUID.match(text.strip())
    return "{" + match.group(1).lower() + "}" if match else None


def checked_dn(option: str, text: str) -> str:
    r"""A full distinguished name such as ``\VED\Policy\Web\www.example.com``.

    :raises InputError: it is not one.
    """
    shown = printable(text, 120)
    if not text.lower().startswith("\\ved\\") or len(text.strip("\\")) <= len("ved"):
        raise InputError(option, f"{shown!r} is not a full DN; it must begin with \\VED\\Policy\\ (in YAML, quote it with single quotes)")
    if text.endswith("\\") or text != text.strip() or any(ord(ch) < 32 or ord(ch) == 127 for ch in text):
        raise InputError(option, f"{shown!r} has blanks at its ends, a backslash at its end or a control character; remove it")
    return text


def split_dn(dn: str) -> tuple[str, str]:
    """Folder and name. A backslash that is part of a name is doubled."""
    parts = _SEPARATOR.split(dn)
    return "\\".join(parts[:-1]), parts[-1]


def certificate_ref(option: str, given: t.Any) -> CertificateRef:
    """A target from a string (DN or GUID) or from a mapping with ``dn`` or ``guid``, as ``tpp_certificate_info`` returns them.

    :raises InputError: it names no certificate.
    """
    if isinstance(given, str):
        guid = guid_of(given)
        return CertificateRef(guid=guid) if guid else CertificateRef(dn=checked_dn(option, given))
    if isinstance(given, dict):
        dn, raw = given.get("dn") or None, given.get("guid") or None
        guid = guid_of(raw) if isinstance(raw, str) else None
        if raw is not None and guid is None:
            raise InputError(option, f"guid {printable(str(raw), 60)!r} is not a GUID")
        if dn is not None and not isinstance(dn, str):
            raise InputError(option, f"dn {printable(str(dn), 60)!r} is not a string")
        if dn or guid:
            return CertificateRef(dn=checked_dn(option, dn) if dn else None, guid=guid, thumbprint=str(given.get("thumbprint") or "").upper() or None)
        raise InputError(option, f"an entry with the keys {sorted(map(str, given))} has neither dn nor guid")
    raise InputError(option, f"{printable(str(given), 60)!r} is neither a DN, nor a GUID, nor an entry with dn or guid")


def connect(params: t.Mapping[str, t.Any], *, read_only: bool, secrets: Secrets, warn: t.Callable[[str], None]) -> TppClient:
    """A client from the values of ``CONNECTION_OPTIONS``.

    :param read_only: check mode: the client cannot change anything.
    :raises InputError: an option cannot work.
    """
    settings = options.http_settings(params, options.base_url(params, strip=("/vedsdk", "/vedauth", "/vedadmin", "/aperture")))
    transport = Transport(settings, vendor=VENDOR, read_only=read_only, secrets=secrets, warn=warn)
    login = {field.name: params[field.name] for field in dataclasses.fields(TppLogin) if field.name in params}
    transport.credentials = TppCredentials(transport, TppLogin(**login, has_client_cert=bool(params.get("client_cert"))))
    return TppClient(transport)


class TppClient:
    """The calls of the Web SDK that the collection uses."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    # -- reading -------------------------------------------------------------------------------------------------------------------

    def search(self, filters: t.Sequence[tuple[str, str]], limit: int | None = None) -> tuple[list[dict[str, t.Any]], int]:
        """The list entries that match ``filters`` (vendor page "Certificates status filters"), all pages, and how many TPP says there are."""
        size = PAGE_SIZE if limit is None else min(PAGE_SIZE, limit)

        def read(dummy: int, offset: int) -> Page:
            params = [*filters, ("Limit", str(size)), ("Offset", str(offset))]
            answer = self.transport.request("GET", "/vedsdk/certificates/", params=params, purpose="list certificates", temporary=_deadlocked)
            page = self._json(answer, "list certificates")
            listed, total = page.get("Certificates"), page.get("TotalCount")
            found = [entry for entry in listed if _is_object(entry)] if isinstance(listed, list) else []
            return Page(found, total if isinstance(total, int) else None)

        return read_all(read, lambda entry: entry["Guid"].lower(), limit=limit, changed=self._list_changed)

    def _list_changed(self) -> None:
        self.transport.warn(f"{VENDOR}: the list of certificates changed while it was read, each time; some may be missing from it")

    def details(self, guid: str) -> dict[str, t.Any]:
        """``GET certificates/{guid}`` as TPP answers it."""
        purpose = f"read certificate {guid}"
        answer = self.transport.request("GET", f"/vedsdk/certificates/{urllib.parse.quote(guid)}", purpose=purpose, temporary=_deadlocked)
        found = self._json(answer, purpose)
        if not _is_object(found):
            raise VendorError(f"{VENDOR}: cannot {purpose}: {vendor_text(answer) or self.transport.describe(answer)}", status=answer.status)
        return found

    def search_any(self, values: t.Sequence[tuple[str, str]], filters: t.Sequence[tuple[str, str]]) -> tuple[list[dict[str, t.Any]], bool]:
        """The list entries that one of ``values`` fits and all of ``filters``, and whether that is the whole list that ``filters`` match, to be looked through.

        Values are asked for as many at a time as fit into an address, unless reading the whole list takes fewer requests.
        """
        room = _MAX_QUERY - len(urllib.parse.urlencode(filters))
        batches = _value_batches(values, room)
        if len(batches) > _FEW and math.ceil(self.search(filters, 1)[1] / PAGE_SIZE) <= len(batches):
            return self.search(filters)[0], True
        pages = in_parallel(lambda batch: self.search([*filters, *batch])[0], batches, self.transport.settings.concurrency)
        return list({entry["Guid"].lower(): entry for page in pages for entry in page}.values()), False

    def certificate_file(self, dn: str) -> bytes:
        """The current certificate of an object in PEM (``POST Certificates/Retrieve``; it changes nothing).

        :raises VendorError: there is none to be had, as while it is processed or in error.
        """
        purpose = f"retrieve the certificate of {dn}"
        body = {"CertificateDN": dn, "Format": "Base64"}
        answer = self.transport.request("POST", "/vedsdk/Certificates/Retrieve", json_body=body, purpose=purpose, temporary=_deadlocked)
        found = json_of(answer)
        if answer.status in (202, 500) and isinstance(found, dict) and "Stage" in found:
            state = printable(str(found.get("Status") or "no status"), 200)
            raise VendorError(f"{VENDOR}: cannot {purpose} while it is processed or in error (stage {found['Stage']}: {state})", status=answer.status)
        try:
            return base64.b64decode(str(self._json(answer, purpose).get("CertificateData") or ""), validate=True)
        except (binascii.Error, ValueError):
            raise VendorError(f"{VENDOR}: the answer to: {purpose} holds no certificate") from None

    def states(
        self, refs: t.Sequence[CertificateRef], *, need_details: t.Callable[[CertificateState], bool], by_list: bool = False
    ) -> list[CertificateState | RemediationError]:
        """The state of each of ``refs``, with as few requests as is safe.

        A GUID is read directly. DNs that share a folder are asked for together through the list's filters; a filter only decides who is read in
        detail, and what no filter shows is asked for by itself, so a missing right to the list costs requests, not truth.

        :param need_details: whether what the filters know of a certificate is not enough.
        :param by_list: use the list also where both DN and GUID are known.
        :raises RemediationError: the answer would be the same for every other certificate: credentials, connection.
        """
        workers = self.transport.settings.concurrency
        batches = _name_batches([ref for ref in refs if ref.dn and (by_list or not ref.guid)])
        listed: dict[str, CertificateState] = {}
        for found in in_parallel(self._states_by_filter, batches, workers):
            listed.update(found)

        def state(ref: CertificateRef) -> CertificateState:
            known = listed.get((ref.dn or "").lower())
            if known and not need_details(known):
                seen = known
            else:
                seen = detailed_state(self.details(ref.guid or (known.guid if known else None) or self.guid(ref.dn or "")))
            if (ref.guid and ref.guid != seen.guid) or (ref.dn and ref.dn.lower() != seen.dn.lower()):
                raise VendorError(f"{VENDOR}: the entry names two objects: {ref.dn} is not {ref.guid}, which is {seen.dn}; leave one of them out")
            return seen

        return each_in_parallel(state, refs, workers)

    def _guid_by_dn(self, dn: str) -> str:
        """The GUID of an object.

        :raises VendorError: it does not exist, or these credentials may not see it: TPP says the same to both.
        """
        purpose = f"look up {dn}"
        answer = self.transport.request("POST", "/vedsdk/Config/DnToGuid", json_body={"ObjectDN": dn}, purpose=purpose, temporary=_deadlocked)
        # Config answers 200 to failures as well: Result 1 is success, 400 is "object does not exist", and neither is an HTTP status.
        result = self._json(answer, purpose)
        guid = guid_of(str(result.get("GUID") or ""))
        if result.get("Result") == 1 and guid:
            return guid
        said = self._said(answer)
        raise VendorError(
            f"{VENDOR}: {dn} does not exist, or these credentials have no rights to it" + (f" ({said})" if said else ""),
            code=str(result.get("Result")),
            detail=said or None,
        )

    def guid(self, dn: str) -> str:
        """The GUID of an object: by Config/DnToGuid, or by the list where the token's scope does not cover Config (sheet section 3: pages differ on that)."""
        try:
            return self._guid_by_dn(dn)
        except AuthorizationError:
            parent, name = split_dn(dn)
            entries = self.search([("ParentDn", filter_value(parent)), ("Name", filter_value(name))])[0]
            for entry in entries:
                if entry["DN"].lower() == dn.lower():
                    return str(entry["Guid"])
            raise

    def _states_by_filter(self, batch: tuple[str, t.Sequence[str]]) -> dict[str, CertificateState]:
        """What the filters tell about the objects of one folder, by lower-case DN; nothing where the server does not know a filter."""
        parent, names = batch
        wanted = {f"{parent}\\{name}".lower() for name in names}
        filters = [("ParentDn", parent), *(("Name", name) for name in names)]
        states: dict[str, CertificateState] = {}

        def ask(extra: list[tuple[str, str]], override: bool = False, **known: bool) -> None:
            for entry in self.search([*filters, *extra])[0]:
                name = entry["DN"].lower()
                if name in wanted and (override or name not in states):
                    x509 = details_of(entry, "X509")
                    states[name] = CertificateState(
                        entry["DN"],
                        entry["Guid"].lower(),
                        thumbprint=x509.get("Thumbprint"),
                        valid_to=x509.get("ValidTo"),
                        detailed=False,
                        in_error=known.get("in_error", False),
                        in_process=known.get("in_process", False),
                        awaits_approval=known.get("awaits_approval", False),
                    )

        try:
            ask([("InError", "1")], in_error=True)
            if len(states) < len(wanted):
                ask([("PendingWorkflow", "")], in_process=True, awaits_approval=True)
                ask([("StageGreater", "-2"), ("InError", "0")], in_process=True)
            if len(states) < len(wanted):
                ask([])
                # What has failed since the first question must not pass for clean.
                ask([("InError", "1")], override=True, in_error=True)
        except VendorError as error:
            if error.fatal:
                raise
            return {}
        return states

    def tickets(self, dn: str) -> list[Ticket]:
        """The workflow tickets of an object that have not been decided (vendor pages Workflow/Ticket/Enumerate and Details; any scope will do).

        :raises VendorError: TPP does not tell them.
        """
        listed = self._ticket("Enumerate", {"ObjectDN": dn}, f"list the workflow tickets of {dn}").get("GUIDs")
        found = []
        for guid in map(str, listed if isinstance(listed, list) else []):
            try:
                record = self._ticket("Details", {"GUID": guid}, f"read workflow ticket {printable(guid, 40)}")
            except VendorError as error:
                if error.fatal:
                    raise
                # There is one, and it may not be read, or it has been decided just now.
                record = {}
            approvers = record.get("Approvers")
            found.append(Ticket(
                guid=printable(guid, 60),
                status=printable(str(record.get("Status") or ""), 40),
                since=json_date(record.get("Created")),
                approvers=tuple(printable(str(item), 120) for item in (approvers if isinstance(approvers, list) else [])),
                reason=printable(str(record.get("ApprovalReason") or ""), 300),
            ))
        return [ticket for ticket in found if ticket.status.lower() not in TICKETS_DECIDED]

    def _ticket(self, call: str, body: dict[str, t.Any], purpose: str) -> dict[str, t.Any]:
        answer = self.transport.request("POST", f"/vedsdk/Workflow/Ticket/{call}", json_body=body, purpose=purpose, temporary=_deadlocked)
        record = self._json(answer, purpose)
        if record.get("Result") != 1:
            raise VendorError(f"{VENDOR}: cannot {purpose} (result {printable(str(record.get('Result')), 20)})", code=str(record.get("Result")))
        return record

    # -- changing ------------------------------------------------------------------------------------------------------------------

    def reset(self, dn: str, *, restart: bool, work_to_do_timeout: int) -> ResetAnswer:
        """``POST Certificates/Reset``: one request, never repeated here.

        :raises BusyError: TPP says that the object is locked, and did nothing.
        :raises AnswerLostError: it may have been done.
        :raises VendorError: TPP refused; texts of the vendor's page, matched on their stable parts.
        """
        purpose = f"reset {dn}"
        body: dict[str, t.Any] = {"CertificateDN": dn, "Restart": restart}
        if work_to_do_timeout:
            body["WorkToDoTimeout"] = work_to_do_timeout
        answer = self.transport.request(
            "POST", "/vedsdk/Certificates/Reset", json_body=body, purpose=purpose, changes=True, extra_seconds=float(work_to_do_timeout)
        )
        done = _reset_answer(answer)
        if done.anything or answer.status == 202:
            # It counts what TPP says it did, also beside a status that says that the time given by WorkToDoTimeout was over.
            return done
        if answer.status == 400:
            said = self._said(answer)
            if "no reset is required" in said.lower():
                return ResetAnswer(nothing=True)
            if "failed to lock" in said.lower():
                raise BusyError(f"{VENDOR}: {dn} is in use by another process ({said})", status=400, detail=said)
            if "does not exist or you do not have sufficient rights" in said.lower():
                raise VendorError(f"{VENDOR}: {dn} does not exist, or these credentials have no rights to it ({said})", status=400, detail=said)
        self._json(answer, purpose, changes=True)
        return done

    def renew(self, dn: str) -> None:
        """``POST Certificates/Renew``: one request, never repeated here. TPP refuses what it is processing, what is in error, and what it only monitors.

        :raises BusyError: TPP says that the object is locked, and did nothing.
        :raises AnswerLostError: it may have been done.
        :raises VendorError: TPP refused.
        """
        purpose = f"renew {dn}"
        answer = self.transport.request("POST", "/vedsdk/Certificates/Renew", json_body={"CertificateDN": dn}, purpose=purpose, changes=True)
        if answer.status == 400 and "failed to lock" in self._said(answer).lower():
            raise BusyError(f"{VENDOR}: {dn} is in use by another process ({self._said(answer)})", status=400, detail=self._said(answer))
        # 202: the renewal is under way.
        if answer.status != 202 and not self._json(answer, purpose, changes=True).get("Success"):
            raise VendorError(f"{VENDOR}: it did not renew {dn} ({self._said(answer)})", status=answer.status, detail=self._said(answer))

    def _said(self, answer: Answer) -> str:
        return self.transport.secrets.redact(vendor_text(answer))

    # -- answers -------------------------------------------------------------------------------------------------------------------

    def _json(self, answer: Answer, purpose: str, changes: bool = False) -> dict[str, t.Any]:
        """See ``answers.decode``."""
        told = Told(self._said(answer) if answer.status >= 400 else "")
        decoded: dict[str, t.Any] = decode(self.transport, answer, purpose, shape=dict, told=told, remedies=REMEDIES, changes=changes)
        return decoded


def detailed_state(found: t.Mapping[str, t.Any]) -> CertificateState:
    """The record of a ``GET certificates/{guid}`` answer. A clean object has empty ProcessingDetails; absent means false."""
    processing = details_of(found, "ProcessingDetails")
    certificate = details_of(found, "CertificateDetails")
    stage = processing.get("Stage")
    in_error = bool(processing.get("InError"))
    revocation = certificate.get("RevocationStatus") or ("revoked" if certificate.get("RevocationDate") else None)
    return CertificateState(
        dn=found["DN"],
        guid=found["Guid"].lower(),
        in_error=in_error,
        # Stage 0 is a stage.
        in_process=not in_error and (stage is not None or any(processing.get(key) for key in ("InProcess", "Status", "TicketDN"))),
        stage=stage if isinstance(stage, int) else None,
        status=printable(str(processing["Status"]), 500) if processing.get("Status") else None,
        ticket_dn=processing.get("TicketDN") or None,
        # The text is the sign on servers that do not show the ticket (pyVenafi matches it).
        awaits_approval=not in_error and (bool(processing.get("TicketDN")) or "pending workflow" in str(processing.get("Status")).lower()),
        revocation=printable(str(revocation), 60) if revocation else None,
        disabled=bool(found.get("Disabled")),
        management_type=found.get("ManagementType"),
        thumbprint=certificate.get("Thumbprint"),
        valid_to=certificate.get("ValidTo"),
    )


def _reset_answer(answer: Answer) -> ResetAnswer:
    """The flags of a Reset answer, whatever its status; none when it is not the API's."""
    result = json_of(answer)
    if not isinstance(result, dict):
        return ResetAnswer()
    return ResetAnswer(
        processing=result.get("ProcessingResetCompleted") is True,
        private_key_mismatch=result.get("PrivateKeyMismatchResetCompleted") is True,
        revocation=result.get("RevocationResetCompleted") is True,
        restart=result.get("RestartCompleted") is True,
    )


def details_of(found: t.Mapping[str, t.Any], key: str) -> t.Mapping[str, t.Any]:
    """A part of the details; empty when TPP leaves it out."""
    part = found.get(key)
    return part if isinstance(part, dict) else {}


def _is_object(entry: t.Any) -> bool:
    """What every object of TPP has."""
    return isinstance(entry, dict) and isinstance(entry.get("DN"), str) and isinstance(entry.get("Guid"), str) and bool(entry["DN"] and entry["Guid"])


def filter_value(text: str) -> str:
    """A filter's value. A comma would separate two values, so such a one is quoted (vendor page "Certificates attribute filters", Issuer)."""
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def _value_batches(values: t.Sequence[tuple[str, str]], room: int) -> list[list[tuple[str, str]]]:
    """Filters in groups of one name each, because filters of several names must all match, and so many that they fit into a query."""
    groups: list[list[tuple[str, str]]] = []
    length = room
    for name, value in values:
        size = len(f"&{name}=") + len(urllib.parse.quote(value))
        if length + size > room or groups[-1][0][0] != name:
            groups.append([])
            length = 0
        groups[-1].append((name, value))
        length += size
    return groups


def _deadlocked(answer: Answer) -> bool:
    """A database deadlock is a 500 that asks for a repeat (pyVenafi retries on the same text)."""
    return answer.status == 500 and "rerun the transaction" in (vendor_text(answer) + answer.reason).lower()


def _name_batches(refs: t.Sequence[CertificateRef]) -> list[tuple[str, list[str]]]:
    """Folder and names whose query fits into a URL. Names that a filter might read otherwise, and folders of few, are left out: asked for singly."""
    folders: dict[str, list[str]] = {}
    spelling: dict[str, str] = {}
    for ref in refs:
        parent, name = split_dn(ref.dn or "")
        if not any(ch in parent + name for ch in ',"*') and "\\\\" not in (ref.dn or ""):
            folders.setdefault(spelling.setdefault(parent.lower(), parent), []).append(name)
    batches: list[tuple[str, list[str]]] = []
    for parent, names in folders.items():
        if len(names) < _FEW:
            continue
        room = _MAX_QUERY - len(urllib.parse.quote(parent))
        length = _MAX_QUERY
        for name in names:
            size = len("&Name=") + len(urllib.parse.quote(name))
            if length + size > room:
                batches.append((parent, []))
                length = 0
            batches[-1][1].append(name)
            length += size
    return batches
