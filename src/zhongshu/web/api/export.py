"""GET /api/export: rows of some points as CSV or Parquet, streamed from the historian to a file of the browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fastapi import APIRouter, HTTPException, Query
from starlette.responses import StreamingResponse

from zhongshu.model.plant import Point
from zhongshu.web.api.asking import times, wanted
from zhongshu.web.past import PastError
from zhongshu.web.room import Room

ROWS_MAX = 5_000_000
TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


def router(room: Room) -> APIRouter:
    """The routes on this plant."""
    routes = APIRouter(prefix="/api", tags=["points"])

    @routes.get(
        "/export",
        summary="Rows of some points as a file: path, time (UTC), value, quality",
        response_class=StreamingResponse,
    )
    async def export(
        points: Annotated[list[str], Query(description="Paths or ids; repeated, or joined by commas.")],
        start: str = "",
        end: str = "",
        form: Annotated[Literal["csv", "parquet"], Query(alias="format")] = "csv",
    ) -> StreamingResponse:
        chosen = wanted(room.plant, points)
        start_ns, end_ns = times(room, start, end)
        ids = [point.id for point in chosen]
        try:
            count = await room.past.count(ids, start_ns, end_ns)
        except PastError as error:
            raise HTTPException(503, f"the historian does not answer this: {error}") from error
        if count > ROWS_MAX:
            raise HTTPException(
                413,
                f"{count} rows are more than the {ROWS_MAX} of one file; choose fewer points or a shorter time",
            )
        pages = room.past.pages(ids, start_ns, end_ns)
        body = as_csv(pages, chosen) if form == "csv" else as_parquet(pages, chosen)
        first = datetime.fromtimestamp(start_ns / 1e9, UTC)
        name = f"{room.plant.id}-{first:%Y%m%dT%H%M%SZ}.{form}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Rows": str(count)}
        return StreamingResponse(body, media_type=TYPES[form], headers=headers)

    return routes


async def as_csv(pages: AsyncIterator[pa.Table], points: Sequence[Point]) -> AsyncIterator[bytes]:
    """Text with a header; a byte order mark first, so that Excel reads it as UTF-8."""
    names = {point.id: point.path for point in points}
    yield "\ufeffpath,time,value,quality\r\n".encode()
    async for page in pages:
        columns = (page[name].to_pylist() for name in ("point", "t_ns", "value", "quality"))
        lines = [
            f"{names[p]},{iso(t)},{'' if v is None else repr(v)},{q & 3}\r\n"
            for p, t, v, q in zip(*columns, strict=True)
        ]
        yield "".join(lines).encode()


async def as_parquet(pages: AsyncIterator[pa.Table], points: Sequence[Point]) -> AsyncIterator[bytes]:
    """One row group a page; what is written is handed on at once."""
    names = {point.id: point.path for point in points}
    schema = pa.schema(
        [
            ("path", pa.string()),
            ("time", pa.timestamp("ns", "UTC")),
            ("value", pa.float64()),
            ("quality", pa.uint8()),
        ]
    )
    sink = _Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        async for page in pages:
            quality = pc.bit_wise_and(page["quality"].cast(pa.uint8()), pa.scalar(3, pa.uint8()))
            columns = [
                pa.array([names[p] for p in page["point"].to_pylist()], pa.string()),
                page["t_ns"].cast(pa.timestamp("ns", "UTC")),
                page["value"].cast(pa.float64()),
                quality,
            ]
            writer.write_table(pa.table(columns, schema=schema))
            yield sink.taken()
    yield sink.taken()


class _Sink:
    """A file that only moves forward and gives away what was written."""

    closed = False

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._at = 0

    def write(self, some: bytes) -> int:
        self._waiting.append(bytes(some))
        self._at += len(some)
        return len(some)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def taken(self) -> bytes:
        some, self._waiting = b"".join(self._waiting), []
        return some


def iso(t_ns: int) -> str:
    """UTC with all nine digits that the plant's time has."""
    return (
        f"{datetime.fromtimestamp(t_ns // 1_000_000_000, UTC):%Y-%m-%dT%H:%M:%S}.{t_ns % 1_000_000_000:09d}Z"
    )
