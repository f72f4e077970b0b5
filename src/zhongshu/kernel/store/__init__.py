"""What must be transactional: orders, lots, commands, gaps, decisions; the stages write it, pages and restarts read it."""

from zhongshu.kernel.store.store import Store, StoreError

__all__ = ["Store", "StoreError"]
