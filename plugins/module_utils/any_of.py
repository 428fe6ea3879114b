# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option C(any_of) of the info modules: certificates by whatever an incident names them by, thousands of them in one question."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.options import Spec
from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable
from ansible_collections.certops.remediation.plugins.module_utils.x509 import comparable_name, normalise_hex

OPTION: Spec = {
    "any_of": {
        "type": "dict",
        "options": {
            "serial": {"type": "list", "elements": "str"},
            "thumbprint": {"type": "list", "elements": "str"},
            "fingerprint_sha256": {"type": "list", "elements": "str"},
            "public_key_sha256": {"type": "list", "elements": "str", "no_log": False},
            "name": {"type": "list", "elements": "str"},
        },
    },
}


@dataclasses.dataclass(frozen=True)
class AnyOf:
    """What is looked for, each in the form in which it is compared: serial numbers without leading zeros and in upper case as thumbprints, the SHA-256 ones in
    lower case, names as ``comparable_name`` has them."""

    serials: frozenset[str] = frozenset()
    thumbprints: frozenset[str] = frozenset()
    fingerprints: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, params: t.Mapping[str, t.Any]) -> AnyOf | None:
        """From the option; None where it is not given.

        :raises InputError: a value cannot be meant.
        """
        given = params.get("any_of")
        if given is None:
            return None

        def digits(name: str, least: int, most: int) -> frozenset[str]:
            found = {text: normalise_hex(f"any_of.{name}", text) for text in given.get(name) or []}
            wrong = [text for text, value in found.items() if not least <= len(value) <= most]
            if wrong:
                length = f"{least} hexadecimal digits" if least == most else f"{least} to {most} hexadecimal digits"
                raise InputError(f"any_of.{name}", f"{printable(wrong[0], 80)!r} has not {length}")
            return frozenset(found.values())

        names = [name for name in given.get("name") or [] if name.strip()]
        return cls(
            serials=frozenset(serial.lstrip("0") or "0" for serial in digits("serial", 1, 64)),
            thumbprints=digits("thumbprint", 40, 40),
            fingerprints=frozenset(map(str.lower, digits("fingerprint_sha256", 64, 64))),
            keys=frozenset(map(str.lower, digits("public_key_sha256", 64, 64))),
            names=frozenset(map(comparable_name, names)),
        )

    @property
    def needs_content(self) -> bool:
        """Whether only the certificates themselves tell who is meant."""
        return bool(self.fingerprints or self.keys)

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in dataclasses.fields(self))

    def takes(
        self,
        *,
        serials: t.Iterable[str] = (),
        thumbprint: str | None = None,
        fingerprint: str | None = None,
        key: str | None = None,
        names: t.Iterable[str] = (),
    ) -> bool:
        """Whether a certificate is meant, by any of what is known of it."""
        return bool(
            (thumbprint and thumbprint.upper() in self.thumbprints)
            or (fingerprint and fingerprint.lower() in self.fingerprints)
            or (key and key.lower() in self.keys)
            or (self.serials and any((serial.upper().lstrip("0") or "0") in self.serials for serial in serials))
            or (self.names and not self.names.isdisjoint(map(comparable_name, names)))
        )
