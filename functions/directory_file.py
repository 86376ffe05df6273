"""The directory of agents as a file that its owner may edit while calls come in."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from functions.limits import DIRECTORY_CHECK_EVERY_S
from functions.log import log
from switchboard.directory import Directory, DirectoryError, parse_directory

_Stamp: TypeAlias = tuple[int, int] | None
"""Size and time of change; None: there is no file."""


class DirectoryFile:
    """Gives the newest good directory; a file that got broken changes nothing that is live.

    `now` is the loop's clock. Reading blocks for a millisecond or two, when the file changed.
    """

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self._path = path
        self._now = now
        self._looked_at = float("-inf")
        self._stamp: _Stamp = None
        self._directory: Directory | None = None

    def directory(self) -> Directory | None:
        """The directory to use now; None while there has been no good one."""
        if self._now() - self._looked_at >= DIRECTORY_CHECK_EVERY_S:
            self._looked_at = self._now()
            self._look()
        return self._directory

    def _look(self) -> None:
        stamp = self._read_stamp()
        if stamp == self._stamp and (stamp is not None or self._directory is not None):
            return
        self._stamp = stamp
        try:
            self._directory = parse_directory(self._path.read_bytes(), source=self._path.name)
        except OSError as error:
            self._complain(type(error).__name__)
        except DirectoryError as error:
            for fault in error.faults:  # texts may quote the file: the log has the lines alone
                self._complain("fault: see python -m switchboard check", line=fault.line)
        else:
            agents = len(self._directory.agents)
            log("directory_read", generation=self._directory.generation, agents=agents)

    def _read_stamp(self) -> _Stamp:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_size, stat.st_mtime_ns

    def _complain(self, what: str, line: int | None = None) -> None:
        kept = self._directory.generation if self._directory is not None else None
        log("directory_refused", logging.ERROR, what=what, line=line, kept=kept)
