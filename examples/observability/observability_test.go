package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/examples/internal/stage/stagetest"
)

// output is what the program prints.
type output struct {
	mu sync.Mutex
	bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.Buffer.Write(p)
}

type attributes []struct {
	Key   string
	Value struct{ Value any }
}

func (a attributes) get(key string) any {
	for _, kv := range a {
		if kv.Key == key {
			return kv.Value.Value
		}
	}
	return nil
}

type event struct {
	Name       string
	Attributes attributes
}

type span struct {
	Name                string
	SpanContext, Parent struct{ TraceID, SpanID string }
	Attributes          attributes
	Events              []event
}

type point struct {
	Attributes attributes
	Value      float64
	Count      uint64
}

// read returns the spans, and the measurements by name.
func read(t *testing.T, text []byte) (spans []span, measured map[string][]point) {
	t.Helper()
	measured = map[string][]point{}
	d := json.NewDecoder(bytes.NewReader(text))
	for {
		var one struct {
			span
			ScopeMetrics []struct {
				Metrics []struct {
					Name string
					Data struct{ DataPoints []point }
				}
			}
		}
		if err := d.Decode(&one); errors.Is(err, io.EOF) {
			return spans, measured
		} else if err != nil {
			t.Fatal(err)
		}
		if one.Name != "" {
			spans = append(spans, one.span)
		}
		for _, scope := range one.ScopeMetrics {
			for _, m := range scope.Metrics {
				measured[m.Name] = m.Data.DataPoints
			}
		}
	}
}

func find(t *testing.T, spans []span, name string) span {
	t.Helper()
	i := slices.IndexFunc(spans, func(s span) bool { return strings.HasPrefix(s.Name, name) })
	if i < 0 {
		t.Fatalf("no span %q", name)
	}
	return spans[i]
}

// A whole visit, and one that is cancelled: what is recorded of them, and what is not.
func TestVisit(t *testing.T) {
	out := &output{}
	site := stagetest.Open(t, example(out))
	hanako := site.Guest(person.Hanako)
	stagetest.Expect(t, hanako.Open("/"), http.StatusOK, `id="login"`)
	stagetest.Expect(t, hanako.Open("/account"), http.StatusOK, "花子")
	// Somebody gives up: the service sends them back with an error.
	site.Sim.SetKnobs(daa.Knobs{Token: daa.TokenKnobs{IDToken: daa.IDTokenKnobs{Fault: daa.FaultNonce}}})
	stagetest.Expect(t, site.Guest(person.Hanako).Open("/account"), http.StatusBadRequest)
	if err := site.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	spans, measured := read(t, out.Bytes())

	// The requests to the service are children of the callback; beginning and end of a login have the same mark.
	begun, callback := span{}, span{}
	for _, s := range spans {
		for _, e := range s.Events {
			switch e.Name {
			case "login begun":
				if begun.Name == "" {
					begun = s
				}
			case "login finished":
				callback = s
			case "login refused":
				if e.Attributes.get("kakunin.family") != "untrusted" ||
					e.Attributes.get("kakunin.reason") != "ID token" {
					t.Errorf("refused as %v", e)
				}
			}
		}
	}
	if begun.Name != "/auth/login" || callback.Name != "/auth/callback" ||
		callback.Attributes.get("kakunin.login") == nil ||
		begun.Attributes.get("kakunin.login") != callback.Attributes.get("kakunin.login") {
		t.Errorf("%+v\n%+v", begun, callback)
	}
	children := 0
	for _, s := range spans {
		if s.Parent.SpanID == callback.SpanContext.SpanID {
			children++
			if s.SpanContext.TraceID != callback.SpanContext.TraceID || s.Attributes.get("url.full") == nil {
				t.Errorf("%+v", s)
			}
		}
	}
	if children < 3 { // token, keys, userinfo
		t.Errorf("%d requests to the service in the callback", children)
	}
	find(t, spans, "GET /account")

	counts := map[any]float64{}
	for _, p := range measured["kakunin.logins"] {
		counts[p.Attributes.get("kakunin.event")] += p.Value
	}
	if counts["login begun"] != 2 || counts["login finished"] != 1 || counts["login refused"] != 1 {
		t.Errorf("%v", counts)
	}
	for _, name := range []string{"kakunin.login.duration", "http.server.request.duration",
		"http.client.request.duration"} {
		if len(measured[name]) == 0 {
			t.Errorf("%s was not measured", name)
		}
	}

	// Nothing tells who it was: no attribute beyond the list, and no secret or personal data anywhere.
	for _, s := range spans {
		for _, kv := range s.Attributes {
			if !slices.Contains([]string{
				"http.request.method", "http.response.status_code", "http.route", "error.type", "server.address",
				"server.port",
				"url.scheme", "url.full", "kakunin.login",
			}, kv.Key) {
				t.Errorf("%s has %s", s.Name, kv.Key)
			}
		}
	}
	p := site.Sim.Card().Person().Reveal()
	for _, secret := range []string{
		p.Name, "花子", p.Address, p.Subject.Birthdate, "code=", "state=", "eyJ", "iPhone", "client.address",
		"user_agent",
	} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q was recorded", secret)
		}
	}
}
