"""Workers AI's event streams, cut where they like."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.bindings import BindingError
from storefront.textstream import Usage, pieces

pytestmark = pytest.mark.anyio

WORKERS_AI = (
    'data: {"response":"Grü"}\n\ndata: {"response":"ße €"}\n\n'
    'data: {"response":"","usage":{"prompt_tokens":7,"completion_tokens":2}}\n\ndata: [DONE]\n\n'
)
OPENAI = (
    'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\r\n\r\n'
    'data: {"choices":[{"delta":{"reasoning_content":"hmm"}}]}\r\n\r\n'
    'data: {"choices":[{"delta":{"content":"Grüße"}}]}\r\n\r\n: ping\r\n\r\n'
    'data: {"choices":[{"delta":{"content":" €"}}]}\r\n\r\n'
    'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}\r\n\r\ndata: [DONE]\r\n\r\n'
)


async def read(chunks: list[bytes]) -> tuple[str, Usage]:
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    usage = Usage()
    return "".join([text async for text in pieces(stream(), usage)]), usage


@pytest.mark.parametrize("wire", [WORKERS_AI, OPENAI])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_frames_may_be_cut_anywhere(wire: str, size: int) -> None:
    raw = wire.encode()
    text, usage = await read([raw[i : i + size] for i in range(0, len(raw), size)])
    assert (text, usage) == ("Grüße €", Usage(7, 2))


async def test_a_stream_without_its_end_counts_as_far_as_it_came() -> None:
    assert (await read([b'data: {"response": "a"}\n\ndata: {"response": "b"}']))[0] == "ab"


async def test_an_answer_as_a_whole_is_read_too() -> None:
    assert (await read([b'data: {"choices":[{"message":{"content":"all"}}]}\n\n']))[0] == "all"


@pytest.mark.parametrize(
    "wire", [b"data: nonsense\n\n", b"data: [1]\n\n", b'data: {"error":"3040"}\n\n', b"x" * 70_000]
)
async def test_anything_else_is_an_error(wire: bytes) -> None:
    with pytest.raises(BindingError):
        await read([wire])


@given(st.lists(st.binary(max_size=40), max_size=8))
async def test_no_stream_makes_it_fail_in_another_way(chunks: list[bytes]) -> None:
    with contextlib.suppress(BindingError):
        await read(chunks)
