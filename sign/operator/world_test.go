package operator_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/operator"
)

var (
	now    = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	hanako = issuer.Subject{
		Name: "確認　花子", Address: "東京都清瀬市架空町１－２－３", Gender: "2", Birthdate: "19880723",
		PrefectureRomaji: "Tokyo-to", CityRomaji: "Kiyose-shi", MunicipalityCode: "13221",
	}
)

const document = "利用規約に同意します。\n文書番号 7\n"

func clock() time.Time { return now }

// world is an operator with its handler on a server, and a card. What the operator keeps is counted.
type world struct {
	t      testing.TB
	jpki   *issuer.JPKI
	crls   *revocation.Store
	key    *rsa.PrivateKey // of the card
	cert   []byte
	opener *rsa.PrivateKey
	server *httptest.Server

	mu      sync.Mutex
	kept    []string // verification ids
	keepErr error
}

var authority = sync.OnceValue(func() *issuer.JPKI {
	j, err := issuer.New(issuer.Config{Now: clock})
	if err != nil {
		panic(err)
	}
	return j
})

func newWorld(t testing.TB, change func(*operator.HandlerConfig)) *world {
	t.Helper()
	w := &world{t: t, jpki: authority(), crls: new(revocation.Store)}
	w.key, w.opener = w.jpki.Key("operator test signing"), w.jpki.Key("operator test opener")
	w.cert = w.issue(w.key)
	leaf, err := x509.ParseCertificate(w.cert)
	w.must(err)
	list, err := w.jpki.SigningCA().CRL(leaf)
	w.must(err)
	w.must(w.crls.Add(t.Context(), bytes.NewReader(list)))
	opener, err := sign.NewOpener(sign.OpenerConfig{Key: w.opener})
	w.must(err)
	c := operator.HandlerConfig{
		Opener: opener, Verifier: w.verifier(w.crls), Now: clock,
		Authenticate: func(r *http.Request) (string, error) {
			if r.Header.Get("X-Key") != "secret" {
				return "", errors.New("unknown business")
			}
			return "shop", nil
		},
		Keep: func(_ context.Context, v operator.Verification) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.keepErr != nil {
				return w.keepErr
			}
			if v.Business != "shop" || v.Report.Digest != sha256.Sum256([]byte(document)) {
				t.Errorf("kept for %q", v.Business)
			}
			w.kept = append(w.kept, v.ID)
			return nil
		},
		UserID: func(context.Context, string, *sign.Report) (string, error) { return "user-0001", nil },
	}
	if change != nil {
		change(&c)
	}
	h, err := operator.NewHandler(c)
	w.must(err)
	w.server = httptest.NewServer(h)
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) verifier(source revocation.Source) *sign.Verifier {
	w.t.Helper()
	v, err := sign.NewVerifier(sign.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: w.jpki.Trust(), Revocation: revocation.Require(source), Now: clock,
	})
	w.must(err)
	return v
}

func (w *world) issue(key *rsa.PrivateKey) []byte {
	w.t.Helper()
	der, err := w.jpki.SigningCA().Issue(issuer.Request{Key: &key.PublicKey, Holder: hanako,
		IssuedAt: now.AddDate(-1, 0, 0)})
	w.must(err)
	return der
}

func (w *world) client(change func(*operator.Config)) *operator.Client {
	w.t.Helper()
	c := operator.Config{
		URL: w.server.URL + "/v1/verify", HTTPClient: w.server.Client(), Now: clock, IdentifyUser: true,
		Authorize: func(r *http.Request) error { r.Header.Set("X-Key", "secret"); return nil },
	}
	if change != nil {
		change(&c)
	}
	client, err := operator.New(c)
	w.must(err)
	return client
}

func (w *world) sign(key *rsa.PrivateKey, mode sign.Mode, text string) []byte {
	w.t.Helper()
	digest := sha256.Sum256([]byte(text))
	hash := crypto.SHA256
	if mode == sign.ModeBareHash {
		hash = 0
	}
	signature, err := rsa.SignPKCS1v15(nil, key, hash, digest[:])
	w.must(err)
	return signature
}

// seal does what the service does: signature and certificate in a JWE to the operator.
func (w *world) seal(to *rsa.PublicKey, signature, certificate []byte) *sign.Sealed {
	w.t.Helper()
	payload, err := json.Marshal(map[string]string{
		"signature":   base64.StdEncoding.EncodeToString(signature),
		"certificate": base64.StdEncoding.EncodeToString(certificate),
	})
	w.must(err)
	jwe, err := jose.Encrypt(jose.PublicKey{Key: to}, "RSA-OAEP-256", "A256GCM", payload)
	w.must(err)
	s, err := sign.ParseSealed(jwe)
	w.must(err)
	return s
}

func (w *world) signed(mode sign.Mode) *sign.Sealed {
	w.t.Helper()
	return w.seal(&w.opener.PublicKey, w.sign(w.key, mode, document), w.cert)
}

func transaction(mode sign.Mode) *sign.Transaction {
	return &sign.Transaction{
		ID: "37a52ac8-b232-ebac-a454-04d68916489f", Mode: mode, Digest: sha256.Sum256([]byte(document)),
		MediaType: "text/plain",
	}
}

// reasonOf returns the reason of an error of the package, ReasonUnknown for others.
func reasonOf(err error) operator.Reason {
	if e, ok := errors.AsType[*operator.Error](err); ok {
		return e.Reason
	}
	return operator.ReasonUnknown
}

// exampleTB is a testing.TB where there is no test.
type exampleTB struct{ testing.TB }

func (exampleTB) Helper()                   {}
func (exampleTB) Cleanup(func())            {}
func (exampleTB) Context() context.Context  { return context.Background() }
func (exampleTB) Fatal(args ...any)         { panic(args) }
func (exampleTB) Errorf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
