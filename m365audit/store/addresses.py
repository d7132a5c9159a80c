"""IP addresses cut to the network they are in, in texts and in records. Knows no table."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

_IPV4_BITS: Final = 24
_IPV6_BITS: Final = 48
ADDRESS: Final = re.compile(
    r"(?<![\w.:%-])(?:(?:\d{1,3}\.){3}\d{1,3}|(?=[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:)[0-9a-fA-F:]{2,39}(?:\d{1,3}(?:\.\d{1,3}){3})?)(?![\w.-])"
)
"""What looks like an address in a text."""


def truncated(address: str) -> str:
    """Return the address of its network: /24 of IPv4, /48 of IPv6; what is no address as it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    parsed = mapped or parsed
    bits = _IPV4_BITS if parsed.version == 4 else _IPV6_BITS  # noqa: PLR2004 - the version's own name
    return str(ipaddress.ip_network((parsed, bits), strict=False).network_address)


def truncated_in(text: str) -> str:
    """Return a text in which every address is cut; the same object when there is none to cut."""
    changed = ADDRESS.sub(lambda found: truncated(found.group()), text)
    return text if changed == text else changed
