"""All constraint modules in their order: a fresh draft in, a model ready to solve out."""

from __future__ import annotations

from zhongshu.decide.scheduling.cp.arcs import link_all
from zhongshu.decide.scheduling.cp.buffers import buffer_all
from zhongshu.decide.scheduling.cp.decisions import decide_all
from zhongshu.decide.scheduling.cp.draft import Draft
from zhongshu.decide.scheduling.cp.materials import supply_all
from zhongshu.decide.scheduling.cp.moves import move_all
from zhongshu.decide.scheduling.cp.objective import price_all
from zhongshu.decide.scheduling.cp.placing import place_all
from zhongshu.decide.scheduling.cp.pools import share_all
from zhongshu.decide.scheduling.cp.units import occupy_all
from zhongshu.decide.scheduling.cp.vehicles import route_all


def build(draft: Draft) -> Draft:
    """Put every constraint of the problem into the draft."""
    place_all(draft)
    occupy_all(draft)
    link_all(draft)
    move_all(draft)
    route_all(draft)
    buffer_all(draft)
    share_all(draft)
    supply_all(draft)
    decide_all(draft)
    price_all(draft)
    return draft
