package revocation_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

func clock() time.Time { return time.Date(2026, time.November, 2, 3, 0, 0, 0, time.UTC) }

// world is a test JPKI with one person's certificate, which its authority has revoked, and the list that says so.
func world() (authority *x509.Certificate, certificate, list []byte) {
	j, err := issuer.New(issuer.Config{Now: clock})
	if err != nil {
		log.Fatal(err)
	}
	certificate, err = j.SigningCA().Issue(issuer.Request{Key: &issuer.KeyFromSeed("example", "holder").PublicKey,
		Holder: issuer.Subject{
			Name: "試験　花子", Address: "東京都清瀬市架空１２－７", Gender: "2", Birthdate: "19800217",
			PrefectureRomaji: "Tokyo-to", CityRomaji: "Kiyose-shi", MunicipalityCode: "13221",
		}, IssuedAt: clock().AddDate(-1, 0, 0)})

	if err != nil {
		log.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(certificate)
	if err != nil {
		log.Fatal(err)
	}
	if err := j.SigningCA().Revoke(leaf.SerialNumber, issuer.Revocation{Reason: issuer.AffiliationChanged,
		At: clock()}); err != nil {
		log.Fatal(err)
	}
	list, err = j.SigningCA().CRL(leaf)
	if err != nil {
		log.Fatal(err)
	}
	return j.SigningCA().Certificate(), certificate, list
}

func query(authority *x509.Certificate, certificate []byte, at time.Time) revocation.Query {
	one, err := revocation.ParseCertificate(certificate)
	if err != nil {
		log.Fatal(err)
	}
	issuer, err := revocation.ParseCertificate(authority.Raw)
	if err != nil {
		log.Fatal(err)
	}
	return revocation.Query{Certificate: one, Issuer: issuer, At: at}
}

// A store keeps the lists of every day, also over a restart.
func ExampleStore() {
	ctx := context.Background()
	authority, certificate, list := world()
	directory, err := os.MkdirTemp("", "crl")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(directory) }()
	config := revocation.StoreConfig{Authorities: []*x509.Certificate{authority}, Directory: directory}
	store, err := revocation.OpenStore(ctx, config)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := store.Add(ctx, bytes.NewReader(list)); err != nil {
		fmt.Println(err)
		return
	}
	// After a restart:
	if store, err = revocation.OpenStore(ctx, config); err != nil {
		fmt.Println(err)
		return
	}
	answer, err := store.Check(ctx, query(authority, certificate, clock()))
	fmt.Println(answer.Status, answer.Reason == crl.ReasonCodeAffiliation, err)
	fmt.Println(answer) // no serial number
	// Output:
	// revoked true <nil>
	// revocation.Answer{revoked by CRL, reason 3}
}

// A policy asks its sources in order. This one wants data of today.
func ExamplePolicy() {
	ctx := context.Background()
	authority, certificate, list := world()
	lists := new(revocation.Store)
	if err := lists.Add(ctx, bytes.NewReader(list)); err != nil {
		log.Fatal(err)
	}
	policy := revocation.Require(lists)
	policy.MaxAge = 24 * time.Hour
	answer, err := policy.Ask(ctx, query(authority, certificate, clock()))
	fmt.Println(answer.Status, err)
	// Output: revoked <nil>
}

// An auditor has a list from an archive, and asks about a time before the revocation.
func ExampleLists() {
	ctx := context.Background()
	authority, certificate, list := world()
	unverified, err := crl.Parse(list, crl.Options{})
	if err != nil {
		log.Fatal(err)
	}
	lists, err := revocation.NewArchivedLists(unverified) // NewLists, if every list must have a number
	if err != nil {
		log.Fatal(err)
	}
	answer, err := lists.Check(ctx, query(authority, certificate, clock()))
	fmt.Println(answer.Status, err)
	_, err = lists.Check(ctx, query(authority, certificate, clock().AddDate(0, -1, 0)))
	fmt.Println(err) // a later list never says that it was good
	// Output:
	// revoked <nil>
	// revocation: revocation status unknown: crl.covering (RFC 5280, 6.3.3)
}
