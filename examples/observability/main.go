// Command observability traces and counts logins with OpenTelemetry, and learns nothing of the people.
//
//	go run ./examples/observability
//
// starts it with a simulated service, and prints spans, and metrics every ten seconds, as JSON; open the address that
// it prints. Change the exporters in [newTelemetry] to send them elsewhere. What is to be learned:
//
//   - kakunin links no tracing library and has no switch for one. otelhttp goes around the handler, and around the
//     transport of the http.Client in authn.Config.HTTPClient: the requests to the service are children of the
//     callback.
//   - What happened to a login is in authn.Config.Audit: one event for each, counted here by kind, family and reason,
//     timed, and added to the span. Event.Login is the same for the beginning and the end of one login, which are two
//     traces. Bind an alarm to family "untrusted".
//   - What instrumentation records is decided by a list of what may be recorded ([recorded]), not by one of what may
//     not: the address and the browser of a person are gone, and the callback's query, with code and state, was never
//     there.
//   - Whoever comes from outside does not choose the trace (WithPublicEndpointFn).
package main

import (
	"context"
	_ "embed" // for the pages
	"io"
	"net/http"
	"os"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/examples/internal/stage"
	"github.com/kakunin-go/kakunin/middleware"
)

//go:embed pages.html
var pagesHTML string

func main() { stage.Main(example(os.Stdout)) }

func example(out io.Writer) stage.Example {
	return stage.Example{
		Name: "observability", About: "Traces and metrics of logins with OpenTelemetry, without personal data.",
		New: func(s *stage.Stage) (http.Handler, error) { return newSite(s, out) },
	}
}

func newSite(s *stage.Stage, out io.Writer) (http.Handler, error) {
	t, err := newTelemetry(out)
	if err != nil {
		return nil, err
	}
	s.AtEnd(t.shutdown)
	pages, err := stage.ParsePages(pagesHTML)
	if err != nil {
		return nil, err
	}
	audit, err := t.audit()
	if err != nil {
		return nil, err
	}
	client, err := s.Client("観測の店 / Observed Shop", authn.Config{
		RedirectURL: s.URL + "/auth/callback",
		HTTPClient:  &http.Client{Transport: otelhttp.NewTransport(s.Transport(), t.options()...)},
		Audit:       audit,
	})
	if err != nil {
		return nil, err
	}
	login, err := middleware.New(middleware.Config{
		Client: client, SealKeys: middleware.NewSealKeys(), OnError: pages.Error, Now: s.Now, Logger: s.Logger,
		Scopes: authn.Name,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for _, path := range []string{"/auth/login", "/auth/callback", "/auth/logout"} {
		mux.Handle(path, login) // one by one: the route is the span's name
	}
	mux.Handle("GET /{$}", login.Optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages.Show(w, r, "home", nil)
	})))
	mux.Handle("GET /account", login.RequireFunc(func(w http.ResponseWriter, r *http.Request) {
		pages.Show(w, r, "account", middleware.IdentityFrom(r.Context()).Person.Name.Reveal())
	}))
	return otelhttp.NewHandler(mux, "", t.options()...), nil
}

// audit makes the function that hears of every login.
func (t *telemetry) audit() (func(context.Context, authn.Event), error) {
	meter := t.metrics.Meter("github.com/kakunin-go/kakunin/examples/observability")
	logins, err := meter.Int64Counter("kakunin.logins", metric.WithUnit("{login}"),
		metric.WithDescription("Logins begun, finished and refused."))
	if err != nil {
		return nil, err
	}
	took, err := meter.Float64Histogram("kakunin.login.duration", metric.WithUnit("s"),
		metric.WithDescription("From the beginning of a login to its end, with the person at the card in between."),
		metric.WithExplicitBucketBoundaries(5, 10, 20, 30, 60, 120, 300, 900))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, e authn.Event) {
		what := []attribute.KeyValue{attribute.String("kakunin.event", e.Kind.String())}
		if e.Kind == authn.LoginRefused || e.Kind == authn.RefreshRefused {
			what = append(what, attribute.String("kakunin.family", e.Family.String()),
				attribute.String("kakunin.reason", e.Reason.String()))
		}
		logins.Add(ctx, 1, metric.WithAttributes(what...))
		if e.Took > 0 {
			took.Record(ctx, e.Took.Round(time.Millisecond).Seconds(), metric.WithAttributes(what...))
		}
		span := trace.SpanFromContext(ctx) // of the request: the callback's, or that of /auth/login
		span.SetAttributes(attribute.String("kakunin.login", e.Login))
		span.AddEvent(e.Kind.String(), trace.WithAttributes(what...))
	}, nil
}
