"""The directory that counts now: the one published in storage, else the file in the deployment.

Its owner may change either while calls come in. What is broken or cannot be reached changes nothing
that is live, and is told once.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, assert_never

from switchboard import limits
from switchboard.directory import Directory, DirectoryError, parse_directory
from switchboard.generations import Generations, Pointer, Seen, Unusable
from switchboard.ledger import StorageUnavailable

ROOT = Path(__file__).parents[1]
"""The app's root, to which AGENTS_FILE is relative: hosts do not say where they run us."""

_FAULT = "fault: see python -m switchboard check"
_Event = Literal["directory_read", "directory_refused", "directory_unreachable"]
_Source = Literal["file", "published"]
_Stamp: TypeAlias = tuple[int, int] | None
"""Size and time of change; None: there is no file."""

_UNREAD: _Stamp = (-1, -1)


@dataclass(frozen=True)
class News:
    """Something to log; it quotes nothing of the directory."""

    event: _Event
    source: _Source
    generation: str | None
    """The one in use from now on; None: there is no good one."""

    agents: int
    what: str | None = None
    line: int | None = None


class LiveDirectory:
    """Gives the newest good directory. Belongs to one event loop; `report` may be called on
    another thread."""

    def __init__(
        self,
        file: Path,
        published: Generations | None,
        now: Callable[[], float],
        report: Callable[[News], None],
    ) -> None:
        """`file`: absolute, or relative to the app's root. `now`: the loop's clock."""
        self._path = ROOT / file
        self._published, self._now, self._report = published, now, report
        self._one_at_a_time = asyncio.Lock()
        self._file: Directory | None = None
        self._file_stamp = _UNREAD
        self._file_read_at = float("-inf")
        self._generation: Directory | None = None
        """The last good one of those published."""
        self._known: str | None = None
        """ETag of the pointer, once everything was done that it asks for."""
        self._tried_at = float("-inf")
        self._compared_at = float("-inf")
        """When the look began that last had an answer."""
        self._unreachable = False

    @property
    def directory(self) -> Directory | None:
        """What is in memory; None while there has been no good one."""
        return self._generation or self._file

    async def current(self) -> Directory | None:
        """The directory for a call that begins now. Waits only where memory is older than was
        promised, and then not for long."""
        self.read_file()
        age_s = self._now() - self._compared_at
        if self._published is None or age_s <= limits.DIRECTORY_PROMISED_S:
            return self.directory
        first = self._compared_at == float("-inf")
        wait_s = limits.DIRECTORY_FIRST_WAIT_S if first else limits.DIRECTORY_WAIT_S
        try:
            async with asyncio.timeout(wait_s):
                await self.freshen()
        except TimeoutError:
            self._tried_at = float("-inf")  # it is tried at leisure when the call was seen to
            self._complain_of_storage(f"no answer within {wait_s:g} s")
        return self.directory

    async def freshen(self) -> None:
        """Looks for something newer, unless that was done a moment ago: for when nobody waits."""
        if self._file_is_due():
            await asyncio.to_thread(self.read_file)
        if self._published is None:
            return
        async with self._one_at_a_time:
            if self._now() - self._tried_at >= limits.DIRECTORY_LOOK_EVERY_S:
                self._tried_at = self._now()
                await self._look(self._published)

    # --- the file ---------------------------------------------------------------------------------

    def read_file(self) -> None:
        """Reads the file, if it counts and has changed. Blocks for a few milliseconds then."""
        if not self._file_is_due():
            return
        self._file_read_at = self._now()
        stamp = self._read_stamp()
        if stamp == self._file_stamp:
            return
        self._file_stamp = stamp
        try:
            self._file = parse_directory(self._path.read_bytes(), source=self._path.name)
        except OSError as error:
            self._tell("directory_refused", "file", type(error).__name__)
        except DirectoryError as error:
            self._refuse("file", error)
        else:
            self._tell("directory_read", "file")

    def _file_is_due(self) -> bool:
        waited_s = self._now() - self._file_read_at
        return self._generation is None and waited_s >= limits.DIRECTORY_LOOK_EVERY_S

    def _read_stamp(self) -> _Stamp:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_size, stat.st_mtime_ns

    # --- what is published ------------------------------------------------------------------------

    async def _look(self, published: Generations) -> None:
        began = self._now()
        try:
            seen = await published.pointer(self._known)
            match seen:
                case Pointer():
                    await self._take(published, seen)
                    self._known = seen.etag
                case None:
                    await self._withdraw()
                case Seen.UNCHANGED:
                    pass
                case _:
                    assert_never(seen)
        except StorageUnavailable as error:
            self._complain_of_storage(str(error))
        else:
            self._compared_at = began
            self._unreachable = False

    async def _withdraw(self) -> None:
        """Nothing is published, or nothing any more: the file counts."""
        if self._known is not None:
            self._known = self._generation = None
            self._file_stamp, self._file_read_at = _UNREAD, float("-inf")
            await asyncio.to_thread(self.read_file)

    async def _take(self, published: Generations, pointer: Pointer) -> None:
        """Raises `StorageUnavailable`: to be tried again."""
        name = pointer.generation
        if name is None:
            self._tell("directory_refused", "published", "the pointer names no generation")
            return
        if self._generation is not None and name == self._generation.generation:
            return
        try:
            content = await published.content(name)
            read = await asyncio.to_thread(parse_directory, content, source=name)
        except Unusable as error:
            self._tell("directory_refused", "published", str(error))
            return
        except DirectoryError as error:
            self._refuse("published", error)
            return
        if read.generation != name:
            self._tell("directory_refused", "published", f"generation {name} was changed")
            return
        self._generation = read
        self._tell("directory_read", "published")

    # --- what is told -----------------------------------------------------------------------------

    def _refuse(self, source: _Source, error: DirectoryError) -> None:
        for fault in error.faults:  # texts may quote the file: the log has the lines alone
            self._tell("directory_refused", source, _FAULT, fault.line)

    def _complain_of_storage(self, what: str) -> None:
        if not self._unreachable:
            self._unreachable = True
            self._tell("directory_unreachable", "published", what)

    def _tell(
        self, event: _Event, source: _Source, what: str | None = None, line: int | None = None
    ) -> None:
        now = self.directory
        generation, agents = (None, 0) if now is None else (now.generation, len(now.agents))
        self._report(News(event, source, generation, agents, what, line))
