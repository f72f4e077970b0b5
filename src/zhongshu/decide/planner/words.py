"""The planner's words for people, always in both languages: an answer does not know who reads it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from zhongshu.decide.planning.build_modes import POWER
from zhongshu.kernel.clock import NS
from zhongshu.kernel.strings import strings_of
from zhongshu.model.plant import Plant

LANGUAGES = ("zh", "en")
#: The order that is only asked about.
ASKED = "?quote"


def both(key: str, **values: Any) -> dict[str, str]:
    """A text in both languages; a value that is itself in both is taken in each."""
    texts = strings_of("zhongshu.decide.planner")
    return {
        language: texts.text(
            key, language, **{k: v[language] if isinstance(v, dict) else v for k, v in values.items()}
        )
        for language in LANGUAGES
    }


def hour(plant: Plant, t_ns: int) -> str:
    """The local time of day."""
    return datetime.fromtimestamp(t_ns / NS, ZoneInfo(plant.timezone)).strftime("%H:%M")


def unit_name(plant: Plant, unit: str) -> dict[str, str]:
    """As the plant file calls it."""
    known = plant.unit_of.get(unit)
    return {"zh": known.name.zh, "en": known.name.en} if known is not None else {"zh": unit, "en": unit}


def pool_name(plant: Plant, pool: str) -> dict[str, str]:
    """People or tools as the plant file calls them; power is the cap on all."""
    known = next((p for p in plant.pools if p.id == pool), None)
    if known is not None:
        return {"zh": known.name.zh, "en": known.name.en}
    return both("name.power") if pool == POWER else {"zh": pool, "en": pool}


def order_name(plant: Plant, order: str, product: str, step: int) -> dict[str, str]:
    """An order, and the operation of which of its products."""
    made = plant.product_of[product]
    values = {
        "order": both("quote.name") if order == ASKED else order,
        "product": {"zh": made.name.zh, "en": made.name.en},
        "operation": str(made.routing[step].operation),
    }
    return both("name.task", **values)
