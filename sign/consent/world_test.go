package consent_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/consent"
)

var (
	jst      = time.FixedZone("JST", 9*60*60)
	received = time.Date(2023, 5, 18, 10, 0, 0, 0, jst)
	// document is an operator's: XML in practice, with a byte order mark and CR LF here, which nothing may change.
	document   = []byte("\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<利用者同意申請情報>架空</利用者同意申請情報>\r\n")
	withdrawal = []byte("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<利用者同意取消情報/>\n")
)

func terms() *consent.Terms {
	t := &consent.Terms{
		Service: "shop-address", Version: "2026-04", DetailsURL: "https://shop.example/consent/details",
		Business: kakunin.Message{JA: "架空商店", EN: "Fictitious Shop"},
		Title:    kakunin.Message{JA: "最新の住所などの提供についての同意", EN: "Consent to providing your latest address"},
		Summary:  kakunin.Message{JA: "引っ越しのときに住所変更の手続きが要らなくなります。", EN: "You need not tell us when you move."},
		Texts:    map[consent.Item]kakunin.Message{},
	}
	for _, i := range consent.Items() {
		if i.Mandatory() {
			t.Texts[i] = kakunin.Message{JA: fmt.Sprintf("項目%dの説明", i), EN: fmt.Sprintf("words of item %d", i)}
		}
	}
	return t
}

// card is a signer of the test JPKI.
var card = sync.OnceValue(func() (c struct {
	key  *rsa.PrivateKey
	cert []byte
	jpki *issuer.JPKI
	list []byte
}) {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	var err error
	c.jpki, err = issuer.New(issuer.Config{Now: func() time.Time { return received }})
	must(err)
	c.key = c.jpki.Key("consent signing")
	c.cert, err = c.jpki.SigningCA().Issue(issuer.Request{Key: &c.key.PublicKey, Holder: issuer.Subject{
		Name: "確認　花子", Address: "東京都清瀬市架空町１－２－３", Gender: "2", Birthdate: "19880723",
		PrefectureRomaji: "Tokyo-to", CityRomaji: "Kiyose-shi", MunicipalityCode: "13221",
	}, IssuedAt: received.AddDate(-1, 0, 0)})

	must(err)
	leaf, err := x509.ParseCertificate(c.cert)
	must(err)
	c.list, err = c.jpki.SigningCA().CRL(leaf)
	must(err)
	return c
})

// signed has the card sign a document and a verifier verify it.
func signed(t testing.TB, doc []byte, mode sign.Mode) *sign.Report {
	t.Helper()
	c := card()
	digest := sha256.Sum256(doc)
	hash := crypto.SHA256
	if mode == sign.ModeBareHash {
		hash = 0
	}
	signature, err := rsa.SignPKCS1v15(nil, c.key, hash, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	lists := new(revocation.Store)
	if err := lists.Add(t.Context(), bytes.NewReader(c.list)); err != nil {
		t.Fatal(err)
	}
	v, err := sign.NewVerifier(sign.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: c.jpki.Trust(), Revocation: revocation.Require(lists),
		Now: func() time.Time { return received },
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Verify(t.Context(), sign.NewOpened(signature, c.cert),
		sign.Expect{Document: bytes.NewReader(doc), Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func reasonOf(err error) consent.Reason {
	if e, ok := errors.AsType[*consent.Error](err); ok {
		return e.Reason
	}
	return consent.ReasonUnknown
}

func accepted(t testing.TB) *consent.Consent {
	t.Helper()
	c, err := terms().Accept(consent.Signed{Document: document, Report: signed(t, document, sign.ModeDigestInfo)},
		consent.BaseReceived)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
