package jpki_test

import (
	"bytes"
	"context"
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
	der, err := j.SigningCA().Issue(&issuer.KeyFromSeed("example", "holder").PublicKey, issuer.Subject{
		Name: "試験　花子", Address: "東京都清瀬市架空１２－７", Gender: "2", Birthdate: "19800217",
		PrefectureRomaji: "Tokyo-to", CityRomaji: "Kiyose-shi", MunicipalityCode: "13221",
	}, clock().AddDate(-1, 0, 0))
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
	if err := w.SigningCA().Revoke(leaf.X509().SerialNumber, issuer.AffiliationChanged, clock()); err != nil {
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
		Hierarchy: jpki.Simulated, Trust: w.Trust(), Revocation: revocation.Require(jpki.Only(responders, jpki.SigningCard)), Now: clock,
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
