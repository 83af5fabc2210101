package issuer_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/internal/limits"
)

func post(t testing.TB, h http.Handler, path, mediaType string, body []byte) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", mediaType)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func ask(t testing.TB, h http.Handler, path string, request []byte) []byte {
	t.Helper()
	response := post(t, h, path, "application/ocsp-request", request)
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/ocsp-response" {
		t.Fatalf("status %d, type %q", response.StatusCode, response.Header.Get("Content-Type"))
	}
	return body
}

func request(t testing.TB, leaf, ca *x509.Certificate, hash crypto.Hash) []byte {
	t.Helper()
	der, err := ocsp.CreateRequest(leaf, ca, &ocsp.RequestOptions{Hash: hash})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestOCSPAnswers(t *testing.T) {
	t.Parallel()
	j, now := newJPKI(t)
	for path, ca := range map[string]*issuer.CA{"/sign/ocsp": j.SigningCA(), "/auth/ocsp": j.AuthenticationCA()} {
		leaf := issue(t, ca, holder(), noon)
		check := func(hash crypto.Hash, status, reason int) *ocsp.Response {
			t.Helper()
			response, err := ocsp.ParseResponseForCert(ask(t, j.Handler(), path,
				request(t, leaf, ca.Certificate(), hash)), leaf, ca.Certificate())
			if err != nil {
				t.Fatal(err)
			}
			if response.Status != status || response.RevocationReason != reason {
				t.Errorf("%s: status %d, reason %d; want %d, %d", path, response.Status, response.RevocationReason,
					status, reason)
			}
			if response.ThisUpdate.After(now.Now()) || !response.NextUpdate.After(now.Now().Add(14*time.Minute)) ||
				!response.ProducedAt.Equal(now.Now()) {
				t.Errorf("%s: %v, %v to %v", path, response.ProducedAt, response.ThisUpdate, response.NextUpdate)
			}
			return response
		}
		for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
			check(hash, ocsp.Good, 0)
		}
		checkResponder(t, check(crypto.SHA1, ocsp.Good, 0), ca.Certificate())
		if err := ca.Revoke(leaf.SerialNumber, issuer.Revocation{Reason: issuer.CertificateHold,
			At: noon.Add(-time.Minute)}); err != nil {
			t.Fatal(err)
		}
		for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
			if r := check(hash, ocsp.Revoked, 6); !r.RevokedAt.Equal(noon.Add(-time.Minute)) ||
				r.ThisUpdate.Before(r.RevokedAt) {
				t.Errorf("revoked at %v in the state of %v", r.RevokedAt, r.ThisUpdate)
			}
		}
		if err := ca.Unrevoke(leaf.SerialNumber); err != nil {
			t.Fatal(err)
		}
		check(crypto.SHA1, ocsp.Good, 0)
	}
}

func checkResponder(t *testing.T, r *ocsp.Response, ca *x509.Certificate) {
	t.Helper()
	c := r.Certificate
	if c == nil {
		t.Fatal("no delegated responder")
	}
	if err := c.CheckSignatureFrom(ca); err != nil {
		t.Error(err)
	}
	if len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageOCSPSigning ||
		c.KeyUsage != x509.KeyUsageDigitalSignature || c.IsCA {
		t.Errorf("responder for %v, %b", c.ExtKeyUsage, c.KeyUsage)
	}
	wantHex(t, "id-pkix-ocsp-nocheck", extension(t, c, "1.3.6.1.5.5.7.48.1.5"), "0500")
	if !bytes.Equal(r.ResponderKeyHash, c.SubjectKeyId) || !bytes.Equal(c.AuthorityKeyId, ca.SubjectKeyId) {
		t.Error("the response names another responder")
	}
}

func TestOCSPUnknown(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	other, err := issuer.New(issuer.Config{Seed: "other", Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	ca := j.SigningCA()
	leaf := issue(t, ca, holder(), noon)
	neverIssued := issue(t, other.SigningCA(), holder(), noon)
	for what, der := range map[string][]byte{
		"serial number of nobody":                  request(t, neverIssued, ca.Certificate(), crypto.SHA1),
		"known serial number under another CA key": request(t, leaf, other.SigningCA().Certificate(), crypto.SHA1),
		"known serial number under another CA name": request(t, leaf, j.AuthenticationCA().Certificate(),
			crypto.SHA256),
		"hash that the responder does not know": request(t, leaf, ca.Certificate(), crypto.SHA512),
	} {
		response, err := ocsp.ParseResponse(ask(t, j.Handler(), "/sign/ocsp", der), ca.Certificate())
		if err != nil || response.Status != ocsp.Unknown {
			t.Errorf("%s: %v, %v; want unknown", what, response, err)
		}
	}
}

// withExtensions adds requestExtensions to a request made by another library.
func withExtensions(t testing.TB, der []byte, extensions string) []byte {
	t.Helper()
	var outer struct{ TBS asn1.RawValue }
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		t.Fatal(err)
	}
	out, err := hex.DecodeString(tlv("30", tlv("30", hex.EncodeToString(outer.TBS.Bytes)+tlv("a2",
		tlv("30", extensions)))))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// nonceExtension is the nonce extension, 1.3.6.1.5.5.7.48.1.2, with that many octets.
func nonceExtension(n int) string {
	return tlv("30", "06092b0601050507300102"+tlv("04", tlv("04", strings.Repeat("5a", n))))
}

func TestOCSPNonceAndExtensions(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	ca := j.SigningCA()
	leaf := issue(t, ca, holder(), noon)
	plain := request(t, leaf, ca.Certificate(), crypto.SHA1)
	unknown := tlv("30", "06032a0304"+tlv("04", "0500"))
	critical := tlv("30", "06032a0304"+"0101ff"+tlv("04", "0500"))
	for _, tc := range []struct {
		what, extensions, echoed string
		malformed                bool
	}{
		{"one octet", nonceExtension(1), nonceExtension(1), false},
		{"32 octets", nonceExtension(32), nonceExtension(32), false},
		{"128 octets", unknown + nonceExtension(128), nonceExtension(128), false},
		{"129 octets", nonceExtension(129), "", true},
		{"no octet", nonceExtension(0), "", true},
		{"two nonces", nonceExtension(8) + nonceExtension(8), "", true},
		{"unwrapped nonce", tlv("30", "06092b0601050507300102"+tlv("04", "5a5a5a")), "", true},
		{"unknown extension", unknown, "", false},
		{"unknown critical extension", critical, "", true},
	} {
		der := ask(t, j.Handler(), "/sign/ocsp", withExtensions(t, plain, tc.extensions))
		if tc.malformed {
			wantHex(t, tc.what, der, "30030a0101")
			continue
		}
		if _, err := ocsp.ParseResponseForCert(der, leaf, ca.Certificate()); err != nil {
			t.Errorf("%s: %v", tc.what, err)
		}
		has := strings.Contains(hex.EncodeToString(der), tlv("a1", tlv("30", tc.echoed)))
		if has != (tc.echoed != "") {
			t.Errorf("%s: echoed %v", tc.what, has)
		}
	}
}

func TestOCSPSeveralCertificates(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	ca := j.SigningCA()
	leaf := issue(t, ca, holder(), noon)
	var one struct {
		TBS struct{ List []asn1.RawValue }
	}
	if _, err := asn1.Unmarshal(request(t, leaf, ca.Certificate(), crypto.SHA1), &one); err != nil {
		t.Fatal(err)
	}
	single := hex.EncodeToString(one.TBS.List[0].FullBytes)
	many := func(n int) []byte {
		der, err := hex.DecodeString(tlv("30", tlv("30", tlv("30", strings.Repeat(single, n)))))
		if err != nil {
			t.Fatal(err)
		}
		return ask(t, j.Handler(), "/sign/ocsp", der)
	}
	wantHex(t, "no certificate", many(0), "30030a0101")
	wantHex(t, "too many certificates", many(limits.OCSPCertificates+1), "30030a0101")
	certID := strings.TrimPrefix(single, single[:4]) // what is in the Request
	if got := strings.Count(hex.EncodeToString(many(3)), certID); got != 3 {
		t.Errorf("%d answers to 3 questions", got)
	}
}

func TestOCSPMalformed(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	leaf := issue(t, j.SigningCA(), holder(), noon)
	der := request(t, leaf, j.SigningCA().Certificate(), crypto.SHA1)
	for n := range len(der) {
		wantHex(t, "truncated", ask(t, j.Handler(), "/sign/ocsp", der[:n]), "30030a0101")
	}
	wantHex(t, "trailing byte", ask(t, j.Handler(), "/sign/ocsp", append(bytes.Clone(der), 0)), "30030a0101")
}
