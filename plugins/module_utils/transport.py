# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one HTTP layer: TLS, credentials, proxies, retries, pacing, limits on size and time. It knows no vendor and no JSON field."""

from __future__ import annotations

import base64
import dataclasses
import http.cookiejar
import json
import os
import re
import ssl
import threading
import time
import traceback
import typing as t
import urllib.parse

from ansible_collections.certops.remediation.plugins.module_utils.errors import (
    AnswerLostError,
    InputError,
    NotSentError,
    ReadOnlyError,
    RedirectedError,
    RemediationError,
    UnreadableAnswerError,
    UntrustedError,
)
from ansible_collections.certops.remediation.plugins.module_utils.pacing import Pacer, RateLimit, backoff, places_left, retry_after
from ansible_collections.certops.remediation.plugins.module_utils.redaction import Secrets, excerpt, printable

try:
    import requests
    import requests.adapters
    import requests.utils
    import urllib3
    import urllib3.exceptions

    REQUESTS_IMPORT_ERROR: str | None = None
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()

MAX_BODY_BYTES = 32 * 1024 * 1024
CONNECT_TIMEOUT = 10.0
CONNECT_TRIES = 4
# Seconds from which on a wait that the vendor asks for is told.
LONG_WAIT = 5.0
_CHUNK_BYTES = 16 * 1024

# A safe request is repeated on these; a changing one never, because it may have been processed before the gateway gave up.
_TEMPORARY_STATUSES = frozenset({429, 502, 503, 504})

# More nesting than any vendor has. A decoder that meets the limit of recursion takes down whatever else runs there.
MAX_NESTING = 100
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

# TLS 1.3 servers refuse a client's certificate only after the handshake, but before they look at the request.
_CLIENT_REFUSED = re.compile("ALERT_(CERTIFICATE_|BAD_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)")


@dataclasses.dataclass(frozen=True)
class HttpSettings:
    """How to reach one vendor.

    :param base_url: scheme, host, port; without a trailing slash.
    :param ca_path: a file of PEM certificates to trust instead of the system's.
    :param client_cert: PEM file of the TLS client certificate (with its chain).
    :param client_key: PEM file of its key, when that is not in ``client_cert``.
    :param timeout: seconds for one whole answer.
    :param retry_timeout: seconds that all repeats of one request may take together.
    :param concurrency: connections that are kept open, at most.
    """

    base_url: str
    validate_certs: bool = True
    ca_path: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    client_key_passphrase: str | None = None
    proxy: str | None = None
    timeout: float = 60.0
    retry_timeout: float = 120.0
    concurrency: int = 8
    rate_limits: tuple[RateLimit, ...] = ()


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a vendor answered. ``headers`` has lower-case names; ``reason`` is the text of the status line, cleaned."""

    status: int
    reason: str
    headers: t.Mapping[str, str]
    body: bytes

    def json(self) -> t.Any:
        """The decoded body.

        :raises ValueError: it is not JSON, or nested so deeply that decoding it is not safe.
        """
        # Texts may hold brackets of their own, but taking the texts out first would cost more than decoding.
        if _too_deep(self.body) and _too_deep(re.sub(rb'"(?:[^"\\]|\\.)*"', b"", self.body)):
            raise ValueError("nested too deeply")
        try:
            return json.loads(self.body.decode("utf-8-sig"))
        except RecursionError as exc:
            raise ValueError("nested too deeply") from exc


class Credentials(t.Protocol):
    """Who we are, for one vendor. Called by several threads."""

    def headers(self) -> t.Mapping[str, str]:
        """The headers that prove it; may itself ask for a token."""

    def renew(self, rejected: t.Mapping[str, str]) -> bool:
        """The vendor answered 401 to ``rejected``: get better ones. False when there is nothing to renew with."""


class Transport:
    """One session for one task.

    :param vendor: the vendor's name, for messages.
    :param read_only: check mode; a changing request raises instead of being sent.
    :param warn: called with one line for each wait or unsafe setting.
    :param headers: what the vendor wants to see in every request.
    """

    def __init__(
        self,
        settings: HttpSettings,
        *,
        vendor: str,
        read_only: bool,
        secrets: Secrets,
        warn: t.Callable[[str], None],
        headers: t.Mapping[str, str] | None = None,
    ) -> None:
        self.settings = settings
        self.vendor = vendor
        self.secrets = secrets
        self.credentials: Credentials | None = None
        self.pacer = Pacer(settings.rate_limits)
        self.requests_sent = 0
        self.retries = 0
        self._read_only = read_only
        self.warn = warn
        self._count = threading.Lock()
        self._session = _open_session(settings, secrets, headers or {})
        self._siblings: list[Transport] = []
        self._address_option = "url"
        if not settings.validate_certs:
            warn(f"{vendor}: TLS certificates are not verified (validate_certs=false); anyone on the path can read the credentials")

    def sibling(self, base_url: str, vendor: str, option: str) -> Transport:
        """A session with another host that belongs to the same vendor's log-in, with the same settings and counted together.

        The TLS client certificate is not for that host.

        :param option: the option that its address comes from, for messages.
        """
        settings = dataclasses.replace(self.settings, base_url=base_url, client_cert=None, client_key=None, client_key_passphrase=None, rate_limits=())
        other = Transport(settings, vendor=vendor, read_only=self._read_only, secrets=self.secrets, warn=self.warn)
        other._address_option = option
        self._siblings.append(other)
        return other

    def request(
        self,
        method: str,
        path: str,
        *,
        purpose: str,
        params: t.Sequence[tuple[str, str]] = (),
        json_body: t.Any = None,
        form: t.Mapping[str, str] | None = None,
        changes: bool = False,
        once: bool = False,
        authenticated: bool = True,
        extra_seconds: float = 0.0,
        temporary: t.Callable[[Answer], bool] | None = None,
    ) -> Answer:
        """Send one request; safe ones are repeated while that can help, changing ones only if they provably were not processed.

        :param params: the query; one without a value is sent as a bare name.
        :param form: a body of form fields, instead of ``json_body``.
        :param purpose: what the request is for, as in "read certificate X"; used in messages.
        :param changes: the request changes something at the vendor.
        :param once: changes no certificate, yet must not be repeated when its answer is lost (a single-use token is spent).
        :param extra_seconds: how much longer than usual the vendor may think about it.
        :param temporary: recognises a vendor's own "try again" among the answers to a safe request.
        :raises AnswerLostError: no readable answer came; a changing request may have been processed.
        :raises NotSentError: the vendor could not be reached.
        :raises ReadOnlyError: a changing request in check mode.
        """
        if changes and self._read_only:
            raise ReadOnlyError(f"{self.vendor}: refused to {purpose} in check mode")
        deadline = time.monotonic() + self.settings.retry_timeout
        renewed = False
        attempt = 0
        while True:
            headers = dict(self.credentials.headers()) if authenticated and self.credentials else {}
            attempt += 1
            try:
                answer = self._exchange(method, path, headers, params, _encoded(json_body, form, headers), extra_seconds, purpose)
            except RedirectedError as exc:
                if changes:
                    # Some servers redirect after they have done what they were asked to.
                    raise AnswerLostError(exc.message, status=exc.status) from None
                raise
            except (NotSentError, AnswerLostError) as exc:
                delay = backoff(attempt)
                if isinstance(exc, AnswerLostError) and (changes or once):
                    raise
                pointless = isinstance(exc, (UntrustedError, UnreadableAnswerError)) or (isinstance(exc, NotSentError) and attempt >= CONNECT_TRIES)
                if pointless or time.monotonic() + delay > deadline:
                    # The whole budget was of no use; it would be none for the next target either.
                    exc.fatal = True
                    raise
                reason = exc.message
            else:
                if answer.status == 401 and authenticated and not renewed and self.credentials and self.credentials.renew(headers):
                    renewed = True
                    continue
                self._stay_out_of_a_full_window(answer)
                again = answer.status in _TEMPORARY_STATUSES or (temporary is not None and temporary(answer))
                asked = retry_after(answer.headers.get("retry-after")) or 0.0
                delay = max(asked, backoff(attempt))
                in_time = time.monotonic() + delay <= deadline
                if again and asked and in_time:
                    longer = self.pacer.pause(asked)
                    if changes and longer and asked >= LONG_WAIT:
                        # A safe request tells below when it is tried again.
                        self.warn(f"{self.vendor}: turned away {purpose}, so nothing is sent for {asked:.0f} s")
                if changes or not again or not in_time:
                    return answer
                reason = f"{self.vendor}: temporary failure ({answer.status}) of: {purpose}"
            with self._count:
                self.retries += 1
            self.warn(f"{reason}; trying again in {delay:.1f} s")
            self.pacer.wait(delay)

    def _stay_out_of_a_full_window(self, answer: Answer) -> None:
        """Some vendors say how much of a rate window is left. What is under way already may take the last places."""
        left, opens = places_left(answer.headers.get("ratelimit"))
        if left is None or left >= self.settings.concurrency or opens > self.settings.retry_timeout:
            return
        if self.pacer.pause(opens) and opens >= LONG_WAIT:
            self.warn(f"{self.vendor}: its rate window is nearly full, so nothing is sent for {opens:.0f} s")

    def describe(self, answer: Answer) -> str:
        """An answer that cannot be used, in words: status, content type and a short redacted excerpt."""
        content_type = printable(answer.headers.get("content-type", "none"), 80)
        text = excerpt(answer.body, self.secrets)
        return f"HTTP {answer.status} {answer.reason}, content type {content_type}, " + (f"body: {text}" if text else "empty body")

    def statistics(self) -> dict[str, t.Any]:
        """The ``http`` value of a result. The seconds are those of all threads together."""
        all_of_them = [self, *self._siblings]
        return {
            "requests": sum(one.requests_sent for one in all_of_them),
            "retries": sum(one.retries for one in all_of_them),
            "seconds_waited": round(sum(one.pacer.seconds_waited for one in all_of_them), 1),
        }

    def close(self) -> None:
        """Give the connections back."""
        for sibling in self._siblings:
            sibling.close()
        self._session.close()

    def _exchange(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        params: t.Sequence[tuple[str, str]],
        body: bytes | None,
        extra_seconds: float,
        purpose: str,
    ) -> Answer:
        """One request and its whole answer."""
        seconds = self.settings.timeout + extra_seconds
        url = self.settings.base_url + path
        if params:
            url += "?" + "&".join(_quoted(name) + ("=" + _quoted(value) if value else "") for name, value in params)
        with self.pacer.slot():
            with self._count:
                self.requests_sent += 1
            ends = time.monotonic() + seconds
            try:
                response = self._session.request(
                    method,
                    url,
                    data=body,
                    headers=headers,
                    timeout=(min(CONNECT_TIMEOUT, seconds), seconds),
                    allow_redirects=False,
                    stream=True,
                )
            except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, ValueError) as exc:
                raise self._translate(exc, purpose) from None
            try:
                answer = Answer(
                    status=response.status_code,
                    reason=printable(self.secrets.redact(str(response.reason or "")), 160),
                    headers={name.lower(): value for name, value in response.headers.items()},
                    body=self._read(response, ends, purpose),
                )
            finally:
                response.close()
        if 300 <= answer.status < 400:
            raise RedirectedError(
                f"{self.vendor}: {purpose} was redirected to {_host_of(answer.headers.get('location'))}; redirects are not followed, because the "
                f"credentials would travel along. Give the final address in the {self._address_option} option",
                status=answer.status,
            )
        return answer

    def _read(self, response: requests.Response, ends: float, purpose: str) -> bytes:
        """The decoded body, bounded in size and time.

        ``read1`` hands out what has arrived, so a body that drips cannot outlast the deadline; urllib3 before 2.1 has no such call.
        """
        raw = response.raw
        read = getattr(raw, "read1", raw.read)
        chunks: list[bytes] = []
        size = 0
        try:
            while True:
                chunk = read(_CHUNK_BYTES, decode_content=True)
                if not chunk:
                    break
                size += len(chunk)
                if size > MAX_BODY_BYTES:
                    raise UnreadableAnswerError(
                        f"{self.vendor}: the answer to {purpose} is larger than {MAX_BODY_BYTES // 1024 // 1024} MiB; is there a proxy or another "
                        "service at this address?",
                        status=response.status_code,
                    )
                if time.monotonic() > ends:
                    message = f"{self.vendor}: the answer to {purpose} did not end in time; raise the timeout option"
                    raise _timed_out(AnswerLostError(message, status=response.status_code))
                chunks.append(chunk)
        except (urllib3.exceptions.HTTPError, OSError) as exc:
            raise AnswerLostError(f"{self.vendor}: the answer to {purpose} was cut off ({type(exc).__name__})", status=response.status_code) from None
        expected = response.headers.get("content-length", "")
        # urllib3 1 does not notice it; what counts is what came over the wire, before it was decompressed.
        if expected.isdigit() and response.request.method != "HEAD" and raw.tell() < int(expected):
            raise AnswerLostError(f"{self.vendor}: the answer to {purpose} was cut off after {raw.tell()} of {expected} bytes", status=response.status_code)
        return b"".join(chunks)

    def _translate(self, exc: Exception, purpose: str) -> RemediationError:
        """A failure of the HTTP library in our words; decides whether the request may have arrived."""
        host = _host_of(self.settings.base_url)
        causes = list(_causes(exc))
        if isinstance(exc, ValueError) and not _raised_in(causes, "getresponse"):
            # The text may hold the header, and so the credentials.
            return InputError(
                "url, proxy (also HTTPS_PROXY) or credentials", f"{self.vendor}: one of them is incomplete or holds what cannot be sent ({type(exc).__name__})"
            )
        text = printable(self.secrets.redact(str(causes[-1])), 200)
        # Opening a connection: name, TCP, the proxy's tunnel, TLS. Nothing of the request is sent before all that has succeeded.
        unsent = _raised_in(causes, "connect")
        proxied = bool(requests.utils.select_proxy(self.settings.base_url, self._session.proxies))
        # urllib3 1 has a class of its own for a host name that does not match.
        if any(isinstance(cause, ssl.SSLCertVerificationError) or type(cause).__name__ == "CertificateError" for cause in causes):
            return UntrustedError(
                f"{self.vendor}: the TLS certificate of {host} cannot be verified ({text}). Set ca_path to the PEM file of the authority that signed "
                "it, or correct the host name in the url option"
            )
        if any(isinstance(cause, ssl.SSLError) and (unsent or _CLIENT_REFUSED.search(str(cause))) for cause in causes):
            return NotSentError(
                f"{self.vendor}: the TLS handshake with {host} failed ({text}). Check the url option, and client_cert if the server wants to see one"
            )
        if any(isinstance(cause, requests.exceptions.ProxyError) for cause in causes) or (unsent and proxied):
            return NotSentError(f"{self.vendor}: the proxy did not connect to {host} ({text}). Check the proxy option and HTTPS_PROXY / NO_PROXY")
        if isinstance(exc, requests.exceptions.ConnectTimeout):
            return NotSentError(f"{self.vendor}: {host} did not accept a connection in time. Check the url option, firewalls and proxy")
        if unsent:
            return NotSentError(f"{self.vendor}: cannot connect to {host} ({text}). Check the url option, name resolution and proxy")
        if isinstance(exc, requests.exceptions.Timeout):
            return _timed_out(AnswerLostError(f"{self.vendor}: no answer in time to: {purpose}; the timeout option says how long to wait"))
        return AnswerLostError(f"{self.vendor}: the connection to {host} broke during: {purpose} ({text})")


def _too_deep(body: bytes) -> bool:
    """Whether so many brackets are opened in a row."""
    return any(run.end() - run.start() > MAX_NESTING for run in re.finditer(rb"[\[{]+", body.translate(None, _NO_BRACKETS)))


def _encoded(json_body: t.Any, form: t.Mapping[str, str] | None, headers: dict[str, str]) -> bytes | None:
    """The body, with its type in ``headers``."""
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return urllib.parse.urlencode(form).encode("ascii")
    if json_body is None:
        return None
    headers["Content-Type"] = "application/json"
    return json.dumps(json_body).encode("utf-8")


def _timed_out(error: AnswerLostError) -> AnswerLostError:
    error.timed_out = True
    return error


def _open_session(settings: HttpSettings, secrets: Secrets, headers: t.Mapping[str, str]) -> requests.Session:
    """A session that trusts nothing but its settings: no netrc, no environment at request time, no cookies kept."""
    context = _tls_context(settings)

    class TlsAdapter(requests.adapters.HTTPAdapter):
        """Uses one TLS context for all connections. requests would load its own authorities into it for each one."""

        def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
            super().init_poolmanager(*args, ssl_context=context, **kwargs)

        def proxy_manager_for(self, proxy: str, **kwargs: t.Any) -> t.Any:
            return super().proxy_manager_for(proxy, ssl_context=context, **kwargs)

        def build_connection_pool_key_attributes(self, request: t.Any, verify: t.Any, cert: t.Any = None) -> t.Any:
            host_params, dummy = super().build_connection_pool_key_attributes(request, verify, cert)
            return host_params, {"cert_reqs": _verify_mode(settings)}

        def cert_verify(self, conn: t.Any, url: t.Any, verify: t.Any, cert: t.Any) -> None:
            conn.cert_reqs = _verify_mode(settings)

    class OneRequestSession(requests.Session):
        """Does not even look at a redirect. requests would read its whole body, whatever its size, to prepare the next request."""

        def get_redirect_target(self, resp: requests.Response) -> None:
            return None

    if not settings.validate_certs:
        # The transport has warned already, once and in the task's own output.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    session = OneRequestSession()
    proxies = {"https": settings.proxy, "http": settings.proxy} if settings.proxy else requests.utils.get_environ_proxies(settings.base_url, no_proxy=None)
    _register_proxy_secrets(requests.utils.select_proxy(settings.base_url, proxies), secrets)
    session.proxies.update(proxies)
    session.trust_env = False
    session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"User-Agent": "certops.remediation", "Accept": "application/json", **headers})
    adapter = TlsAdapter(pool_connections=4, pool_maxsize=max(settings.concurrency, 1))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _register_proxy_secrets(proxy: str | None, secrets: Secrets) -> None:
    """The password in a proxy's address, as it is written there, as it is meant and as it is sent."""
    address = proxy or ""
    try:
        parts = urllib.parse.urlsplit(address if "://" in address else f"http://{address}")
        user, password = parts.username or "", parts.password
    except ValueError:
        raise InputError("proxy (also HTTPS_PROXY)", "this is not the address of an HTTP proxy") from None
    if password:
        meant = urllib.parse.unquote(password)
        sent = f"{urllib.parse.unquote(user)}:{meant}".encode("utf-8", "replace")
        for secret in (password, meant, base64.b64encode(sent).decode("ascii")):
            secrets.add(secret)


def _verify_mode(settings: HttpSettings) -> str:
    return "CERT_REQUIRED" if settings.validate_certs else "CERT_NONE"


def _tls_context(settings: HttpSettings) -> ssl.SSLContext:
    """Trusts ``ca_path``, else what the environment names for requests, else the system's authorities."""
    ca_path = settings.ca_path or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    option = "ca_path" if settings.ca_path else "REQUESTS_CA_BUNDLE / CURL_CA_BUNDLE"
    try:
        if ca_path and os.path.isdir(ca_path):
            context = ssl.create_default_context(capath=ca_path)
        else:
            context = ssl.create_default_context(cafile=ca_path or None)
    except (OSError, ssl.SSLError) as exc:
        raise InputError(option, f"{ca_path!r} cannot be read as a file of PEM certificates ({_reason(exc)})") from None
    if not hasattr(urllib3, "BaseHTTPResponse"):
        # urllib3 1 compares the host name itself, and lets the ssl module know no name where the host is an IP address.
        context.check_hostname = False
    if not settings.validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.client_cert:
        passphrase = settings.client_key_passphrase or ""
        try:
            # A callable, so that OpenSSL never asks for a passphrase on the terminal.
            context.load_cert_chain(settings.client_cert, settings.client_key, password=lambda: passphrase)
        except (OSError, ssl.SSLError, ValueError) as exc:
            raise InputError(
                "client_cert, client_key",
                f"{settings.client_cert!r} with {settings.client_key or settings.client_cert!r} cannot be used ({_reason(exc)}); both must be PEM, belong "
                "together, and an encrypted key needs client_key_passphrase",
            ) from None
    return context


def _quoted(text: str) -> str:
    """Percent-encoded, blanks as well: not every server reads "+" as one."""
    return urllib.parse.quote(text, safe="")


def _reason(exc: Exception) -> str:
    return printable(getattr(exc, "strerror", None) or type(exc).__name__, 160)


def _host_of(url: str | None) -> str:
    """Host and port of a URL from a header or an option: never its userinfo, path or query."""
    try:
        parts = urllib.parse.urlsplit(url or "")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        return "an unknown host" if not url else "another path of the same host"
    return printable(f"{host}:{port}" if port else host, 255)


def _causes(exc: BaseException) -> t.Iterator[BaseException]:
    """``exc`` and everything it was made from: chained exceptions, urllib3's ``reason`` and exceptions given as arguments."""
    seen: set[int] = set()
    queue: list[t.Any] = [exc]
    while queue:
        current = queue.pop(0)
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            queue.extend([getattr(current, "reason", None), current.__cause__, current.__context__, *current.args])


def _raised_in(causes: t.Iterable[BaseException], function: str) -> bool:
    """Whether one of ``causes`` came out of this function of the HTTP libraries."""
    frames = (frame for cause in causes for frame, dummy in traceback.walk_tb(cause.__traceback__))
    return any(frame.f_code.co_name == function and frame.f_globals.get("__name__", "").startswith(("urllib3.", "http.client")) for frame in frames)
