package operator_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/operator"
)

// TestVerdicts: the whole way, sealed and opened, in both modes, with default and with other names.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	renamed := operator.Wire{
		SealedField: "box", SignatureField: "s", CertificateField: "c", HashAlgorithmField: "h", DigestField: "d",
		ModeField:        "m",
		TransactionField: "t", MethodField: "by", IdentifyField: "who", CodeField: "code", VerificationIDField: "id",
		VerifiedAtField: "at", SourceUpdatedAtField: "as-of", UserIDField: "uid", Echo: true, ErrorField: "why",
		IdempotencyHeader: "X-Once",
		Codes: operator.Codes{OK: "0", Expired: "1", Revoked: "2", Mismatch: "3", Unsupported: "4", Sealed: "5",
			Reused: "6", Request: "7", Unavailable: "8"},
	}
	for name, wire := range map[string]*operator.Wire{"default": nil, "renamed": &renamed} {
		w := newWorld(t, func(c *operator.HandlerConfig) { c.Wire = wire })
		client := w.client(func(c *operator.Config) { c.Wire = wire })
		ids := map[string]bool{}
		for _, mode := range []sign.Mode{sign.ModeBareHash, sign.ModeDigestInfo} {
			for what, ask := range map[string]func() (*sign.Verdict, error){
				"sealed": func() (*sign.Verdict, error) {
					return client.Verify(t.Context(), w.signed(mode),
						transaction(mode))
				},
				"opened": func() (*sign.Verdict, error) {
					return client.VerifyOpened(t.Context(), sign.NewOpened(w.sign(w.key, mode, document), w.cert),
						transaction(mode))
				},
			} {
				v, err := ask()
				if err != nil {
					t.Fatalf("%s, %s, %s: %v: %v", name, mode, what, err, errors.Unwrap(err))
				}
				if v.Status != jpki.Good || v.VerificationID == "" || !v.VerifiedAt.Equal(now) || v.Method != "CRL" ||
					v.SourceUpdatedAt.IsZero() ||
					v.UserID != sign.NewUserID("user-0001") {
					t.Errorf("%s, %s, %s: %+v", name, mode, what, v)
				}
				if strings.Contains(fmt.Sprintf("%v %+v %#v", v, *v, v), "user-0001") {
					t.Error("the verdict prints the user id")
				}
				ids[v.VerificationID] = true
			}
		}
		if len(ids) != 4 || len(w.kept) != 4 || !ids[w.kept[0]] {
			t.Errorf("%s: %d verification ids, kept %v", name, len(ids), w.kept)
		}
	}
}

// TestWhatTheOperatorRefuses: each case has its reason, family and, where the operator judged, its verdict.
func TestWhatTheOperatorRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	stranger := w.jpki.Key("operator test stranger")
	revoked, expired := w.jpki.Key("operator test revoked"), w.jpki.Key("operator test expired")
	revokedCert := w.issue(revoked)
	leaf, err := jpki.ParseCertificate(revokedCert)
	w.must(err)
	w.must(w.jpki.SigningCA().Revoke(leaf.X509().SerialNumber, issuer.Revocation{Reason: 3, At: now.Add(-time.Hour)}))
	list, err := w.jpki.SigningCA().CRL(leaf.X509())
	w.must(err)
	fresh := new(revocation.Store)
	w.must(fresh.Add(t.Context(), bytes.NewReader(list)))
	expiredCert, err := w.jpki.SigningCA().Issue(issuer.Request{Key: &expired.PublicKey, Holder: hanako,
		IssuedAt: now.AddDate(-7, 0, 0)})
	w.must(err)
	auth, err := w.jpki.AuthenticationCA().Issue(issuer.Request{Key: &w.key.PublicKey, Holder: hanako,
		IssuedAt: now.AddDate(-1, 0, 0)})
	w.must(err)
	foreign, err := issuer.New(issuer.Config{Now: clock, Seed: "another"})
	w.must(err)
	foreignCert, err := foreign.SigningCA().Issue(issuer.Request{Key: &w.key.PublicKey, Holder: hanako,
		IssuedAt: now.AddDate(-1, 0, 0)})
	w.must(err)
	const mode = sign.ModeDigestInfo
	to := &w.opener.PublicKey
	own := w.sign(w.key, mode, document)
	for name, c := range map[string]struct {
		sealed  *sign.Sealed
		verify  func(*operator.HandlerConfig)
		keepErr error
		reason  operator.Reason
		family  kakunin.Family
		status  jpki.Status
	}{
		"another document": {sealed: w.seal(to, w.sign(w.key, mode, "x"), w.cert), reason: operator.ReasonSignature,
			family: kakunin.Untrusted},
		"the other mode": {sealed: w.signed(sign.ModeBareHash), reason: operator.ReasonSignature,
			family: kakunin.Untrusted},
		"another card": {sealed: w.seal(to, w.sign(stranger, mode, document), w.cert),
			reason: operator.ReasonSignature, family: kakunin.Untrusted},
		"revoked": {sealed: w.seal(to, w.sign(revoked, mode, document), revokedCert),
			verify: func(c *operator.HandlerConfig) { c.Verifier = w.verifier(fresh) }, reason: operator.ReasonRevoked,
			family: kakunin.Account, status: jpki.Revoked},
		"expired": {sealed: w.seal(to, w.sign(expired, mode, document), expiredCert),
			reason: operator.ReasonExpired, family: kakunin.Account, status: jpki.Expired},
		"authentication": {sealed: w.seal(to, own, auth), reason: operator.ReasonUnsupported,
			family: kakunin.Account},
		"a foreign authority": {sealed: w.seal(to, own, foreignCert), reason: operator.ReasonUnsupported,
			family: kakunin.Account},
		"no certificate": {sealed: w.seal(to, own, []byte("certificate")), reason: operator.ReasonUnsupported,
			family: kakunin.Account},
		"sealed to another": {sealed: w.seal(&stranger.PublicKey, own, w.cert), reason: operator.ReasonSealed,
			family: kakunin.Untrusted},
		"no revocation data": {sealed: w.signed(mode), verify: func(c *operator.HandlerConfig) {
			c.Verifier = w.verifier(new(revocation.Store))
		}, reason: operator.ReasonBusy, family: kakunin.Unavailable},
		"evidence not kept": {sealed: w.signed(mode), keepErr: errors.New("disk full"), reason: operator.ReasonBusy,
			family: kakunin.Unavailable},
		"signature reused": {sealed: w.signed(mode), keepErr: &evidence.Error{Reason: evidence.ReasonReused},
			reason: operator.ReasonReused, family: kakunin.Untrusted},
		"user id not known": {sealed: w.signed(mode), verify: func(c *operator.HandlerConfig) {
			c.UserID = func(context.Context, string, *sign.Report) (string, error) {
				return "", errors.New("database gone")
			}
		}, reason: operator.ReasonBusy, family: kakunin.Unavailable},
	} {
		ow := newWorld(t, c.verify)
		ow.keepErr = c.keepErr
		v, err := ow.client(nil).Verify(t.Context(), c.sealed, transaction(mode))
		if reasonOf(err) != c.reason || kakunin.FamilyOf(err) != c.family {
			t.Errorf("%s: %v (%s)", name, err, kakunin.FamilyOf(err))
		}
		if (v != nil) != (c.status != jpki.Unknown) || v != nil && (v.Status != c.status || v.VerificationID == "") {
			t.Errorf("%s: verdict %+v", name, v)
		}
		if name != "user id not known" && len(ow.kept) != 0 {
			t.Errorf("%s: evidence was kept", name)
		}
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	client := fake(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") }, nil)
	noMode, noID := transaction(sign.ModeUnknown), transaction(sign.ModeBareHash)
	noID.ID = ""
	for name, ask := range map[string]func() (*sign.Verdict, error){
		"nothing sealed": func() (*sign.Verdict, error) {
			return client.Verify(t.Context(), nil, transaction(sign.ModeBareHash))
		},
		"nothing opened": func() (*sign.Verdict, error) {
			return client.VerifyOpened(t.Context(), nil, transaction(sign.ModeBareHash))
		},
		"no transaction": func() (*sign.Verdict, error) { return client.Verify(t.Context(), sealed(t), nil) },
		"no mode":        func() (*sign.Verdict, error) { return client.Verify(t.Context(), sealed(t), noMode) },
		"no id":          func() (*sign.Verdict, error) { return client.Verify(t.Context(), sealed(t), noID) },
	} {
		if v, err := ask(); v != nil || reasonOf(err) != operator.ReasonRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	refusing := fake(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") },
		func(c *operator.Config) { c.Authorize = func(*http.Request) error { return errors.New("no token") } })
	if _, err := refusing.Verify(t.Context(), sealed(t), transaction(sign.ModeBareHash)); reasonOf(
		err) != operator.ReasonCredentials {
		t.Errorf("no credentials: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Verify(ctx, sealed(t), transaction(sign.ModeBareHash)); reasonOf(
		err) != operator.ReasonTransport {
		t.Errorf("ended context: %v", err)
	}
}

// TestConfigurationMistakes: all of them are named at once.
func TestConfigurationMistakes(t *testing.T) {
	t.Parallel()
	wire := operator.DefaultWire()
	wire.DigestField, wire.CodeField, wire.Codes.Revoked = "", "error", wire.Codes.OK
	_, err := operator.New(operator.Config{URL: "http://operator.example/v1", Method: "LDAP", BreakAfter: -2,
		Wire: &wire})
	for _, field := range []string{"URL", "Authorize", "Method", "BreakAfter", "Wire.DigestField", "Wire.ErrorField",
		"Wire.Codes.Revoked"} {
		if reasonOf(err) != operator.ReasonConfiguration || !strings.Contains(err.Error(), field+" ") {
			t.Errorf("the client does not name %s: %v", field, err)
		}
	}
	wire.ModeField = ""
	_, err = operator.NewHandler(operator.HandlerConfig{Wire: &wire})
	for _, field := range []string{"Opener", "Verifier", "Authenticate", "Keep", "Wire.ModeField", "Wire.DigestField"} {
		if reasonOf(err) != operator.ReasonConfiguration || !strings.Contains(err.Error(), field+" ") {
			t.Errorf("the handler does not name %s: %v", field, err)
		}
	}
}

// TestEveryReasonIsClassified: the table has a row for each reason.
func TestEveryReasonIsClassified(t *testing.T) {
	t.Parallel()
	tests.Reasons(t, operator.ReasonDocument, func(r operator.Reason) error { return &operator.Error{Reason: r} })
}

// TestLogsHoldNothingPersonal: neither side logs the certificate, the user id or the sealed result.
func TestLogsHoldNothingPersonal(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w := newWorld(t, func(c *operator.HandlerConfig) { c.Logger = logger })
	box := w.signed(sign.ModeDigestInfo)
	if _, err := w.client(func(c *operator.Config) { c.Logger = logger }).Verify(t.Context(), box,
		transaction(sign.ModeDigestInfo)); err != nil {
		t.Fatal(err)
	}
	w.server.Close()
	for _, secret := range []string{"user-0001", "花子", box.RevealJWE(), "secret", transaction(sign.ModeDigestInfo).ID} {
		if strings.Contains(log.String(), secret) || log.Len() == 0 {
			t.Errorf("the log holds %q", secret)
		}
	}
}
