"""The record that a stage of tracking leaves: the ids in MLflow, or why nothing could be published."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nextchapter.store.files import write_json
from nextchapter.tracking.address import TrackingError, configured_uri, public_uri, resolve_uri

LOGGER = logging.getLogger(__name__)


def keep_record(path: Path, spec: dict[str, Any], publish: Callable[[str], dict[str, str]]) -> None:
    """Publish, and write down how it went; a store out of reach is a warning.

    `failed_attempts` is a param of the rule, read from the record before the call: a failure counts it up, so
    that the next call of Snakemake publishes again.

    Args:
        path: the record.
        spec: `uri` and `failed_attempts` are read.
        publish: does the work at an address and returns the ids to keep; raises `TrackingError`.
    """
    uri, failed_attempts = resolve_uri(configured_uri(spec["uri"])), spec.get("failed_attempts", 0)
    try:
        found: dict[str, Any] = {**publish(uri), "published": True, "failed_attempts": failed_attempts}
    except TrackingError as error:
        LOGGER.warning("not published to MLflow: %s; the results are complete, and the next call tries again", error)
        found = {"published": False, "failed_attempts": failed_attempts + 1, "reason": str(error)}
    write_json(path, {**found, "tracking_uri": public_uri(uri)})
