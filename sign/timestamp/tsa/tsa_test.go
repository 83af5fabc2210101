package tsa_test

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/timestamping"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign/timestamp"
	"github.com/kakunin-go/kakunin/sign/timestamp/tsa"
)

var now = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

func authority(t *testing.T) (*timestamping.Authority, *timestamp.Verifier) {
	t.Helper()
	a, err := timestamping.New(timestamping.Config{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	root, err := certpath.ParseCertificate(a.Root().Raw)
	if err != nil {
		t.Fatal(err)
	}
	v, err := timestamp.NewVerifier(timestamp.VerifierConfig{
		Anchors: []*certpath.Certificate{root}, Revocation: revocation.InsecureNoRevocation(), Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, v
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestStamp(t *testing.T) {
	t.Parallel()
	a, v := authority(t)
	url := serve(t, a)
	for name, c := range map[string]tsa.Config{
		"plain": {URL: url, Verifier: v, Now: clock},
		"SHA-512, a policy, credentials": {
			URL: url, Verifier: v, Now: clock, Hash: crypto.SHA512, Policy: timestamping.Policy(),
			Authorize: func(r *http.Request) error { r.SetBasicAuth("bank", "secret"); return nil },
		},
	} {
		client, err := tsa.New(c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := client.Stamp(t.Context(), []byte("署名値"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !got.Time.Equal(now) || c.Hash != 0 && got.Hash != c.Hash {
			t.Errorf("%s: time %v, hash %v", name, got.Time, got.Hash)
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	a, v := authority(t)
	reply := func(f func(request []byte) []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			request, _ := io.ReadAll(r.Body)
			w.Header().Set("Content-Type", "application/timestamp-reply")
			_, _ = w.Write(f(request))
		}
	}
	var first []byte // an answer that is played again
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    error
		family  kakunin.Family
	}{
		"refused": {
			reply(func(q []byte) []byte { return a.Answer(q, timestamping.Faults{Failure: 15}) }),
			&timestamp.Error{Reason: timestamp.ReasonRefused}, kakunin.Unavailable,
		},
		"of another request": {
			reply(func(q []byte) []byte {
				if first == nil {
					other, err := timestamp.Of([]byte("署名値")).Marshal()
					if err != nil {
						return nil
					}
					first = a.Answer(other, timestamping.Faults{})
				}
				return first
			}),
			&timestamp.Error{Reason: timestamp.ReasonNonce}, kakunin.Untrusted,
		},
		"an hour old": {
			reply(func(q []byte) []byte {
				return a.Answer(q, timestamping.Faults{Info: func(i *timestamping.Info) { i.Time = "20261121020000Z" }})
			}),
			&timestamp.Error{Reason: timestamp.ReasonTime}, kakunin.Untrusted,
		},
		"nothing": {reply(func([]byte) []byte { return nil }), &timestamp.Error{Reason: timestamp.ReasonMalformed},
			kakunin.Untrusted},
		"too large": {
			reply(func([]byte) []byte { return make([]byte, 512<<10) }),
			&tsa.Error{Reason: tsa.ReasonUnavailable, Step: "size"}, kakunin.Unavailable,
		},
		"a web page": {
			func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
			&tsa.Error{Reason: tsa.ReasonUnavailable, Step: "content-type"}, kakunin.Unavailable,
		},
		"an error": {
			func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) },
			&tsa.Error{Reason: tsa.ReasonUnavailable, Step: "http-status"}, kakunin.Unavailable,
		},
		"a redirect": {
			func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "/elsewhere",
					http.StatusTemporaryRedirect)
			},
			&tsa.Error{Reason: tsa.ReasonUnavailable, Step: "http-status"}, kakunin.Unavailable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := tsa.New(tsa.Config{URL: serve(t, c.handler), Verifier: v, Now: clock})
			if err != nil {
				t.Fatal(err)
			}
			got, err := client.Stamp(t.Context(), []byte("署名値"))
			if got != nil || !errors.Is(err, c.want) || kakunin.FamilyOf(err) != c.family {
				t.Errorf("got %v of family %v", err, kakunin.FamilyOf(err))
			}
		})
	}
}

// A request that reached the authority is not sent again: timestamps may cost money.
func TestNotSentTwice(t *testing.T) {
	t.Parallel()
	_, v := authority(t)
	var asked atomic.Int64
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		panic(http.ErrAbortHandler)
	}))
	client, err := tsa.New(tsa.Config{URL: url, Verifier: v, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Stamp(t.Context(), nil); !errors.Is(err, &tsa.Error{Reason: tsa.ReasonUnavailable}) ||
		asked.Load() != 1 {
		t.Errorf("got %v after %d requests", err, asked.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Stamp(ctx, nil); !errors.Is(err, &tsa.Error{Reason: tsa.ReasonUnavailable, Step: "cancelled"}) {
		t.Errorf("a context that has ended: %v", err)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	_, v := authority(t)
	for name, c := range map[string]tsa.Config{
		"no URL":      {Verifier: v},
		"http":        {URL: "http://tsa.example/", Verifier: v},
		"a user":      {URL: "https://u:p@tsa.example/", Verifier: v},
		"no verifier": {URL: "https://tsa.example/"},
		"SHA-1":       {URL: "https://tsa.example/", Verifier: v, Hash: crypto.SHA1},
		"no TLS": {URL: "https://tsa.example/", Verifier: v, HTTPClient: &http.Client{
			Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		}},
	} {
		_, err := tsa.New(c)
		if !errors.Is(err, &tsa.Error{Reason: tsa.ReasonConfiguration}) || strings.Contains(err.Error(), "example") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := tsa.New(tsa.Config{URL: "http://tsa.example/", AllowHTTP: true, Verifier: v}); err != nil {
		t.Errorf("http that is allowed: %v", err)
	}
}
