"""Owns addresses that an answer must not lead a token to, each by name. Must never be one that is allowed."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

_AT: Final = "/v1.0/users?$skiptoken=x"


def hostile_links(origin: str, elsewhere: str, plain: str) -> dict[str, Any]:
    """Return values of a link that a sound collector refuses.

    Args:
        origin: address that links may lead to.
        elsewhere: https address of a server that must not be contacted.
        plain: its http address.
    """
    here, there = urlsplit(origin), urlsplit(elsewhere)
    host, port, other = here.hostname or "", here.port or 443, there.port or 443
    return {
        "other_server": f"{elsewhere}{_AT}",
        "other_server_plain": f"{plain}{_AT}",
        **_other_places(host, port, other),
        **_other_names(other),
        **_disguises(host, port, other),
        **_odd_characters(origin, other),
        **_other_values(origin, other),
    }


def _other_places(host: str, port: int, other: int) -> dict[str, Any]:
    return {
        "no_tls": f"http://{host}:{port}{_AT}",
        "other_port": f"https://{host}:{other}{_AT}",
        "no_port": f"https://{host}{_AT}",
        "port_zero": f"https://{host}:0{_AT}",
        "port_too_large": f"https://{host}:{port + 65_536}{_AT}",
        "port_no_number": f"https://{host}:x{_AT}",
        "port_signed": f"https://{host}:+{port}{_AT}",
        "port_foreign_digits": f"https://{host}:{_foreign(port)}{_AT}",
        "websocket": f"wss://{host}:{port}{_AT}",
        "file": "file:///etc/passwd",
        "ftp": f"ftp://{host}:{port}{_AT}",
        "data": "data:application/json,{}",
        "javascript": "javascript:alert(1)",
        "gopher": f"gopher://{host}:{other}/_GET",
        "scheme_only": "https:",
        "no_host": f"https:///{host}{_AT}",
        "no_scheme": f"{host}:{port}{_AT}",
        "double_slash": f"//{host}:{other}{_AT}",
        "path_only": _AT,
        "query_only": "?$skiptoken=x",
    }


def _other_names(other: int) -> dict[str, Any]:
    return {
        "dotted": f"https://127.0.0.1.:{other}{_AT}",
        "localhost": f"https://localhost:{other}{_AT}",
        "short_ip": f"https://127.1:{other}{_AT}",
        "decimal_ip": f"https://2130706433:{other}{_AT}",
        "octal_ip": f"https://0177.0.0.1:{other}{_AT}",
        "hex_ip": f"https://0x7f000001:{other}{_AT}",
        "any_ip": f"https://0.0.0.0:{other}{_AT}",
        "ip_six": f"https://[::1]:{other}{_AT}",
        "mapped_ip_six": f"https://[::ffff:127.0.0.1]:{other}{_AT}",
        "metadata_service": "http://169.254.169.254/metadata/identity/oauth2/token",
        "subdomain": f"https://graph.microsoft.com.evil.example:{other}{_AT}",
        "suffix": f"https://evilgraph.microsoft.com:{other}{_AT}",
        "lookalike_cyrillic": f"https://gr\u0430ph.microsoft.com{_AT}",
        "lookalike_punycode": f"https://xn--grph-43d.microsoft.com{_AT}",
        "lookalike_fullwidth": f"https://\uff47raph.microsoft.com{_AT}",
        "lookalike_dot": f"https://graph\u3002microsoft\u3002com{_AT}",
    }


def _foreign(port: int) -> str:
    return "".join(chr(0x0660 + int(digit)) for digit in str(port))


def _disguises(host: str, port: int, other: int) -> dict[str, Any]:
    return {
        "user": f"https://{host}:{port}@127.0.0.1:{other}{_AT}",
        "user_here": f"https://user@{host}:{port}{_AT}",
        "user_and_password": f"https://user:password@{host}:{port}{_AT}",
        "user_empty": f"https://@{host}:{port}{_AT}",
        "user_escaped": f"https://{host}%3A{port}%40127.0.0.1:{other}{_AT}",
        "fragment_user": f"https://{host}:{port}#@127.0.0.1:{other}{_AT}",
        "question_user": f"https://127.0.0.1:{other}?@{host}:{port}{_AT}",
        "backslash": f"https:\\\\127.0.0.1:{other}{_AT}",
        "backslash_user": f"https://{host}:{port}\\@127.0.0.1:{other}{_AT}",
        "backslash_after": f"https://127.0.0.1:{other}\\.{host}:{port}{_AT}",
        "escaped_host": f"https://%31%32%37.0.0.1:{other}{_AT}",
        "escaped_slash": f"https://127.0.0.1:{other}%2f{host}:{port}{_AT}",
    }


def _odd_characters(origin: str, other: int) -> dict[str, Any]:
    return {
        "tab_in_host": f"https://127.0.0\t.1:{other}{_AT}",
        "tab_in_scheme": f"ht\ttps://127.0.0.1:{other}{_AT}",
        "newline_in_host": f"https://127.0.0.1\n:{other}{_AT}",
        "newline_in_path": f"{origin}/v1.0/users\r\nX-Injected: 1",
        "nul_in_host": f"https://127.0.0.1\x00:{other}{_AT}",
        "space_before": f" https://127.0.0.1:{other}{_AT}",
        "space_in_host": f"https://127.0.0.1 :{other}{_AT}",
        "control_before": f"\x01https://127.0.0.1:{other}{_AT}",
        "zero_width": f"https://127.0.0.1\u200b:{other}{_AT}",
        "soft_hyphen": f"https://127.0.0.\u00ad1:{other}{_AT}",
        "right_to_left": f"https://\u202e127.0.0.1:{other}{_AT}",
        "origin_in_path": f"https://127.0.0.1:{other}/{origin}{_AT}",
        "origin_in_query": f"https://127.0.0.1:{other}/?u={origin}{_AT}",
        "origin_prefix": f"{origin}.evil.example{_AT}",
        "origin_prefix_digit": f"{origin}1{_AT}",
    }


def _other_values(origin: str, other: int) -> dict[str, Any]:
    return {
        "empty": "",
        "spaces": "   ",
        "number": 7,
        "true": True,
        "list": [f"{origin}{_AT}"],
        "object": {"href": f"{origin}{_AT}"},
        "very_long": f"https://127.0.0.1:{other}/" + "x" * 100_000,
        "upper_case_elsewhere": f"HTTPS://127.0.0.1:{other}{_AT}",
        "text": "next",
    }
