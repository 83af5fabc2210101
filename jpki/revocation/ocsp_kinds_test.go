package revocation

import (
	"crypto"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/jpki/internal/testca"
)

// ocspCase is an answer about a certificate that is said to be the issuer's.
type ocspCase struct {
	name                   string
	response, issuer, leaf []byte
	valid                  bool
}

// ocspKinds makes the 54 cases of OpenSSL's test/recipes/80-test_ocsp.t anew: answers of an authority itself and of a
// responder, in three places of a hierarchy, right and with one thing wrong. The published ones are of 2012, signed
// with SHA-1 by authorities of then, and could not be told apart here.
func ocspKinds(t testing.TB) (cases []ocspCase) {
	t.Helper()
	stranger := testKey("leaf")
	for place, make := range map[string]func() (issuer, leaf certSpec, id []byte, above crypto.Signer){
		"a root and a person": func() (issuer, leaf certSpec, id []byte, above crypto.Signer) {
			a := signingAuthority(t, "ca")
			issuer, id = caSpec("ca", a.Name)
			return issuer, a.SigningSpec(1), id, a.Key
		},
		"a root and an authority": func() (issuer, leaf certSpec, id []byte, above crypto.Signer) {
			a := signingAuthority(t, "ca")
			issuer, id = caSpec("ca", a.Name)
			leaf, _ = caSpec("signer", jpkiName("JPKI-TEST", "Below"))
			leaf.Issuer, leaf.Serial = a.Name, []byte{7}
			leaf.Add(a.KeyIDExt())
			return issuer, leaf, id, a.Key
		},
		"an authority below and a person": func() (issuer, leaf certSpec, id []byte, above crypto.Signer) {
			a := signingAuthority(t, "ca")
			issuer, id = caSpec("ca", a.Name)
			issuer.Issuer = jpkiName("JPKI-TEST", "Above")
			return issuer, a.SigningSpec(1), id, testKey("signer")
		},
	} {
		for _, delegated := range []bool{false, true} {
			for _, wrong := range []string{
				"", "signature of the answer", "ResponderID", "issuerNameHash", "issuerKeyHash", "name of the issuer",
				"key of the issuer", "signature of the issuer", "key of the responder", "signature of the responder",
			} {
				issuer, leaf, id, above := make()
				right := issuer.Sign(above)
				w := &ocspWorld{t: t, nonce: []byte{7}, ca: &authority{&testca.Authority{
					Key: testKey("ca"), Name: issuer.Subject, Cert: parsed(t, right), ID: id,
				}}}
				person := leaf.Sign(w.ca.Key)
				w.responder = responderSpec(w.ca)
				var err error
				if w.leaf, err = ParseCertificate(person); err != nil {
					t.Fatal(err)
				}
				if w.id, err = newCertID(crypto.SHA256, w.leaf.known(), w.ca.asked().known()); err != nil {
					t.Fatal(err)
				}
				spec := w.direct()
				if delegated {
					spec = w.delegated()
				}
				c := ocspCase{name: "by the authority: " + place, issuer: right, leaf: person}
				if delegated {
					c.name = "by a responder: " + place
				}
				switch wrong {
				case "":
					c.valid = true
				case "signature of the answer":
					spec.key = stranger
				case "ResponderID":
					spec.responder = byName(jpkiName("JPKI-TEST", "Nobody"))
				case "issuerNameHash":
					id := w.id
					id.nameHash = id.keyHash
					spec.singles[0] = single(id.der(), statusGood, now, now.Add(day))
				case "issuerKeyHash":
					id := w.id
					id.keyHash = id.nameHash
					spec.singles[0] = single(id.der(), statusGood, now, now.Add(day))
				case "name of the issuer":
					issuer.Subject = jpkiName("JPKI-TEST", "Other")
					c.issuer = issuer.Sign(above)
				case "key of the issuer":
					issuer.Key = spki(stranger)
					c.issuer = issuer.Sign(above)
				case "signature of the issuer":
					c.issuer, c.valid = issuer.Sign(stranger), true // it is trusted, whoever signed it
				case "key of the responder":
					w.responder.Key = spki(stranger)
					spec.certificates = [][]byte{w.responder.Sign(w.ca.Key)}
				case "signature of the responder":
					spec.certificates = [][]byte{w.responder.Sign(stranger)}
				}
				if wrong != "" {
					c.name += ": wrong " + wrong
				}
				if !delegated && (wrong == "key of the responder" || wrong == "signature of the responder") {
					continue
				}
				c.response = spec.sign()
				cases = append(cases, c)
			}
		}
	}
	return cases
}

// TestOCSPKinds decides each of the 54 cases as OpenSSL's suite expects.
func TestOCSPKinds(t *testing.T) {
	cases := ocspKinds(t)
	if len(cases) != 54 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		issuer, err := ParseCertificate(c.issuer)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := ParseCertificate(c.leaf)
		if err != nil {
			t.Fatal(err)
		}
		o, err := NewOCSP(OCSPConfig{
			Responder: saying(c.response), CertIDHash: crypto.SHA256, NoNonce: true,
			Now: func() time.Time { return now },
		})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := o.Check(t.Context(), Query{Certificate: leaf, Issuer: issuer, At: now})
		if (err == nil) != c.valid || (answer.Status == Good) != c.valid {
			t.Errorf("%s: %v, %v", c.name, answer, err)
		}
	}
}
