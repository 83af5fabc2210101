package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// recorded are the attributes that spans and metrics may have. The others are dropped, also those that a later version
// of some instrumentation thinks of: client.address and user_agent.original are personal data, and a path may hold a
// name where a route does not.
var recorded = []attribute.Key{
	"http.request.method", "http.response.status_code", "http.route", "error.type", "server.address", "server.port",
	"url.scheme", "url.full", // of requests to the service, which have no query
	"kakunin.event", "kakunin.family", "kakunin.reason", "kakunin.login",
}

func mayBeRecorded(kv attribute.KeyValue) bool { return slices.Contains(recorded, kv.Key) }

// telemetry is where spans and measurements go.
type telemetry struct {
	traces  *sdktrace.TracerProvider
	metrics *sdkmetric.MeterProvider
}

func newTelemetry(out io.Writer) (*telemetry, error) {
	spans, err := stdouttrace.New(stdouttrace.WithWriter(out))
	if err != nil {
		return nil, err
	}
	measurements, err := stdoutmetric.New(stdoutmetric.WithWriter(out))
	if err != nil {
		return nil, err
	}
	everything := sdkmetric.Instrument{Name: "*"}
	return &telemetry{
		traces: sdktrace.NewTracerProvider(sdktrace.WithBatcher(lean{spans})),
		metrics: sdkmetric.NewMeterProvider(
			sdkmetric.WithReader(sdkmetric.NewPeriodicReader(measurements, sdkmetric.WithInterval(10*time.Second))),
			sdkmetric.WithView(sdkmetric.NewView(everything, sdkmetric.Stream{AttributeFilter: mayBeRecorded})),
		),
	}, nil
}

// shutdown sends what is left.
func (t *telemetry) shutdown(ctx context.Context) error {
	return errors.Join(t.traces.Shutdown(ctx), t.metrics.Shutdown(ctx))
}

// options are the same around the handler and around the transport.
func (t *telemetry) options() []otelhttp.Option {
	return []otelhttp.Option{
		otelhttp.WithTracerProvider(t.traces), otelhttp.WithMeterProvider(t.metrics),
		otelhttp.WithPublicEndpointFn(func(*http.Request) bool { return true }),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
			if r.Pattern == "" {
				return r.Method
			}
			return r.Pattern // the route, with the method where it has one: few names, and nothing of the person
		}),
	}
}

// lean exports spans with the recorded attributes only.
type lean struct{ sdktrace.SpanExporter }

// ExportSpans implements sdktrace.SpanExporter.
func (l lean) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	lighter := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		lighter[i] = leanSpan{s}
	}
	return l.SpanExporter.ExportSpans(ctx, lighter)
}

type leanSpan struct{ sdktrace.ReadOnlySpan }

// Attributes implements sdktrace.ReadOnlySpan.
func (s leanSpan) Attributes() (kept []attribute.KeyValue) {
	for _, kv := range s.ReadOnlySpan.Attributes() {
		if mayBeRecorded(kv) {
			kept = append(kept, kv)
		}
	}
	return kept
}
