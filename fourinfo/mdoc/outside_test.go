//go:build mdl

package mdoc_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/mobile"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/fourinfo/mdoc"
)

// outside runs another implementation. .ci/mdoc.sh installs them and sets the environment.
func outside(t *testing.T, variable string, input any, command ...string) (out map[string]any, err error) {
	t.Helper()
	if os.Getenv(variable) == "" {
		t.Fatalf("%s is not set: run .ci/mdoc.sh", variable)
	}
	in, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), command[0], command[1:]...)
	c.Env = append(os.Environ(), "NODE_PATH="+os.Getenv("MDOC_NODE_PATH"))
	c.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	answer, err := c.Output()
	if err != nil {
		t.Logf("%s: %s", command[0], stderr.String())
		return nil, err
	}
	return out, json.Unmarshal(answer, &out)
}

func certificatePEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// wrapped is the transcript in the form that @auth0/mdl takes: as a data item in a byte string.
func wrapped(t *testing.T, s mdoc.Session) string {
	t.Helper()
	transcript, err := s.Transcript()
	if err != nil {
		t.Fatal(err)
	}
	if len(transcript) < 24 || len(transcript) > 255 {
		t.Fatalf("a transcript of %d bytes", len(transcript))
	}
	return hex.EncodeToString(append([]byte{0xD8, 24, 0x58, byte(len(transcript))}, transcript...))
}

// TestOutsideVerifies: other implementations accept what our wallet presents, and refuse it tampered or for another
// session.
func TestOutsideVerifies(t *testing.T) {
	i, err := mobile.NewIssuer(mobile.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := person.Lookup(person.Hanako, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w, err := i.Issue(mobile.Card{Person: p})
	if err != nil {
		t.Fatal(err)
	}
	response := present(t, w, mobile.Request{})
	tampered := bytes.Replace(response, []byte(p.Reveal().Name), []byte("架"+p.Reveal().Name[len("架"):]), 1)
	foreign, err := mobile.NewIssuer(mobile.Config{Seed: "somebody else"})
	if err != nil {
		t.Fatal(err)
	}
	for what, tc := range map[string]struct {
		response []byte
		session  mdoc.Session
		anchor   *x509.Certificate
		ok       bool
	}{
		"genuine":  {response, session(), i.Anchor(), true},
		"tampered": {tampered, session(), i.Anchor(), false},
		"another session": {response, mdoc.AnnexC{EncryptionInfo: "x", Origin: "https://shop.example"}, i.Anchor(),
			false},
		"another anchor": {response, session(), foreign.Anchor(), false},
	} {
		request := map[string]string{
			"response": hex.EncodeToString(tc.response), "transcript": wrapped(t, tc.session),
			"anchor": certificatePEM(tc.anchor.Raw),
		}
		out, err := outside(t, "MDOC_NODE_PATH", request, "node", "../../.ci/mdoc/outside.cjs", "verify")
		if (err == nil) != tc.ok {
			t.Errorf("%s: @auth0/mdl says %v", what, err)
		}
		if elements, _ := out["elements"].(map[string]any); tc.ok &&
			elements[mdoc.NamespaceJapan+"/"+mdoc.ElementName] != p.Reveal().Name {
			t.Errorf("@auth0/mdl reads %v", out)
		}
		if what == "another session" {
			continue // pymdoccbor looks at no device signature
		}
		out, err = outside(t, "MDOC_PYTHON", request, os.Getenv("MDOC_PYTHON"), "../../.ci/mdoc/outside.py")
		if valid, _ := out["valid"].(bool); valid != tc.ok || tc.ok && err != nil {
			t.Errorf("%s: pymdoccbor says %v, %v", what, out, err)
		}
	}
}

func jwk(k *ecdsa.PrivateKey, private bool) map[string]string {
	text := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.FillBytes(make([]byte, 32))) }
	key := map[string]string{"kty": "EC", "crv": "P-256", "x": text(k.X), "y": text(k.Y), "kid": "1"}
	if private {
		key["d"] = text(k.D) //nolint:staticcheck // a JWK wants the number
	}
	return key
}

// TestOutsideIssues: our verifier accepts what another implementation issues and presents, in every form of session.
func TestOutsideIssues(t *testing.T) {
	keys := make([]*ecdsa.PrivateKey, 3)
	for n := range keys {
		var err error
		if keys[n], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	root, signer, device := keys[0], keys[1], keys[2]
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"JP"}, CommonName: "another authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, root.Public(), root)
	if err != nil {
		t.Fatal(err)
	}
	anchor, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{Country: []string{"JP"}, CommonName: "another signer"},
		NotBefore: template.NotBefore, NotAfter: template.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if der, err = x509.CreateCertificate(rand.Reader, leaf, anchor, signer.Public(), root); err != nil {
		t.Fatal(err)
	}
	v, err := mdoc.NewVerifier(mdoc.Config{Anchors: []*x509.Certificate{anchor}})
	if err != nil {
		t.Fatal(err)
	}
	sessions := []mdoc.Session{
		session(), mdoc.DigitalCredentials{Origin: "https://shop.example", Nonce: "n"},
		mdoc.AnnexC{EncryptionInfo: "x", Origin: "https://shop.example"},
		mdoc.AnnexB{ClientID: "shop", Nonce: "n", ResponseURI: "https://shop.example/vp", WalletNonce: "w"},
	}
	for n, s := range sessions {
		out, err := outside(t, "MDOC_NODE_PATH", map[string]any{
			"docType": mdoc.DocType, "transcript": wrapped(t, s), "certificate": certificatePEM(der),
			"issuerPrivate": jwk(signer, true), "devicePublic": jwk(device, false), "devicePrivate": jwk(device, true),
			"elements": map[string]any{
				mdoc.NamespaceJapan: map[string]any{mdoc.ElementName: "試験　花子", mdoc.ElementBirthDateText: "1971年9月1日",
					mdoc.ElementSexText: "女"},
				mdoc.NamespaceISO: map[string]any{mdoc.ElementSex: 2, mdoc.ElementBirthDate: "1971-09-01",
					"age_over_20": true},
			},
		}, "node", "../../.ci/mdoc/outside.cjs", "issue")
		if err != nil {
			t.Fatal(err)
		}
		response, err := hex.DecodeString(out["response"].(string))
		if err != nil {
			t.Fatal(err)
		}
		for m, expected := range sessions {
			got, err := v.Verify(response, mdoc.Expect{Session: expected})
			if (err == nil) != (n == m) {
				t.Errorf("answered %+v, expected %+v: %v", s, expected, err)
			}
			if err == nil && (got.Name.Reveal() != "試験　花子" ||
				!slices.Equal(got.Attributes(), []string{"name", "birthdate", "gender"}) || len(got.Problems) > 0) {
				t.Errorf("%v, %v", got.Attributes(), got.Problems)
			}
		}
	}
}
