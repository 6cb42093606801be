"""The record that a stage of tracking leaves: the ids in MLflow, or why nothing could be published."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nextchapter.store.files import write_json
from nextchapter.tracking.address import TrackingError, configured_uri, public_uri, resolve_uri
from nextchapter.tracking.store import Experiment, ensure_experiment, store_errors

LOGGER = logging.getLogger(__name__)


def keep_record(path: Path, spec: dict[str, Any], publish: Callable[[Experiment], dict[str, str]]) -> None:
    """Publish to the experiment of a study, and write down how it went; a store out of reach is a warning.

    Store and experiment are made where they are missing. `failed_attempts` is a param of the rule, read from the record
    before the call: a failure counts it up, so that the next call of Snakemake publishes again.

    Args:
        path: the record.
        spec: `study`, `uri` and `failed_attempts` are read.
        publish: does the work and returns the ids to keep beside that of the experiment.
    """
    uri, failed_attempts = resolve_uri(configured_uri(spec["uri"])), spec.get("failed_attempts", 0)
    try:
        with store_errors(uri):
            experiment = ensure_experiment(spec["study"], uri)
            ids = {"experiment_id": experiment.experiment_id, **publish(experiment)}
        found: dict[str, Any] = {**ids, "published": True, "failed_attempts": failed_attempts}
    except TrackingError as error:
        LOGGER.warning("not published to MLflow: %s; the results are complete, and the next call tries again", error)
        found = {"published": False, "failed_attempts": failed_attempts + 1, "reason": str(error)}
    write_json(path, {**found, "tracking_uri": public_uri(uri)})
