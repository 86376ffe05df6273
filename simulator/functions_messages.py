"""The messages that a Functions host and its Python worker exchange, as plain objects.

`azure-functions-runtime` (1.3.0), the library that runs Python functions in the cloud, is handed
its protobuf classes by whoever drives it. It only makes messages by keyword, reads their fields
and asks `WhichOneof`, so plain objects with the names of the public protocol (FunctionRpc.proto of
azure-functions-language-worker-protobuf) do, without protobuf or gRPC. Cookies are not covered.
"""

from types import SimpleNamespace
from typing import Any


class Message:
    """A message: its known fields, None where not given."""

    fields: tuple[str, ...] = ()
    oneof: tuple[str, ...] = ()
    """Fields of which at most one is set; here each message has one such group at most."""

    def __init__(self, **given: Any) -> None:
        unknown = set(given) - set(self.fields) - set(self.oneof)
        if unknown:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(sorted(unknown))}")
        self.given = given

    def __getattr__(self, name: str) -> Any:
        if name in type(self).fields or name in type(self).oneof:
            return self.given.get(name)
        raise AttributeError(f"{type(self).__name__} has no field {name}")

    def WhichOneof(self, _group: str) -> str | None:  # protobuf's own name
        """The field of the group that is set."""
        return next((name for name in self.oneof if name in self.given), None)


def _message(name: str, fields: str = "", oneof: str = "", **constants: int) -> type[Message]:
    members = {"fields": tuple(fields.split()), "oneof": tuple(oneof.split()), **constants}
    return type(name, (Message,), members)


TypedData = _message(
    "TypedData",
    oneof="string json bytes stream http int double collection_bytes collection_string"
    " collection_double collection_sint64 model_binding_data collection_model_binding_data",
)
RpcHttp = _message(
    "RpcHttp",
    "method url headers body params status_code query enable_content_negotiation cookies",
)
ParameterBinding = _message("ParameterBinding", "name", "data rpc_shared_memory")
SUCCESS = 1
StatusResult = _message("StatusResult", "status result exception logs", Failure=0, Success=SUCCESS)

# Only ever made by the host.
Fields = _message(
    "Fields",
    "worker_init_request invocation_request capabilities function_app_directory"
    " invocation_id function_id input_data trigger_metadata trace_context retry_context"
    " trace_parent trace_state attributes retry_count max_retry_count exception",
)

PROTOS = SimpleNamespace(
    TypedData=TypedData,
    RpcHttp=RpcHttp,
    ParameterBinding=ParameterBinding,
    StatusResult=StatusResult,
    RpcException=_message("RpcException", "source stack_trace message"),
    WorkerMetadata=_message(
        "WorkerMetadata",
        "runtime_name runtime_version worker_version worker_bitness custom_properties",
    ),
    WorkerInitResponse=_message("WorkerInitResponse", "capabilities worker_metadata result"),
    FunctionMetadataResponse=_message(
        "FunctionMetadataResponse",
        "use_default_metadata_indexing function_metadata_results result",
    ),
    RpcFunctionMetadata=_message(
        "RpcFunctionMetadata",
        "name function_id managed_dependency_enabled directory script_file entry_point is_proxy"
        " language bindings raw_bindings retry_options properties",
    ),
    RpcRetryOptions=_message(
        "RpcRetryOptions",
        "max_retry_count retry_strategy delay_interval minimum_interval maximum_interval",
    ),
    BindingInfo=_message("BindingInfo", "type data_type direction", out=1, inout=2, undefined=0),
    InvocationResponse=_message(
        "InvocationResponse", "invocation_id output_data return_value result"
    ),
)
"""What the library looks its classes up in."""


def request(**fields: Any) -> SimpleNamespace:
    """A request as the library takes it: the message, and the classes to answer with."""
    return SimpleNamespace(
        request=Fields(**fields), properties={"host": "127.0.0.1", "protos": PROTOS}
    )
