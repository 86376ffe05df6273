"""The Functions app: the host looks for it here, under this name."""

import os

import azure.functions as func

from functions import call_events, incoming_call
from functions.loading import Loading

loading = Loading(os.environ)
app = func.FunctionApp()
app.register_functions(incoming_call.blueprint(loading))
app.register_functions(call_events.blueprint(loading))
loading.begin_soon()
