"""Asks a server to watch points: one subscription a connection, items in calls of the size that the server allows.

One subscription, so that all samples of a moment arrive in one delivery and a device's own count can be compared
with them; each item has its own sampling rate and a queue that holds everything sampled between two deliveries.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from asyncua import ua

from zhongshu.connectors.opcua import codec
from zhongshu.connectors.opcua.config import Settings
from zhongshu.connectors.opcua.session import Session
from zhongshu.model.plant import Point

log = logging.getLogger(__name__)

#: Samples beyond the computed need, because sampling and publishing never keep exact step.
QUEUE_MARGIN = 4
MAX_QUEUE = 10_000
#: Paging keeps one delivery below the message size of small servers; pages are put together again before use.
NOTIFICATIONS_PER_PUBLISH = 5_000
_TOO_MANY = {
    ua.StatusCodes.BadTooManyOperations,
    ua.StatusCodes.BadEncodingLimitsExceeded,
    ua.StatusCodes.BadRequestTooLarge,
    ua.StatusCodes.BadResponseTooLarge,
}
_NO_FILTER = {
    ua.StatusCodes.BadMonitoredItemFilterUnsupported,
    ua.StatusCodes.BadMonitoredItemFilterInvalid,
    ua.StatusCodes.BadFilterNotAllowed,
}


@dataclass
class Watch:
    """A subscription as the server granted it, with the client handles it delivers and those it could not have."""

    id: int
    publishing_ms: float
    keep_alive_s: float
    handles: list[int] = field(default_factory=list)
    missing: dict[int, str] = field(default_factory=dict)
    #: Handles whose granted queue cannot hold what is sampled between two deliveries.
    short: list[int] = field(default_factory=list)


async def subscribe(session: Session, settings: Settings) -> Watch:
    """Create an empty subscription that says something at least once a second. Raises as ``Session.ask`` does."""
    keep_alive = max(1, int(1000 // settings.publishing_ms) - 1)
    request = ua.CreateSubscriptionRequest()
    request.Parameters.RequestedPublishingInterval = settings.publishing_ms
    request.Parameters.RequestedMaxKeepAliveCount = keep_alive
    request.Parameters.RequestedLifetimeCount = max(
        3 * keep_alive, math.ceil(settings.session_s * 1000 / settings.publishing_ms)
    )
    request.Parameters.MaxNotificationsPerPublish = NOTIFICATIONS_PER_PUBLISH
    request.Parameters.PublishingEnabled = True
    granted = (await session.ask(request, ua.CreateSubscriptionResponse)).Parameters
    interval = float(granted.RevisedPublishingInterval) or settings.publishing_ms
    alive_s = interval * max(1, int(granted.RevisedMaxKeepAliveCount)) / 1000
    return Watch(int(granted.SubscriptionId), interval, alive_s)


async def watch(
    session: Session, settings: Settings, made: Watch, points: Sequence[Point], handles: Sequence[int]
) -> None:
    """Add items for ``points[h] for h in handles`` to ``made``; what the server refuses lands in ``made.missing``."""
    wanted: list[tuple[int, ua.NodeId]] = []
    for handle in handles:
        made.missing.pop(handle, None)
        try:
            wanted.append(
                (handle, codec.node_id(str(points[handle].address.get("node", "")), session.namespaces))
            )
        except ValueError as error:
            made.missing[handle] = str(error)
    size, at = session.limits.monitor, 0
    while at < len(wanted):
        part = wanted[at : at + size]
        try:
            await _create(session, settings, made, points, part, filtered=True)
        except ua.UaStatusCodeError as error:
            if error.code not in _TOO_MANY or size == 1:
                raise
            size = max(1, size // 2)  # the server's limit is below what it says, or it says none
            continue
        at += len(part)
    session.limits.monitor = size


async def _create(
    session: Session,
    settings: Settings,
    made: Watch,
    points: Sequence[Point],
    part: list[tuple[int, ua.NodeId]],
    *,
    filtered: bool,
) -> None:
    request = ua.CreateMonitoredItemsRequest()
    request.Parameters.SubscriptionId = made.id
    request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Source
    request.Parameters.ItemsToCreate = [
        _item(node, handle, points[handle], made, settings, filtered=filtered) for handle, node in part
    ]
    results = (await session.ask(request, ua.CreateMonitoredItemsResponse)).Results
    again: list[tuple[int, ua.NodeId]] = []
    for (handle, node), result in zip(part, results, strict=True):
        if result.StatusCode.is_bad():
            if filtered and result.StatusCode.value in _NO_FILTER:
                again.append((handle, node))
            else:
                made.missing[handle] = str(result.StatusCode.name)
            continue
        made.handles.append(handle)
        interval = max(float(result.RevisedSamplingInterval), sampling_ms(points[handle], made.publishing_ms))
        if int(result.RevisedQueueSize) * interval < made.publishing_ms:
            made.short.append(handle)
    if again:  # a server that knows no filters still reports changes of value and status
        await _create(session, settings, made, points, again, filtered=False)


def _item(
    node: ua.NodeId, handle: int, point: Point, made: Watch, settings: Settings, *, filtered: bool
) -> ua.MonitoredItemCreateRequest:
    parameters = ua.MonitoringParameters(ClientHandle=handle, DiscardOldest=True)
    parameters.SamplingInterval = sampling_ms(point, made.publishing_ms)
    parameters.QueueSize = queue_size(point, made.publishing_ms, settings.buffer_s)
    if filtered:
        parameters.Filter = ua.DataChangeFilter(Trigger=ua.DataChangeTrigger.StatusValueTimestamp)
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds.Value),
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=parameters,
    )


def sampling_ms(point: Point, publishing_ms: float) -> float:
    """Time between two samples of a point; the publishing interval where the plant names no rate."""
    return 1000.0 / point.rate_hz if point.rate_hz > 0 else publishing_ms


def queue_size(point: Point, publishing_ms: float, buffer_s: float) -> int:
    """Room for everything sampled between two deliveries, or during a cut of ``buffer_s``, and a margin."""
    need = math.ceil(max(publishing_ms, buffer_s * 1000) / sampling_ms(point, publishing_ms))
    return min(MAX_QUEUE, need + QUEUE_MARGIN)
