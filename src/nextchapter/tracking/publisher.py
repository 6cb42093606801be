"""Live curves: a listener of the event log that sends what is final to MLflow while a run trains."""

import contextlib
import logging
import queue
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from nextchapter.store.events import Event
from nextchapter.tracking.address import TrackingError, resolve_uri
from nextchapter.tracking.points import milliseconds, parameters_of, points_of

if TYPE_CHECKING:
    from nextchapter.tracking.store import Experiment

LOGGER = logging.getLogger(__name__)
WAITING_BATCHES = 1000
RETRY_S = 60.0
"""Seconds until a store that failed is tried again."""
_PARAMETERS = ("model", "training", "seed", "tokenizer")
_FAILED = "no live curves in MLflow: %s; training goes on, this is tried again, and all is published at the end"


def open_publisher(spec: Mapping[str, Any], run_key: str, uri: str | None, every_s: float) -> "LivePublisher":
    """Return the publisher of a training.

    Args:
        spec: the specification of `train_model`.
        run_key: the training's digest of all that its result depends on.
        uri: the store as the configuration names it; None is the default store.
        every_s: seconds between two batches.
    """
    parameters = {key: spec[key] for key in _PARAMETERS}
    return LivePublisher(spec["study"], spec["run"], run_key, uri, parameters, every_s)


class LivePublisher:
    """Sends the final events of a run in batches, from a thread of its own.

    It never blocks, slows or fails the training: the queue is bounded and what does not fit is dropped. A store that
    fails is told of once and tried again every minute; what was on its way is dropped. `track_run` adds at the end
    whatever is missing.
    """

    def __init__(
        self,
        study: str,
        run: str,
        run_key: str,
        uri: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        every_s: float = 5.0,
    ) -> None:
        """Prepare; the thread starts, and mlflow is imported there, with the first events.

        Args:
            study: name of the experiment.
            run: name of the run.
            run_key: tag by which a resumed training, and `track_run`, find the run again.
            uri: the store as the configuration names it; None is the default store.
            parameters: nested values to show from the start; `track_run` publishes the same and more.
            every_s: seconds between two batches.
        """
        self._study, self._run, self._run_key = study, run, run_key
        self._uri, self._parameters, self._every_s = resolve_uri(uri), dict(parameters or {}), every_s
        self._waiting: queue.Queue[list[Event]] = queue.Queue(WAITING_BATCHES)
        self._closing = threading.Event()
        self._first: Event = {}
        self._run_id, self._status = "", ""
        self._thread = threading.Thread(target=self._work, name=f"publisher of {run}", daemon=True)

    def __call__(self, events: list[Event]) -> None:
        """Take final events; return at once."""
        if not events or self._closing.is_set():
            return
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(events)
        if self._thread.ident is None:
            self._first = events[0]
            self._thread.start()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Close; a training that ends with an error is shown as failed, until it goes on."""
        self.close(status="FAILED" if error else "")

    def close(self, timeout_s: float = 10.0, status: str = "") -> None:
        """Send what waits, for at most `timeout_s` seconds.

        Args:
            timeout_s: the store may be slow; the training does not wait longer for it.
            status: MLflow's status of a run that did not reach its end; without one, `track_run` ends it.
        """
        self._status = status
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _work(self) -> None:
        try:
            from nextchapter.tracking.store import store_errors
        except ImportError as error:
            LOGGER.warning("no live curves: %s", error)
            return
        done = told = False
        while not done:
            try:
                with store_errors(self._uri):
                    self._publish()
                done = True
            except TrackingError as error:
                LOGGER.log(logging.DEBUG if told else logging.WARNING, _FAILED, error)
                told, done = True, self._closing.wait(RETRY_S)

    def _publish(self) -> None:
        from nextchapter.tracking.store import ensure_experiment

        experiment = ensure_experiment(self._study, self._uri)
        self._run_id = self._run_id or self._find_or_create_run(experiment)
        closing = False
        while not closing:
            experiment.log_points(self._run_id, points_of(self._drain()))
            closing = self._closing.wait(self._every_s)
        experiment.log_points(self._run_id, points_of(self._drain()))
        if self._status:
            experiment.client.set_terminated(self._run_id, self._status)

    def _drain(self) -> list[Event]:
        events: list[Event] = []
        while not self._waiting.empty():
            events.extend(self._waiting.get())
        return events

    def _find_or_create_run(self, experiment: "Experiment") -> str:
        """Return the run to write to: a resumed training goes on with its own, a new one gets a new one."""
        from nextchapter.tracking.store import RUN_KEY

        found = experiment.find_runs(f"tags.{RUN_KEY} = '{self._run_key}'") if self._first["event"] == "resume" else []
        if found:
            run_id = str(found[0].info.run_id)
            experiment.client.update_run(run_id, status="RUNNING")
            return run_id
        run_id = experiment.create_run(self._run, milliseconds(self._first["time"]), {RUN_KEY: self._run_key})
        experiment.log_parameters(run_id, parameters_of(self._parameters))
        return run_id
