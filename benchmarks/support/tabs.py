"""A browser tab without a browser: speaks the server's WebSocket protocol, refreshes as a tab would, and keeps time.

The protocol's messages are Streamlit's own. A fragment that refreshes itself is driven by its tab: the server says how
often (`auto_rerun`), the tab asks. Draws nothing and remembers no element but exceptions.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

_LOOK_SECONDS = 0.5
_BIG = 1 << 28


@dataclass(slots=True)
class Seen:
    """What one tab saw.

    Attributes:
        first_load: Seconds from the request to the end of the first run of the page; None before it.
        refreshes: Seconds from each request to refresh a fragment to the end of its run.
        live: Those of `refreshes` that drew a chart.
        exceptions: Exception elements and runs that ended badly, as text.
        n_bytes: Bytes received.
        charts: For each chart component, its newest data as JSON text.
        closed: Whether the server has closed the connection.
    """

    first_load: float | None = None
    refreshes: list[float] = field(default_factory=list)
    live: list[float] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    n_bytes: int = 0
    charts: dict[str, str] = field(default_factory=dict)
    closed: bool = False


class Tab(threading.Thread):
    """One open page; started by `open`, ended by `close`.

    Args:
        address: The server, `http://127.0.0.1:8501`.
        page: Address of the page without its slash, "" for the first one.
        query: What stands behind the question mark.
    """

    def __init__(self, address: str, page: str = "", query: str = "") -> None:
        super().__init__(name=f"tab {page}", daemon=True)
        self.seen = Seen()
        self.loaded = threading.Event()
        self._address, self._page, self._query = address, page, query
        self._ended = threading.Event()
        self._asked: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._every: dict[str, float] = {}
        self._chosen: dict[str, str] = {}
        self._rows_of_tabs: list[str] = []
        self._wanted: str | None = None
        self._running: tuple[str, ...] = ()
        self._drawn = False
        self._page_hash = ""
        self._began = 0.0

    def open(self, seconds: float = 60.0) -> Tab:
        """Open the page and wait for the end of its first run.

        Raises:
            TimeoutError: If it has not ended within so many seconds.
        """
        self.start()
        deadline = time.monotonic() + seconds
        while not self.loaded.wait(_LOOK_SECONDS):
            if not self.is_alive() or time.monotonic() > deadline:
                self.close()
                raise TimeoutError(f"The page {self._page or '/'} was not there after {seconds:g} s.")
        return self

    def choose(self, label: str, seconds: float = 60.0) -> None:
        """Choose a part of the page by its label, as a click on its tab does, and wait for the end of that run.

        Raises:
            TimeoutError: If it has not ended within so many seconds.
        """
        self.loaded.clear()
        self._wanted = label
        if not self.loaded.wait(seconds):
            raise TimeoutError(f"{label} was not shown after {seconds:g} s.")

    def close(self) -> None:
        """Close the tab."""
        self._ended.set()
        self.join(30)

    def run(self) -> None:
        """Ask, receive and refresh until closed."""
        url = f"{self._address.replace('http', 'ws', 1)}/_stcore/stream"
        try:
            with connect(url, origin=self._address, subprotocols=["streamlit"], max_size=_BIG, close_timeout=2) as line:  # type: ignore[arg-type,list-item]
                self._began = time.monotonic()
                self._ask(line, "")
                while not self._ended.is_set():
                    self._receive(line)
                    self._refresh(line)
                    self._click(line)
        except (ConnectionClosed, OSError):
            self.seen.closed = True

    def _ask(self, line: ClientConnection, fragment: str) -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash, state.fragment_id = self._query, self._page_hash, fragment
        if not self._page_hash:
            state.page_name = self._page
        state.is_auto_rerun = bool(fragment)
        for row, label in self._chosen.items():
            state.widget_states.widgets.add(id=row, string_value=label)
        line.send(message.SerializeToString())

    def _receive(self, line: ClientConnection) -> None:
        now = time.monotonic()
        wait = min([_LOOK_SECONDS, *(due - now for due in self._due.values())])
        try:
            data = line.recv(timeout=max(0.0, wait))
        except TimeoutError:
            return
        self.seen.n_bytes += len(data)
        if isinstance(data, bytes):
            self._take(ForwardMsg.FromString(data))

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._begin(tuple(message.metadata.run.fragment_ids))
        elif kind == "navigation":
            self._page_hash = message.navigation.page_script_hash
        elif kind == "auto_rerun":
            fragment, every = message.auto_rerun.fragment_id, message.auto_rerun.interval
            self._every[fragment] = every
            self._due[fragment] = time.monotonic() + every
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._forget(fragment)
        elif kind == "delta":
            self._look_at(message)
        elif kind == "script_finished":
            self._finish(message)

    def _begin(self, fragments: tuple[str, ...]) -> None:
        self._running, self._drawn = fragments, False
        if not fragments:  # the whole page runs again: what refreshed itself is announced anew
            for fragment in tuple(self._every):
                self._forget(fragment)

    def _finish(self, message: ForwardMsg) -> None:
        now = time.monotonic()
        status = message.script_finished
        if status == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self.seen.exceptions.append("the script did not compile")
        if status == ForwardMsg.FINISHED_EARLY_FOR_RERUN and not self._running:
            return  # of a fragment it means that the next one began before the messages, all kept, were sent
        if not self._running and self.seen.first_load is None:
            self.seen.first_load = now - self._began
        if not self._running and self._wanted is None:
            self.loaded.set()
        taken = [now - self._asked.pop(fragment) for fragment in self._running if fragment in self._asked]
        self.seen.refreshes += taken
        if self._drawn:
            self.seen.live += taken

    def _look_at(self, message: ForwardMsg) -> None:
        tabs = message.delta.add_block.tab_container.id
        if tabs and tabs not in self._rows_of_tabs:
            self._rows_of_tabs.append(tabs)
        element = message.delta.new_element
        if element.WhichOneof("type") == "exception":
            self.seen.exceptions.append(f"{element.exception.type}: {element.exception.message}"[:500])
        elif element.WhichOneof("type") == "bidi_component":
            self.seen.charts[element.bidi_component.id] = element.bidi_component.json
            self._drawn = True

    def _refresh(self, line: ClientConnection) -> None:
        now = time.monotonic()
        for fragment, due in tuple(self._due.items()):
            if now >= due:
                self._asked.setdefault(fragment, now)
                self._due[fragment] = now + self._every[fragment]
                self._ask(line, fragment)

    def _click(self, line: ClientConnection) -> None:
        if self._wanted is not None and self.seen.first_load is not None:
            self._chosen = dict.fromkeys(self._rows_of_tabs, self._wanted)
            self._wanted = None
            self._ask(line, "")

    def _forget(self, fragment: str) -> None:
        for table in (self._every, self._due, self._asked):
            table.pop(fragment, None)
