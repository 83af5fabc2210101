package issuer_test

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// A certificate is issued, verified, and revoked because its holder moved.
func Example() {
	now := func() time.Time { return time.Date(2026, time.April, 1, 0, 0, 0, 0, time.UTC) }
	j, err := issuer.New(issuer.Config{Now: now})
	if err != nil {
		fmt.Println(err)
		return
	}
	key := issuer.KeyFromSeed("example", "holder")
	der, err := j.SigningCA().Issue(issuer.Request{Key: &key.PublicKey, Holder: issuer.Subject{
		Name: "試験　花子", Address: "東京都清瀬市架空１２－７", Gender: "2", Birthdate: "19800217",
		PrefectureRomaji: "Tokyo-to", CityRomaji: "Kiyose-shi", MunicipalityCode: "13221",
	}, IssuedAt: now()})

	if err != nil {
		fmt.Println(err)
		return
	}
	leaf, err := jpki.ParseCertificate(der)
	if err != nil {
		fmt.Println(err)
		return
	}
	status := func() jpki.Status {
		lists := new(revocation.Store)
		if crl, err := j.SigningCA().CRL(leaf.X509()); err != nil ||
			lists.Add(context.Background(), bytes.NewReader(crl)) != nil {
			return jpki.Unknown
		}
		verifier, err := jpki.NewVerifier(jpki.VerifierConfig{
			Hierarchy: jpki.Simulated, Trust: j.Trust(), Revocation: revocation.Require(lists), Now: now,
		})
		if err != nil {
			return jpki.Unknown
		}
		result, _ := verifier.Verify(context.Background(), leaf)
		return result.Status
	}
	fmt.Println(status())
	if err := j.SigningCA().Revoke(leaf.X509().SerialNumber,
		issuer.Revocation{Reason: issuer.AffiliationChanged, At: now()}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(status())
	fmt.Println("expires", leaf.X509().NotAfter.In(time.FixedZone("JST", 9*60*60)))
	// Output:
	// good
	// revoked
	// expires 2031-02-17 23:59:59 +0900 JST
}
