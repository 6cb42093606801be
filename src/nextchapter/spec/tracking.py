"""Where runs are shown."""

from typing import Annotated

from pydantic import Field

from nextchapter.spec.base import Spec

TRACKING = "NEXTCHAPTER_TRACKING"
"""Environment variable by which the stages get these values, as JSON: an address may hold a password."""


class TrackingSpec(Spec):
    """The MLflow store."""

    uri: str | None = None
    """Address of an MLflow server, or a `sqlite:///` address; null is `results/mlflow.db`."""
    live: bool = True
    """Send metrics while a run trains."""
    every_s: Annotated[float, Field(gt=0)] = 5.0
    """Seconds between two batches of live metrics."""
