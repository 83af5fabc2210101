package timestamp_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/timestamping"
	"github.com/kakunin-go/kakunin/internal/signeddata"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

var (
	now     = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	message = []byte("署名値")

	oidTimeStamping = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	oidCodeSigning  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}
	oidOther        = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 99}
)

func clock() time.Time { return now }

// shared is an authority that nobody revokes.
var shared = sync.OnceValue(func() *timestamping.Authority {
	a, err := timestamping.New(timestamping.Config{Now: clock})
	if err != nil {
		panic(err)
	}
	return a
})

func root(tb testing.TB, a *timestamping.Authority) *certpath.Certificate {
	tb.Helper()
	c, err := certpath.ParseCertificate(a.Root().Raw)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func verifier(tb testing.TB, a *timestamping.Authority, change func(*timestamp.VerifierConfig)) *timestamp.Verifier {
	tb.Helper()
	c := timestamp.VerifierConfig{
		Anchors: []*certpath.Certificate{root(tb, a)}, Revocation: revocation.InsecureNoRevocation(), Now: clock,
	}
	if change != nil {
		change(&c)
	}
	v, err := timestamp.NewVerifier(c)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func request() timestamp.Request {
	r := timestamp.Of(message)
	r.Nonce = big.NewInt(0x7eadbeef)
	return r
}

// answer asks an authority and reads the answer.
func answer(tb testing.TB, a *timestamping.Authority, r timestamp.Request, f timestamping.Faults) (*timestamp.Token,
	error) {
	tb.Helper()
	query, err := r.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	return timestamp.ParseResponse(a.Answer(query, f))
}

func TestVerify(t *testing.T) {
	t.Parallel()
	elliptic, err := timestamping.New(timestamping.Config{Now: clock, ECDSA: true})
	if err != nil {
		t.Fatal(err)
	}
	long := sha512.Sum512(message)
	middle := sha512.Sum384(message)
	for name, c := range map[string]struct {
		authority *timestamping.Authority
		request   timestamp.Request
	}{
		"RSA":             {shared(), request()},
		"ECDSA":           {elliptic, request()},
		"without a nonce": {shared(), timestamp.Of(message)},
		"SHA-384":         {shared(), timestamp.Request{Hash: crypto.SHA384, Digest: middle[:]}},
		"SHA-512, a policy": {shared(), timestamp.Request{Hash: crypto.SHA512, Digest: long[:],
			Policy: timestamping.Policy()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, err := answer(t, c.authority, c.request, timestamping.Faults{})
			if err != nil {
				t.Fatal(err)
			}
			again, err := timestamp.Parse(token.Raw()) // as it was kept
			if err != nil {
				t.Fatal(err)
			}
			v := verifier(t, c.authority, func(c *timestamp.VerifierConfig) {
				c.Policies = []asn1.ObjectIdentifier{oidOther, timestamping.Policy()}
				c.MaxAccuracy = time.Second
			})
			got, err := v.Verify(t.Context(), again, timestamp.Expect{Request: c.request,
				NotBefore: now.Add(-time.Minute)})
			if err != nil {
				t.Fatal(err)
			}
			if !got.Time.Equal(now) || got.Accuracy != 500*time.Millisecond ||
				!got.Policy.Equal(timestamping.Policy()) ||
				got.Anchor != sha256.Sum256(c.authority.Root().Raw) || len(got.Steps) != 15 || len(got.Path) < 5 ||
				!got.At.Equal(now) {
				t.Errorf("got %v, %v, %v, %d steps", got.Time, got.Accuracy, got.Policy, len(got.Steps))
			}
			if got.Certificate != sha256.Sum256(got.Certificates()[0]) {
				t.Error("the fingerprint is not that of the certificate that came along")
			}
		})
	}
}

// Every check has a token that fails it alone.
func TestRefusals(t *testing.T) {
	t.Parallel()
	info := func(f func(*timestamping.Info)) timestamping.Faults { return timestamping.Faults{Info: f} }
	attributes := func(f func(list [][]byte, certificate []byte) [][]byte) timestamping.Faults {
		return timestamping.Faults{Attributes: f}
	}
	certificate := func(f func(*x509.Certificate)) timestamping.Faults { return timestamping.Faults{Certificate: f} }
	encode := func(v any) []byte {
		der, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	type essCertID struct{ Hash []byte }
	ess := func(id asn1.ObjectIdentifier, hash []byte) []byte {
		return signeddata.Attribute(id, encode(struct{ Certs []essCertID }{[]essCertID{{hash}}}))
	}
	for name, c := range map[string]struct {
		faults timestamping.Faults
		reason timestamp.Reason // unknown: accepted
		step   string
	}{
		"nothing wrong": {},
		"fraction":      {faults: info(func(i *timestamping.Info) { i.Time = "20261121025959.123456789Z" })},
		"version 1 of signingCertificate": {faults: attributes(func(list [][]byte, c []byte) [][]byte {
			sum := sha1.Sum(c)
			return append(list[:2], ess(signeddata.OIDSigningCertificate, sum[:]))
		})},
		"an extension that is not critical": {faults: info(func(i *timestamping.Info) {
			i.Rest = append([]byte{0xa1}, encode([]pkix.Extension{{Id: oidOther, Value: []byte{5, 0}}})[1:]...)
		})},
		"the authority's name": {faults: info(func(i *timestamping.Info) { i.Rest = []byte{0xa0, 3, 0x82, 1, 'a'} })},

		"another digest": {info(func(i *timestamping.Info) { i.Digest = make([]byte, 32) }),
			timestamp.ReasonImprint, "token.imprint"},
		"another hash": {info(func(i *timestamping.Info) {
			i.Hash, i.Digest = signeddata.OIDOf(crypto.SHA512), make([]byte, 64)
		}), timestamp.ReasonImprint, "token.imprint"},
		"another nonce": {info(func(i *timestamping.Info) { i.Nonce = big.NewInt(1) }), timestamp.ReasonNonce,
			"token.nonce"},
		"no nonce": {info(func(i *timestamping.Info) { i.Nonce = nil }), timestamp.ReasonNonce,
			"token.nonce"},
		"another policy": {info(func(i *timestamping.Info) { i.Policy = oidOther }), timestamp.ReasonPolicy,
			"token.policy"},
		"in the future": {info(func(i *timestamping.Info) { i.Time = "20261121030600Z" }), timestamp.ReasonTime,
			"token.time"},
		"before the request": {info(func(i *timestamping.Info) { i.Time = "20261121025400Z" }), timestamp.ReasonTime,
			"token.time"},

		"version 2": {info(func(i *timestamping.Info) { i.Version = 2 }), timestamp.ReasonMalformed,
			"token.info"},
		"local time": {info(func(i *timestamping.Info) { i.Time = "20261121030000" }),
			timestamp.ReasonMalformed, "token.info"},
		"no seconds": {info(func(i *timestamping.Info) { i.Time = "202611210300Z" }),
			timestamp.ReasonMalformed, "token.info"},
		"no time": {info(func(i *timestamping.Info) { i.Time = "" }), timestamp.ReasonMalformed,
			"token.info"},
		"a zero at the end": {info(func(i *timestamping.Info) { i.Time = "20261121025959.10Z" }),
			timestamp.ReasonMalformed, "token.info"},
		"an empty fraction": {info(func(i *timestamping.Info) { i.Time = "20261121025959.Z" }),
			timestamp.ReasonMalformed, "token.info"},
		"a long serial number": {info(func(i *timestamping.Info) { i.Serial = new(big.Int).Lsh(big.NewInt(1), 170) }),
			timestamp.ReasonMalformed, "token.info"},
		"SHA-1": {info(func(i *timestamping.Info) {
			i.Hash, i.Digest = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, make([]byte, 20)
		}), timestamp.ReasonMalformed, "token.info"},
		"bytes behind": {info(func(i *timestamping.Info) { i.Rest = []byte{5, 0} }), timestamp.ReasonMalformed,
			"token.info"},
		"a critical extension": {info(func(i *timestamping.Info) {
			i.Rest = append([]byte{0xa1}, encode([]pkix.Extension{
				{Id: oidOther, Critical: true, Value: []byte{5, 0}}})[1:]...)
		}), timestamp.ReasonMalformed, "token.info"},
		"content of another type": {timestamping.Faults{Signed: func(p *timestamping.Signed) {
			p.ContentType = signeddata.OIDData
		}},
			timestamp.ReasonMalformed, "token.form"},
		"detached": {timestamping.Faults{Signed: func(p *timestamping.Signed) { p.Content = nil }},
			timestamp.ReasonMalformed, "token.form"},

		"no certificate": {timestamping.Faults{WithoutCertificate: true}, timestamp.ReasonCertificate,
			"signer.certificate"},
		"purpose not critical": {timestamping.Faults{NotCritical: true}, timestamp.ReasonCertificate, "signer.purpose"},
		"no purpose": {timestamping.Faults{Purposes: []asn1.ObjectIdentifier{}}, timestamp.ReasonCertificate,
			"signer.purpose"},
		"another purpose": {timestamping.Faults{Purposes: []asn1.ObjectIdentifier{oidCodeSigning}},
			timestamp.ReasonCertificate, "signer.purpose"},
		"two purposes": {timestamping.Faults{Purposes: []asn1.ObjectIdentifier{oidTimeStamping, oidCodeSigning}},
			timestamp.ReasonCertificate, "signer.purpose"},
		"an unknown purpose beside": {timestamping.Faults{Purposes: []asn1.ObjectIdentifier{oidTimeStamping, oidOther}},
			timestamp.ReasonCertificate, "signer.purpose"},
		"a key for encryption": {certificate(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }),
			timestamp.ReasonCertificate, "signer.key-usage"},
		"an authority": {certificate(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }),
			timestamp.ReasonCertificate, "signer.key-usage"},
		"expired at genTime": {certificate(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }),
			timestamp.ReasonTime, "signer.validity"},
		"not yet valid": {certificate(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Second) }),
			timestamp.ReasonTime, "signer.validity"},

		"no signed attributes": {attributes(func([][]byte, []byte) [][]byte { return nil }), timestamp.ReasonAttributes,
			"signer.attributes"},
		"no content type": {attributes(func(l [][]byte, _ []byte) [][]byte { return l[1:] }),
			timestamp.ReasonAttributes, "signer.attributes"},
		"another content type": {attributes(func(l [][]byte, _ []byte) [][]byte {
			return append(l[1:], signeddata.Attribute(signeddata.OIDContentType, encode(signeddata.OIDData)))
		}), timestamp.ReasonAttributes, "signer.attributes"},
		"no message digest": {attributes(func(l [][]byte, _ []byte) [][]byte { return [][]byte{l[0], l[2]} }),
			timestamp.ReasonAttributes, "signer.attributes"},
		"another message digest": {attributes(func(l [][]byte, _ []byte) [][]byte {
			return [][]byte{l[0], l[2], signeddata.Attribute(signeddata.OIDMessageDigest, encode(make([]byte, 32)))}
		}), timestamp.ReasonAttributes, "signer.attributes"},
		"no signing certificate": {attributes(func(l [][]byte, _ []byte) [][]byte { return l[:2] }),
			timestamp.ReasonAttributes, "signer.ess"},
		"another signing certificate": {attributes(func(l [][]byte, _ []byte) [][]byte {
			return append(l[:2], ess(signeddata.OIDSigningCertificateV2, make([]byte, 32)))
		}), timestamp.ReasonAttributes, "signer.ess"},
		"another signing certificate of version 1": {attributes(func(l [][]byte, _ []byte) [][]byte {
			return append(l[:2], ess(signeddata.OIDSigningCertificate, make([]byte, 20)))
		}), timestamp.ReasonAttributes, "signer.ess"},

		"another value": {timestamping.Faults{Signed: func(p *timestamping.Signed) { p.Value[7] ^= 1 }},
			timestamp.ReasonSignature, "signer.signature"},
		"another info under the signature": {timestamping.Faults{Signed: func(p *timestamping.Signed) {
			p.Content = bytes.Replace(p.Content, []byte("20261121030000Z"), []byte("20261121025900Z"), 1)
		}}, timestamp.ReasonAttributes, "signer.attributes"},
		"another root": {timestamping.Faults{Stranger: true}, timestamp.ReasonPath, "signer.path"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := verifier(t, shared(), func(c *timestamp.VerifierConfig) {
				c.Policies = []asn1.ObjectIdentifier{timestamping.Policy()}
			})
			token, err := answer(t, shared(), request(), c.faults)
			var got *timestamp.Timestamp
			if err == nil {
				got, err = v.Verify(t.Context(), token, timestamp.Expect{Request: request(),
					NotBefore: now.Add(-5 * time.Minute)})
			}
			if c.reason == timestamp.ReasonUnknown {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if got != nil || !errors.Is(err, &timestamp.Error{Reason: c.reason, Step: c.step}) {
				t.Errorf("got %v, want %v at %s", err, c.reason, c.step)
			}
			if family := kakunin.FamilyOf(err); family != kakunin.Untrusted {
				t.Errorf("family %v", family)
			}
		})
	}
}

func TestExpectations(t *testing.T) {
	t.Parallel()
	a := shared()
	token, err := answer(t, a, request(), timestamping.Faults{})
	if err != nil {
		t.Fatal(err)
	}
	other := request()
	other.Policy = oidOther
	v := verifier(t, a, nil)
	for name, c := range map[string]struct {
		v      *timestamp.Verifier
		token  *timestamp.Token
		expect timestamp.Expect
		want   timestamp.Error
	}{
		"no token": {v, nil, timestamp.Expect{Request: request()},
			timestamp.Error{Reason: timestamp.ReasonRequest}},
		"an empty token": {v, &timestamp.Token{}, timestamp.Expect{Request: request()},
			timestamp.Error{Reason: timestamp.ReasonRequest}},
		"no request": {v, token, timestamp.Expect{}, timestamp.Error{Reason: timestamp.ReasonRequest,
			Step: "digest"}},
		"asked for policy": {v, token, timestamp.Expect{Request: other},
			timestamp.Error{Reason: timestamp.ReasonPolicy}},
		"too inaccurate": {
			verifier(t, a, func(c *timestamp.VerifierConfig) { c.MaxAccuracy = 499 * time.Millisecond }), token,
			timestamp.Expect{Request: request()}, timestamp.Error{Reason: timestamp.ReasonTime, Step: "token.accuracy"},
		},
		"path at a time after everything has expired": {
			v, token, timestamp.Expect{Request: request(), At: now.AddDate(30, 0, 0)},
			timestamp.Error{Reason: timestamp.ReasonPath},
		},
	} {
		if _, err := c.v.Verify(t.Context(), c.token, c.expect); !errors.Is(err, &c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Verify(ctx, token, timestamp.Expect{Request: request()}); err == nil {
		t.Error("a context that has ended is not honoured")
	}
}

// An old token stands as long as it was stamped again before its authority's certificate ended: it is judged at the
// time of the later timestamp.
func TestAfterYears(t *testing.T) {
	t.Parallel()
	a := shared()
	token, err := answer(t, a, request(), timestamping.Faults{})
	if err != nil {
		t.Fatal(err)
	}
	later := now.AddDate(25, 0, 0)
	v := verifier(t, a, func(c *timestamp.VerifierConfig) { c.Now = func() time.Time { return later } })
	if _, err := v.Verify(t.Context(), token, timestamp.Expect{Request: request()}); !errors.Is(err,
		&timestamp.Error{Reason: timestamp.ReasonPath}) {
		t.Errorf("an authority that has expired: %v", err)
	}
	if _, err := v.Verify(t.Context(), token, timestamp.Expect{Request: request(),
		At: now.AddDate(9, 0, 0)}); err != nil {
		t.Errorf("at the time of the renewal: %v", err)
	}
}

func TestRevokedAuthority(t *testing.T) {
	t.Parallel()
	a, err := timestamping.New(timestamping.Config{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	token, err := answer(t, a, request(), timestamping.Faults{})
	if err != nil {
		t.Fatal(err)
	}
	verify := func() error {
		raw, err := a.CRL()
		if err != nil {
			t.Fatal(err)
		}
		list, err := crl.Parse(raw, crl.Options{})
		if err != nil {
			t.Fatal(err)
		}
		lists, err := revocation.NewLists(list)
		if err != nil {
			t.Fatal(err)
		}
		v := verifier(t, a, func(c *timestamp.VerifierConfig) { c.Revocation = revocation.Require(lists) })
		_, err = v.Verify(t.Context(), token, timestamp.Expect{Request: request()})
		return err
	}
	if err := verify(); err != nil {
		t.Fatal(err)
	}
	a.Revoke(now.Add(-time.Hour))
	err = verify()
	if !errors.Is(err, &timestamp.Error{Reason: timestamp.ReasonPath}) ||
		!errors.Is(err, &certpath.Error{Reason: certpath.ReasonRevoked}) {
		t.Errorf("got %v", err)
	}
	if family := kakunin.FamilyOf(err); family != kakunin.FamilyOf(&certpath.Error{Reason: certpath.ReasonRevoked}) {
		t.Errorf("family %v", family)
	}
}

func TestNewVerifier(t *testing.T) {
	t.Parallel()
	good := timestamp.VerifierConfig{
		Anchors: []*certpath.Certificate{root(t, shared())}, Revocation: revocation.InsecureNoRevocation(),
	}
	if _, err := timestamp.NewVerifier(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*timestamp.VerifierConfig){
		"no anchors":        func(c *timestamp.VerifierConfig) { c.Anchors = nil },
		"no revocation":     func(c *timestamp.VerifierConfig) { c.Revocation = revocation.Policy{} },
		"negative accuracy": func(c *timestamp.VerifierConfig) { c.MaxAccuracy = -1 },
	} {
		c := good
		change(&c)
		if _, err := timestamp.NewVerifier(c); !errors.Is(err,
			&timestamp.Error{Reason: timestamp.ReasonConfiguration}) ||
			strings.Contains(err.Error(), "TSA-TEST") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
