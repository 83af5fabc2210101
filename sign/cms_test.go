package sign_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/sigalg"
	"github.com/kakunin-go/kakunin/internal/signeddata"
	"github.com/kakunin-go/kakunin/sign"
)

func encode(tb testing.TB, v any) []byte {
	tb.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// attributesFor are the signed attributes of a document, with more behind them.
func attributesFor(tb testing.TB, doc string, more ...[]byte) []byte {
	tb.Helper()
	digest := sha256.Sum256([]byte(doc))
	return signeddata.Set(append([][]byte{
		signeddata.Attribute(signeddata.OIDContentType, encode(tb, signeddata.OIDData)),
		signeddata.Attribute(signeddata.OIDMessageDigest, encode(tb, digest[:])),
	}, more...)...)
}

// parts are those of a good CMS signature of the shared world; attributes may be nil.
func (w *world) parts(tb testing.TB, attributes []byte) signeddata.Parts {
	tb.Helper()
	signed := document
	if attributes != nil {
		signed = string(attributes)
	}
	return signeddata.Parts{
		ContentType: signeddata.OIDData, Certificate: w.cert, Hash: crypto.SHA256, Algorithm: sigalg.SHA256WithRSA,
		Attributes: attributes, Value: w.sign(tb, w.key, sign.ModeDigestInfo, signed),
	}
}

func signingCertificate(tb testing.TB, certificate []byte) []byte {
	tb.Helper()
	type essCertID struct{ Hash []byte }
	digest := sha256.Sum256(certificate)
	return signeddata.Attribute(signeddata.OIDSigningCertificateV2,
		encode(tb, struct{ Certs []essCertID }{[]essCertID{{digest[:]}}}))
}

func TestCMS(t *testing.T) {
	t.Parallel()
	w := shared()
	v := w.verifier(t)
	for name, attributes := range map[string][]byte{
		"without signed attributes": nil,
		"with signed attributes":    attributesFor(t, document),
		"with signingCertificateV2": attributesFor(t, document, signingCertificate(t, w.cert)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cms := signeddata.Write(w.parts(t, attributes))
			o, err := sign.ParseCMS(cms)
			if err != nil {
				t.Fatal(err)
			}
			report, err := v.Verify(t.Context(), o, expect(sign.ModeDigestInfo))
			if err != nil {
				t.Fatal(err)
			}
			if report.Digest != sha256.Sum256([]byte(document)) {
				t.Error("the report has the digest of something else")
			}
			// What CMS writes is what was read, and reads as the same.
			again, err := sign.CMS(report)
			if err != nil || !bytes.Equal(again, cms) {
				t.Errorf("written again: %v, %d bytes instead of %d", err, len(again), len(cms))
			}
			// From an archive, where signature, certificate and attributes are kept apart.
			kept := sign.NewOpened(o.RevealSignature(), o.RevealCertificate())
			if attributes != nil {
				if kept, err = kept.WithAttributes(o.RevealAttributes()); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := v.Verify(t.Context(), kept, expect(sign.ModeDigestInfo)); err != nil {
				t.Errorf("from an archive: %v", err)
			}
			altered := sign.Expect{Document: strings.NewReader(document + " "), Mode: sign.ModeDigestInfo}
			if _, err := v.Verify(t.Context(), o, altered); err == nil {
				t.Error("an altered document is accepted")
			}
			if _, err := v.Verify(t.Context(), o, expect(sign.ModeBareHash)); err == nil {
				t.Error("accepted as a bare hash")
			}
			tx := transaction(sign.ModeDigestInfo)
			_, err = v.Verify(t.Context(), o, sign.Expect{Document: strings.NewReader(document), Transaction: tx})
			if attributes == nil && err != nil {
				t.Errorf("with its transaction: %v", err)
			}
			// In a transaction the card padded the digest of the document: another document may be inside attributes.
			if attributes != nil && !errors.Is(err, &sign.Error{Reason: sign.ReasonCMS}) {
				t.Errorf("signed attributes in a transaction: %v", err)
			}
		})
	}
}

// The signer's certificate may come from elsewhere, among others.
func TestCMSWithoutCertificates(t *testing.T) {
	t.Parallel()
	w := shared()
	p := w.parts(t, nil)
	p.Without = true
	cms := signeddata.Write(p)
	if _, err := sign.ParseCMS(cms); !errors.Is(err, &sign.Error{Reason: sign.ReasonCMS}) {
		t.Errorf("without any certificate: %v", err)
	}
	authority := w.jpki.SigningCA().Certificate().Raw
	o, err := sign.ParseCMS(cms, authority, w.cert)
	if err != nil || !bytes.Equal(o.RevealCertificate(), w.cert) {
		t.Errorf("with the certificate beside it: %v", err)
	}
}

func TestCMSRefusals(t *testing.T) {
	t.Parallel()
	w := shared()
	v := w.verifier(t)
	digest := sha256.Sum256([]byte(document))
	contentType := signeddata.Attribute(signeddata.OIDContentType, encode(t, signeddata.OIDData))
	messageDigest := signeddata.Attribute(signeddata.OIDMessageDigest, encode(t, digest[:]))
	other := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	type change func(*signeddata.Parts)
	plain := func(f change) []byte {
		p := w.parts(t, nil)
		f(&p)
		return signeddata.Write(p)
	}
	with := func(elements ...[]byte) []byte { return signeddata.Write(w.parts(t, signeddata.Set(elements...))) }
	for name, c := range map[string]struct {
		cms    []byte
		detail string // of ParseCMS; empty when the verifier refuses
	}{
		"nothing": {nil, string(signeddata.Encoding)},
		"too large": {
			make([]byte, 300<<10),
			string(signeddata.Size),
		},
		"a certificate": {w.cert, string(signeddata.ContentInfo)},
		"content inside": {
			plain(func(p *signeddata.Parts) { p.Content = []byte(document) }),
			"the content is inside: a detached signature is expected",
		},
		"empty content inside": {
			plain(func(p *signeddata.Parts) { p.Content = []byte{} }),
			"the content is inside: a detached signature is expected",
		},
		"content of another type": {
			plain(func(p *signeddata.Parts) { p.ContentType = other }),
			"content of a type other than id-data",
		},
		"SHA-512": {
			plain(func(p *signeddata.Parts) { p.Hash, p.Algorithm = crypto.SHA512, sigalg.SHA512WithRSA }),
			"not RSASSA-PKCS1-v1_5 with SHA-256",
		},
		"two hashes": {
			plain(func(p *signeddata.Parts) { p.Hash = crypto.SHA512 }),
			"not RSASSA-PKCS1-v1_5 with SHA-256",
		},
		"ECDSA by name": {
			plain(func(p *signeddata.Parts) { p.Algorithm = sigalg.ECDSAWithSHA256 }),
			"not RSASSA-PKCS1-v1_5 with SHA-256",
		},
		"another signature": {plain(func(p *signeddata.Parts) {
			p.Value = bytes.Clone(p.Value)
			p.Value[100] ^= 1
		}), ""},
		"no content type":   {with(messageDigest), string(signeddata.ContentType)},
		"no message digest": {with(contentType), ""},
		"other content type": {with(signeddata.Attribute(signeddata.OIDContentType, encode(t, other)), messageDigest),
			string(signeddata.ContentType)},
		"another digest": {
			with(contentType, signeddata.Attribute(signeddata.OIDMessageDigest, encode(t, make([]byte, 32)))), "",
		},
		"two digests": {
			with(contentType, messageDigest, signeddata.Attribute(signeddata.OIDMessageDigest,
				encode(t, make([]byte, 32)))),
			string(signeddata.Attributes),
		},
		"two values": {
			with(contentType, signeddata.Attribute(signeddata.OIDMessageDigest,
				append(encode(t, digest[:]), encode(t, make([]byte, 32))...))),
			"",
		},
		"another certificate named": {
			with(contentType, messageDigest, signingCertificate(t, w.jpki.SigningCA().Certificate().Raw)),
			string(signeddata.Bound),
		},
		"attributes over something else": {func() []byte {
			p := w.parts(t, attributesFor(t, document))
			p.Attributes = attributesFor(t, document, signingCertificate(t, w.cert))
			return signeddata.Write(p)
		}(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := sign.ParseCMS(c.cms)
			if c.detail != "" {
				var refused *sign.Error
				if !errors.As(err, &refused) || refused.Reason != sign.ReasonCMS || refused.Detail != c.detail {
					t.Errorf("got %v, want %q", err, c.detail)
				}
				return
			}
			if err != nil {
				t.Fatalf("not refused by the verifier but before: %v", err)
			}
			if _, err := v.Verify(t.Context(), o, expect(sign.ModeDigestInfo)); err == nil {
				t.Error("accepted")
			}
		})
	}
	bare := w.opened(t, sign.ModeBareHash)
	report, err := v.Verify(t.Context(), bare, expect(sign.ModeBareHash))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sign.CMS(report); !errors.Is(err, &sign.Error{Reason: sign.ReasonMode}) {
		t.Errorf("a bare hash as CMS: %v", err)
	}
}

// A person who is led to sign a "document" that consists of signed attributes would have signed whatever document has
// the digest inside. And who takes the attributes away has a signature over them as a document.
func TestAttributesAreNoDocument(t *testing.T) {
	t.Parallel()
	w := shared()
	attributes := string(attributesFor(t, document))
	want := &sign.Error{Reason: sign.ReasonDocument}
	if _, err := sign.Prepare(t.Context(), sign.Document{Reader: strings.NewReader(attributes)},
		sign.ModeDigestInfo); !errors.Is(err, want) {
		t.Errorf("Prepare: %v", err)
	}
	o := sign.NewOpened(w.sign(t, w.key, sign.ModeDigestInfo, attributes), w.cert)
	_, err := w.verifier(t).Verify(t.Context(), o, sign.Expect{Document: strings.NewReader(attributes),
		Mode: sign.ModeDigestInfo})
	if !errors.Is(err, want) {
		t.Errorf("Verify: %v", err)
	}
	// "1" is the tag of a SET; texts that begin with it are documents like others.
	if _, err := sign.Prepare(t.Context(), sign.Text("1. "+strings.Repeat("条", 200_000)),
		sign.ModeDigestInfo); err != nil {
		t.Error(err)
	}
}

// FuzzParseCMS: what is read names a certificate and a signature value, and its signed attributes are read again from
// an archive as the same.
func FuzzParseCMS(f *testing.F) {
	w := shared()
	f.Add(signeddata.Write(w.parts(f, nil)))
	f.Add(signeddata.Write(w.parts(f, attributesFor(f, document, signingCertificate(f, w.cert)))))
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := sign.ParseCMS(raw)
		if err != nil {
			if !errors.Is(err, &sign.Error{Reason: sign.ReasonCMS}) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if len(o.RevealCertificate()) == 0 {
			t.Fatal("no certificate")
		}
		if attributes := o.RevealAttributes(); attributes != nil {
			if again, err := o.WithAttributes(attributes); err != nil ||
				!bytes.Equal(again.RevealAttributes(), attributes) {
				t.Fatalf("read again: %v", err)
			}
		}
	})
}
