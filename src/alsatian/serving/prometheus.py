"""Metrics for Prometheus. No label contains an id, a title or a query."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

from alsatian.serving.settings import METRICS_FOLDER_VARIABLE

_LATENCY_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Counters:
    """The metrics of one application."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Counter(
            "alsatian_requests", "Requests answered.", ["method", "route", "status"], registry=registry
        )
        self._request_seconds = Histogram(
            "alsatian_request_seconds",
            "Time from request to response.",
            ["route"],
            buckets=_LATENCY_BUCKETS,
            registry=registry,
        )
        self.events = Counter("alsatian_events", "Events by outcome.", ["outcome"], registry=registry)
        self.fold_ins = Counter("alsatian_folded_in", "Lists with new events of the user folded in.", registry=registry)
        self.lists_without_events = Counter(
            "alsatian_without_events",
            "Lists without new events, because the event log was unavailable.",
            registry=registry,
        )
        self.reloads = Counter("alsatian_model_reloads", "Model files loaded since the start.", registry=registry)
        self.refusals = Counter("alsatian_model_reload_failures", "Model files rejected.", registry=registry)
        self.loaded_at = Gauge(
            "alsatian_model_loaded_at_seconds", "When the model was loaded, in seconds since 1970.",
            multiprocess_mode="livemin", registry=registry,
        )  # fmt: skip

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a response by method, route and status; `seconds` is the time since the request."""
        method_label = method if method in ("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH") else "other"
        self._requests.labels(method_label, route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def to_prometheus(self) -> bytes:
        """Return the metrics, summed over all workers, in the text format of Prometheus."""
        if not os.environ.get(METRICS_FOLDER_VARIABLE):
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
