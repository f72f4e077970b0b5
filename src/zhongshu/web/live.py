"""The live channel: frames go from here to every open page over one WebSocket each, at most four a second."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from zhongshu.kernel.clock import Clock
from zhongshu.web.frames import SENSE, SLOW, Frames

log = logging.getLogger(__name__)

TICK_WALL_S = 0.25
#: Frames that wait for one slow browser; one more, and it gets a fresh snapshot instead of all of them.
QUEUED = 2
#: Pages open at once; a browser that leaks connections must not take the others down.
VIEWERS = 200
#: Closing code: too many pages are open.
CROWDED = 4429
#: A page speaks seldom and briefly.
SAID_MAX = 200


class Viewer:
    """One open page: what it watches, and the frames that wait for it."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.topic = ""
        self.queue: deque[str] = deque()
        self.behind = True  # it needs a snapshot first
        self.topic_behind = False
        self.ready = asyncio.Event()

    def put(self, frame: str) -> None:
        """Leave a frame for it (an empty one is none); where too many wait, it gets a snapshot next."""
        if not frame:
            return
        if len(self.queue) >= QUEUED:
            self.queue.clear()
            self.behind = self.topic_behind = True
        else:
            self.queue.append(frame)
            self.ready.set()


class Live:
    """All open pages; ``run`` feeds them until cancelled."""

    def __init__(self, frames: Frames, clock: Clock) -> None:
        self._frames, self._clock = frames, clock
        self._viewers: set[Viewer] = set()
        self.snapshots = 0

    def __len__(self) -> int:
        """Pages open now."""
        return len(self._viewers)

    async def run(self) -> None:
        """Until cancelled; with no page open the picture is still moved on, so that states keep their beginnings."""
        ticks = 0
        while True:
            await self._clock.sleep_wall(TICK_WALL_S)
            self._tick(slow=ticks % SLOW == 0)
            ticks += 1

    def _tick(self, *, slow: bool) -> None:
        delta = self._frames.tick()
        snapshot = ""
        for viewer in self._viewers:
            if viewer.behind and not viewer.queue:
                snapshot = snapshot or self._frames.snapshot()
                viewer.behind = False
                viewer.put(snapshot)
                self.snapshots += 1
            elif not viewer.behind:
                viewer.put(delta)
        self._topics(slow=slow)

    def _topics(self, *, slow: bool) -> None:
        """Frames of what single pages watch, each encoded once for all that watch it."""
        for topic in {viewer.topic for viewer in self._viewers if viewer.topic}:
            if topic == SENSE and not slow:
                continue
            changed = self._topic(topic, whole=False)
            whole = ""
            for viewer in [v for v in self._viewers if v.topic == topic and not v.behind]:
                if viewer.topic_behind:
                    whole = whole or self._topic(topic, whole=True)
                    viewer.topic_behind = False
                    viewer.put(whole)
                elif changed:
                    viewer.put(changed)

    def _topic(self, topic: str, *, whole: bool) -> str:
        if topic == SENSE:
            return self._frames.sensed(whole=whole)
        return self._frames.points(topic, whole=whole)

    async def serve(self, socket: WebSocket) -> None:
        """One page, until it leaves. Whether it may come in was settled by the gate."""
        await socket.accept()
        if len(self._viewers) >= VIEWERS:
            await socket.close(CROWDED)
            return
        viewer = Viewer(socket)
        self._viewers.add(viewer)
        sending = asyncio.create_task(_send(viewer))
        try:
            while True:
                self._said(viewer, await socket.receive_text())
        except (WebSocketDisconnect, RuntimeError):
            pass  # it left
        finally:
            self._viewers.discard(viewer)
            sending.cancel()
            if viewer.topic and all(v.topic != viewer.topic for v in self._viewers):
                self._frames.forget(viewer.topic)

    def _said(self, viewer: Viewer, text: str) -> None:
        """``{"watch": unit}``, ``{"watch": "sense"}``, ``{"watch": ""}``, or ``{"again": 1}`` after a missed frame."""
        if len(text) > SAID_MAX:
            return
        try:
            said = json.loads(text)
        except ValueError:
            return
        if not isinstance(said, dict):
            return
        if isinstance(topic := said.get("watch"), str):
            viewer.topic, viewer.topic_behind = topic, True
        if said.get("again"):
            viewer.queue.clear()
            viewer.behind = viewer.topic_behind = True


async def _send(viewer: Viewer) -> None:
    """Hand over frames as fast as the browser takes them."""
    while viewer.socket.client_state is WebSocketState.CONNECTED:
        await viewer.ready.wait()
        viewer.ready.clear()
        while viewer.queue:
            frame = viewer.queue[0]
            try:
                await viewer.socket.send_text(frame)
            except (WebSocketDisconnect, RuntimeError, OSError):
                return
            if viewer.queue and viewer.queue[0] is frame:
                viewer.queue.popleft()
