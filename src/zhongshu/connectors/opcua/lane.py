"""The fast lane of our OPC UA server: a published sample becomes bytes once and waits in the queues of whoever watches it.

asyncua would copy and compare one object for each sample and subscriber and encode it again for each delivery; here a
sample costs a few microseconds. Everything that is not one of our variables still goes asyncua's own way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncua import ua
from asyncua.server.address_space import AddressSpace
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.monitored_item_service import MonitoredItemService
from asyncua.server.subscription_service import SubscriptionService

from zhongshu.connectors.opcua import codec
from zhongshu.model.batch import BAD
from zhongshu.model.plant import Point

MIN_PUBLISHING_MS = 20.0
MAX_QUEUE = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BAD = ua.StatusCode(ua.UInt32(codec.BAD_CODE))
_UNCERTAIN = ua.StatusCode(ua.UInt32(codec.UNCERTAIN_CODE))

Sample = tuple[int, float, int]  # t_ns, value, quality


class Variable:
    """One point on the wire. ``sampled`` is the last counted sample; ``shown`` what a read sees, a write included."""

    __slots__ = ("items", "kind", "node", "point", "sampled", "shown", "unit")

    def __init__(self, node: ua.NodeId, unit: str, point: Point) -> None:
        self.node, self.unit, self.point = node, unit, point
        self.kind = codec.wire_kind(point.kind)
        self.sampled: Sample | None = None
        self.shown: Sample | None = None
        self.items: list[Item] = []

    def publish(self, t_ns: int, value: float, quality: int) -> None:
        """Make one sample available: readable, and queued for every subscriber."""
        if quality != BAD and value != value:
            quality = BAD
        self.sampled = self.shown = (t_ns, value, quality)
        if self.items:
            data = codec.encode_sample(self.kind, value, quality, t_ns)
            for item in self.items:
                item.offer(data, value, quality)

    def read(self, _node: ua.NodeId, _attribute: ua.AttributeIds) -> ua.DataValue:
        """What a client that reads gets."""
        if self.shown is None:
            return ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(codec.WAITING)))
        t_ns, value, quality = self.shown
        at = _EPOCH + timedelta(microseconds=t_ns // 1000)
        if quality == BAD:
            return ua.DataValue(StatusCode=_BAD, SourceTimestamp=at)
        content = ua.Variant(codec.native(self.kind, value), self.kind)
        return ua.DataValue(
            content, StatusCode=_UNCERTAIN if quality else ua.StatusCode(), SourceTimestamp=at
        )


class Item:
    """One subscriber's monitored item on a variable, with its queue of samples already in bytes."""

    __slots__ = (
        "deadband",
        "head",
        "id",
        "last",
        "overflowed",
        "queue",
        "reporting",
        "size",
        "trigger",
        "variable",
        "wake",
    )

    def __init__(
        self, number: int, variable: Variable, parameters: ua.MonitoringParameters, *, reporting: bool,
        wake: Callable[[Item], None],
    ) -> None:  # fmt: skip
        self.id, self.variable, self.wake, self.reporting = number, variable, wake, reporting
        self.queue: deque[bytes] = deque()
        self.overflowed = False
        self.last: tuple[float, int] | None = None
        self.set(parameters)

    def set(self, parameters: ua.MonitoringParameters) -> None:
        """Take over what the client asks for (CreateMonitoredItems, ModifyMonitoredItems)."""
        self.head = int(parameters.ClientHandle).to_bytes(4, "little")
        self.size = min(max(1, int(parameters.QueueSize)), MAX_QUEUE)
        given = parameters.Filter if isinstance(parameters.Filter, ua.DataChangeFilter) else None
        self.trigger = given.Trigger if given else ua.DataChangeTrigger.StatusValue
        absolute = given is not None and given.DeadbandType == ua.DeadbandType.Absolute
        self.deadband = float(given.DeadbandValue) if given and absolute else 0.0

    def offer(self, data: bytes, value: float, quality: int) -> None:
        """Queue the sample if the client's filter lets it through; the oldest makes room, and that is marked."""
        if not self.reporting:
            return
        if self.trigger != ua.DataChangeTrigger.StatusValueTimestamp or self.deadband:
            if self.last is not None and self.last[1] == quality and not self._moved(self.last[0], value):
                return
            self.last = (value, quality)
        queue = self.queue
        if not queue:
            self.wake(self)
        elif len(queue) >= self.size:
            queue.popleft()
            self.overflowed = self.size > 1  # a queue of one is no queue: by the standard it never overflows
        queue.append(data)

    def _moved(self, before: float, value: float) -> bool:
        if self.trigger == ua.DataChangeTrigger.Status:
            return False
        return abs(value - before) > self.deadband if self.deadband else value != before

    def take(self, into: list[bytes]) -> None:
        """Empty the queue into a notification."""
        if self.overflowed:
            self.queue[0] = codec.with_overflow(self.queue[0])
            self.overflowed = False
        head = self.head
        into += [head + data for data in self.queue]
        self.queue.clear()


class LaneItems(MonitoredItemService):  # type: ignore[misc]
    """Monitored items of one subscription: those on our variables are ours, the rest asyncua's."""

    isub: LaneSubscription

    def __init__(
        self, subscription: LaneSubscription, space: AddressSpace, variables: dict[ua.NodeId, Variable]
    ) -> None:
        super().__init__(subscription, space)
        self._variables = variables
        self._ours: dict[int, Item] = {}

    async def _create_data_change_monitored_item(
        self, params: ua.MonitoredItemCreateRequest
    ) -> ua.MonitoredItemCreateResult:
        wanted = params.ItemToMonitor
        variable = self._variables.get(wanted.NodeId) if wanted.AttributeId == ua.AttributeIds.Value else None
        if variable is None:
            return await super()._create_data_change_monitored_item(params)
        result, record = self._make_monitored_item_common(params)
        reporting = params.MonitoringMode == ua.MonitoringMode.Reporting
        number = int(result.MonitoredItemId)
        item = Item(number, variable, params.RequestedParameters, reporting=reporting, wake=self.isub.wake)
        result.RevisedSamplingInterval = params.RequestedParameters.SamplingInterval
        result.RevisedQueueSize = ua.Counter(item.size)
        self._ours[number] = item
        variable.items.append(item)
        self._monitored_items[number] = record  # so that condition refresh and delete_all find it
        self._begin(item)
        return result

    def _begin(self, item: Item) -> None:
        """The first notification is the current sample, or that there is none yet."""
        sampled = item.variable.sampled
        if sampled is not None:
            t_ns, value, quality = sampled
            item.offer(codec.encode_sample(item.variable.kind, value, quality, t_ns), value, quality)
        elif item.reporting:
            self.isub.wake(item)
            item.queue.append(b"\x02" + codec.WAITING.to_bytes(4, "little"))

    def _modify_monitored_item(self, params: ua.MonitoredItemModifyRequest) -> ua.MonitoredItemModifyResult:
        item = self._ours.get(int(params.MonitoredItemId))
        if item is None:
            if params.MonitoredItemId not in self._monitored_items:
                return ua.MonitoredItemModifyResult(
                    StatusCode=ua.StatusCode(ua.StatusCodes.BadMonitoredItemIdInvalid)
                )
            return super()._modify_monitored_item(params)
        item.set(params.RequestedParameters)
        result = ua.MonitoredItemModifyResult(RevisedQueueSize=ua.Counter(item.size))
        result.RevisedSamplingInterval = params.RequestedParameters.SamplingInterval
        return result

    async def _set_monitoring_mode(self, mode: ua.MonitoringMode, mid: int) -> ua.StatusCode:
        item = self._ours.get(mid)
        if item is None:
            return await super()._set_monitoring_mode(mode, mid)
        was, item.reporting = item.reporting, mode == ua.MonitoringMode.Reporting
        if item.reporting and not was:
            self._begin(item)
        return ua.StatusCode()

    def _delete_monitored_items(self, mid: int) -> ua.StatusCode:
        item = self._ours.pop(mid, None)
        if item is None:
            return super()._delete_monitored_items(mid)
        item.variable.items.remove(item)
        item.reporting = False
        item.queue.clear()
        self._monitored_items.pop(mid, None)
        return ua.StatusCode()


class LaneSubscription(InternalSubscription):  # type: ignore[misc]
    """A subscription that delivers what our items hold, and whatever else asyncua queued."""

    def __init__(self, *args: Any, variables: dict[ua.NodeId, Variable], **more: Any) -> None:
        super().__init__(*args, **more)
        space: AddressSpace = args[1]
        self.monitored_item_srv = LaneItems(self, space, variables)
        self._waiting: list[Item] = []

    def wake(self, item: Item) -> None:
        """This item has something to deliver."""
        self._waiting.append(item)

    def has_published_results(self) -> bool:
        """Whether there is something to say, be it only that we are alive."""
        return bool(self._publishing_enabled and self._waiting) or super().has_published_results()

    def _pop_triggered_datachanges(self, result: ua.PublishResult) -> None:
        super()._pop_triggered_datachanges(result)
        waiting, self._waiting = self._waiting, []
        items: list[bytes] = []
        for item in waiting:
            if item.queue:
                item.take(items)
        if items:
            result.NotificationMessage.NotificationData.append(codec.data_change(items))


class LaneService(SubscriptionService):  # type: ignore[misc]
    """Makes subscriptions of the fast lane."""

    def __init__(
        self, space: AddressSpace, server: InternalServer, variables: dict[ua.NodeId, Variable]
    ) -> None:
        super().__init__(space, server)
        self._server, self._variables = server, variables

    async def create_subscription(
        self,
        params: ua.CreateSubscriptionParameters,
        callback: Callable[..., Any],
        session_id: ua.NodeId,
        request_callback: Callable[..., Any] | None = None,
    ) -> ua.CreateSubscriptionResult:
        """Grant what is asked for within the server's limits."""
        if len(self.subscriptions) >= self._server.max_subscriptions:
            raise ua.UaStatusCodeError(ua.StatusCodes.BadTooManySubscriptions)
        self._sub_id_counter += 1
        result = ua.CreateSubscriptionResult(SubscriptionId=ua.IntegerId(self._sub_id_counter))
        result.RevisedPublishingInterval = max(MIN_PUBLISHING_MS, params.RequestedPublishingInterval)
        result.RevisedLifetimeCount = self._clamp_lifetime_count(params.RequestedLifetimeCount)
        result.RevisedMaxKeepAliveCount = self._clamp_keep_alive_count(params.RequestedMaxKeepAliveCount)
        made = LaneSubscription(
            result, self.aspace, callback, session_id, request_callback=request_callback,
            delete_callback=lambda: self.subscriptions.pop(result.SubscriptionId, None),
            no_acks_limit=self._server.max_unacked_messages_per_subscription, max_queue_size=MAX_QUEUE,
            publishing_enabled=params.PublishingEnabled, variables=self._variables,
        )  # fmt: skip
        await made.start()
        self.subscriptions[result.SubscriptionId] = made
        return result
