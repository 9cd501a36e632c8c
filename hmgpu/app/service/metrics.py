"""What Prometheus reads: requests and their seconds by route, and the run that is served."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from hmgpu.app.service.served import Served

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """The figures of one service."""

    def __init__(self, served: Served) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "hmgpu_requests", "Requests by route and HTTP status.", ["route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "hmgpu_request_seconds", "Seconds a request.", ["route"], buckets=SECONDS, registry=self.registry
        )
        self._loads = Counter("hmgpu_loads", "Runs loaded, by outcome.", ["outcome"], registry=self.registry)
        self._run = Gauge("hmgpu_run", "1 for the run that is served.", ["run"], registry=self.registry)
        self._customers = Gauge("hmgpu_customers", "Customers with a list.", registry=self.registry)
        self.loaded(served)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def loaded(self, served: Served | None) -> None:
        """Count a try to load a run: what is served since, None if it failed."""
        self._loads.labels("failed" if served is None else "loaded").inc()
        if served is not None:
            self._run.clear()
            self._run.labels(served.name).set(1)
            self._customers.set(len(served.lists.ids))

    def text(self) -> bytes:
        """Return all figures as Prometheus reads them."""
        return generate_latest(self.registry)
