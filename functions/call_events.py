"""The HTTP function that Azure Communication Services calls back."""

import azure.functions as func

from functions.loading import Loading


def blueprint(loading: Loading) -> func.Blueprint:
    """The function `call_events` at `calls/{call_id}/{token}`.

    Open to the network: a function key in the URL would add nothing to the token that is in it and
    the JWT that is checked.
    """
    functions = func.Blueprint()  # type: ignore[no-untyped-call]  # it ships so

    @functions.function_name("call_events")
    @functions.route(
        route="calls/{call_id}/{token}",
        trigger_arg_name="request",
        methods=["POST"],
        auth_level=func.AuthLevel.ANONYMOUS,
    )
    async def call_events(request: func.HttpRequest) -> func.HttpResponse:
        services = await loading.services()
        from functions.callbacks import MARK, hear  # needs the SDKs, which are loaded by now

        status = await hear(
            services,
            request.route_params.get("call_id", ""),
            request.route_params.get("token", ""),
            request.headers.get("Authorization"),
            request.get_body(),
        )
        return func.HttpResponse(status_code=status, headers=MARK)

    return functions
