"""Publishes events and results to MLflow, which shows them; the only importer of mlflow.

MLflow is a projection of the files under results/ and is never read back by the workflow. A store out of
reach costs a warning, never a run.
"""

import os

# Read by mlflow when it is imported, and by the server that `make ui` starts; what the user has set stays.
_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}

for _name, _value in _DEFAULTS.items():
    os.environ.setdefault(_name, _value)
