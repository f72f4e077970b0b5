"""zhongshu 中枢: an open factory brain that senses, understands, decides, acts and proves it."""

__version__ = "0.1.0"
