"""Nothing that the query's process sends is trusted: what is no plain message ends as a sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m365audit.errors import QueryError
from m365audit.store import frames
from m365audit.store.inquiry import _list_of

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=9) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


@given(st.lists(PLAIN, min_size=1, max_size=4))
def test_what_is_sent_arrives(message: list[object]) -> None:
    heard, told = os.pipe()
    try:
        frames.send(told, message)
        assert frames.receive(heard) == message
    finally:
        os.close(heard)
        os.close(told)


@given(st.binary(max_size=60))
def test_no_bytes_are_more_than_refused(sent: bytes) -> None:
    heard, told = os.pipe()
    try:
        os.write(told, sent)
        os.close(told)
        received = frames.receive(heard)
        assert received is None or isinstance(received, list)
    except frames.FrameError:
        pass
    finally:
        os.close(heard)


@pytest.mark.parametrize(
    "body",
    [b"\x91" * 200_000 + b"\xc0", b"\xdd\xff\xff\xff\xff", b"\xc7\x04\x05abcd", b"\x80", b"\x90", b"\xa1\xff", b"\xc1"],
    ids=["deep", "a list of four billion", "unknown extension", "a mapping", "empty", "not UTF-8", "reserved"],
)
def test_a_forged_message_is_refused(pipe: tuple[int, int], body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = [len(body).to_bytes(4, "big"), body, b""]
    monkeypatch.setattr(os, "read", lambda _, size: chunks.pop(0)[:size])
    try:
        received = frames.receive(pipe[0])
    except frames.FrameError:
        return
    with pytest.raises(QueryError, match="something else than rows"):
        _list_of("rows", received or [])


def test_a_message_larger_than_allowed_is_refused_before_it_is_read(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], (frames.LARGEST + 1).to_bytes(4, "big"))
    with pytest.raises(frames.FrameError):
        frames.receive(pipe[0])


def test_silence_is_bounded_and_only_waiting_counts(pipe: tuple[int, int]) -> None:
    patience = frames.Patience(0.05)
    frames.send(pipe[1], ["x"])
    assert frames.receive(pipe[0], patience.wait) == ["x"]
    with pytest.raises(frames.Silence):
        frames.receive(pipe[0], patience.wait)


@pytest.mark.parametrize("message", [["rows"], ["rows", 1], ["rows", [], 1], ["done", []], ["rows", {}]])
def test_what_is_no_list_of_rows_is_refused(message: list[object]) -> None:
    with pytest.raises(QueryError):
        _list_of("rows", message)
