package daa_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/daa/visitor"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

const document = "利用規約に同意します。"

// digestInfo is the DER of the published test vector for the document above.
func digestInfo(t *testing.T) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString("MDEwDQYJYIZIAWUDBAIBBQAEIFyId8qi/cogFEJLqL16sfsSmTsGpnh2cezgqE0XZSa0")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// opened is a result after decryption.
type opened struct {
	Signature   []byte `json:"signature"`
	Certificate []byte `json:"certificate"`
}

func (rp *relyingParty) open(a answer) opened {
	rp.t.Helper()
	var sealed struct {
		JWE string `json:"signature_jwe"`
	}
	if a.status != http.StatusOK || json.Unmarshal(a.body, &sealed) != nil {
		rp.t.Fatalf("result: %d %s", a.status, a.body)
	}
	return rp.decrypt(sealed.JWE)
}

func (rp *relyingParty) decrypt(jwe string) (o opened) {
	rp.t.Helper()
	payload, header, err := jose.Decrypt(jwe, rp.svc.OperatorKey(), jose.DecryptOptions{})
	if err != nil || header.Algorithm != "RSA-OAEP-256" || header.Encryption != "A256GCM" || header.KeyID == "" {
		rp.t.Fatalf("JWE: %v", err)
	}
	if err := json.Unmarshal(payload, &o); err != nil {
		rp.t.Fatal(err)
	}
	return o
}

func (o opened) key(t *testing.T) *rsa.PublicKey {
	t.Helper()
	cert, err := x509.ParseCertificate(o.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok {
		t.Fatal("not RSA")
	}
	return key
}

// sign runs a transaction up to the user's access token.
func (rp *relyingParty) sign(input []byte) (id, access string) {
	rp.t.Helper()
	id = rp.transaction(input)
	return id, rp.mustToken(rp.exchange(rp.approve(rp.signing(id)).Get("code")))
}

func TestSignBareHash(t *testing.T) {
	rp := start(t)
	digest := sha256.Sum256([]byte(document))
	if hex.EncodeToString(digest[:]) != "5c8877caa2fdca2014424ba8bd7ab1fb12993b06a6787671ece0a84d176526b4" {
		t.Fatal("not the published vector")
	}
	o := rp.open(rp.result(rp.sign(digest[:])))
	if err := rsa.VerifyPKCS1v15(o.key(t), 0, digest[:], o.Signature); err != nil {
		t.Errorf("bare hash: %v", err)
	}
	if rsa.VerifyPKCS1v15(o.key(t), crypto.SHA256, digest[:], o.Signature) == nil {
		t.Error("the card added a DigestInfo")
	}
	want, _ := rp.svc.Card().Certificates()
	if !bytes.Equal(o.Certificate, want) {
		t.Error("not the card's signing certificate")
	}
}

func TestSignDigestInfo(t *testing.T) {
	rp := start(t)
	digest := sha256.Sum256([]byte(document))
	o := rp.open(rp.result(rp.sign(digestInfo(t))))
	if err := rsa.VerifyPKCS1v15(o.key(t), crypto.SHA256, digest[:], o.Signature); err != nil {
		t.Errorf("DigestInfo: %v", err)
	}
}

// government starts a service with a government relying party.
func government(t *testing.T, opts ...daa.Option) *relyingParty {
	t.Helper()
	key := newKey(t)
	rp := start(t, append(opts, daa.WithClient(daa.ClientRegistration{ID: "GOV0000001", Key: key.Public(),
		RedirectURLs: []string{redirect}, Government: true}))...)
	rp.id, rp.key = "GOV0000001", jose.SigningKey{Signer: key, Algorithm: jose.ES256}
	return rp
}

func TestGovernmentResultIsPlain(t *testing.T) {
	rp := government(t)
	a := rp.result(rp.sign(make([]byte, 32)))
	var o opened
	if a.status != http.StatusOK || len(a.json) != 2 || json.Unmarshal(a.body, &o) != nil {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if err := rsa.VerifyPKCS1v15(o.key(t), 0, make([]byte, 32), o.Signature); err != nil {
		t.Error(err)
	}
	rp.svc.SetKnobs(daa.Knobs{Sign: daa.SignKnobs{GovernmentSealed: true}})
	rp.open(rp.result(rp.sign(make([]byte, 32))))
}

func TestStartRefuses(t *testing.T) {
	rp := start(t)
	service := rp.serviceToken()
	w := wire.Default().Sign
	body := func(pairs ...any) map[string]any { return change(rp.startBody(w, make([]byte, 32)), pairs...) }
	b64 := base64.StdEncoding.EncodeToString
	wrongOID := digestInfo(t)
	wrongOID[14] = 2 // SHA-384
	for name, b := range map[string]map[string]any{
		"no hash":            body("hash", nil),
		"hash not a string":  body("hash", 5),
		"empty hash":         body("hash", ""),
		"31 bytes":           body("hash", b64(make([]byte, 31))),
		"33 bytes":           body("hash", b64(make([]byte, 33))),
		"51 bytes, no DER":   body("hash", b64(make([]byte, 51))),
		"another hash's OID": body("hash", b64(wrongOID)),
		"DigestInfo and one": body("hash", b64(append(digestInfo(t), 0))),
		"base64url":          body("hash", base64.URLEncoding.EncodeToString(bytes.Repeat([]byte{0xFB}, 32))),
		"no padding":         body("hash", base64.RawStdEncoding.EncodeToString(make([]byte, 32))),
		"line break":         body("hash", b64(make([]byte, 32))+"\n"),
		"hex":                body("hash", strings.Repeat("0", 64)),
		"no client":          body("client_id", nil),
		"another client":     body("client_id", "RP00000002"),
		"no algorithm":       body("hash_algorithm", nil),
		"another algorithm":  body("hash_algorithm", "SHA-1"),
		"extra member":       body("x", "y"),
	} {
		t.Run(name, func(t *testing.T) {
			if a := rp.startSign(service, b); a.status != http.StatusBadRequest ||
				a.json["error"] != w.ErrorCodes.InvalidRequest {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	endpoint := rp.svc.Environment().SignEndpoint
	good, err := json.Marshal(body())
	if err != nil {
		t.Fatal(err)
	}
	twice := strings.Replace(string(good), "{", `{"hash":"`+b64(make([]byte, 32))+`",`, 1)
	for name, c := range map[string]struct {
		contentType, body, bearer string
		status                    int
	}{
		"form":             {formType, string(good), service, http.StatusBadRequest},
		"duplicate member": {"application/json", twice, service, http.StatusBadRequest},
		"array":            {"application/json", "[]", service, http.StatusBadRequest},
		"too long":         {"application/json", strings.Repeat(" ", 1<<20), service, http.StatusBadRequest},
		"no token":         {"application/json", string(good), "", http.StatusUnauthorized},
		"no token of ours": {"application/json", string(good), "x.y.z", http.StatusUnauthorized},
		"a person's token": {"application/json", string(good),
			rp.mustToken(rp.exchange(rp.approve(rp.authorization()).Get("code"))), http.StatusForbidden},
		"with a media option": {"application/json; charset=utf-8", string(good), service, http.StatusCreated},
	} {
		t.Run(name, func(t *testing.T) {
			if a := rp.do(http.MethodPost, endpoint, c.bearer, c.contentType, c.body); a.status != c.status {
				t.Errorf("%d %s, want %d", a.status, a.body, c.status)
			}
		})
	}
}

func TestResultStatuses(t *testing.T) {
	clock := newClock()
	other := newKey(t)
	rp := start(t, follow(t, clock), withClient("RP00000002", other))
	second := &relyingParty{t: t, svc: rp.svc, id: "RP00000002",
		key: jose.SigningKey{Signer: other, Algorithm: jose.ES256}}
	codes := wire.Default().Sign.ErrorCodes
	want := func(name string, a answer, status int, code string) {
		t.Helper()
		if a.status != status || a.json["error"] != code {
			t.Errorf("%s: %d %s, want %d %s", name, a.status, a.body, status, code)
		}
	}
	id, access := rp.sign(make([]byte, 32))
	elsewhere, elsewhereToken := second.sign(make([]byte, 32))
	_, laterToken := rp.sign(make([]byte, 32))
	open := rp.transaction(make([]byte, 32))
	loginOnly := rp.mustToken(rp.exchange(rp.approve(rp.authorization()).Get("code")))

	want("no token", rp.result(id, ""), http.StatusUnauthorized, codes.InvalidToken)
	want("service token", rp.result(id, rp.serviceToken()), http.StatusForbidden, codes.InsufficientScope)
	want("token without sign", rp.result(id, loginOnly), http.StatusForbidden, codes.InsufficientScope)
	want("unknown", rp.result("65a04b4e-af8b-45a2-8713-5ec2631bab64", access), http.StatusNotFound, codes.NotFound)
	want("not an id", rp.result("x", access), http.StatusNotFound, codes.NotFound)
	want("another client's", rp.result(elsewhere, access), http.StatusNotFound, codes.NotFound)
	want("by another client", rp.result(id, elsewhereToken), http.StatusNotFound, codes.NotFound)
	want("another flow", rp.result(id, laterToken), http.StatusConflict, codes.Conflict)
	want("nobody signed it", rp.result(open, access), http.StatusConflict, codes.Conflict)

	rp.open(rp.result(strings.ToUpper(id), access))
	want("again", rp.result(id, access), http.StatusGone, codes.Consumed)

	cancelled := rp.transaction(make([]byte, 32))
	if _, err := rp.svc.Visitor().Cancel(t.Context(), rp.authorizationURL(rp.signing(cancelled))); err != nil {
		t.Fatal(err)
	}
	want("cancelled", rp.result(cancelled, access), http.StatusConflict, codes.Cancelled)
	a := rp.do(http.MethodGet, rp.authorizationURL(rp.signing(cancelled)), "", "", "")
	if got := rp.callback(a.header.Get("Location")); got.Get("error") != "invalid_request" {
		t.Errorf("a cancelled transaction began again: %v", got)
	}

	rp.svc.SetKnobs(daa.Knobs{Lifetimes: daa.Lifetimes{Transaction: time.Minute},
		Sign: daa.SignKnobs{PendingResults: 2, Retrievals: 2}})
	short, token := rp.sign(make([]byte, 32))
	for range 2 {
		a := rp.result(short, token)
		want("pending", a, http.StatusAccepted, codes.Pending)
		if a.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	rp.open(rp.result(short, token))
	clock.advance(time.Minute)
	want("expired", rp.result(short, token), http.StatusGone, codes.Expired)
}

func TestHostileResults(t *testing.T) {
	rp := start(t)
	verify := func(o opened) error { return rsa.VerifyPKCS1v15(o.key(t), 0, make([]byte, 32), o.Signature) }
	rp.svc.SetKnobs(daa.Knobs{Sign: daa.SignKnobs{AlterSignature: true}})
	if verify(rp.open(rp.result(rp.sign(make([]byte, 32))))) == nil {
		t.Error("the signature was not altered")
	}
	rp.svc.SetKnobs(daa.Knobs{Sign: daa.SignKnobs{SwapCertificate: true}})
	o := rp.open(rp.result(rp.sign(make([]byte, 32))))
	if verify(o) == nil {
		t.Error("the certificate was not swapped")
	}
	leaf, err := jpki.ParseCertificate(o.Certificate)
	if err != nil || leaf.Kind() != jpki.SigningCard {
		t.Errorf("the stranger's certificate is no signing certificate: %v", err)
	}
	rp.svc.SetKnobs(daa.Knobs{Sign: daa.SignKnobs{BareJWE: true}})
	a := rp.result(rp.sign(make([]byte, 32)))
	if err := verify(rp.decrypt(string(a.body))); err != nil {
		t.Error(err)
	}
}

// For private relying parties the service does not look at the signing certificate's revocation: they must. For
// government ones it does.
// A child's card cannot sign, and the page says why.
func TestCardWithoutSigningCertificate(t *testing.T) {
	rp := start(t, daa.WithPersonas(person.Pupil))
	id := rp.transaction(make([]byte, 32))
	back, err := rp.svc.Visitor().Approve(t.Context(), rp.authorizationURL(rp.signing(id)))
	if !errors.Is(err, &visitor.Error{Reason: visitor.ReasonCardUnusable, Step: "no-signing-certificate"}) {
		t.Errorf("%v", err)
	}
	if got := rp.callback(back).Get("error"); got != "access_denied" {
		t.Errorf("%q", got)
	}
}

func TestRevokedSigningCertificate(t *testing.T) {
	rp := government(t, own)
	gov, key := rp.id, rp.key
	der, _ := rp.svc.Card().Certificates()
	leaf, err := jpki.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := rp.svc.JPKI().SigningCA().Revoke(leaf.X509().SerialNumber,
		issuer.Revocation{Reason: 1, At: time.Now().Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	callback, err := rp.svc.Visitor().Approve(t.Context(), rp.authorizationURL(
		rp.signing(rp.transaction(make([]byte, 32)))))
	if got := rp.callback(callback); err == nil || got.Get("error") != "access_denied" || got.Has("code") {
		t.Errorf("%s with %T: %v, %v", gov, key.Signer, got, err)
	}
	rp = startAgain(rp)
	rp.open(rp.result(rp.sign(make([]byte, 32))))
}

// startAgain is a private relying party at another service with the same authorities and card.
func startAgain(rp *relyingParty) *relyingParty {
	rp.t.Helper()
	return start(rp.t, func(c *daa.Config) { c.JPKI, c.Cards = rp.svc.JPKI(), rp.svc.Cards() })
}

func TestServiceScopeKnob(t *testing.T) {
	rp := start(t, daa.WithKnobs(daa.Knobs{Sign: daa.SignKnobs{RequireServiceScope: true}}))
	form := rp.credentials()
	form.Set("grant_type", "client_credentials")
	wantRefused(t, rp.token(form), http.StatusBadRequest, "invalid_scope")
	form = rp.credentials()
	form.Set("grant_type", "client_credentials")
	form.Set("scope", "sign")
	rp.mustToken(form)

	w := wire.Default()
	w.ServiceTokenScope = "x_sign"
	rp = start(t, daa.WithKnobs(rp.svc.Knobs()), daa.WithWire(w))
	c, err := signapi.New(signapi.Config{Client: rp.client(func(c *authn.Config) { c.Wire = &w })})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Start(t.Context(), sign.Text(document), sign.ModeBareHash); err != nil {
		t.Errorf("scope of the wire profile: %v", err)
	}
}

// Another person's token does not even learn that the transaction exists.
func TestResultOfAnotherPerson(t *testing.T) {
	rp := start(t, daa.WithPersonas(person.Hanako, person.Taro))
	id, _ := rp.sign(make([]byte, 32))
	callback, err := rp.svc.VisitorWith(rp.svc.Cards()[1]).Approve(t.Context(),
		rp.authorizationURL(rp.signing(rp.transaction(make([]byte, 32)))))
	if err != nil {
		t.Fatal(err)
	}
	taro := rp.mustToken(rp.exchange(rp.callback(callback).Get("code")))
	if a := rp.result(id, taro); a.status != http.StatusNotFound {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// One transaction opened in two tabs: the first that ends decides, and its login alone gets the result.
func TestOneTransactionInTwoTabs(t *testing.T) {
	rp := start(t)
	p := rp.svc.Card().Person().Reveal()
	for _, second := range []string{"consent", "cancel"} {
		id := rp.transaction(make([]byte, 32))
		var tabs [2]*browser
		for i := range tabs {
			tabs[i] = rp.browser(phoneAgent).get(rp.authorizationURL(rp.signing(id)))
			tabs[i].submit("auth-pin", "pin", p.AuthPIN).submit("signing-password", "password",
				p.SigningPassword).want("consent")
		}
		access := rp.mustToken(rp.exchange(rp.callback(tabs[0].submit("consent").left).Get("code")))
		late := rp.callback(tabs[1].submit(second).left)
		if second == "consent" {
			if a := rp.result(id, rp.mustToken(rp.exchange(late.Get("code")))); a.status != http.StatusConflict {
				t.Errorf("second login: %d %s", a.status, a.body)
			}
		}
		rp.open(rp.result(id, access))
	}
}
