"""What is being done now, on stderr, where a person watches."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any, Self


class Progress(AbstractContextManager["Progress"]):
    """One moving line (or, without rich, one line after another); nothing elsewhere.

    >>> with Progress(shown=False) as progress:
    ...     progress.say("deriving")
    """

    def __init__(self, shown: bool) -> None:
        self._shown = shown and sys.stderr.isatty()
        self._status: Any = None

    def __enter__(self) -> Self:
        if self._shown:
            with suppress(ImportError):  # rich is an extra
                from rich.console import Console

                self._status = Console(stderr=True).status("")
                self._status.start()
        return self

    def say(self, text: str) -> None:
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(text))
        elif self._shown:
            print(text, file=sys.stderr, flush=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()
