package jpki_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"testing/fstest"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/jpki/revocation/responder"
)

// world is a test JPKI with one person, so that the examples run without a card.
type world struct {
	*issuer.JPKI
	certificate []byte // of the person, as a card or a service hands it over
	list        []byte // the revocation list of the person's municipality
}

func clock() time.Time { return time.Date(2026, time.November, 2, 3, 0, 0, 0, time.UTC) }

func newWorld() world {
	j, err := issuer.New(issuer.Config{Now: clock})
	if err != nil {
		log.Fatal(err)
	}
	der, err := j.SigningCA().Issue(issuer.Request{Key: &issuer.KeyFromSeed("example", "holder").PublicKey,
		Holder: issuer.Subject{
			Name: "試験　花子", Address: "東京都清瀬市架空１２－７", Gender: "2", Birthdate: "19800217",
			PrefectureRomaji: "Tokyo-to", CityRomaji: "Kiyose-shi", MunicipalityCode: "13221",
		}, IssuedAt: clock().AddDate(-1, 0, 0)})

	if err != nil {
		log.Fatal(err)
	}
	w := world{JPKI: j, certificate: der}
	w.list = w.currentList()
	return w
}

func (w world) currentList() []byte {
	leaf, err := jpki.ParseCertificate(w.certificate)
	if err != nil {
		log.Fatal(err)
	}
	der, err := w.SigningCA().CRL(leaf.X509())
	if err != nil {
		log.Fatal(err)
	}
	return der
}

// What a certificate says, before anything of it is believed.
func ExampleParseCertificate() {
	leaf, err := jpki.ParseCertificate(newWorld().certificate)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(leaf.Kind(), leaf.IsTest())
	fmt.Println(leaf.Person().Name.Reveal())
	fmt.Println("valid until", leaf.ValidUntil().In(time.FixedZone("JST", 9*60*60)))
	fmt.Println(leaf) // personal data come out only by Reveal
	// Output:
	// signing-card true
	// 試験　花子
	// valid until 2030-02-17 23:59:59 +0900 JST
	// [redacted]
}

// Was this certificate valid, and how is that known?
func ExampleVerifier_Verify() {
	w := newWorld()
	lists := new(revocation.Store)
	if err := lists.Add(context.Background(), bytes.NewReader(w.list)); err != nil {
		fmt.Println(err)
		return
	}
	// In production: Trust: jpki.ProductionTrust(os.DirFS("/etc/jpki")), and no Hierarchy.
	verifier, err := jpki.NewVerifier(jpki.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: w.Trust(), Revocation: revocation.Require(lists), Now: clock,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	leaf, err := jpki.ParseCertificate(w.certificate)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := verifier.Verify(context.Background(), leaf, jpki.For(jpki.SigningCard))
	fmt.Println(res.Status, res.Revocation.Method, err)
	last := res.Steps[len(res.Steps)-1]
	fmt.Println(last.Name, last.OK, "-", last.Clause)
	// Output:
	// good CRL <nil>
	// revocation.status true - RFC 5280, 6.1.3 (a)(3)
}

// An application decides by the family of the error, and shows the person a text that is fit to show.
func ExampleError() {
	w := newWorld()
	leaf, err := jpki.ParseCertificate(w.certificate)
	if err != nil {
		fmt.Println(err)
		return
	}
	// The holder moved: the municipality revokes the signing certificate.
	if err := w.SigningCA().Revoke(leaf.X509().SerialNumber,
		issuer.Revocation{Reason: issuer.AffiliationChanged, At: clock()}); err != nil {
		fmt.Println(err)
		return
	}
	lists := new(revocation.Store)
	if err := lists.Add(context.Background(), bytes.NewReader(w.currentList())); err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := jpki.NewVerifier(jpki.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: w.Trust(), Revocation: revocation.Require(lists), Now: clock,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := verifier.Verify(context.Background(), leaf)
	fmt.Println(res.Status, res.Revocation.Reason, errors.Is(err, &jpki.Error{Reason: jpki.ReasonRevoked}))
	if kakunin.FamilyOf(err) == kakunin.Account {
		fmt.Println(kakunin.MessageFor(err, kakunin.English))
	}
	// Output:
	// revoked 3 true
	// The certificate on the card has been revoked, for example after a change of name or address. Please get a new one at your municipal office.
}

// Revocation by OCSP for one kind of certificate.
func ExampleOnly() {
	w := newWorld()
	server := httptest.NewServer(w.Handler())
	defer server.Close()

	over, err := responder.New(responder.Config{URL: server.URL + "/sign/ocsp"})
	if err != nil {
		fmt.Println(err)
		return
	}
	responders, err := revocation.NewOCSP(revocation.OCSPConfig{Responder: over, Now: clock})
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := jpki.NewVerifier(jpki.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: w.Trust(), Revocation: revocation.Require(
			jpki.Only(responders, jpki.SigningCard)), Now: clock,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	leaf, err := jpki.ParseCertificate(w.certificate)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := verifier.Verify(context.Background(), leaf)
	fmt.Println(res.Status, res.Revocation.Method, err)
	// Output: good OCSP <nil>
}

// An anchor whose file somebody replaced is refused.
func ExampleProductionTrust() {
	// In earnest: jpki.ProductionTrust(os.DirFS("/etc/jpki")), with signca03.cer and its siblings in it.
	trust := jpki.ProductionTrust(fstest.MapFS{
		"signca03.cer": {Data: newWorld().SigningCA().Certificate().Raw}, // somebody replaced the file
	})
	_, err := jpki.NewVerifier(jpki.VerifierConfig{Trust: trust, Revocation: revocation.InsecureNoRevocation()})
	fmt.Println(err)
	fmt.Println(kakunin.FamilyOf(err))
	// Output:
	// jpki: trust anchor refused: trust.pin: file signca03.cer
	// configuration
}

// J-LIS publishes a new generation every few years. Until a version of this module knows it, the operator vouches for
// it, and the report says what else there is to do.
func ExampleTrust_Report() {
	published := newWorld().SigningCA().Certificate().Raw
	sum := sha256.Sum256(published)
	trust := jpki.ProductionTrust(fstest.MapFS{
		"signca04.cer": {Data: published},
		"notes.cer":    {Data: []byte("ask J-LIS for the new one")},
	}, jpki.AddedPin{Name: "signca04", SHA256: hex.EncodeToString(sum[:])})
	for _, anchor := range trust.Anchors() {
		fmt.Println("trusted:", anchor.Name)
	}
	report := trust.Report(clock())
	fmt.Println("refused:", report.Refused[0])
	fmt.Println("missing:", report.Missing)
	// Output:
	// trusted: signca04
	// refused: jpki: trust anchor refused: trust.form: file notes.cer: this is text, but neither PEM nor base64 of DER
	// missing: [signca01 signca02 signca03 authca01 authca02 authca03]
}

// A test card of J-LIS meets its own hierarchy only.
func ExampleInsecureJLISTestTrust() {
	trust := jpki.InsecureJLISTestTrust(fstest.MapFS{}) // os.DirFS of the certificates that were read from test cards
	_, err := jpki.NewVerifier(jpki.VerifierConfig{
		Hierarchy: jpki.JLISTest, Trust: trust, Revocation: revocation.InsecureNoRevocation(),
	})
	fmt.Println(err)
	// Output: jpki: trust anchor refused: trust.load
}
