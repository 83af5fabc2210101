package signapi_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/jpki/revocation/responder"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

const document = "利用規約に同意します。\n文書番号 1\n"

const (
	clientID    = "RP00000001"
	redirectURL = "https://shop.example/auth/callback"
)

// flow is a relying party at the simulated service.
type flow struct {
	t      *testing.T
	svc    *daa.Running
	login  *authn.Client
	signer *signapi.Client
	log    bytes.Buffer
}

func newFlow(t *testing.T, government bool, names *wire.Profile, knobs daa.Knobs) *flow {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := authn.NewKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	f := &flow{t: t}
	logger := slog.New(slog.NewTextHandler(&f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	opts := []daa.Option{daa.WithClient(daa.ClientRegistration{
		ID: clientID, Key: private.Public(), RedirectURLs: []string{redirectURL}, Government: government,
	}), daa.WithKnobs(knobs)}
	if names != nil {
		opts = append(opts, daa.WithWire(*names))
	}
	f.svc = daa.Start(t, opts...)
	f.login, err = authn.New(authn.Config{
		Environment: f.svc.Environment(), ClientID: clientID, Key: key, RedirectURL: redirectURL,
		HTTPClient: f.svc.Client(), Wire: names, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	if f.signer, err = signapi.New(signapi.Config{Client: f.login, Logger: logger}); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *flow) start(mode sign.Mode) *sign.Transaction {
	f.t.Helper()
	tx, err := f.signer.Start(f.t.Context(), sign.Text(document), mode)
	if err != nil {
		f.t.Fatalf("start: %v: %v", err, errors.Unwrap(err))
	}
	return tx
}

// approve lets the person sign and returns the login that carried the transaction.
func (f *flow) approve(tx *sign.Transaction) *authn.Identity {
	f.t.Helper()
	begun, err := f.login.Begin(f.t.Context(), authn.Request{Sign: tx})
	if err != nil {
		f.t.Fatal(err)
	}
	callback, err := f.svc.Visitor().Approve(f.t.Context(), begun.URL)
	if err != nil {
		f.t.Fatal(err)
	}
	u, err := url.Parse(callback)
	if err != nil {
		f.t.Fatal(err)
	}
	id, err := f.login.Finish(f.t.Context(), begun.Pending, u.Query())
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

func (f *flow) open(res *signapi.Unverified) *sign.Opened {
	f.t.Helper()
	if res.Opened != nil {
		return res.Opened
	}
	names := f.login.Wire()
	opener, err := sign.NewOpener(sign.OpenerConfig{Key: f.svc.OperatorKey(), Wire: &names})
	if err != nil {
		f.t.Fatal(err)
	}
	opened, err := opener.Open(res.Sealed)
	if err != nil {
		f.t.Fatal(err)
	}
	return opened
}

func (f *flow) verifier() *sign.Verifier {
	f.t.Helper()
	over, err := responder.New(responder.Config{URL: f.svc.URL() + "/simulator/jpki/sign/ocsp",
		HTTPClient: f.svc.Client()})
	if err != nil {
		f.t.Fatal(err)
	}
	ocsp, err := revocation.NewOCSP(revocation.OCSPConfig{Responder: over})
	if err != nil {
		f.t.Fatal(err)
	}
	v, err := sign.NewVerifier(sign.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: f.svc.JPKI().Trust(), Revocation: revocation.Require(ocsp),
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

// renamed changes every name and value of the sign API's profile that may change.
func renamed() *wire.Profile {
	w := wire.Default()
	s := &w.Sign
	s.StartClientIDField, s.StartHashField, s.StartHashAlgorithmField, s.StartHashAlgorithmValue = "rp", "value",
		"with", "S2"
	s.StartStatuses, s.StartIDField, s.StartLifetimeField, s.StartDefaultLifetime = []int{202}, "tx", "ttl", 99
	s.ResultSuffix, s.ResultStatuses, s.PendingStatus = "/outcome", []int{203}, 204
	s.ResultJWEField, s.ResultSignatureField, s.ResultCertificateField = "box", "sig", "cert"
	s.JWEKeyAlgorithms, s.JWEContentAlgorithms = []string{"RSA-OAEP-256"}, []string{"A128CBC-HS256"}
	s.ErrorField = "why"
	s.ErrorCodes = wire.SignErrorCodes{
		InvalidRequest: "e1", InvalidToken: "e2", InsufficientScope: "e3", Pending: "e4", NotFound: "e5",
		Cancelled: "e6", Conflict: "e7", Expired: "e8", Consumed: "e9",
	}
	s.AuthorizationIDParam = "txid"
	return &w
}

// TestWholeFlow signs with the simulated card over the simulated service and verifies the result, in both modes, as a
// private and as a government relying party, with the default wire profile and one in which everything has other names.
func TestWholeFlow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		government bool
		wire       *wire.Profile
		knobs      daa.Knobs
	}{
		"private":             {},
		"private, renamed":    {wire: renamed()},
		"private, bare JWE":   {knobs: daa.Knobs{Sign: daa.SignKnobs{BareJWE: true}}},
		"government":          {government: true},
		"government, renamed": {government: true, wire: renamed()},
		"government, sealed":  {government: true, knobs: daa.Knobs{Sign: daa.SignKnobs{GovernmentSealed: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFlow(t, c.government, c.wire, c.knobs)
			for _, mode := range []sign.Mode{sign.ModeBareHash, sign.ModeDigestInfo} {
				tx := f.start(mode)
				res, err := f.signer.Fetch(t.Context(), tx, f.approve(tx))
				if err != nil {
					t.Fatal(err)
				}
				if wantOpened := c.government && !c.knobs.Sign.GovernmentSealed; (res.Opened != nil) != wantOpened {
					t.Errorf("%s: wrong shape for this relying party", mode)
				}
				opened := f.open(res)
				r, err := f.verifier().Verify(t.Context(), opened, sign.Expect{
					Document: strings.NewReader(document), Mode: mode, Transaction: res.Transaction,
				})
				if err != nil {
					t.Fatalf("%s: %v: %v", mode, err, errors.Unwrap(err))
				}
				if r.Chain.Revocation.Method != "OCSP" || r.Chain.Status != jpki.Good {
					t.Errorf("%s: %v", mode, r.Chain)
				}
				for _, secret := range []string{r.Certificate.Person().Name.Reveal(), string(opened.RevealSignature()),
					sealedText(res), tx.ID} {
					if secret != "" && strings.Contains(f.log.String(), secret) {
						t.Errorf("%s: the log holds what it must not", mode)
					}
				}
			}
		})
	}
}

func sealedText(r *signapi.Unverified) string {
	if r.Sealed == nil {
		return ""
	}
	return r.Sealed.RevealJWE()
}

func TestFlowRefusals(t *testing.T) {
	t.Parallel()
	f := newFlow(t, false, nil, daa.Knobs{})
	set := func(s daa.SignKnobs) { f.svc.SetKnobs(daa.Knobs{Sign: s}) }
	verify := func(res *signapi.Unverified) error {
		_, err := f.verifier().Verify(t.Context(), f.open(res), sign.Expect{
			Document: strings.NewReader(document), Mode: res.Transaction.Mode, Transaction: res.Transaction,
		})
		return err
	}

	tx := f.start(sign.ModeBareHash)
	id := f.approve(tx)
	other := f.start(sign.ModeBareHash)
	if _, err := f.signer.Fetch(t.Context(), other, id); apiReason(err) != signapi.ReasonOtherFlow {
		t.Errorf("result of another transaction: %v", err)
	}
	// The service refuses the same, should the identity be forged.
	forged := *id
	forged.TransactionID = other.ID
	if _, err := f.signer.Fetch(t.Context(), other, &forged); err == nil {
		t.Error("the service gave another flow's result")
	}

	set(daa.SignKnobs{PendingResults: 1})
	if _, err := f.signer.Fetch(t.Context(), tx, id); apiReason(err) != signapi.ReasonPending ||
		kakunin.FamilyOf(err) != kakunin.Unavailable {
		t.Errorf("pending: %v", err)
	}
	if _, err := f.signer.Fetch(t.Context(), tx, id); err != nil {
		t.Errorf("after pending: %v", err)
	}
	if _, err := f.signer.Fetch(t.Context(), tx, id); apiReason(err) != signapi.ReasonConsumed {
		t.Errorf("second retrieval: %v", err)
	}

	set(daa.SignKnobs{CancelledTransaction: true})
	tx = f.start(sign.ModeBareHash)
	if _, err := f.signer.Fetch(t.Context(), tx, f.approve(tx)); apiReason(err) != signapi.ReasonCancelled ||
		kakunin.FamilyOf(err) != kakunin.User {
		t.Errorf("cancelled: %v", err)
	}

	for name, knobs := range map[string]daa.SignKnobs{"swapped certificate": {SwapCertificate: true},
		"altered signature": {AlterSignature: true}} {
		set(knobs)
		tx = f.start(sign.ModeDigestInfo)
		res, err := f.signer.Fetch(t.Context(), tx, f.approve(tx))
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(res); reasonOf(err) != sign.ReasonSignature || kakunin.FamilyOf(err) != kakunin.Untrusted {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func reasonOf(err error) sign.Reason {
	if e, ok := errors.AsType[*sign.Error](err); ok {
		return e.Reason
	}
	return sign.ReasonUnknown
}

func apiReason(err error) signapi.Reason {
	if e, ok := errors.AsType[*signapi.Error](err); ok {
		return e.Reason
	}
	return signapi.ReasonUnknown
}
