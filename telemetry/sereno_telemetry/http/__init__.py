"""HTTP requests that a service answers: the middleware, the metrics it feeds, the routes it names."""
