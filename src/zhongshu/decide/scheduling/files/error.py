"""What is wrong with a problem or solution file: from the readers to whoever wrote the file, in both languages."""

from __future__ import annotations

from typing import Any

from zhongshu.decide.scheduling.check.words import both


class ProblemFileError(Exception):
    """A file that cannot be used: ``file``, ``line`` (from 1; 0: no one line), ``what`` is wrong, ``remedy``.

    ``what`` and ``remedy`` are English, ``what_zh`` and ``remedy_zh`` say the same in Chinese.
    """

    def __init__(self, file: str, line: int, key: str, /, **values: Any) -> None:
        self.file, self.line = file, line
        self._key, self._values = key, values
        self.what, self.what_zh = both(f"file.{key}.what", **values)
        self.remedy, self.remedy_zh = both(f"file.{key}.remedy", **values)
        super().__init__(self.text("en"))

    def of(self, file: str) -> ProblemFileError:
        """The same error of a named file; its readers did not know the name."""
        return ProblemFileError(file, self.line, self._key, **self._values)

    def text(self, language: str) -> str:
        """One or two lines in ``zh`` or ``en``."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        what, remedy = (self.what_zh, self.remedy_zh) if language == "zh" else (self.what, self.remedy)
        return f"{where}: {what}\n    → {remedy}"
