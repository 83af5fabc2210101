package revocation

import (
	"bytes"
	"context"
	"crypto"
	"crypto/fips140"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/revocation/responder"
)

// TestOCSPRequest reads the request with golang.org/x/crypto/ocsp.
func TestOCSPRequest(t *testing.T) {
	w := newOCSPWorld(t)
	for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		id, err := newCertID(hash, w.leaf.known(), w.ca.asked().known())
		if fips140.Enforced() && hash == crypto.SHA1 {
			if err == nil {
				t.Error("SHA-1 was used")
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		der, err := id.request(w.nonce)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ocsp.ParseRequest(der)
		if err != nil {
			t.Fatal(err)
		}
		if got.HashAlgorithm != hash || got.SerialNumber.Cmp(new(big.Int).SetBytes(w.leaf.Serial())) != 0 ||
			!bytes.Equal(got.IssuerNameHash, id.nameHash) || !bytes.Equal(got.IssuerKeyHash, id.keyHash) {
			t.Errorf("%v: %+v", hash, got)
		}
		if !bytes.HasSuffix(der, nonceExt(w.nonce)) {
			t.Error("no nonce")
		}
		plain, err := id.request(nil)
		if err != nil || bytes.Contains(plain, oid(oidOCSPNonce)) {
			t.Errorf("a nonce that was not asked for, %v", err)
		}
	}
	if _, err := newCertID(crypto.MD5, w.leaf.known(), w.ca.asked().known()); err == nil {
		t.Error("MD5 was used")
	}
}

// responder answers over HTTP like a good one, with the given hash in the CertID that it was asked with.
func (w *ocspWorld) handler(status func() []byte) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/ocsp-request" {
			http.Error(rw, "bad request", http.StatusBadRequest)
			return
		}
		id, nonce := readRequest(w.t, body)
		s := w.direct()
		s.singles = [][]byte{sequence(id, status(), generalizedTime(now),
			wrap(tag0c, generalizedTime(now.Add(time.Hour))))}
		s.extensions = nil
		if nonce != nil {
			s.extensions = [][]byte{nonceExt(nonce)}
		}
		rw.Header().Set("Content-Type", "application/ocsp-response")
		_, _ = rw.Write(s.sign())
	}
}

func readRequest(t testing.TB, raw cryptobyte.String) (id, nonce []byte) {
	var outer, tbs, list, request, one, extensions cryptobyte.String
	var present bool
	if !raw.ReadASN1(&outer, cbasn1.SEQUENCE) || !outer.ReadASN1(&tbs, cbasn1.SEQUENCE) ||
		!tbs.ReadASN1(&list, cbasn1.SEQUENCE) ||
		!list.ReadASN1(&request, cbasn1.SEQUENCE) || !request.ReadASN1Element(&one, cbasn1.SEQUENCE) ||
		!tbs.ReadOptionalASN1(&extensions, &present, tag2c) {
		t.Error("the request is malformed")
		return nil, nil
	}
	if present {
		found, ok := der.ReadExtensions(extensions)
		if e := der.Find(found, oidOCSPNonce); ok && e != nil {
			e.Value.ReadASN1Bytes(&nonce, cbasn1.OCTET_STRING)
		}
	}
	return one, nonce
}

func (w *ocspWorld) client(t *testing.T, h http.Handler, change ...func(*OCSPConfig)) (*OCSP, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	over, err := responder.New(responder.Config{URL: server.URL, HTTPClient: server.Client()})
	if err != nil {
		t.Fatal(err)
	}
	c := OCSPConfig{Responder: over, Now: func() time.Time { return now }}
	for _, m := range change {
		m(&c)
	}
	client, err := NewOCSP(c)
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestOCSPClient(t *testing.T) {
	w := newOCSPWorld(t)
	good := func() []byte { return statusGood }
	for name, change := range map[string]func(*OCSPConfig){
		"default":  func(*OCSPConfig) {},
		"SHA-256":  func(c *OCSPConfig) { c.CertIDHash = crypto.SHA256 },
		"no nonce": func(c *OCSPConfig) { c.NoNonce = true },
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := w.client(t, w.handler(good), change)
			answer, err := w.ca.ask(t, client, w.leaf, now)
			if err != nil || answer.Status != Good || answer.Method != "OCSP" || len(answer.Evidence) == 0 {
				t.Errorf("%v, %v", answer, err)
			}
		})
	}
	t.Run("through a policy", func(t *testing.T) {
		q := Query{Certificate: w.leaf, Issuer: w.ca.asked(), At: now}
		client, _ := w.client(t, w.handler(func() []byte { return statusRevoked(now.Add(-day), 3) }))
		if answer, err := Require(client).Ask(t.Context(), q); err != nil || answer.Status != Revoked {
			t.Errorf("%v, %v", answer, err)
		}
		client, _ = w.client(t, w.handler(good))
		if answer, err := Require(client).Ask(t.Context(), q); err != nil || answer.Status != Good ||
			answer.Method != "OCSP" {
			t.Errorf("%v, %v", answer, err)
		}
	})
	t.Run("each request has its own nonce", func(t *testing.T) {
		var nonces [][]byte
		h := w.handler(good)
		client, _ := w.client(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			_, nonce := readRequest(t, body)
			nonces = append(nonces, nonce)
			r.Body = io.NopCloser(bytes.NewReader(body))
			h(rw, r)
		}))
		for range 2 {
			if _, err := w.ca.ask(t, client, w.leaf, now); err != nil {
				t.Fatal(err)
			}
		}
		if len(nonces[0]) != 32 || bytes.Equal(nonces[0], nonces[1]) {
			t.Errorf("nonces %x", nonces)
		}
	})
	t.Run("replay of a recorded response", func(t *testing.T) {
		s := w.direct()
		client, _ := w.client(t, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/ocsp-response")
			_, _ = rw.Write(s.sign())
		}), func(c *OCSPConfig) { c.CertIDHash = crypto.SHA256 })
		if _, err := w.ca.ask(t, client, w.leaf, now); !errors.Is(err,
			&Error{Reason: ReasonResponse, Step: "ocsp.nonce"}) {
			t.Error(err)
		}
	})
	t.Run("ended context", func(t *testing.T) {
		client, _ := w.client(t, w.handler(good))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := client.Check(ctx, Query{Certificate: w.leaf, Issuer: w.ca.asked(), At: now})
		if !errors.Is(err, context.Canceled) || kakunin.FamilyOf(err) != kakunin.Unavailable ||
			strings.Contains(err.Error(), "127.0.0.1") {
			t.Error(err)
		}
	})
}

func TestOCSPTransport(t *testing.T) {
	w := newOCSPWorld(t)
	s := w.direct()
	der := s.sign()
	write := func(rw http.ResponseWriter, media string, body []byte) {
		rw.Header().Set("Content-Type", media)
		_, _ = rw.Write(body)
	}
	for _, tc := range []struct {
		name, step string
		handler    http.HandlerFunc
	}{
		{"status 500", "http-status", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/ocsp-response")
			rw.WriteHeader(http.StatusInternalServerError)
			_, _ = rw.Write(der)
		}},
		{"redirect", "http-status", func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				t.Error("the redirect was followed")
			}
			http.Redirect(rw, r, "/elsewhere", http.StatusTemporaryRedirect)
		}},
		{"HTML", "content-type", func(rw http.ResponseWriter, _ *http.Request) { write(rw, "text/html", der) }},
		{"no type", "content-type", func(rw http.ResponseWriter, _ *http.Request) { write(rw, "", der) }},
		{"too large", "size", func(rw http.ResponseWriter, _ *http.Request) {
			write(rw, "application/ocsp-response", make([]byte, limits.OCSPResponse+1))
		}},
		{"cut off", "transport", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Length", "5000")
			write(rw, "application/ocsp-response", der[:100])
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			client, _ := w.client(t, tc.handler)
			answer, err := w.ca.ask(t, client, w.leaf, now)
			if !errors.Is(err, &Error{Reason: ReasonResponderUnavailable}) ||
				!errors.Is(err, &responder.Error{Reason: responder.ReasonUnavailable, Step: tc.step}) ||
				answer.Status != Unknown || kakunin.FamilyOf(err) != kakunin.Unavailable {
				t.Errorf("%v, %v", answer, err)
			}
		})
	}
	t.Run("not listening", func(t *testing.T) {
		client, server := w.client(t, w.handler(func() []byte { return statusGood }))
		server.Close()
		_, err := w.ca.ask(t, client, w.leaf, now)
		if !errors.Is(err, &Error{Reason: ReasonResponderUnavailable}) ||
			!errors.Is(err, &responder.Error{Reason: responder.ReasonUnavailable, Step: "transport"}) ||
			strings.Contains(err.Error(), "127.0.0.1") {
			t.Error(err)
		}
	})
}

// silent is a responder that is never asked.
type silent struct{}

func (silent) Ask(context.Context, []byte) ([]byte, error) { return nil, errors.New("not to be asked") }

func TestNewOCSPRefuses(t *testing.T) {
	var nilStore *Store
	var nilResponder *responder.HTTP
	for name, c := range map[string]OCSPConfig{
		"no responder": {}, "nil responder": {Responder: nilResponder},
		"MD5":                  {Responder: silent{}, CertIDHash: crypto.MD5},
		"nil responder source": {Responder: silent{}, ResponderRevocation: nilStore},
	} {
		client, err := NewOCSP(c)
		if client != nil || reasonOf(err) != ReasonConfiguration || kakunin.FamilyOf(err) != kakunin.Configuration {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A responder of the application may answer whatever it likes: the size is bounded here, too.
func TestOCSPBoundsAnyResponder(t *testing.T) {
	w := newOCSPWorld(t)
	client, err := NewOCSP(OCSPConfig{Responder: flood{}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := w.ca.ask(t, client, w.leaf, now); !errors.Is(err,
		&Error{Reason: ReasonResponderUnavailable, Step: "ocsp.size"}) || answer.Status != Unknown {
		t.Errorf("%v, %v", answer, err)
	}
}

type flood struct{}

func (flood) Ask(context.Context, []byte) ([]byte, error) {
	return make([]byte, limits.OCSPResponse+1), nil
}
