"""Raw reads of every connector become Batches on the bus; what is missing goes into the gap ledger."""

from zhongshu.sense.sense import Sense

__all__ = ["Sense"]
