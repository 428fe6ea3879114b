# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses, ranges, files and the environment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible.module_utils.errors import AnsibleFallbackNotFound

from ansible_collections.certops.remediation.plugins.module_utils import options
from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.tpp import CONNECTION_OPTIONS

STRIP = ("/vedsdk", "/vedauth")
PARAMS = {"validate_certs": True, "timeout": 60, "retry_timeout": 120, "concurrency": 8, "rate_limits": []}


def address(text, **more):
    return options.base_url({"url": text, **more}, strip=STRIP)


@pytest.mark.parametrize(
    "given_url, used",
    [
        ("https://tpp.example.com", "https://tpp.example.com"),
        ("tpp.example.com", "https://tpp.example.com"),
        ("tpp.example.com:8443", "https://tpp.example.com:8443"),
        ("HTTPS://TPP.Example.COM/", "https://tpp.example.com"),
        ("https://tpp.example.com/vedsdk", "https://tpp.example.com"),
        ("https://tpp.example.com/VEDSDK/", "https://tpp.example.com"),
        ("https://tpp.example.com/vedauth//", "https://tpp.example.com"),
        ("  https://tpp.example.com\n", "https://tpp.example.com"),
        ("https://tpp.example.com:443", "https://tpp.example.com:443"),
        ("https://192.0.2.1:8443/vedsdk/", "https://192.0.2.1:8443"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://[2001:DB8::1]", "https://[2001:db8::1]"),
        ("localhost", "https://localhost"),
        ("https://tpp_1.corp", "https://tpp_1.corp"),
        ("https://b\u00fccher.example", "https://b\u00fccher.example"),
    ],
)
def test_addresses_as_people_write_them(given_url, used):
    assert address(given_url) == used


@pytest.mark.parametrize(
    "given_url",
    [
        "",
        "   ",
        None,
        "https://",
        "https:///vedsdk",
        "//tpp.example.com",
        "https://tpp.example.com/other",
        "https://tpp.example.com//vedsdk",
        "https://tpp.example.com/vedsdk/certificates",
        "https://tpp.example.com?x=1",
        "https://tpp.example.com/#top",
        "https://tpp.example.com:port",
        "https://tpp.example.com:0",
        "https://tpp.example.com:99999",
        "https://tpp example.com",
        "https://tpp.exam\nple.com",
        "https://tpp.exam\tple.com",
        "https://tpp.example.com\\vedsdk",
        "https:\\\\tpp.example.com",
        "https://tpp\x00.example.com",
        "https://tpp.example.com%2f@evil.example",
        "https://[2001:db8::1",
        "https://[nonsense]",
        "ftp://tpp.example.com",
        "file:///etc/passwd",
        "https://https://tpp.example.com",
        "https://\u2100.example.com",
        "http://tpp.example.com",
        "HTTP://tpp.example.com",
        "https://-{{ host }}-",
    ],
)
def test_what_is_no_address_is_told(given_url):
    with pytest.raises(InputError, match="url") as caught:
        address(given_url)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    "given_url", ["https://user:c4nary@tpp.example.com", "user:c4nary@tpp.example.com", "https://c4nary@tpp.example.com", "https://:c4nary@h"]
)
def test_credentials_in_an_address_are_refused_and_not_shown(given_url):
    with pytest.raises(InputError, match="user name or password") as caught:
        address(given_url)
    assert "c4nary" not in caught.value.message


def test_plain_http_has_to_be_allowed():
    with pytest.raises(InputError, match="allow_http"):
        address("http://tpp.example.com")
    assert address("http://tpp.example.com:80/vedsdk", allow_http=True) == "http://tpp.example.com:80"


@given(st.text(max_size=60))
def test_an_address_is_usable_or_told(text):
    try:
        used = address(text)
    except InputError:
        return
    assert used.startswith("https://") and not any(ch.isspace() for ch in used) and "/" not in used[8:] and "@" not in used


# -- numbers, files, proxies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, value",
    [("timeout", 0), ("timeout", 3601), ("retry_timeout", -1), ("retry_timeout", 86401), ("concurrency", 0), ("concurrency", 65)],
)
def test_numbers_out_of_range_are_told(name, value):
    with pytest.raises(InputError, match=name) as caught:
        options.http_settings({**PARAMS, name: value}, "https://h")
    assert str(value) in caught.value.message


@pytest.mark.parametrize("name, value", [("timeout", 1), ("timeout", 3600), ("retry_timeout", 0), ("concurrency", 1), ("concurrency", 64)])
def test_numbers_at_the_ends_of_their_range_are_taken(name, value):
    assert getattr(options.http_settings({**PARAMS, name: value}, "https://h"), name) == value


def test_a_range_may_be_open_and_an_unset_number_is_in_it():
    options.check_range({"limit": None}, "limit", 1)
    options.check_range({}, "limit", 1)
    options.check_range({"limit": 10**9}, "limit", 1)
    with pytest.raises(InputError, match="at least 1"):
        options.check_range({"limit": 0}, "limit", 1)


@pytest.mark.parametrize("requests, seconds", [(0, 1), (-1, 1), (1, 0), (1, -0.5), (1, float("nan")), (1, float("inf")), (1, 1e300)])
def test_what_is_no_rate_is_told(requests, seconds):
    with pytest.raises(InputError, match="rate_limits"):
        options.http_settings({**PARAMS, "rate_limits": [{"requests": requests, "seconds": seconds}]}, "https://h")


def test_rates_are_taken_over():
    settings = options.http_settings({**PARAMS, "rate_limits": [{"requests": 10, "seconds": 1.5}, {"requests": 100, "seconds": 60}]}, "https://h")
    assert [(limit.requests, limit.seconds) for limit in settings.rate_limits] == [(10, 1.5), (100, 60)]


@pytest.mark.parametrize("name", ["ca_path", "client_cert"])
def test_a_missing_file_is_told_with_its_option(name, tmp_path):
    with pytest.raises(InputError, match=f"{name}.*missing.pem.*does not exist"):
        options.http_settings({**PARAMS, name: str(tmp_path / "missing.pem")}, "https://h")


def test_a_key_without_its_certificate_is_told(tmp_path):
    path = tmp_path / "key.pem"
    path.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="client_key.*without client_cert"):
        options.http_settings({**PARAMS, "client_key": str(path)}, "https://h")


@pytest.mark.parametrize(
    "proxy",
    [
        "proxy.example.com:3128",
        "socks5://proxy:1080",
        "http://",
        "http://user:c4nary@",
        "http://[::1",
        "http://c4nary:x@proxy:port",
        "http://proxy:99999",
        "c4nary",
    ],
)
def test_what_is_no_proxy_is_told_without_showing_it(proxy):
    with pytest.raises(InputError, match="proxy") as caught:
        options.http_settings({**PARAMS, "proxy": proxy}, "https://h")
    assert "c4nary" not in caught.value.message


def test_a_proxy_is_taken_over():
    assert options.http_settings({**PARAMS, "proxy": "http://user:pw@proxy:3128"}, "https://h").proxy == "http://user:pw@proxy:3128"


# -- the environment -------------------------------------------------------------------------------------------------------------------


def test_the_first_variable_with_a_value_counts(monkeypatch):
    with pytest.raises(AnsibleFallbackNotFound):
        options.from_environment("VENAFI_URL", "VCERT_URL")
    monkeypatch.setenv("VCERT_URL", "second")
    assert options.from_environment("VENAFI_URL", "VCERT_URL") == "second"
    monkeypatch.setenv("VENAFI_URL", "  ")
    assert options.from_environment("VENAFI_URL", "VCERT_URL") == "second"
    monkeypatch.setenv("VENAFI_URL", " first ")
    assert options.from_environment("VENAFI_URL", "VCERT_URL") == "first"


@pytest.mark.parametrize("value, verified", [("True", False), ("true", False), ("1", False), ("yes", False), ("False", True), ("0", True), ("no", True)])
def test_skip_verify_is_the_opposite_of_validate_certs(monkeypatch, value, verified):
    monkeypatch.setenv("VENAFI_SKIP_VERIFY", value)
    assert options.unless_environment("VENAFI_SKIP_VERIFY") is verified


@pytest.mark.parametrize("value", ["", "  ", "perhaps"])
def test_without_a_clear_word_certificates_are_verified(monkeypatch, value):
    monkeypatch.setenv("VENAFI_SKIP_VERIFY", value)
    with pytest.raises(AnsibleFallbackNotFound):
        options.unless_environment("VENAFI_SKIP_VERIFY")


def test_an_empty_option_is_an_unset_one(monkeypatch):
    monkeypatch.setenv("VENAFI_URL", "https://tpp.example.com")
    params = {"url": "", "access_token": "", "scope": "", "username": None, "timeout": 5, "other": ""}
    filled = options.unset_empty(params, CONNECTION_OPTIONS)
    assert filled == {"url": "https://tpp.example.com", "access_token": None, "scope": "certificate:manage", "username": None, "timeout": 5, "other": ""}
    assert params["url"] == ""


def test_specs_merge_key_by_key():
    merged = options.merge({"a": {"type": "str"}, "b": {"type": "int"}}, {"a": {"default": "x"}})
    assert merged == {"a": {"type": "str", "default": "x"}, "b": {"type": "int"}}
    assert options.HTTP_OPTIONS["ca_path"] == {"type": "path"}, "the parts stay as they are"
