package timestamp_test

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/signeddata"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

// refusal is what a row expects.
type refusal struct {
	stamp
	reason timestamp.Reason
	step   string
}

func TestHostileAuthorities(t *testing.T) {
	t.Parallel()
	s := elliptics()
	before := func(f func(*parts), r timestamp.Reason, step string) refusal {
		return refusal{stamp{before: f}, r, step}
	}
	info := func(f func(*parts)) refusal { return before(f, timestamp.ReasonMalformed, "token.info") }
	at := func(text string) refusal { return info(func(p *parts) { p.time = genTime(text) }) }
	late := func(text string) refusal {
		return before(func(p *parts) { p.time = genTime(text) }, timestamp.ReasonTime, "token.time")
	}
	accuracy := func(fields ...[]byte) refusal {
		return info(func(p *parts) { p.accuracy = element(0x30, fields...) })
	}
	stamped := func(f func(*parts)) refusal { return before(f, timestamp.ReasonImprint, "token.imprint") }
	nonce := func(raw []byte) refusal {
		return before(func(p *parts) { p.nonce = raw }, timestamp.ReasonNonce, "token.nonce")
	}
	certificate := func(f func(*x509.Certificate), step string) refusal {
		return before(func(p *parts) { f(p.template) }, timestamp.ReasonCertificate, step)
	}
	path := func(f func(*x509.Certificate)) refusal {
		return before(func(p *parts) { f(p.template) }, timestamp.ReasonPath, "signer.path")
	}
	purpose := func(e ...pkix.Extension) refusal {
		return certificate(func(c *x509.Certificate) { c.ExtraExtensions = e }, "signer.purpose")
	}
	usage := func(u x509.KeyUsage) refusal {
		return certificate(func(c *x509.Certificate) { c.KeyUsage = u }, "signer.key-usage")
	}
	issued := func(f func(*parts), r timestamp.Reason, step string) refusal {
		return refusal{stamp{issued: f}, r, step}
	}
	attributes := func(f func(list [][]byte) [][]byte) refusal {
		return issued(func(p *parts) {
			p.attributes = f(p.attributes)
		}, timestamp.ReasonAttributes, "signer.attributes")
	}
	bound := func(f func(raw []byte) []byte) refusal {
		return issued(func(p *parts) {
			p.attributes = append(p.attributes[:2], f(p.raw))
		}, timestamp.ReasonAttributes, "signer.ess")
	}
	broken := func(f func(*parts)) refusal { return issued(f, timestamp.ReasonMalformed, "token.form") }
	form := func(f func(*parts)) refusal { return refusal{stamp{after: f}, timestamp.ReasonMalformed, "token.form"} }
	unread := func(f func(*parts)) refusal { return refusal{stamp{after: f}, timestamp.ReasonMalformed, "response"} }
	signer := func(f func(*parts)) refusal {
		return refusal{stamp{after: f}, timestamp.ReasonCertificate, "signer.certificate"}
	}
	value := func(f func(*parts)) refusal {
		return refusal{stamp{after: f}, timestamp.ReasonSignature, "signer.signature"}
	}
	digest, other := sha256.Sum256(message), sha256.Sum256([]byte("別の署名値"))
	long := sha512.Sum512(message)
	sha := signeddata.OIDOf(crypto.SHA256)
	twin := func(p *parts) []byte { // same issuer and serial number, another key or signature
		raw := bytes.Clone(p.raw)
		raw[len(raw)-1] ^= 1
		return raw
	}
	v2 := func(parts ...[]byte) []byte { return ess(signeddata.OIDSigningCertificateV2, element(0x30, parts...)) }
	for name, c := range map[string]refusal{
		"another message": stamped(func(p *parts) { p.imprint = imprint(sha, other[:]) }),
		"the message by another hash": stamped(func(p *parts) {
			p.imprint = imprint(signeddata.OIDOf(crypto.SHA512), long[:])
		}),
		"the digest named as another hash's": info(func(p *parts) {
			p.imprint = imprint(signeddata.OIDOf(crypto.SHA512), digest[:])
		}),
		"the digest by SHA-1": info(func(p *parts) {
			sum := sha1.Sum(message)
			p.imprint = imprint(oidSHA1, sum[:])
		}),
		"the digest by MD5":     info(func(p *parts) { p.imprint = imprint(oidMD5, digest[:16]) }),
		"the digest by SHA-3":   info(func(p *parts) { p.imprint = imprint(oidSHA3, digest[:]) }),
		"the digest cut":        info(func(p *parts) { p.imprint = imprint(sha, digest[:31]) }),
		"the digest and a byte": info(func(p *parts) { p.imprint = imprint(sha, append(digest[:], 0)) }),
		"no digest":             info(func(p *parts) { p.imprint = element(0x30, identifier(sha)) }),
		"two digests": info(func(p *parts) {
			p.imprint = element(0x30, identifier(sha), encoded(other[:]), encoded(digest[:]))
		}),
		"two imprints": info(func(p *parts) {
			p.imprint = append(imprint(sha, digest[:]), imprint(sha, other[:])...)
		}),
		"a hash with parameters": info(func(p *parts) {
			p.imprint = element(0x30, identifier(sha, encoded(1)), encoded(digest[:]))
		}),
		"no imprint": info(func(p *parts) { p.imprint = nil }),

		"no nonce":              nonce(nil),
		"another nonce":         nonce(encoded(big.NewInt(0x7eadbeee))),
		"the nonce negative":    nonce(encoded(big.NewInt(-0x7eadbeef))),
		"a longer nonce":        nonce(encoded(new(big.Int).Lsh(big.NewInt(0x7eadbeef), 8))),
		"the nonce with a zero": info(func(p *parts) { p.nonce = []byte{2, 5, 0, 0x7e, 0xad, 0xbe, 0xef} }),
		"an empty nonce":        info(func(p *parts) { p.nonce = []byte{2, 0} }),
		"the nonce as octets":   info(func(p *parts) { p.nonce = encoded([]byte{0x7e, 0xad, 0xbe, 0xef}) }),
		"two nonces":            info(func(p *parts) { p.nonce = append(p.nonce, encoded(1)...) }),

		"no Z":                    at("20261121030000"),
		"of a time zone":          at("20261121120000+0900"),
		"no seconds":              at("202611210300Z"),
		"a comma":                 at("20261121030000,5Z"),
		"a zero at the end":       at("20261121030000.50Z"),
		"a fraction of nothing":   at("20261121030000.Z"),
		"ten digits":              at("20261121025959.1234567891Z"),
		"two fractions":           at("20261121025959.1.1Z"),
		"a negative fraction":     at("20261121025959.-1Z"),
		"second 60":               at("20261121025960Z"),
		"hour 24":                 at("20261121240000Z"),
		"the 31st of November":    at("20261131030000Z"),
		"the 29th of February":    at("20270229030000Z"),
		"two digits of the year":  at("261121030000Z"),
		"five digits of the year": at("120261121030000Z"),
		"blanks":                  at(" 20261121030000Z"),
		"wide digits":             at("２０２６1121030000Z"),
		"a NUL behind":            at("20261121030000Z\x00"),
		"UTCTime":                 info(func(p *parts) { p.time = element(0x17, []byte("261121030000Z")) }),
		"two times": info(func(p *parts) {
			p.time = append(genTime("20261121030000Z"), genTime("20261121030000Z")...)
		}),
		"in the year 9999":  late("99991231235959Z"),
		"in the year 0000":  late("00000101000000Z"),
		"six minutes ahead": late("20261121030600Z"),
		"an hour ago":       late("20261121020000Z"),

		"negative accuracy":        accuracy(encoded(-1)),
		"a thousand milliseconds":  accuracy(element(0x80, []byte{3, 0xe8})),
		"negative milliseconds":    accuracy(element(0x80, []byte{0xff})),
		"a thousand microseconds":  accuracy(element(0x81, []byte{3, 0xe8})),
		"microseconds first":       accuracy(element(0x81, []byte{1}), element(0x80, []byte{1})),
		"seconds twice":            accuracy(encoded(1), encoded(1)),
		"accuracy of 2^63 seconds": accuracy(encoded(new(big.Int).Lsh(big.NewInt(1), 63))),
		"accuracy of 68 years": before(func(p *parts) {
			p.accuracy = element(0x30, encoded(int64(1)<<31))
		}, timestamp.ReasonTime, "token.accuracy"),
		"accuracy of two minutes": before(func(p *parts) {
			p.accuracy = element(0x30, encoded(120))
		}, timestamp.ReasonTime, "token.accuracy"),
		"ordered, a bit of it":     info(func(p *parts) { p.ordering = []byte{1, 1, 1} }),
		"ordered behind the nonce": info(func(p *parts) { p.nonce = append(p.nonce, encoded(true)...) }),
		"version 0":                info(func(p *parts) { p.version = encoded(0) }),
		"version 2^64+1":           info(func(p *parts) { p.version = []byte{2, 9, 1, 0, 0, 0, 0, 0, 0, 0, 1} }),
		"no policy":                info(func(p *parts) { p.policy = nil }),
		"an empty policy":          info(func(p *parts) { p.policy = []byte{6, 0} }),
		"a policy cut":             info(func(p *parts) { p.policy = []byte{6, 2, 0x2a, 0x86} }),
		"an empty serial number":   info(func(p *parts) { p.serial = []byte{2, 0} }),
		"a serial number of a mile": info(func(p *parts) {
			p.serial = append([]byte{2, 0x7f}, bytes.Repeat([]byte{1}, 0x7f)...)
		}),
		"a critical extension": info(func(p *parts) {
			p.extensions = append([]byte{0xa1}, encoded([]pkix.Extension{{Id: oidQualified, Critical: true,
				Value: element(0x30)}})[1:]...)
		}),
		"an extension twice": info(func(p *parts) {
			p.extensions = append([]byte{0xa1}, encoded([]pkix.Extension{{Id: oidQualified, Value: element(0x30)},
				{Id: oidQualified, Value: element(0x30)}})[1:]...)
		}),
		"more behind":               info(func(p *parts) { p.behind = encoded(1) }),
		"a list in the place of it": info(func(p *parts) { p.info = element(0x31) }),
		"two infos": info(func(p *parts) {
			p.info = slices.Concat(element(0x30, p.version, p.policy, p.imprint, p.serial, p.time, p.nonce),
				element(0x30))
		}),

		"purpose not critical":      purpose(purposes(false, oidTimeStamping)),
		"no purpose":                purpose(),
		"any purpose":               purpose(purposes(true, asn1.ObjectIdentifier{2, 5, 29, 37, 0})),
		"any purpose beside":        purpose(purposes(true, oidTimeStamping, asn1.ObjectIdentifier{2, 5, 29, 37, 0})),
		"code signing beside":       purpose(purposes(true, oidTimeStamping, oidCodeSigning)),
		"an unknown purpose before": purpose(purposes(true, oidOther, oidTimeStamping)),
		"the purpose twice":         purpose(purposes(true, oidTimeStamping, oidTimeStamping)),
		"a key for certificates":    usage(x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign),
		"a key for encryption, too": usage(x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment),
		"a key for agreement":       usage(x509.KeyUsageKeyAgreement),
		"an authority": certificate(func(c *x509.Certificate) {
			c.IsCA, c.BasicConstraintsValid = true, true
		}, "signer.key-usage"),
		"expired a second ago": before(func(p *parts) {
			p.template.NotAfter = now.Add(-time.Second)
		}, timestamp.ReasonTime, "signer.validity"),
		"certified a second later": before(func(p *parts) {
			p.template.NotBefore = now.Add(time.Second)
		}, timestamp.ReasonTime, "signer.validity"),
		"an unknown critical matter": path(func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: oidOther, Critical: true,
				Value: []byte{5, 0}})
		}),
		"issued by itself": before(func(p *parts) { p.authority = p.template }, timestamp.ReasonPath, "signer.path"),

		"no type": attributes(func(l [][]byte) [][]byte { return l[1:] }),
		"the type of data": attributes(func(l [][]byte) [][]byte {
			return append(l[1:], signeddata.Attribute(signeddata.OIDContentType, encoded(signeddata.OIDData)))
		}),
		"two types": attributes(func(l [][]byte) [][]byte {
			return append(l[1:], signeddata.Attribute(signeddata.OIDContentType, append(encoded(oidTSTInfo),
				encoded(signeddata.OIDData)...)))
		}),
		"no digest of it": attributes(func(l [][]byte) [][]byte { return [][]byte{l[0], l[2]} }),
		"another digest of it": attributes(func(l [][]byte) [][]byte {
			return [][]byte{l[0], l[2], signeddata.Attribute(signeddata.OIDMessageDigest, encoded(other[:]))}
		}),
		"the digest of the message": attributes(func(l [][]byte) [][]byte {
			return [][]byte{l[0], l[2], signeddata.Attribute(signeddata.OIDMessageDigest, encoded(digest[:]))}
		}),
		"other algorithms protected": attributes(func(l [][]byte) [][]byte {
			return append(l, signeddata.Attribute(oidProtection, element(0x30, identifier(sha), append([]byte{0xa1},
				identifier(oidECDSA384)[1:]...))))
		}),
		"an attribute twice": broken(func(p *parts) { p.attributes = append(p.attributes, p.attributes[2]) }),
		"a type without value": broken(func(p *parts) {
			p.attributes[0] = signeddata.Attribute(signeddata.OIDContentType, nil)
		}),
		"a hundred attributes": broken(func(p *parts) {
			for i := range 100 {
				p.attributes = append(p.attributes, signeddata.Attribute(append(slices.Clone(oidOther), i), encoded(i)))
			}
		}),
		"no attributes": form(func(p *parts) { p.sent = element(0xa0) }),
		"attributes taken away": {stamp{after: func(p *parts) {
			p.sent = nil
		}}, timestamp.ReasonAttributes, "signer.attributes"},
		"an attribute more than signed": value(func(p *parts) {
			p.sent = element(0xa0, append(p.attributes, signeddata.Attribute(oidOther, encoded(1)))...)
		}),

		"no signing certificate": issued(func(p *parts) {
			p.attributes = p.attributes[:2]
		}, timestamp.ReasonAttributes, "signer.ess"),
		"the signing certificate is another": bound(func([]byte) []byte { return v2(encoded(other[:])) }),
		"its hash cut": bound(func(raw []byte) []byte {
			sum := sha256.Sum256(raw)
			return v2(encoded(sum[:20]))
		}),
		"its hash by SHA-1 in version 2": bound(func(raw []byte) []byte {
			sum := sha1.Sum(raw)
			return v2(identifier(oidSHA1), encoded(sum[:]))
		}),
		"SHA-512 named, SHA-256 in it": bound(func(raw []byte) []byte {
			sum := sha256.Sum256(raw)
			return v2(identifier(signeddata.OIDOf(crypto.SHA512)), encoded(sum[:]))
		}),
		"another serial number in it": bound(func(raw []byte) []byte {
			sum := sha256.Sum256(raw)
			return v2(encoded(sum[:]), element(0x30, element(0x30, element(0xa4, s.root.RawSubject)), encoded(7)))
		}),
		"more behind its number": bound(func(raw []byte) []byte {
			sum := sha256.Sum256(raw)
			return v2(encoded(sum[:]), element(0x30, element(0x30, element(0xa4, s.root.RawSubject)),
				encoded(3161)), encoded(1))
		}),
		"it stands second": bound(func(raw []byte) []byte {
			sum := sha256.Sum256(raw)
			return ess(signeddata.OIDSigningCertificateV2, element(0x30, encoded(other[:])), element(0x30,
				encoded(sum[:])))
		}),
		"no certificates in it": bound(func([]byte) []byte { return ess(signeddata.OIDSigningCertificateV2) }),
		"two values of it": bound(func(raw []byte) []byte {
			sum := sha256.Sum256(raw)
			one := element(0x30, element(0x30, element(0x30, encoded(sum[:]))))
			return signeddata.Attribute(signeddata.OIDSigningCertificateV2, append(one, one...))
		}),
		"version 1 of another beside it": issued(func(p *parts) {
			p.attributes = append(p.attributes, ess(signeddata.OIDSigningCertificate, element(0x30,
				encoded(other[:20]))))
		}, timestamp.ReasonAttributes, "signer.ess"),

		"no certificate":    signer(func(p *parts) { p.more = nil }),
		"the root's alone":  signer(func(p *parts) { p.more = element(0xa0, s.root.Raw) }),
		"two of one name":   signer(func(p *parts) { p.more = element(0xa0, p.raw, twin(p)) }),
		"of another number": signer(func(p *parts) { p.signer = element(0x30, s.root.RawSubject, encoded(7)) }),
		"by another's key":  signer(func(p *parts) { p.signerVersion, p.signer = 3, element(0x80, []byte{9}) }),
		"a false certificate alone": {stamp{after: func(p *parts) {
			p.more = element(0xa0, twin(p))
		}}, timestamp.ReasonAttributes, "signer.ess"},

		"no signature":           value(func(p *parts) { p.value = encoded([]byte{}) }),
		"a bit of the signature": value(func(p *parts) { p.value[len(p.value)-1] ^= 1 }),
		"r and s are zero":       value(func(p *parts) { p.value = encoded(element(0x30, encoded(0), encoded(0))) }),
		"PSS":                    value(func(p *parts) { p.sigs = identifier(oidPSS) }),
		"ECDSA with SHA-384":     value(func(p *parts) { p.sigs = identifier(oidECDSA384) }),
		"RSA of an elliptic key": value(func(p *parts) {
			p.sigs = identifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, asn1.NullBytes)
		}),
		"hash SHA-1": {stamp{after: func(p *parts) {
			p.hash = identifier(oidSHA1)
		}}, timestamp.ReasonAttributes, "signer.attributes"},
		"hash SHA-512": {stamp{after: func(p *parts) {
			p.hash = identifier(signeddata.OIDOf(crypto.SHA512))
		}}, timestamp.ReasonAttributes, "signer.attributes"},
		"another info under it": {stamp{after: func(p *parts) {
			p.content = bytes.Replace(p.content, []byte("20261121030000Z"), []byte("20261121025900Z"), 1)
		}}, timestamp.ReasonAttributes, "signer.attributes"},

		"two signers": form(func(p *parts) {
			p.signers = func(one []byte) []byte { return element(0x31, one, one) }
		}),
		"no signers": form(func(p *parts) { p.signers = func([]byte) []byte { return element(0x31) } }),
		"a hundred signers": form(func(p *parts) {
			p.signers = func(one []byte) []byte { return element(0x31, slices.Repeat(one, 100)) }
		}),
		"a hundred certificates":  form(func(p *parts) { p.more = element(0xa0, slices.Repeat(s.root.Raw, 100)) }),
		"content of another type": form(func(p *parts) { p.contentType = signeddata.OIDData }),
		"detached":                form(func(p *parts) { p.content = nil }),
		"two contents": form(func(p *parts) {
			p.content = element(0xa0, encoded(p.info), encoded(p.info))
		}),
		"pieces in pieces": form(func(p *parts) {
			p.content = element(0xa0, element(0x24, element(0x24, encoded(p.info))))
		}),
		"pieces and more": form(func(p *parts) {
			p.content = element(0xa0, element(0x24, encoded(p.info)), encoded(p.info))
		}),
		"a piece of another type": form(func(p *parts) {
			p.content = element(0xa0, element(0x24, encoded(p.info), encoded(1)))
		}),
		"no pieces": {stamp{after: func(p *parts) {
			p.content = element(0xa0, element(0x24))
		}}, timestamp.ReasonMalformed, "token.info"},
		"version 9 of CMS":          form(func(p *parts) { p.dataVersion = 9 }),
		"version 0 of the signer":   form(func(p *parts) { p.signerVersion = 0 }),
		"certificates behind lists": form(func(p *parts) { p.lists, p.more = p.more, element(0xa1, element(0x30)) }),
		"the value in pieces":       form(func(p *parts) { p.value = element(0x24, p.value) }),
		"a content without end": unread(func(p *parts) {
			p.content = append([]byte{0xa0, 0x80, 0x24, 0x80}, encoded(p.info)...)
		}),
		"a length of 2 GiB": unread(func(p *parts) { p.content = []byte{0xa0, 0x84, 0x7f, 0xff, 0xff, 0xff} }),
		"a length of 2^63": unread(func(p *parts) {
			p.content = []byte{0xa0, 0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
		}),
		"a length of 127 octets": unread(func(p *parts) { p.content = []byte{0xa0, 0xff, 1} }),
		"octets without an end":  unread(func(p *parts) { p.value = []byte{4, 0x80, 0, 0} }),
		"nested a hundred times": unread(func(p *parts) {
			for range 100 {
				p.unsigned = element(0xa1, p.unsigned)
			}
		}),

		"more behind the token": before(func(p *parts) {
			p.infoBehind = encoded(1)
		}, timestamp.ReasonMalformed, "token.form"),
		"waiting": before(func(p *parts) {
			p.status = element(0x30, encoded(3))
		}, timestamp.ReasonRefused, "response"),
		"rejected, with a token": before(func(p *parts) {
			p.status = element(0x30, encoded(2), element(3, []byte{5, 0x20}))
		}, timestamp.ReasonRefused, "response"),
		"revocation announced": before(func(p *parts) {
			p.status = element(0x30, encoded(4))
		}, timestamp.ReasonRefused, "response"),
		"of tomorrow's status": before(func(p *parts) {
			p.status = element(0x30, encoded(77))
		}, timestamp.ReasonRefused, "response"),
		"a negative status": before(func(p *parts) {
			p.status = element(0x30, encoded(-1))
		}, timestamp.ReasonRefused, "response"),
		"granted, with a failure": before(func(p *parts) {
			p.status = element(0x30, encoded(0), element(3, []byte{5, 0x20}))
		}, timestamp.ReasonMalformed, "response"),
		"granted, and more": before(func(p *parts) {
			p.status = element(0x30, encoded(0), element(0x30), encoded(1))
		}, timestamp.ReasonMalformed, "response"),
		"words of no list": before(func(p *parts) {
			p.status = element(0x30, encoded(0), element(0x0c, []byte("OK")))
		}, timestamp.ReasonMalformed, "response"),
		"an empty status": before(func(p *parts) {
			p.status = element(0x30)
		}, timestamp.ReasonMalformed, "response"),
		"a status of 2^64": before(func(p *parts) {
			p.status = element(0x30, []byte{2, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0})
		}, timestamp.ReasonMalformed, "response"),
	} {
		got, err := s.judge(t, s.respond(c.stamp), nil)
		if got != nil || !errors.Is(err, &timestamp.Error{Reason: c.reason, Step: c.step}) {
			t.Errorf("%s: got %v, want %v at %s", name, err, c.reason, c.step)
		}
		f := kakunin.FamilyOf(err)
		if f != kakunin.Untrusted && (f != kakunin.Unavailable || c.reason != timestamp.ReasonRefused) {
			t.Errorf("%s: family %v", name, f)
		}
	}
}
