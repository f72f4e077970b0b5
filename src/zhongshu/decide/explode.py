"""A work order becomes lots: product lots, and for each the lots of its parts; a lot that was lost is made again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from zhongshu.decide.work import Lot, LotStatus, Order, Work, closed
from zhongshu.model.plant import Plant, Product


def explode(plant: Plant, order: Order, number: Callable[[], int]) -> Iterator[Lot]:
    """All lots of an order, each parent before its parts. ``number`` gives a fresh lot number."""
    product = plant.product_of[order.product]
    left = order.quantity
    while left > 0:
        pieces = min(product.lot_size, left)
        left -= pieces
        yield from _with_parts(plant, order.id, product, pieces, 0, number)


def remake(work: Work, lost: Lot, number: Callable[[], int]) -> None:
    """Nothing good is left of a lot: another takes its place, with the parts that were not built in yet."""
    product = work.product(lost)
    again = Lot(number(), lost.order, lost.product, lost.quantity, lost.parent, good=lost.quantity)
    again.build_at = dict(lost.build_at)
    made = [again]
    there = {
        p.product: p
        for p in work.lots.values()
        if p.parent == lost.number and not closed(p) and p.status is not LotStatus.LEFT
    }
    for component in product.components:
        part = there.get(component.product)
        if part is not None:
            part.parent = again.number
            made.append(part)
        elif work.plant.product_of[component.product].routing:
            needed = math.ceil(component.quantity * lost.quantity)
            made += _with_parts(
                work.plant, lost.order, work.plant.product_of[component.product], needed, again.number, number
            )
    for lot in made:
        work.lots[lot.number] = lot
        work.touch(lot)


def grow(work: Work, number: Callable[[], int]) -> None:
    """Orders that somebody added pieces to get lots for them."""
    while work.grown:
        name, pieces = work.grown.pop()
        for lot in explode(work.plant, replace(work.orders[name], quantity=pieces), number):
            work.lots[lot.number] = lot
            work.touch(lot)


def _with_parts(
    plant: Plant, order: str, product: Product, pieces: int, parent: int, number: Callable[[], int]
) -> Iterator[Lot]:
    lot = Lot(number(), order, product.id, pieces, parent, good=pieces)
    yield lot
    for component in product.components:
        part = plant.product_of[component.product]
        if not part.routing:
            continue  # bought, always at hand
        needed = math.ceil(component.quantity * pieces)
        yield from _with_parts(plant, order, part, needed, lot.number, number)
