"""A function app, loaded and invoked by the real `azure-functions-runtime`.

The library keeps its registry in module globals: one app per process at a time. Several hosts may
share it, as several instances share one deployed app.
"""

import importlib
import json
import secrets
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.functions_messages import SUCCESS, Fields, ParameterBinding, request

ENTRY_MODULE = "function_app"
"""The v2 programming model: `function_app.py` in the app's root, no other place or name."""


class AppLoadError(Exception):
    """The app could not be indexed; the text is the runtime's own, with the app's traceback."""


class InvocationFailed(Exception):
    """A function raised; the text is its error and traceback."""


@dataclass(frozen=True)
class Function:
    """One indexed function."""

    name: str
    id: str
    bindings: tuple[Mapping[str, Any], ...]
    """As function.json would hold them."""

    @property
    def trigger(self) -> Mapping[str, Any]:
        return next(b for b in self.bindings if str(b["type"]).lower().endswith("trigger"))

    def has_trigger(self, kind: str) -> bool:
        return str(self.trigger["type"]).lower() == kind.lower()


@dataclass(frozen=True)
class App:
    """A loaded app."""

    directory: Path
    functions: Mapping[str, Function]
    route_prefix: str

    async def invoke(self, name: str, data: Any, *, traceparent: str | None) -> Any:
        """Runs the function with `data` (TypedData) as its trigger's value; returns the TypedData
        of its return value, or None.

        The function sees a child of `traceparent` (W3C Trace Context), or a new trace. Raises
        `InvocationFailed`.
        """
        import azure_functions_runtime as runtime

        function = self.functions[name]
        invocation = Fields(
            invocation_id=str(uuid.uuid4()),
            function_id=function.id,
            trigger_metadata={},
            input_data=[ParameterBinding(name=function.trigger["name"], data=data)],
            trace_context=Fields(
                trace_parent=_child_of(traceparent), trace_state="", attributes={}
            ),
            retry_context=Fields(retry_count=0, max_retry_count=0, exception=None),
        )
        answer = await runtime.invocation_request(request(invocation_request=invocation))
        _raise_failure(answer.result, InvocationFailed)
        return answer.return_value


_current: App | None = None
_on_path: str | None = None


async def load(directory: Path, *, anew: tuple[str, ...] = ()) -> App:
    """Loads the app in `directory` (absolute), or returns it if it is the one that is loaded.

    `anew` names the top-level packages to import again with it (and loads it in any case), so that
    what it reads at import is read again. Raises `AppLoadError`.
    """
    global _current, _on_path
    if _current is not None and _current.directory == directory and not anew:
        return _current
    unload(*anew)
    _on_path = str(directory)
    sys.path.insert(0, _on_path)
    _current = await _index(directory)
    return _current


def unload(*packages: str) -> None:
    """Forgets the app that is loaded, its entry module, and the top-level `packages`."""
    global _current, _on_path
    forgotten = {ENTRY_MODULE, *packages}
    for name in [n for n in sys.modules if n.partition(".")[0] in forgotten]:
        del sys.modules[name]
    importlib.invalidate_caches()
    if _on_path is not None:
        sys.path.remove(_on_path)
    _current, _on_path = None, None


async def _index(directory: Path) -> App:
    import azure_functions_runtime as runtime

    init = Fields(capabilities={}, function_app_directory=str(directory))
    answer = await runtime.worker_init_request(request(worker_init_request=init))
    _raise_failure(answer.result, AppLoadError)
    runtime.start_threadpool_executor()  # for functions that are no coroutines
    listed = await runtime.functions_metadata_request(request())
    if not listed.function_metadata_results:
        raise AppLoadError(f"{directory / ENTRY_MODULE}.py is missing or registers no function")
    functions = {
        f.name: Function(f.name, f.function_id, tuple(json.loads(b) for b in f.raw_bindings))
        for f in listed.function_metadata_results
    }
    return App(directory, functions, _route_prefix(directory))


def _route_prefix(directory: Path) -> str:
    """host.json: extensions.http.routePrefix, `api` unless set."""
    host_json = directory / "host.json"
    settings = json.loads(host_json.read_text()) if host_json.exists() else {}
    http = settings.get("extensions", {}).get("http", {})
    return str(http.get("routePrefix", "api")).strip("/")


def _raise_failure(result: Any, error: type[Exception]) -> None:
    if result.status != SUCCESS:
        raise error(f"{result.exception.message}\n{result.exception.stack_trace}")


def _child_of(traceparent: str | None) -> str:
    """The host's own span in the caller's trace: the function's parent."""
    parts = (traceparent or "").split("-")
    trace, flags = (parts[1], parts[3]) if len(parts) == 4 else (secrets.token_hex(16), "00")
    return f"00-{trace}-{secrets.token_hex(8)}-{flags}"
