# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""certificate_request: keys and CSRs as asked for, no key ever lost, overwritten or shown, on good days and on bad ones."""

from __future__ import annotations

import base64
import datetime
import errno
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils.x509 import alternative_names, key_type, public_key_sha256
from ansible_collections.certops.remediation.plugins.modules import certificate_request

from ansible_collections.certops.remediation.tests.unit.support import key_pem, run_module

PASSPHRASE = "cnry-phrase-55"
EC_KEY, OTHER_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


def run(folder, *, check_mode=False, diff=False, **given_options):
    """One run; no key material may be in what it prints."""
    options_given = {"folder": str(folder), "key_type": "ecdsa-p256", **given_options}
    result = run_module(certificate_request, options_given, check_mode=check_mode, diff=diff)
    assert "PRIVATE KEY" not in result["output"] and PASSPHRASE not in json.dumps({**result, "output": "", "invocation": ""})
    return result


def one(folder, **given_options):
    """One run with one request; gives its entry."""
    result = run(folder, **{"common_name": "www.example.com", **given_options})
    assert len(result["requests"]) == 1 and result["changed"] == result["requests"][0]["changed"]
    return {**result["requests"][0], "failed": result["failed"], "diff": result.get("diff")}


def tree(folder):
    """Everything that a write would change."""
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        about = path.lstat()
        found[str(path.relative_to(folder))] = (about.st_ino, about.st_mode, about.st_uid, about.st_mtime_ns, path.read_bytes() if path.is_file() else b"")
    return found


def key_at(path, passphrase=None):
    return serialization.load_pem_private_key(pathlib.Path(path).read_bytes(), passphrase.encode() if passphrase else None)


def csr_at(path):
    csr = x509.load_pem_x509_csr(pathlib.Path(path).read_bytes())
    assert csr.is_signature_valid
    return csr


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def put(path, content, permissions=0o600):
    path.write_bytes(content)
    path.chmod(permissions)


def make_csr(key, name="www.example.com", names=("www.example.com",), algorithm=hashes.SHA256()):
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
    return builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(item) for item in names]), False).sign(key, algorithm)


def pem(thing):
    return thing.public_bytes(serialization.Encoding.PEM)


# -- good days ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", certificate_request.KEY_TYPES)
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_key_and_its_csr_are_as_asked_for(tmp_path, kind, algorithm):
    done = one(
        tmp_path,
        key_type=kind,
        signature_hash=algorithm,
        names=["EXAMPLE.com.", "IP:2001:DB8::1", "email:Ops@Example.com", "URI:spiffe://example.com/web", "example.com"],
        country="gb",
        state_or_province="London",
        locality="London",
        organization="Example, Ltd",
        organizational_unit="Öps",
    )
    assert done["outcome"] == "applied" and done["changed"]
    assert (done["path"], done["csr_path"]) == (str(tmp_path / "www.example.com.key"), str(tmp_path / "www.example.com.csr"))
    key, csr = key_at(done["path"]), csr_at(done["csr_path"])
    assert pathlib.Path(done["path"]).read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert key_type(key.public_key()) == kind and pem(csr).decode() == done["csr"]
    assert public_key_sha256(key) == public_key_sha256(csr) == done["public_key_sha256"]
    assert csr.subject.rfc4514_string() == "CN=www.example.com,OU=Öps,O=Example\\, Ltd,L=London,ST=London,C=GB"
    names = ["DNS:www.example.com", "DNS:example.com", "IP:2001:db8::1", "email:Ops@example.com", "URI:spiffe://example.com/web"]
    assert done["names"] == alternative_names(csr) == names
    assert kind == "ed25519" or csr.signature_hash_algorithm.name == algorithm
    assert (mode(done["path"]), mode(done["csr_path"])) == (0o600, 0o644)


def test_a_second_run_touches_nothing(tmp_path):
    requests = [{"common_name": "a.example.com"}, {"names": ["*.example.com"], "passphrase": PASSPHRASE}, {"common_name": "bücher.example.com"}]
    first = run(tmp_path, requests=requests)
    before = tree(tmp_path)
    second = run(tmp_path, requests=requests, diff=True)
    assert first["changed"] and not second["changed"] and tree(tmp_path) == before
    assert [pathlib.Path(entry["path"]).name for entry in second["requests"]] == ["a.example.com.key", "_.example.com.key", "xn--bcher-kva.example.com.key"]
    strip = [{key: entry[key] for key in ("path", "csr_path", "csr", "public_key_sha256", "names", "kept_path")} for entry in first["requests"]]
    assert [{**entry, "outcome": "unchanged", "changed": False} for entry in strip] == [
        {key: value for key, value in entry.items() if key != "message"} for entry in second["requests"]
    ]
    assert second["summary"] == {"unchanged": 3, "planned": 0, "applied": 0, "refused": 0, "failed": 0, "not_attempted": 0}
    assert second["diff"] == {"before": {}, "after": {}}


def test_a_request_without_names_in_the_certificate_and_one_without_a_subject(tmp_path):
    client = csr_at(one(tmp_path, path="client.pem", common_name="Jane Doe (ops)", common_name_in_san=False)["csr_path"])
    assert client.subject.rfc4514_string() == "CN=Jane Doe (ops)" and alternative_names(client) == []
    bare = csr_at(one(tmp_path, common_name="", names=["x" * 60 + ".example.com"])["csr_path"])
    extension = bare.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert not list(bare.subject) and extension.critical


def test_a_request_overrides_what_holds_for_all_of_them(tmp_path):
    requests = [
        {"common_name": "a.example.com"},
        {"common_name": "b.example.com", "key_type": "ed25519", "organization": "", "names": [], "csr_path": "b.req", "csr_mode": "0600"},
        {"common_name": "c", "folder": str(tmp_path / "sub"), "path": "d.pem", "create_folder": True, "common_name_in_san": False},
    ]
    done = run(tmp_path, organization="Example", names=["all.example.com"], requests=requests)["requests"]
    subjects = [csr_at(entry["csr_path"]).subject.rfc4514_string() for entry in done]
    assert subjects == ["CN=a.example.com,O=Example", "CN=b.example.com,O=Example", "CN=c,O=Example"]
    assert [entry["names"] for entry in done] == [["DNS:a.example.com", "DNS:all.example.com"], ["DNS:b.example.com"], ["DNS:all.example.com"]]
    assert [entry["csr_path"] for entry in done] == [str(tmp_path / name) for name in ("a.example.com.csr", "b.req", "sub/d.csr")]
    assert key_type(key_at(done[1]["path"]).public_key()) == "ed25519" and mode(done[1]["csr_path"]) == 0o600 and mode(tmp_path / "sub") == 0o700


def test_no_requests_are_no_work(tmp_path):
    result = run(tmp_path, requests=[])
    assert not result["changed"] and not result["failed"] and result["requests"] == [] and not list(tmp_path.iterdir())


@pytest.mark.parametrize("path, expected", [("k.key", "k.csr"), ("k.pem", "k.csr"), ("www.example.com", "www.example.com.csr"), ("k.KEY", "k.KEY.csr")])
def test_the_csr_is_named_after_the_key(tmp_path, path, expected):
    assert one(tmp_path, path=path)["csr_path"] == str(tmp_path / expected)


def test_three_hundred_in_one_task(tmp_path):
    requests = [{"common_name": f"w{number}.example.com"} for number in range(300)]
    first = run(tmp_path, requests=requests)
    assert first["summary"]["applied"] == 300 and len({entry["public_key_sha256"] for entry in first["requests"]}) == 300
    assert [entry["names"] for entry in first["requests"]] == [[f"DNS:w{number}.example.com"] for number in range(300)]
    assert run(tmp_path, requests=requests)["summary"]["unchanged"] == 300


# -- what is there already ---------------------------------------------------------------------------------------------------------------


def test_a_csr_that_is_not_as_asked_for_is_made_again_from_the_same_key(tmp_path):
    first = one(tmp_path, names=["old.example.com"])
    key = pathlib.Path(first["path"]).read_bytes()
    second = one(tmp_path, names=["new.example.com"], diff=True)
    assert second["outcome"] == "applied" and "other names" in second["message"] and second["public_key_sha256"] == first["public_key_sha256"]
    assert alternative_names(csr_at(second["csr_path"])) == ["DNS:www.example.com", "DNS:new.example.com"]
    assert pathlib.Path(first["path"]).read_bytes() == key
    before, after = second["diff"]["before"][first["path"]], second["diff"]["after"][first["path"]]
    assert before["key"] == after["key"] and before["csr"]["names"] == ["DNS:old.example.com", "DNS:www.example.com"]
    assert after["csr"]["names"] == ["DNS:new.example.com", "DNS:www.example.com"]
    assert "other subject" in one(tmp_path, names=["new.example.com"], organization="Example")["message"]
    assert "other signature hash" in one(tmp_path, names=["new.example.com"], organization="Example", signature_hash="sha384")["message"]


@pytest.mark.parametrize("order", [["b.example.com", "a.example.com"], ["A.example.com", "b.example.com", "www.example.com"]])
def test_order_case_and_repetition_of_names_are_no_difference(tmp_path, order):
    one(tmp_path, names=["a.example.com", "b.example.com"])
    assert one(tmp_path, names=order)["outcome"] == "unchanged"


@pytest.mark.parametrize("form", ["der", "new", "text"])
def test_a_key_and_a_csr_that_others_have_made_are_recognised(tmp_path, form):
    old_style = (serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    put(tmp_path / "www.example.com.key", EC_KEY.private_bytes(serialization.Encoding.PEM, *old_style))
    csr = make_csr(EC_KEY)
    content = {
        "der": csr.public_bytes(serialization.Encoding.DER),
        "new": pem(csr).replace(b" CERTIFICATE REQ", b" NEW CERTIFICATE REQ"),
        "text": b"Certificate Request:\n    Data:\n" + pem(csr),
    }
    put(tmp_path / "www.example.com.csr", content[form], 0o640)
    before = tree(tmp_path)
    done = one(tmp_path)
    assert done["outcome"] == "unchanged" and done["csr"] == pem(csr).decode() and tree(tmp_path) == before


def test_a_csr_of_another_key_or_with_a_wrong_signature_is_made_again(tmp_path):
    put(tmp_path / "www.example.com.key", key_pem(EC_KEY))
    good, other = (make_csr(key).public_bytes(serialization.Encoding.DER) for key in (EC_KEY, OTHER_KEY))
    forged = good[:-4] + bytes(byte ^ 1 for byte in good[-4:])
    for content in (other, forged):
        put(tmp_path / "www.example.com.csr", content, 0o640)
        done = one(tmp_path)
        assert done["outcome"] == "applied" and "public key" in done["message"] and done["public_key_sha256"] == public_key_sha256(EC_KEY)
        assert public_key_sha256(csr_at(done["csr_path"])) == public_key_sha256(EC_KEY) and mode(done["csr_path"]) == 0o640


NO_CSR = {"empty": b"", "text": b"not a CSR", "half": pem(make_csr(EC_KEY))[:100], "key": key_pem(OTHER_KEY), "half of DER": b"\x30\x82"}


@pytest.mark.parametrize("what", NO_CSR)
def test_a_file_that_is_no_csr_is_not_overwritten(tmp_path, what):
    put(tmp_path / "www.example.com.csr", NO_CSR[what])
    before = tree(tmp_path)
    done = one(tmp_path)
    assert done["outcome"] == "refused" and "no readable CSR" in done["message"] and tree(tmp_path) == before


NO_KEY = {
    "empty": b"",
    "binary": b"\x00\xff",
    "text": b"not a key",
    "half": key_pem(EC_KEY)[:60],
    "garbled": key_pem(EC_KEY).replace(b"M", b"A"),
    "csr": pem(make_csr(EC_KEY)),
    "cut off": b"-----BEGIN ENCRYPTED",
}


@pytest.mark.parametrize("what", NO_KEY)
@pytest.mark.parametrize("rotate", [False, True])
def test_a_file_that_is_no_key_is_not_overwritten(tmp_path, what, rotate):
    put(tmp_path / "www.example.com.key", NO_KEY[what])
    before = tree(tmp_path)
    done = one(tmp_path, rotate=rotate, passphrase=PASSPHRASE)
    assert done["outcome"] == "refused" and tree(tmp_path) == before


def test_a_key_that_signs_for_another_one_is_refused(tmp_path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    modulus = key.private_numbers().public_numbers.n.to_bytes(256, "big")
    broken = der.replace(modulus, modulus[:100] + bytes([modulus[100] ^ 1]) + modulus[101:])
    text = "-----BEGIN PRIVATE KEY-----\n" + base64.encodebytes(broken).decode() + "-----END PRIVATE KEY-----\n"
    put(tmp_path / "www.example.com.key", text.encode())
    done = one(tmp_path, key_type="rsa-2048", rotate=True)
    assert done["outcome"] == "refused" and len(list(tmp_path.iterdir())) == 1


# -- passphrases -------------------------------------------------------------------------------------------------------------------------


def test_a_passphrase_encrypts_and_opens(tmp_path):
    done = one(tmp_path, passphrase=PASSPHRASE)
    assert pathlib.Path(done["path"]).read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert public_key_sha256(key_at(done["path"], PASSPHRASE)) == done["public_key_sha256"]
    assert one(tmp_path, passphrase=PASSPHRASE)["outcome"] == "unchanged"
    before = tree(tmp_path)
    for wrong, said in (("wrong", "cannot be opened with this passphrase"), ("", "give its passphrase")):
        for rotate in (False, True):
            refused = one(tmp_path, passphrase=wrong, rotate=rotate, retired_keys=[done["public_key_sha256"]])
            assert refused["outcome"] == "refused" and said in refused["message"]
    assert tree(tmp_path) == before


def test_a_plain_key_is_not_taken_for_an_encrypted_one_and_not_encrypted_in_place(tmp_path):
    put(tmp_path / "www.example.com.key", key_pem(EC_KEY))
    refused = one(tmp_path, passphrase=PASSPHRASE)
    assert refused["outcome"] == "refused" and "not encrypted" in refused["message"]
    done = one(tmp_path, passphrase=PASSPHRASE, rotate=True)
    assert done["outcome"] == "applied" and pathlib.Path(done["kept_path"]).read_bytes() == key_pem(EC_KEY)
    assert one(tmp_path, passphrase=PASSPHRASE, rotate=True)["outcome"] == "unchanged"


def test_an_old_style_encrypted_key_can_be_used(tmp_path):
    encryption = serialization.BestAvailableEncryption(PASSPHRASE.encode())
    put(tmp_path / "www.example.com.key", EC_KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, encryption))
    assert one(tmp_path, passphrase=PASSPHRASE)["public_key_sha256"] == public_key_sha256(EC_KEY)


# -- rotation ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key, said",
    [
        (rsa.generate_private_key(public_exponent=65537, key_size=2048), "is rsa-2048"),
        (ec.generate_private_key(ec.SECP521R1()), "is ecdsa-p521"),
        (ec.generate_private_key(ec.SECP256K1()), "is ecdsa-secp256k1"),
        (ed25519.Ed25519PrivateKey.generate(), "is ed25519"),
        (dsa.generate_private_key(1024), "is dsa"),
    ],
)
def test_a_key_of_another_type_is_refused_or_rotated_once(tmp_path, key, said):
    path = tmp_path / "www.example.com.key"
    put(path, key_pem(key), 0o400)
    put(tmp_path / "www.example.com.csr", pem(make_csr(EC_KEY)))
    before = tree(tmp_path)
    refused = one(tmp_path)
    assert refused["outcome"] == "refused" and said in refused["message"] and "rotate=true" in refused["message"] and tree(tmp_path) == before
    predicted, done = one(tmp_path, rotate=True, check_mode=True, diff=True), one(tmp_path, rotate=True, diff=True)
    assert predicted["diff"] == done["diff"] and predicted["message"] == done["message"] and said in done["message"]
    assert pathlib.Path(done["kept_path"]).read_bytes() == key_pem(key) and done["kept_path"].startswith(f"{path}.20") and mode(done["kept_path"]) == 0o400
    assert key_type(key_at(path).public_key()) == "ecdsa-p256" and mode(path) == 0o400
    assert public_key_sha256(csr_at(done["csr_path"])) == done["public_key_sha256"] == public_key_sha256(key_at(path))
    before = tree(tmp_path)
    assert one(tmp_path, rotate=True)["outcome"] == "unchanged" and tree(tmp_path) == before


def certificate_pem(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "old")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    start = datetime.datetime(2026, 1, 1)
    return pem(builder.not_valid_before(start).not_valid_after(start + datetime.timedelta(days=1)).sign(key, hashes.SHA256())).decode()


RETIRED = {
    "hash": public_key_sha256(EC_KEY),
    "hash as it is pasted": ":".join(public_key_sha256(EC_KEY).upper()[start : start + 2] for start in range(0, 64, 2)),
    "certificate": certificate_pem(EC_KEY),
    "csr": pem(make_csr(EC_KEY)).decode(),
    "public key": EC_KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode(),
}


@pytest.mark.parametrize("form", RETIRED)
def test_a_retired_key_is_refused_or_rotated_once(tmp_path, form):
    put(tmp_path / "www.example.com.key", key_pem(EC_KEY))
    retired = [public_key_sha256(OTHER_KEY), RETIRED[form]]
    assert one(tmp_path, retired_keys=retired)["outcome"] == "refused"
    done = one(tmp_path, retired_keys=retired, rotate=True)
    assert done["outcome"] == "applied" and done["public_key_sha256"] != public_key_sha256(EC_KEY)
    assert pathlib.Path(done["kept_path"]).read_bytes() == key_pem(EC_KEY)
    again = one(tmp_path, retired_keys=retired, rotate=True)
    assert again["outcome"] == "unchanged" and again["public_key_sha256"] == done["public_key_sha256"] and again["kept_path"] is None


def test_only_the_retired_keys_of_a_fleet_are_rotated(tmp_path):
    requests = [{"common_name": f"w{number}.example.com"} for number in range(6)]
    first = run(tmp_path, requests=requests)["requests"]
    put(pathlib.Path(first[1]["path"]), key_pem(EC_KEY))
    put(pathlib.Path(first[4]["path"]), key_pem(EC_KEY))
    done = run(tmp_path, requests=requests, retired_keys=[public_key_sha256(EC_KEY)], rotate=True)
    assert [entry["outcome"] for entry in done["requests"]] == ["unchanged", "applied", "unchanged", "unchanged", "applied", "unchanged"]
    assert run(tmp_path, requests=requests, retired_keys=[public_key_sha256(EC_KEY)], rotate=True)["changed"] is False


NOT_RETIRED = {
    "empty": "",
    "short": "abc",
    "SHA-1": "0" * 40,
    "path": "/etc/ssl/www.pem",
    "broken": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    "broken key": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    "private key": key_pem(EC_KEY).decode(),
}


@pytest.mark.parametrize("what", NOT_RETIRED)
def test_a_retired_key_that_is_none_is_told(tmp_path, what):
    done = one(tmp_path, retired_keys=[NOT_RETIRED[what]])
    assert done["outcome"] == "refused" and "retired_keys" in done["message"] and not list(tmp_path.iterdir())


# -- access ------------------------------------------------------------------------------------------------------------------------------


def test_a_key_that_others_can_use_is_not_passed_over(tmp_path):
    path = tmp_path / "www.example.com.key"
    put(path, key_pem(EC_KEY), 0o640)
    refused = one(tmp_path)
    assert refused["outcome"] == "refused" and "0640" in refused["message"] and mode(path) == 0o640
    assert one(tmp_path, mode="0640")["outcome"] == "applied" and mode(path) == 0o640  # the CSR was missing
    before = path.stat()
    tightened = one(tmp_path, mode="0600", diff=True)
    assert tightened["outcome"] == "applied" and mode(path) == 0o600 and path.stat().st_ino == before.st_ino and path.read_bytes() == key_pem(EC_KEY)
    assert [tightened["diff"][side][str(path)]["key"]["mode"] for side in ("before", "after")] == ["0640", "0600"]
    assert one(tmp_path, mode="0600")["outcome"] == "unchanged"


def test_nothing_is_loosened_that_is_not_asked_for(tmp_path):
    done = one(tmp_path)
    os.chmod(done["path"], 0o400)
    os.chmod(done["csr_path"], 0o600)
    assert one(tmp_path)["outcome"] == "unchanged" and mode(done["path"]) == 0o400
    again = one(tmp_path, names=["more.example.com"])
    assert again["outcome"] == "applied" and mode(done["path"]) == 0o400 and mode(done["csr_path"]) == 0o600
    assert one(tmp_path, names=["more.example.com"], csr_mode="0644")["changed"] and mode(done["csr_path"]) == 0o644


def test_the_umask_neither_loosens_nor_breaks(tmp_path):
    for number, mask in enumerate((0, 0o022, 0o777)):
        before = os.umask(mask)
        try:
            done = one(tmp_path, path=f"{number}.key")
        finally:
            os.umask(before)
        assert (mode(done["path"]), mode(done["csr_path"])) == (0o600, 0o644)


@pytest.mark.parametrize("text", ["600", "0o600", "384", "u=rw", "rw-------", "0888", "00600", "7600"])
def test_a_mode_that_yaml_has_spoilt_is_told(tmp_path, text):
    done = one(tmp_path, mode=text)
    assert done["outcome"] == "refused" and "quotes" in done["message"] and not list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_owner_and_group_are_given_and_kept(tmp_path):
    done = one(tmp_path, owner="65534", group="12345", diff=True)
    for path in (done["path"], done["csr_path"]):
        assert (os.stat(path).st_uid, os.stat(path).st_gid) == (65534, 12345)
    assert done["diff"]["after"][done["path"]]["key"]["uid"] == 65534
    assert one(tmp_path)["outcome"] == "unchanged"
    rotated = one(tmp_path, key_type="ed25519", rotate=True)
    for path in (rotated["path"], rotated["csr_path"], rotated["kept_path"]):
        assert (os.stat(path).st_uid, os.stat(path).st_gid) == (65534, 12345)
    assert one(tmp_path, key_type="ed25519", owner="0", group="0")["changed"] and os.stat(done["path"]).st_uid == 0


@pytest.mark.parametrize("option", ["owner", "group"])
def test_an_owner_that_does_not_exist_is_told(tmp_path, option):
    done = one(tmp_path, **{option: "no-such-name"})
    assert done["outcome"] == "refused" and "no-such-name" in done["message"] and not list(tmp_path.iterdir())


def test_what_only_root_could_do_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    monkeypatch.setattr(os, "getgroups", lambda: [4712])
    assert one(tmp_path, owner="4713")["outcome"] == one(tmp_path, group="4713")["outcome"] == "refused"
    assert not list(tmp_path.iterdir())


# -- folders and odd files ---------------------------------------------------------------------------------------------------------------


def test_a_missing_folder_is_refused_or_made_for_nobody_else(tmp_path):
    refused = one(tmp_path / "a" / "b")
    assert refused["outcome"] == "refused" and "create_folder=true" in refused["message"] and not list(tmp_path.iterdir())
    planned = one(tmp_path / "a" / "b", create_folder=True, check_mode=True)
    assert planned["outcome"] == "planned" and not list(tmp_path.iterdir())
    assert one(tmp_path / "a" / "b", create_folder=True, csr_path=str(tmp_path / "c" / "w.csr"))["outcome"] == "applied"
    assert [mode(tmp_path / name) for name in ("a", "a/b", "c")] == [0o700] * 3


def test_a_folder_that_cannot_be_written_to_is_told_before(tmp_path, monkeypatch):
    done = one(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, how: False)
    assert one(tmp_path)["outcome"] == "unchanged", "what is there needs no write"
    refused = one(tmp_path, names=["more.example.com"], check_mode=True)
    assert refused["outcome"] == "refused" and str(tmp_path) in refused["message"]
    assert alternative_names(csr_at(done["csr_path"])) == ["DNS:www.example.com"]


@pytest.mark.parametrize("what", ["folder", "fifo", "file in place of the folder", "too long", "huge", "nul"])
def test_what_cannot_be_a_key_file_is_told(tmp_path, what):
    path = tmp_path / "k.key"
    if what == "folder":
        path.mkdir()
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "file in place of the folder":
        path.write_text("")
        path = path / "k.key"
    elif what == "too long":
        path = tmp_path / ("x" * 300)
    elif what == "huge":
        path.write_bytes(b"x" * (2 << 20))
    elif what == "nul":
        path = tmp_path / "a\0b"
    done = one(tmp_path, path=str(path), create_folder=True)
    assert done["outcome"] == "refused" and len(list(tmp_path.iterdir())) <= 1


def test_an_unreadable_key_is_told(tmp_path, monkeypatch):
    path = tmp_path / "www.example.com.key"
    put(path, key_pem(EC_KEY))

    def denied(*dummy):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(certificate_request, "read_file", denied)
    done = one(tmp_path, rotate=True)
    assert done["outcome"] == "refused" and "Permission denied" in done["message"]


def test_a_symbolic_link_is_followed_and_stays(tmp_path):
    (tmp_path / "private").mkdir()
    (tmp_path / "www.example.com.key").symlink_to("private/real.key")
    done = one(tmp_path)
    assert done["path"] == str(tmp_path / "private" / "real.key") and (tmp_path / "www.example.com.key").is_symlink()
    assert one(tmp_path)["outcome"] == "unchanged"


# -- bad input ---------------------------------------------------------------------------------------------------------------------------

BAD = {
    "no name": {},
    "empty name": {"names": [""]},
    "common name that is none": {"common_name": "Jane Doe"},
    "common name of another kind": {"common_name": "email:a@example.com"},
    "common name too long": {"common_name": "x" * 60 + ".example.com"},
    "wildcard in the middle": {"names": ["www.*.example.com"]},
    "country": {"common_name": "a.example.com", "country": "Germany"},
    "country in digits": {"common_name": "a.example.com", "country": "49"},
    "organization too long": {"common_name": "a.example.com", "organization": "x" * 65},
    "control character": {"common_name": "a.example.com", "organization": "a\nb"},
    "no file": {"common_name": "a.example.com", "folder": "", "path": ""},
    "only an e-mail address": {"names": ["email:a@example.com"]},
}


@pytest.mark.parametrize("name", BAD)
def test_nonsense_is_refused(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options_given = {**({} if "folder" in BAD[name] else {"folder": str(tmp_path)}), **BAD[name]}
    result = run_module(certificate_request, options_given)
    assert result["failed"] and result["requests"][0]["outcome"] == "refused" and not list(tmp_path.iterdir())


def test_all_bad_entries_are_told_at_once_and_nothing_is_written(tmp_path):
    put(tmp_path / "w3.example.com.key", key_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)))
    requests = [{"common_name": f"w{number}.example.com"} for number in range(5)]
    requests[1] = {"common_name": "a..example.com"}
    requests[4] = {"common_name": "w0.example.com", "path": "w0.example.com.key", "csr_path": "elsewhere.csr"}
    before = tree(tmp_path)
    for check_mode in (True, False):
        result = run(tmp_path, requests=requests, check_mode=check_mode)
        assert result["failed"] and not result["changed"] and tree(tmp_path) == before
        assert [entry["outcome"] for entry in result["requests"]] == ["refused", "refused", "not_attempted", "refused", "refused"]
        assert all(text in result["msg"] for text in ("requests[1]: refused", "w3.example.com.key: refused", "w0.example.com.key: refused"))


def test_one_file_for_key_and_csr_is_refused(tmp_path):
    assert one(tmp_path, path="x.key", csr_path="x.key")["outcome"] == "refused" and not list(tmp_path.iterdir())


def test_a_thousand_bad_entries_do_not_flood_the_message(tmp_path):
    result = run(tmp_path, requests=[{"common_name": f"bad name {number}"} for number in range(1000)])
    assert result["summary"]["refused"] == 1000 and len(result["msg"]) < 8000 and "and 980 more" in result["msg"]


def test_the_library_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(certificate_request, "CRYPTOGRAPHY_IMPORT_ERROR", "ImportError: no")
    result = run_module(certificate_request, {"folder": str(tmp_path), "common_name": "a.example.com"})
    assert result["failed"] and "cryptography" in result["msg"]


# -- check mode, for any history ---------------------------------------------------------------------------------------------------------

KEYS = {
    "none": None,
    "good": key_pem(EC_KEY),
    "retired": key_pem(OTHER_KEY),
    "other type": key_pem(ed25519.Ed25519PrivateKey.generate()),
    "encrypted": key_pem(EC_KEY, PASSPHRASE),
    "broken": b"no key",
}
CSRS = {
    "none": None,
    "good": pem(make_csr(EC_KEY)),
    "other key": pem(make_csr(OTHER_KEY)),
    "other names": pem(make_csr(EC_KEY, names=("www.example.com", "old.example.com"))),
    "other hash": pem(make_csr(EC_KEY, algorithm=hashes.SHA512())),
    "broken": b"no CSR",
}
HISTORY = st.fixed_dictionaries({"key": st.sampled_from(sorted(KEYS)), "csr": st.sampled_from(sorted(CSRS)), "mode": st.sampled_from([0o600, 0o400, 0o640])})
OPTIONS = st.fixed_dictionaries(
    {
        "rotate": st.booleans(),
        "passphrase": st.sampled_from(["", PASSPHRASE]),
        "mode": st.sampled_from(["", "0600", "0640"]),
        "csr_mode": st.sampled_from(["", "0600"]),
    }
)


@settings(max_examples=150, deadline=None)
@given(st.lists(HISTORY, min_size=1, max_size=3), OPTIONS)
def test_check_mode_predicts_the_run_for_any_history_and_no_key_is_ever_lost(history, options_given):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(os.path.realpath(name))
        for number, found in enumerate(history):
            for kind, content in (("key", KEYS[found["key"]]), ("csr", CSRS[found["csr"]])):
                if content is not None:
                    put(folder / f"{number}.{kind}", content, found["mode"] if kind == "key" else 0o644)
        requests = [{"common_name": "www.example.com", "path": f"{number}.key"} for number in range(len(history))]
        options_given = {**options_given, "requests": requests, "retired_keys": [public_key_sha256(OTHER_KEY)], "diff": True}
        before = tree(folder)
        plan = run(folder, check_mode=True, **options_given)
        assert tree(folder) == before
        real = run(folder, **options_given)
        assert (plan["changed"], plan["failed"], plan["diff"]) == (real["changed"], real["failed"], real["diff"])
        for expected, seen in zip(plan["requests"], real["requests"]):
            assert {"planned": "applied"}.get(expected["outcome"], expected["outcome"]) == seen["outcome"]
            same = ("changed", "message", "path", "csr_path", "names") if seen["outcome"] == "applied" else expected.keys()
            assert all(expected[key] == seen[key] for key in same)
        if real["failed"]:
            assert tree(folder) == before
            return
        left = {path.read_bytes() for path in folder.iterdir()}
        assert all(KEYS[found["key"]] in left for found in history if KEYS[found["key"]]), "every key is still there"
        after = tree(folder)
        again = run(folder, **options_given)
        assert not again["changed"] and not again["failed"] and tree(folder) == after
        for entry in again["requests"]:
            assert public_key_sha256(csr_at(entry["csr_path"])) == entry["public_key_sha256"] and entry["public_key_sha256"] != public_key_sha256(OTHER_KEY)


# -- bad days ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["fsync", "link", "rename", "replace", "open"])
@pytest.mark.parametrize("rotate", [False, True])
def test_a_disk_that_is_full_at_any_write_loses_no_key_and_leaves_no_litter(tmp_path, monkeypatch, call, rotate):
    old = key_pem(ed25519.Ed25519PrivateKey.generate())
    for number in range(1, 12):
        folder = tmp_path / str(number)
        folder.mkdir()
        if rotate:
            put(folder / "www.example.com.key", old)
        calls = 0
        real = getattr(os, call)

        def full(*args, **keywords):
            nonlocal calls
            relevant = call != "open" or args[1] & os.O_CREAT
            calls += bool(relevant)
            if relevant and calls == number:  # pylint: disable=cell-var-from-loop
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*args, **keywords)  # pylint: disable=cell-var-from-loop

        with monkeypatch.context() as patch:
            patch.setattr(os, call, full)
            first = one(folder, rotate=rotate)
        if calls < number:
            assert first["outcome"] == "applied"
            break
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert not [name for name in files if name.startswith(".new-")]
        assert not rotate or old in files.values()
        assert first["outcome"] == "failed" and "No space left" in first["message"]
        made = files.get("www.example.com.key")
        assert not rotate or made, "a key that could not be replaced is back under its name"
        assert first["changed"] == (made is not None and made != old)
        second = one(folder, rotate=rotate)
        assert second["outcome"] in ("applied", "unchanged") and not second["failed"]
        if made and made != old:
            assert (folder / "www.example.com.key").read_bytes() == made, "the key of the first run is used"
        assert one(folder, rotate=rotate)["outcome"] == "unchanged"
    assert number > 1 or (call, rotate) == ("rename", False)


def test_one_full_disk_among_others_is_told_for_that_one(tmp_path, monkeypatch):
    real = certificate_request.write_file

    def full(path, *args, **keywords):
        if "w1.example.com" in path:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, *args, **keywords)

    monkeypatch.setattr(certificate_request, "write_file", full)
    result = run(tmp_path, requests=[{"common_name": f"w{number}.example.com"} for number in range(3)])
    assert result["failed"] and result["changed"] and [entry["outcome"] for entry in result["requests"]] == ["applied", "failed", "applied"]


def test_a_file_system_without_hard_links_is_good_enough(tmp_path, monkeypatch):
    def refused(*dummy, **dummies):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    put(tmp_path / "www.example.com.key", key_pem(OTHER_KEY))
    done = one(tmp_path, rotate=True, retired_keys=[public_key_sha256(OTHER_KEY)])
    assert done["outcome"] == "applied" and pathlib.Path(done["kept_path"]).read_bytes() == key_pem(OTHER_KEY)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == sorted([".key", ".csr", pathlib.Path(done["kept_path"]).suffix])


@pytest.mark.parametrize("existing", [None, OTHER_KEY])
def test_a_key_that_somebody_else_makes_meanwhile_is_not_overwritten(tmp_path, monkeypatch, existing):
    path = tmp_path / "www.example.com.key"
    if existing:
        put(path, key_pem(existing))
    real = certificate_request.make_key

    def late(kind):
        put(path, key_pem(EC_KEY))
        return real(kind)

    monkeypatch.setattr(certificate_request, "make_key", late)
    options_given = {"rotate": True, "retired_keys": [public_key_sha256(OTHER_KEY)]}
    done = one(tmp_path, **options_given)
    assert done["outcome"] == "failed" and "somebody else" in done["message"] and not done["changed"]
    assert path.read_bytes() == key_pem(EC_KEY) and list(tmp_path.iterdir()) == [path]
    assert one(tmp_path, **options_given)["public_key_sha256"] == public_key_sha256(EC_KEY)


def test_a_key_that_changes_at_the_last_moment_is_put_back(tmp_path, monkeypatch):
    path = tmp_path / "www.example.com.key"
    put(path, key_pem(OTHER_KEY))
    real = os.rename

    def late(source, target):
        put(path, key_pem(EC_KEY))
        real(source, target)

    monkeypatch.setattr(os, "rename", late)
    done = one(tmp_path, rotate=True, retired_keys=[public_key_sha256(OTHER_KEY)])
    assert done["outcome"] == "failed" and not done["changed"] and done["kept_path"] is None
    assert path.read_bytes() == key_pem(EC_KEY) and list(tmp_path.iterdir()) == [path]


def start(folder, options_given, path):
    path.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {**options_given, "folder": str(folder)}}))
    return subprocess.Popen(
        [sys.executable, "-m", certificate_request.__name__, str(path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("rotate", [False, True])
def test_runs_at_the_same_time_lose_no_key(tmp_path, rotate):
    folder = tmp_path / "keys"
    folder.mkdir()
    requests = [{"common_name": f"w{number}.example.com"} for number in range(20)]
    if rotate:
        for request in requests:
            put(folder / f"{request['common_name']}.key", key_pem(OTHER_KEY))
    options_given = {"key_type": "ecdsa-p256", "requests": requests, "rotate": rotate, "retired_keys": [public_key_sha256(OTHER_KEY)]}
    processes = [start(folder, options_given, tmp_path / f"{number}.json") for number in range(3)]
    results = [json.loads(process.communicate(timeout=100)[0]) for process in processes]
    final = run(folder, **options_given)
    assert not final["failed"]
    for number, entry in enumerate(final["requests"]):
        said = [result["requests"][number] for result in results]
        makers = [one_of for one_of in said if "new private key" in one_of["message"] and one_of["outcome"] == "applied"]
        assert len(makers) == 1, "of several runs, one has made the key"
        assert {one_of["public_key_sha256"] for one_of in said if one_of["outcome"] in ("applied", "unchanged")} == {entry["public_key_sha256"]}
    assert run(folder, **options_given)["changed"] is False
    kept = [path for path in folder.iterdir() if path.suffix not in (".key", ".csr")]
    assert len(kept) == (20 if rotate else 0)


# Each copy of the folder gets a process that is killed before one more call that changes or flushes something.
KILLER = """
import json, os, shutil, signal, sys
from ansible_collections.certops.remediation.plugins.modules import certificate_request
from ansible_collections.certops.remediation.tests.unit.support import run_module

template, base, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
number = 0
while True:
    number += 1
    folder = os.path.join(base, str(number))
    shutil.copytree(template, folder)
    child = os.fork()
    if child == 0:
        left = number

        def wrap(real):
            def wrapped(*args, **keywords):
                global left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **keywords)

            return wrapped

        for name in ("mkdir", "open", "fdopen", "chmod", "chown", "fsync", "link", "unlink", "rename", "replace", "close"):
            setattr(os, name, wrap(getattr(os, name)))
        run_module(certificate_request, {**options, "folder": folder})
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status):
        sys.exit(os.WEXITSTATUS(status))
"""


@pytest.mark.parametrize("scene", ["new", "new folder", "rotate", "other names"])
def test_a_kill_at_any_point_loses_no_key_and_the_next_run_goes_on_with_it(tmp_path, scene):
    template, base = tmp_path / "template", tmp_path / "killed"
    template.mkdir()
    base.mkdir()
    options_given = {"common_name": "www.example.com", "key_type": "ecdsa-p256", "rotate": True, "retired_keys": [public_key_sha256(OTHER_KEY)], "mode": "0600"}
    old = {"rotate": OTHER_KEY, "other names": EC_KEY}.get(scene)
    if old:
        put(template / "k.key", key_pem(old))
        put(template / "k.csr", pem(make_csr(old, names=("old.example.com",))))
    options_given["path"] = "sub/k.key" if scene == "new folder" else "k.key"
    options_given["create_folder"] = scene == "new folder"
    command = [sys.executable, "-c", KILLER, str(template), str(base), json.dumps(options_given)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    killed = sorted(base.iterdir(), key=lambda path: int(path.name))[:-1]
    assert len(killed) > 8
    reached = set()
    for folder in killed:
        path = folder / options_given["path"]
        files = {found: found.read_bytes() for found in folder.rglob("*") if found.is_file()}
        assert not old or key_pem(old) in files.values()
        assert all(mode(found) == 0o600 for found, content in files.items() if b"PRIVATE KEY" in content)
        first = public_key_sha256(key_at(path)) if path in files else None
        csr = csr_at(path.with_suffix(".csr")) if path.with_suffix(".csr") in files else None
        reached.add((first is not None and first != public_key_sha256(OTHER_KEY), csr is not None and public_key_sha256(csr) == first))
        second = one(folder, **options_given)
        assert not second["failed"], f"{folder.name}: {second['message']}"
        if first and first != public_key_sha256(OTHER_KEY):
            assert second["public_key_sha256"] == first, "the key of the killed run is used"
        assert public_key_sha256(csr_at(second["csr_path"])) == public_key_sha256(key_at(path)) == second["public_key_sha256"] != public_key_sha256(OTHER_KEY)
        assert one(folder, **options_given)["outcome"] == "unchanged"
    assert (True, False) in reached or scene == "other names", "one was killed between key and CSR"


def test_a_kill_in_the_middle_of_many_keeps_every_key_that_was_made(tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir()
    options_given = {"key_type": "rsa-3072", "requests": [{"common_name": f"w{number}.example.com"} for number in range(24)]}
    process = start(folder, options_given, tmp_path / "arguments.json")
    deadline = time.monotonic() + 60
    while len(list(folder.glob("*.key"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    made = {path: public_key_sha256(key_at(path)) for path in folder.glob("*.key")}
    assert 5 <= len(made) < 24
    done = run(folder, **options_given)
    assert not done["failed"]
    now = {pathlib.Path(entry["path"]): entry["public_key_sha256"] for entry in done["requests"]}
    assert len(now) == 24 and made.items() <= now.items()
    shutil.rmtree(folder)
