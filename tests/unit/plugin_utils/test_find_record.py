# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role find_certificates looks for, and how it joins what several platforms tell of one certificate."""

from __future__ import annotations

import base64
import csv
import datetime
import io
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, strategies as st

from ansible_collections.certops.remediation.plugins.module_utils.x509 import fingerprint_sha256, public_key_sha256, thumbprint
from ansible_collections.certops.remediation.plugins.plugin_utils import find_record
from ansible_collections.certops.remediation.tests.unit.support import key_pem

NOT_SET = dict.fromkeys([
    "list", "list_path", "files", "share_key", "platforms", "tpp_folder", "keyfactor_query", "zones", "key_limit", "history_limit", "concurrency",
    "rate_limits", "report_path", "report_formats", "fail_if_none", "fail_if_not_found", "fail_if_unreadable", "fail_if_unreachable",
])
KEY = ec.generate_private_key(ec.SECP256R1())
SERIAL = "5F60A8DC5F185C03BE84FE59C12F6E0C"
THUMBPRINT = "20FE21D6B59190C5AA64ADA2417D15F2FB96F0C6"
SHA256 = "256c24690243359fb8cf139a125bd05ebf1d968b71e4caf330718e9f5c8a89ea"
CORP = "CN=Example Corp Issuing CA 1,OU=PKI,O=Example Corp,C=US"


def signed(name="www.example.com", *, ca=False):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(KEY.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=9))
    return builder.add_extension(x509.BasicConstraints(ca, None), True).sign(KEY, hashes.SHA256())


CERTIFICATE = signed()
PEM = CERTIFICATE.public_bytes(serialization.Encoding.PEM).decode()
CSR = x509.CertificateSigningRequestBuilder().subject_name(CERTIFICATE.subject).sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
PUBLIC = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
SPKI = public_key_sha256(CERTIFICATE)


def own_of(**options):
    return find_record.options({**NOT_SET, "platforms": list(find_record.PLATFORMS), **options})


def file_of(path, content):
    return {"path": path, "content": base64.b64encode(content if isinstance(content, bytes) else content.encode()).decode()}


def looked_for(listed, **options):
    return find_record.read_entries(own_of(list=listed, **options), [])


def read(listed):
    """Kind and marks of each entry; nothing may be unreadable."""
    found = looked_for(listed)
    assert not found["unreadable"], found["unreadable"]
    return [(entry["kind"], *entry["marks"]) for entry in found["entries"]]


# -- options -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, told",
    [
        ({"list": SERIAL, "platforms": "tpp, venafi"}, "find_certificates_platforms does not know venafi"),
        ({}, "Nothing to look for. Set find_certificates_list"),
        ({"list": " \n"}, "Nothing to look for"),
        ({"list": SERIAL, "report_formats": ["html"]}, "find_certificates_report_formats does not know html"),
        ({"list": SERIAL, "key_limit": "many"}, "find_certificates_key_limit must be a whole number"),
        ({"list": SERIAL, "rate_limits": [1]}, "find_certificates_rate_limits is a mapping"),
        ({"list": key_pem(KEY).decode()}, "find_certificates_list holds a private key"),
        ({"list": [{"pem": key_pem(KEY).decode()}]}, "find_certificates_list holds a private key"),
    ],
)
def test_options_that_cannot_work(options, told):
    own = own_of(**options)
    (complaint,) = own["complaints"]
    assert told in complaint and "PRIVATE" not in repr(own)


def test_no_platform_to_ask():
    (complaint,) = find_record.options({**NOT_SET, "list": SERIAL})["complaints"]
    assert complaint.startswith("No platform is configured")


def test_what_is_not_set_has_its_default_and_platforms_come_from_the_environment(monkeypatch):
    for name, value in {"VENAFI_URL": "", "DIGICERT_API_KEY": "x", "CLOUDFLARE_TOKEN": "x"}.items():
        monkeypatch.setenv(name, value)
    own = find_record.options({**NOT_SET, **dict.fromkeys(NOT_SET, ""), "list": SERIAL})
    assert own["platforms"] == ["digicert", "cloudflare"] and own["share_key"] and own["zones"] == [""] and own["complaints"] == []
    assert own["number"] == {"key_limit": "1000", "history_limit": "200", "concurrency": "8"}
    assert own_of(list=SERIAL, platforms="cloudflare\ntpp")["platforms"] == ["tpp", "cloudflare"]
    assert own_of(list=SERIAL, zones="a.example.com\nb.example.com")["zones"] == ["a.example.com", "b.example.com"]
    assert own_of(list=SERIAL, report_path="/x/INC.csv")["report_base"] == "/x/INC"


# -- lists -------------------------------------------------------------------------------------------------------------------------------

EITHER_MARK = ({"thumbprint": THUMBPRINT}, {"serial": THUMBPRINT})
EITHER_SHA256 = ({"fingerprint": SHA256}, {"public_key": SHA256})


@pytest.mark.parametrize(
    "listed, entries",
    [
        (SERIAL.lower(), [("serial", {"serial": SERIAL})]),
        (f"00:{':'.join(SERIAL[i:i + 2] for i in range(0, 32, 2))}", [("serial", {"serial": SERIAL})]),
        (THUMBPRINT, [("thumbprint", *EITHER_MARK)]),
        (f"sha1:{THUMBPRINT}", [("thumbprint", *EITHER_MARK)]),
        (SHA256.upper(), [("fingerprint", *EITHER_SHA256)]),
        (f"SHA256:{SHA256}", [("fingerprint", *EITHER_SHA256)]),
        (f"sha256 Fingerprint={SHA256}", [("fingerprint", *EITHER_SHA256)]),
        (f"spki:{SHA256}", [("public_key", {"public_key": SHA256})]),
        (f'pin-sha256="{base64.b64encode(bytes.fromhex(SHA256)).decode()}"', [("public_key", {"public_key": SHA256})]),
        (f"sha256//{base64.b64encode(bytes.fromhex(SHA256)).decode()}", [("public_key", {"public_key": SHA256})]),
        ("WWW.Example.com.", [("name", {"name": "www.example.com"})]),
        ("*.example.com\n# a comment\n\nb\u00fccher.example", [("name", {"name": "*.example.com"}), ("name", {"name": "xn--bcher-kva.example"})]),
        (f"{SERIAL};{THUMBPRINT}", [("thumbprint", {"serial": SERIAL, "thumbprint": THUMBPRINT})]),
        (f"{SERIAL}, 1F60A8DC5F185C03BE84FE59C12F6E0C", [("serial", {"serial": SERIAL}), ("serial", {"serial": "1F60A8DC5F185C03BE84FE59C12F6E0C"})]),
        (f"{SERIAL}, www.example.com", [("serial", {"serial": SERIAL})]),
        (f"sep=;\nserial;issuer\n{SERIAL};{CORP}\n", [("serial", {"serial": SERIAL, "issuer": CORP})]),
        (f"Serial No;SHA-1 Thumbprint;Common Name\n{SERIAL};{THUMBPRINT};www.example.com",
         [("thumbprint", {"thumbprint": THUMBPRINT, "serial": SERIAL})]),
        (f"fingerprint\n{SHA256}\n{THUMBPRINT}", [("fingerprint", {"fingerprint": SHA256}), ("thumbprint", {"thumbprint": THUMBPRINT})]),
        (f"Public key SHA-256\n{SHA256}", [("public_key", {"public_key": SHA256})]),
        ("device\ntablet-7", [("name", {"name": "tablet-7"})]),
        ("Serial,Subject\n01,\n,\"CN=www.example.com,O=x\"", [("serial", {"serial": "1"}), ("name", {"name": "www.example.com"})]),
        ([SERIAL, {"serial": SERIAL}, 7 * 10**30, None, ""], [("serial", {"serial": SERIAL}), ("serial", {"serial": "7" + "0" * 30})]),
        (json.dumps({"affected": [{"serial_number": SERIAL}]}), [("serial", {"serial": SERIAL})]),
        # What the info modules return.
        ({"id": 1, "thumbprint": THUMBPRINT, "serial": SERIAL, "common_name": "www", "subject": "CN=www", "dns_names": ["www"], "issuer": CORP,
          "authority": "ca01", "public_key_sha256": SHA256, "fingerprint_sha256": SHA256, "revocation": {"reason": 1}},
         [("fingerprint", {"fingerprint": SHA256, "thumbprint": THUMBPRINT, "serial": SERIAL, "issuer": CORP})]),
    ],
)
def test_what_an_entry_may_be(listed, entries):
    expected = [(kind, *map(dict, marks)) for kind, *marks in entries]
    assert read(listed) == expected


@pytest.mark.parametrize(
    "listed, target, why",
    [
        (f"{SERIAL}\nDear customer,", "line 2: Dear customer,", "is no serial number, thumbprint, fingerprint, public key or host name"),
        ("1.2E+31", "line 1: 1.2E+31", "a spreadsheet has made a number"),
        ("serial\nxyz", "line 2: serial: xyz", "is no serial number in hexadecimal"),
        ("thumbprint\nabcd", "line 2: thumbprint: abcd", "is neither a SHA-1 thumbprint of 40"),
        ("cafe", "line 1: cafe", "is too short to be told from something else"),
        ("spki:abcd", "line 1: spki:abcd", "is no SHA-256 of a public key"),
        ("name\n*.*.example.com", "line 2: name: *.*.example.com", "is no name"),
        ([{"owner": "Robin"}], "entry 1: owner: Robin", "holds no serial number"),
        ("[1, ", "the list", "cannot be read"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "line 1: PEM", "holds a PEM block CERTIFICATE that cannot be read"),
    ],
)
def test_nonsense_is_told_with_its_line(listed, target, why):
    (told,) = looked_for(listed)["unreadable"]
    assert told["target"] == target and told["why"].startswith(why)


@pytest.mark.parametrize("bad", ["serial;cn\nzz;www.example.com\n{};ok", "Dear customer,\n{}"])
def test_one_bad_line_does_not_hide_the_others(bad):
    found = looked_for(bad.format(SERIAL))
    assert len(found["unreadable"]) == 1 and [entry["marks"] for entry in found["entries"]] == [[{"serial": SERIAL}]]


MARKS = {"fingerprint": fingerprint_sha256(CERTIFICATE), "thumbprint": thumbprint(CERTIFICATE), "serial": f"{CERTIFICATE.serial_number:X}"}


@pytest.mark.parametrize("form", [PEM, [PEM], json.dumps([PEM]), f"pem;owner\n\"{PEM}\";Robin", {"certificate": PEM}],
                         ids=["text", "list", "json", "csv", "row"])
def test_a_certificate_in_pem(form):
    (entry,) = [entry for entry in looked_for(form)["entries"] if entry["kind"] == "certificate"]
    assert entry["marks"] == [{**MARKS, "issuer": "CN=www.example.com"}] and entry["key"] == SPKI


def test_pem_between_lines_leaves_the_line_numbers():
    found = looked_for(f"{SERIAL}\n{PEM}nonsense here\n")
    assert [entry["kind"] for entry in found["entries"]] == ["certificate", "serial"]
    assert found["unreadable"][0]["target"] == f"line {2 + PEM.count(chr(10))}: nonsense here"


@pytest.mark.parametrize("held", [CSR, PUBLIC], ids=["request", "public key"])
def test_what_holds_a_key_stands_for_all_that_has_it(held):
    assert read(held) == [("public_key", {"public_key": SPKI})]


@pytest.mark.parametrize("encoding", [serialization.Encoding.PEM, serialization.Encoding.DER], ids=["PEM", "DER"])
def test_of_a_private_key_only_its_public_half_is_kept(encoding):
    data = KEY.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    found = find_record.read_entries(own_of(files="/x/leaked.key"), [file_of("/x/leaked.key", data)])
    assert [(entry["target"], entry["marks"]) for entry in found["entries"]] == [(f"/x/leaked.key: private key {SPKI[:16]}", [{"public_key": SPKI}])]
    secret = KEY.private_numbers().private_value
    assert f"{secret:x}" not in repr(found).lower() and str(secret) not in repr(found) and base64.b64encode(data).decode()[40:80] not in repr(found)


def test_of_a_chain_the_authorities_are_left_out_and_alone_they_are_meant():
    authority = signed("ca.example.com", ca=True).public_bytes(serialization.Encoding.PEM).decode()
    assert [entry[0] for entry in read(PEM + authority)] == ["certificate", "certificate"], "a list says what is meant, block by block"
    found = find_record.read_entries(own_of(files="/x/chain.pem"), [file_of("/x/chain.pem", PEM + authority)])
    assert [entry["marks"][0]["serial"] for entry in found["entries"]] == [MARKS["serial"]]
    assert find_record.read_entries(own_of(files="/x/ca.pem"), [file_of("/x/ca.pem", authority)])["entries"]


def test_a_file_that_cannot_be_understood_is_told_and_nothing_of_it_shown():
    protected = key_pem(KEY, "secret")
    found = find_record.read_entries(own_of(files=["/x/a", "/x/b"]), [file_of("/x/a", b"some secret text"), file_of("/x/b", protected)])
    assert [entry["target"] for entry in found["unreadable"]] == ["/x/a", "/x/b"]
    assert found["unreadable"][0]["why"] == "holds no certificate, CSR or key in PEM or DER"
    assert "encrypted private key" in found["unreadable"][1]["why"]


@pytest.mark.parametrize("content", ["", "\ufeff", "# nothing\n", "serial;cn\n", "sep=;\n", "[]", "{\"certificates\": []}"])
def test_an_empty_list_is_an_error(content):
    (complaint,) = find_record.read_entries(own_of(list_path="/x/list.csv"), [file_of("/x/list.csv", content)])["complaints"]
    assert complaint == "find_certificates_list_path: /x/list.csv holds no entries. Give the file that was meant"


def test_a_file_that_is_not_there_is_an_error():
    (complaint,) = find_record.read_entries(own_of(files="/x/no.pem"), [{"path": "/x/no.pem", "content": None, "msg": "there is no such file"}])["complaints"]
    assert complaint == "/x/no.pem: there is no such file"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_list_as_a_spreadsheet_leaves_it(encoding):
    text = f"sep=;\r\nGröße;Serial;CN\r\n1;{SERIAL};\r\n;;shop.example.com\r\n1;{SERIAL.lower()};\r\n;zzz;\r\n"
    found = find_record.read_entries(own_of(list_path="/x/list.csv"), [file_of("/x/list.csv", text.encode(encoding))])
    assert [entry["marks"][0] for entry in found["entries"]] == [{"serial": SERIAL}, {"name": "shop.example.com"}]
    assert [entry["target"] for entry in found["unreadable"]] == ["line 6: Serial: zzz"]


@given(st.one_of(st.text(), st.lists(st.one_of(st.none(), st.integers(), st.text(), st.dictionaries(st.text(), st.one_of(st.text(), st.integers()))))))
def test_nothing_makes_it_fail(anything):
    found = looked_for(anything)
    assert all(entry["marks"] and entry["target"] for entry in found["entries"])


# -- joining -----------------------------------------------------------------------------------------------------------------------------


def tpp(number=1, **changes):
    row = {"dn": f"\\VED\\Policy\\{number}", "guid": f"{{{number}}}", "common_name": f"www-{number}", "dns_names": [], "serial": f"00{number:030X}",
           "thumbprint": f"{number:040X}", "fingerprint_sha256": None, "public_key_sha256": f"{number:064x}", "issuer": CORP,
           "valid_to": "2027-01-01T00:00:00.0Z"}
    return {**row, **changes}


def keyfactor(number=1, **changes):
    row = {"id": number, "common_name": f"www-{number}", "dns_names": [f"www-{number}"], "serial": f"{number:032X}", "thumbprint": f"{number:040X}",
           "fingerprint_sha256": f"{number:064x}", "public_key_sha256": f"{number:064x}",
           "issuer": "C=US, O=Example Corp, OU=PKI, CN=Example Corp Issuing CA 1",
           "not_after": "2027-01-01T00:00:00Z"}
    return {**row, **changes}


def order(number=1, *, matched=("current",), **certificate):
    current = {"serial": f"{number:032X}", "thumbprint": None, "public_key_sha256": None, "ca": None, "valid_till": "2027-01-01", **certificate}
    told = [{"target": f"{number:032X}", "as": kind, "replaced": False} for kind in matched]
    return {"order_id": number, "common_name": f"www-{number}", "names": [f"www-{number}"], "certificate": current, "reissues": None, "duplicates": None,
            "matched": told, "replaced": False}


def found_of(listed, *, share_key=True, **rows):
    own = own_of(list=listed, share_key=share_key)
    answers = [find_record.answer_of(name, [{"orders" if name == "digicert" else "certificates": given}]) for name, given in rows.items()]
    return find_record.result(answers, find_record.read_entries(own, []), own)


def test_one_certificate_on_three_platforms_is_one():
    found = found_of(f"{1:040X}", tpp=[tpp()], keyfactor=[keyfactor()], digicert=[order(public_key_sha256=f"{1:064x}")])
    (certificate,) = found["certificates"]
    assert certificate["platforms"] == ["tpp", "keyfactor", "digicert"] and set(certificate["on"]) == {"tpp", "keyfactor", "digicert"}
    assert (certificate["serial"], certificate["issuer"], certificate["not_after"]) == ("1", CORP, "2027-01-01T00:00:00Z")
    assert found["targets"]["tpp"] == [tpp()] and found["targets"]["digicert"][0]["order_id"] == 1 and found["targets"]["cloudflare"] == []
    assert found["not_found"] == [] and found["shared"] == []


@pytest.mark.parametrize(
    "other",
    [
        {"thumbprint": f"{2:040X}"},
        {"thumbprint": None, "issuer": "CN=Other CA"},
        {"thumbprint": None, "public_key_sha256": f"{2:064x}"},
    ],
)
def test_one_serial_number_of_two_certificates_is_told_and_not_guessed(other):
    theirs = keyfactor(fingerprint_sha256=None, common_name="other", **other)
    found = found_of("serial\n1", tpp=[tpp()], keyfactor=[theirs])
    assert found["certificates"] == [] and found["targets"]["tpp"] == []
    (missing,) = found["not_found"]
    assert missing["why"].startswith("2 certificates have this serial number (www-1 of CN=Example Corp Issuing CA 1") and "Venafi TPP" in missing["why"]


def test_with_its_issuer_a_serial_number_is_one():
    theirs = keyfactor(fingerprint_sha256=None, thumbprint=f"{2:040X}", public_key_sha256=None, issuer="CN=Other CA,O=Elsewhere", common_name="other")
    found = found_of("serial;issuer\n1;O=Elsewhere, CN=Other CA", tpp=[tpp()], keyfactor=[theirs])
    assert [certificate["name"] for certificate in found["certificates"]] == ["other"] and not found["not_found"]


def test_what_is_ambiguous_by_its_serial_number_may_be_found_by_its_name():
    theirs = keyfactor(fingerprint_sha256=None, thumbprint=f"{2:040X}", public_key_sha256=None, issuer="CN=Other CA", common_name="other", dns_names=[])
    found = found_of(["0000000000000001", "other.example.com", {"serial": "1"}, {"name": "other"}], tpp=[tpp()], keyfactor=[theirs])
    assert [certificate["name"] for certificate in found["certificates"]] == ["other"]


def test_an_entry_that_says_two_things_means_what_both_are_true_of():
    listed = [{"serial": "1", "thumbprint": f"{2:040X}"}]
    assert found_of(listed, keyfactor=[keyfactor(1)])["certificates"] == []
    assert len(found_of(listed, keyfactor=[keyfactor(1, thumbprint=f"{2:040X}")])["certificates"]) == 1


def test_what_shares_the_key_of_what_was_found():
    same = {"public_key_sha256": f"{1:064x}"}
    rows = {"tpp": [tpp(1), tpp(5)], "keyfactor": [keyfactor(2, **same), keyfactor(3)], "digicert": [order(4, **same)]}
    found = found_of("name\nwww-1", **rows)
    assert {certificate["name"]: certificate["matched"] for certificate in found["certificates"]} == {
        "www-1": [{"target": "www-1", "as": "name"}],
        "www-2": [{"target": "www-1", "as": "shares_key"}],
        "www-4": [{"target": "www-1", "as": "shares_key"}],
    }
    assert found["shared"] == [{"public_key_sha256": f"{1:064x}", "count": 3, "platforms": ["tpp", "keyfactor", "digicert"]}]
    assert [certificate["name"] for certificate in found_of("name\nwww-1", share_key=False, **rows)["certificates"]] == ["www-1"]


def test_a_certificate_at_hand_need_not_be_managed_to_be_what_others_share_a_key_with():
    found = found_of(PEM, keyfactor=[keyfactor(1, public_key_sha256=SPKI), keyfactor(2)])
    assert [certificate["matched"][0]["as"] for certificate in found["certificates"]] == ["shares_key"] and found["not_found"] == []
    alone = found_of(PEM, keyfactor=[keyfactor(2)])
    assert [entry["why"] for entry in alone["not_found"]] == ["no platform that was asked has it"]


def test_a_certificate_at_hand_is_recognised_by_what_a_platform_shows():
    found = found_of(PEM, share_key=False, digicert=[order(serial=MARKS["serial"])])
    assert [certificate["matched"][0]["as"] for certificate in found["certificates"]] == ["certificate"]


def test_reissues_and_duplicates_of_an_order_are_certificates_of_their_own():
    former = {"serial": f"{7:032X}", "thumbprint": f"{7:040X}", "public_key_sha256": f"{1:064x}", "common_name": "www-1", "names": ["www-1"],
              "valid_till": "2026-12-01"}
    row = {**order(1, public_key_sha256=f"{1:064x}"), "reissues": [former], "duplicates": []}
    row["matched"].append({"target": f"{7:032X}", "as": "reissue", "replaced": True})
    found = found_of(f"spki:{1:064x}", digicert=[row])
    assert [(certificate["serial"], certificate["not_after"]) for certificate in found["certificates"]] == [("1", "2027-01-01"), ("7", "2026-12-01")]
    assert [target["order_id"] for target in found["targets"]["digicert"]] == [1]


def test_the_row_of_the_second_answer_adds_to_the_first():
    own = own_of(list="name\nwww-1")
    entries = find_record.read_entries(own, [])
    first, second = order(1, matched=("name",)), order(1, public_key_sha256=f"{1:064x}")
    answers = [find_record.answer_of("digicert", [{"orders": [row], "http": {"requests": 2}}]) for row in (first, second)]
    found = find_record.result(answers, entries, own)
    (target,) = found["targets"]["digicert"]
    assert [match["as"] for match in target["matched"]] == ["name", "current"] and target["certificate"]["public_key_sha256"] == f"{1:064x}"
    assert found["requests"] == 4 and len(found["certificates"]) == 1


def test_a_platform_that_is_down_is_told_and_what_was_not_found_may_be_there():
    own = own_of(list="www-9.example.com", platforms="tpp,keyfactor")
    answers = [find_record.answer_of("tpp", [{"msg": "cannot connect", "failed": True}]), find_record.answer_of("keyfactor", [{"certificates": []}])]
    found = find_record.result(answers, find_record.read_entries(own, []), own)
    assert found["platforms"]["tpp"] == {"asked": True, "error": "cannot connect", "requests": 0, "not_compared": 0}
    assert [entry["not_asked"] for entry in found["not_found"]] == [["tpp"]]
    assert find_record.failures(found, own) == []
    assert find_record.failures(found,
                                {**own, "fail_if_unreachable": True}) == ["Venafi TPP could not be asked, and find_certificates_fail_if_unreachable is true"]
    strict = {**own, "fail_if_none": True, "fail_if_not_found": True, "fail_if_unreadable": True}
    assert [cause.split(",")[0] for cause in find_record.failures(found, strict)] == ["Nothing was found", "1 entries were not found"]
    none = find_record.result(answers[:1], find_record.read_entries(own, []), own)
    assert find_record.failures(none, own) == ["None of the platforms could be asked: cannot connect"]


@given(st.lists(st.tuples(st.sampled_from(["tpp", "keyfactor"]), st.integers(1, 4), st.integers(1, 4), st.integers(0, 2)), max_size=12))
def test_each_row_is_in_one_certificate_and_no_certificate_says_two_things(drawn):
    makers = {"tpp": tpp, "keyfactor": keyfactor}
    rows = {"tpp": [], "keyfactor": []}
    for number, (platform, serial, mark, issuer) in enumerate(drawn):
        key = {"guid": f"{{{number}}}"} if platform == "tpp" else {"id": number}
        shown = {"serial": f"{serial:X}", "thumbprint": f"{mark:040X}", "issuer": ["", CORP, "CN=Other"][issuer], "public_key_sha256": f"{mark:064x}"}
        rows[platform].append(makers[platform](number, fingerprint_sha256=None, **key, **shown))
    found = found_of([f"{mark:040X}" for mark in range(1, 5)], **rows)
    joined = [row for certificate in found["certificates"] for row in certificate["on"].values()]
    assert {(row.get("guid"), row.get("id")) for row in joined} <= {(row.get("guid"), row.get("id")) for kind in rows.values() for row in kind}
    for certificate in found["certificates"]:
        assert len({row["thumbprint"] for row in certificate["on"].values()}) == 1


# -- report ------------------------------------------------------------------------------------------------------------------------------


def test_no_cell_of_the_csv_is_a_formula():
    found = found_of(["=cmd|' /C calc'!A0"], keyfactor=[keyfactor()])
    found["certificates"].append({**dict.fromkeys(["serial", "thumbprint", "fingerprint_sha256", "public_key_sha256", "issuer", "not_after"]),
                                  "name": "@SUM(1)", "platforms": ["tpp"], "matched": [{"target": "-1", "as": "name"}]})
    rows = list(csv.reader(io.StringIO(find_record.csv_report(found))))
    assert rows[0][0] == "name" and rows[1][0] == "'@SUM(1)" and rows[1][8] == "name: -1"
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]


def test_numbers_and_nothing_else_are_handed_on():
    found = found_of(f"{1:040X}", tpp=[tpp()], keyfactor=[keyfactor()])
    assert find_record.counts(found) == {
        "certificates": 1, "on_several_platforms": 1, "tpp": 1, "keyfactor": 1, "digicert": 0, "cloudflare": 0, "shared_keys": 0, "not_found": 0,
        "unreadable": 0, "unreachable": 0, "requests": 0,
    }


def test_files_of_which_none_can_be_used_are_an_error():
    found = find_record.read_entries(own_of(files="/x/cut.pem"), [file_of("/x/cut.pem", "-----BEGIN CERTIFICATE-----")])
    (complaint,) = found["complaints"]
    assert found["unreadable"] and "find_certificates_files: nothing can be looked for, because none of them holds a certificate" in complaint
    found = find_record.read_entries(own_of(files="/x/cut.pem", list="www.example.com"), [file_of("/x/cut.pem", "-----BEGIN CERTIFICATE-----")])
    assert found["unreadable"] and not found["complaints"]
