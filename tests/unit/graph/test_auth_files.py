"""Files of credentials: what is wrong with one is said before anybody is asked, and nothing of it is shown."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from m365audit.config import TenantSettings
from m365audit.graph.auth import open_credential
from m365audit.graph.failures import SignInError
from m365audit.graph.secret_files import read_private

from .login_endpoint import SECRET, TENANT, certificate, pem_of
from .signing_in import (
    KEY,
    PASSWORD,
    Cloud,
    own_certificate,
    pem_file,
    pfx_file,
    private,
    refused_opening,
    settings,
    with_secret,
)

CA_PEM = own_certificate().public_bytes(Encoding.PEM)
OTHER_KEY = rsa.generate_private_key(65537, 2048)
Damage = Callable[[Path], object]


def _error(folder: Path, damage: Damage) -> SignInError:
    """Return the error of a secret's file after it was damaged."""
    tenant = with_secret(folder)
    damage(folder / "secret.txt")
    error = refused_opening(tenant, folder)
    assert not error.is_refused
    assert SECRET not in str(error)
    assert str(folder / "secret.txt") in error.message
    return error


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601, 0o620])
def test_a_file_that_others_can_touch_is_refused(tmp_path: Path, mode: int) -> None:
    error = _error(tmp_path, lambda path: path.chmod(mode))
    assert f"{mode:03o}" in error.message
    assert error.hint == f"run: chmod 600 {tmp_path / 'secret.txt'}"


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_private_file_is_read(tmp_path: Path, mode: int) -> None:
    tenant = with_secret(tmp_path)
    (tmp_path / "secret.txt").chmod(mode)
    assert TENANT in repr(open_credential(tenant, Cloud("https://login.example", None), state=tmp_path))


def test_somebody_else_s_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fstat

    def of_another(descriptor: int) -> os.stat_result:
        found = list(real(descriptor))
        found[stat.ST_UID] = os.geteuid() + 12345
        return os.stat_result(found)

    monkeypatch.setattr(os, "fstat", of_another)
    assert "belongs to another account" in _error(tmp_path, lambda _: None).message


def _roots(monkeypatch: pytest.MonkeyPatch, mode: int, *, group: int, groups: list[int]) -> None:
    """Let files be root's and a group's, and this account another one."""
    real = os.fstat

    def of_root(descriptor: int) -> os.stat_result:
        found = list(real(descriptor))
        found[stat.ST_MODE] = stat.S_IFREG | mode
        found[stat.ST_UID], found[stat.ST_GID] = 0, group
        return os.stat_result(found)

    monkeypatch.setattr(os, "fstat", of_root)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getegid", lambda: 1000)
    monkeypatch.setattr(os, "getgroups", lambda: groups)


@pytest.mark.parametrize("mode", [0o440, 0o640, 0o400, 0o600])
@pytest.mark.parametrize(("group", "groups"), [(2000, [2000]), (1000, [])])
def test_root_s_file_may_be_read_by_a_group_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, group: int, groups: list[int]
) -> None:
    file = private(tmp_path / "secret.txt", SECRET)
    _roots(monkeypatch, mode, group=group, groups=groups)
    assert read_private(file).decode() == SECRET


@pytest.mark.parametrize(
    ("mode", "group"),
    [(0o440, 3000), (0o460, 2000), (0o660, 2000), (0o450, 2000), (0o444, 2000), (0o442, 2000), (0o441, 2000)],
)
def test_root_s_file_is_refused_when_others_can_touch_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, group: int
) -> None:
    file = private(tmp_path / "secret.txt", SECRET)
    _roots(monkeypatch, mode, group=group, groups=[2000])
    with pytest.raises(SignInError, match=f"its mode is {mode:03o}") as caught:
        read_private(file)
    assert "defaultMode and fsGroup" in caught.value.hint


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_secret_that_kubernetes_mounted_is_a_link_into_data(tmp_path: Path, mode: int) -> None:
    version = tmp_path / "..2026_09_01_00_00_00.123456789"
    version.mkdir()
    private(version / "secret", SECRET).chmod(mode)
    (tmp_path / "..data").symlink_to(version.name)
    (tmp_path / "secret").symlink_to("..data/secret")
    if mode == 0o600:
        assert read_private(tmp_path / "secret").decode() == SECRET
    else:
        with pytest.raises(SignInError, match="its mode is 644"):
            read_private(tmp_path / "secret")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(("groups", "is_read"), [([2345], True), ([], False)])
def test_another_account_reads_root_s_secret_through_its_group_alone(groups: list[int], *, is_read: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = private(Path(folder) / "secret", SECRET)
        os.chown(file, 0, 2345)
        file.chmod(0o440)
        Path(folder).chmod(0o755)
        child = os.fork()
        if not child:
            try:
                os.setgroups(groups)
                os.setgid(1234)
                os.setuid(1234)
                os._exit(0 if read_private(file).decode() == SECRET else 2)
            except SignInError:
                os._exit(1)
            finally:
                os._exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == (0 if is_read else 1)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (Path.unlink, "no such file"),
        (lambda path: private(path, b""), "is empty"),
        (lambda path: private(path, b" \n\n"), "is empty"),
        (lambda path: private(path, b"x" * 2_000_000), "too large"),
        (lambda path: private(path, f"{SECRET}\n{SECRET}\n"), "more than one line"),
        (lambda path: private(path, f"{SECRET}\x00"), "more than one line"),
        (lambda path: private(path, b"\xff\xfe\x00"), "not text"),
        (lambda path: (path.unlink(), path.mkdir()), "not a plain file"),
        (_pipe, "not a plain file"),
        (lambda path: (path.unlink(), path.symlink_to("/dev/zero")), "not a plain file"),
    ],
)
def test_a_secret_s_file_that_is_none(tmp_path: Path, damage: Damage, words: str) -> None:
    assert words in _error(tmp_path, damage).message


def _certificate_error(folder: Path, content: bytes, **more: object) -> SignInError:
    tenant = settings(kind="certificate", file=private(folder / "cert", content), **more)
    error = refused_opening(tenant, folder)
    assert not error.is_refused
    assert PASSWORD not in str(error)
    assert "BEGIN" not in str(error)
    return error


def _encrypted(password: str) -> bytes:
    how = BestAvailableEncryption(password.encode())
    return KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how) + CA_PEM


def _pfx(*, key: rsa.RSAPrivateKey | None = KEY, has_certificate: bool = True) -> bytes:
    own = own_certificate() if has_certificate else None
    return serialize_key_and_certificates(b"x", key, own, None, NoEncryption())


EC_KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (CA_PEM, "no private key"),
        (pem_of(KEY), "no certificate"),
        (pem_of(OTHER_KEY) + CA_PEM, "not the certificate's"),
        (pem_of(KEY)[:300] + b"\n-----END PRIVATE KEY-----\n" + CA_PEM, "damaged"),
        (pem_of(KEY) + CA_PEM[:200] + b"\n-----END CERTIFICATE-----\n", "damaged"),
        (pem_of(EC_KEY) + certificate("ec", EC_KEY).public_bytes(Encoding.PEM), "not an RSA key"),
        (_encrypted(PASSWORD), "protected by a password"),
        (_pfx(has_certificate=False), "no certificate"),
        (_pfx(key=None), "no private key"),
        (b"\x30\x82 nonsense", "no PEM and no PKCS #12"),
        (pem_of(KEY) + own_certificate(days=-1).public_bytes(Encoding.PEM), "expired on"),
    ],
)
def test_a_certificate_s_file_that_is_none(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in _certificate_error(tmp_path, content).message


def test_wrong_passwords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRONG", "another")
    monkeypatch.delenv("MISSING", raising=False)
    pfx = pfx_file(tmp_path, own_certificate(), PASSWORD).read_bytes()
    wrong, missing = {"password_env": "WRONG"}, {"password_env": "MISSING"}
    assert "its password" in _certificate_error(tmp_path, pfx).message
    assert "its password" in _certificate_error(tmp_path, pfx, **wrong).message
    assert "MISSING" in _certificate_error(tmp_path, pfx, **missing).message
    assert "cannot be decrypted" in _certificate_error(tmp_path, _encrypted(PASSWORD), **wrong).message


def test_a_password_s_file_has_to_be_private_too(tmp_path: Path) -> None:
    file = private(tmp_path / "password.txt", PASSWORD, mode=0o644)
    pfx = pfx_file(tmp_path, own_certificate(), PASSWORD).read_bytes()
    assert "chmod 600" in _certificate_error(tmp_path, pfx, password_file=file).hint


@pytest.mark.parametrize("way", ["key first", "certificate first", "traditional", "password"])
def test_a_pem_file_in_any_order(tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEM_PASSWORD", PASSWORD)
    traditional = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    content = {
        "key first": pem_of(KEY) + CA_PEM,
        "certificate first": b"Bag Attributes\n" + CA_PEM + pem_of(KEY),
        "traditional": CA_PEM + traditional,
        "password": CA_PEM + _encrypted(PASSWORD),
    }[way]
    more = {"password_env": "PEM_PASSWORD"} if way == "password" else {}
    tenant = settings(kind="certificate", file=private(tmp_path / "cert", content), **more)
    assert open_credential(tenant, Cloud("https://login.example", None), state=tmp_path).expires_at is not None


def test_a_tenant_without_a_credential(tmp_path: Path) -> None:
    error = refused_opening(TenantSettings.model_validate({"id": TENANT}), tmp_path)
    assert "no credential" in error.message


def test_a_certificate_s_private_parts_are_in_no_repr(tmp_path: Path) -> None:
    from m365audit.graph.certificates import read_certificate  # noqa: PLC0415 - what is shown of it

    read = read_certificate(pem_file(tmp_path, own_certificate()), None)
    assert "PRIVATE" not in repr(read)
    assert "key" not in repr(read)
