package timestamping_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/timestamping"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

// query is TimeStampReq of RFC 3161, 2.4.1, so far as a wrong one is made of it.
type query struct {
	Version int
	Imprint imprint
	Rest    asn1.RawValue `asn1:"optional"`
}

type imprint struct {
	Algorithm algorithm
	Digest    []byte
}

type algorithm struct{ ID asn1.ObjectIdentifier }

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// failure is the bit of PKIFailureInfo in a refusal; -1 is a token.
func failure(t *testing.T, answer []byte) int {
	t.Helper()
	var response struct {
		Status struct {
			Status  int
			Failure asn1.BitString `asn1:"optional"`
		}
		Token asn1.RawValue `asn1:"optional"`
	}
	if rest, err := asn1.Unmarshal(answer, &response); err != nil || len(rest) > 0 {
		t.Fatalf("%x: %v", answer, err)
	}
	if response.Status.Status == 0 {
		return -1
	}
	for i := range response.Status.Failure.BitLength {
		if response.Status.Failure.At(i) == 1 {
			return i
		}
	}
	t.Fatalf("%x: neither a token nor a reason", answer)
	return 0
}

// TestRefusals: what is wrong with a query is answered with the bit of RFC 3161, 2.4.2: badAlg 0, badDataFormat 5,
// unacceptedPolicy 15.
func TestRefusals(t *testing.T) {
	t.Parallel()
	authority, err := timestamping.New(timestamping.Config{})
	if err != nil {
		t.Fatal(err)
	}
	sha256ID := asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	md5 := asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}
	sum := sha256.Sum256([]byte("signature"))
	type longer struct{ A, D, R any }
	good := func() query { return query{Version: 1, Imprint: imprint{algorithm{sha256ID}, sum[:]}} }
	raw := func(v any) asn1.RawValue { return asn1.RawValue{FullBytes: marshal(t, v)} }
	with := func(change func(*query)) []byte {
		q := good()
		change(&q)
		return marshal(t, q)
	}
	overlong := asn1.RawValue{FullBytes: []byte{2, 2, 0, 1}} // an INTEGER that is not DER
	for what, c := range map[string]struct {
		query []byte
		want  int
	}{
		"good":              {with(func(*query) {}), -1},
		"its policy":        {with(func(q *query) { q.Rest = raw(timestamping.Policy()) }), -1},
		"a nonce":           {with(func(q *query) { q.Rest = raw(7) }), -1},
		"nothing":           {nil, 5},
		"no sequence":       {marshal(t, 1), 5},
		"another version":   {with(func(q *query) { q.Version = 2 }), 5},
		"something behind":  {append(with(func(*query) {}), 5, 0), 5},
		"no imprint":        {marshal(t, struct{ Version int }{1}), 5},
		"an empty imprint":  {marshal(t, struct{ V, I any }{1, struct{}{}}), 5},
		"an imprint's rest": {marshal(t, struct{ V, I any }{1, longer{algorithm{sha256ID}, sum[:], 1}}), 5},
		"a short digest":    {with(func(q *query) { q.Imprint.Digest = sum[:20] }), 0},
		"MD5":               {with(func(q *query) { q.Imprint.Algorithm.ID = md5 }), 0},
		"another's policy":  {with(func(q *query) { q.Rest = raw(asn1.ObjectIdentifier{1, 2, 3}) }), 15},
		"a broken policy":   {with(func(q *query) { q.Rest = asn1.RawValue{FullBytes: []byte{6, 1, 0x80}} }), 5},
		"an overlong nonce": {with(func(q *query) { q.Rest = overlong }), 5},
	} {
		if got := failure(t, authority.Answer(c.query, timestamping.Faults{})); got != c.want {
			t.Errorf("%s: %d, want %d", what, got, c.want)
		}
	}
	tooMuch := timestamping.Faults{Purposes: []asn1.ObjectIdentifier{{9}}}
	if got := failure(t, authority.Answer(with(func(*query) {}), tooMuch)); got != 25 { // systemFailure
		t.Errorf("a fault that cannot be encoded: %d", got)
	}
}

// TestHTTP: RFC 3161, 3.4: a query is posted with its own type, and answered with its own.
func TestHTTP(t *testing.T) {
	t.Parallel()
	authority, err := timestamping.New(timestamping.Config{Seed: "another"})
	if err != nil {
		t.Fatal(err)
	}
	body, err := timestamp.Of([]byte("signature")).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		method, kind string
		body         io.Reader
		status       int
	}{
		"good":         {http.MethodPost, "application/timestamp-query", bytes.NewReader(body), http.StatusOK},
		"GET":          {http.MethodGet, "application/timestamp-query", nil, http.StatusBadRequest},
		"another type": {http.MethodPost, "application/ocsp-request", bytes.NewReader(body), http.StatusBadRequest},
		"no type":      {http.MethodPost, "", bytes.NewReader(body), http.StatusBadRequest},
		"cut off": {http.MethodPost, "application/timestamp-query", io.MultiReader(strings.NewReader("0"), broken{}),
			http.StatusBadRequest},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, "/tsa", c.body)
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		w := httptest.NewRecorder()
		authority.ServeHTTP(w, r)
		good := c.status == http.StatusOK
		if w.Code != c.status || good != (w.Header().Get("Content-Type") == "application/timestamp-reply") {
			t.Errorf("%s: %d %q", what, w.Code, w.Header())
		}
		if good && failure(t, w.Body.Bytes()) != -1 {
			t.Errorf("%s: %x", what, w.Body.Bytes())
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("cut off") }
