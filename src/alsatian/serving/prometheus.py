"""What is counted, for Prometheus. No label holds an id, a title or a query."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

from alsatian.serving.settings import FOLDER

_BOUNDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Counters:
    """The figures of one application."""

    def __init__(self) -> None:
        own = self._own = CollectorRegistry()
        self._answers = Counter("alsatian_requests", "Requests answered.", ["method", "route", "status"], registry=own)
        self._seconds = Histogram(
            "alsatian_request_seconds", "Time from request to answer.", ["route"], buckets=_BOUNDS, registry=own
        )
        self.events = Counter("alsatian_events", "Events by what became of them.", ["outcome"], registry=own)
        self.folded = Counter("alsatian_folded_in", "Lists of users made with new events.", registry=own)
        self.without_events = Counter(
            "alsatian_without_events",
            "Lists of users made without the events database, which was out of reach.",
            registry=own,
        )
        self.swaps = Counter("alsatian_model_swaps", "New models taken into service.", registry=own)
        self.refusals = Counter("alsatian_model_refusals", "Model files refused.", registry=own)
        self.since = Gauge(
            "alsatian_model_since_seconds", "When the model was taken into service.",
            multiprocess_mode="livemin", registry=own,
        )  # fmt: skip

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        known = method if method in ("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH") else "other"
        self._answers.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Return the figures, of all workers together, in Prometheus's form."""
        if not os.environ.get(FOLDER):
            return generate_latest(self._own)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
