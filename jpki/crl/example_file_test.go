package crl_test

import (
	"context"
	"crypto/x509"
	"fmt"

	"github.com/kakunin-go/kakunin/jpki/crl"
)

// A list from a file, and what it says about one certificate.
func ExampleReadFile() {
	run := func(ctx context.Context, authority, certificate *x509.Certificate) error {
		unverified, err := crl.ReadFile(ctx, "signca03.crl", crl.Options{})
		if err != nil {
			return err
		}
		list, err := unverified.Verify(ctx, authority.PublicKey)
		if err != nil {
			return err
		}
		entry, revoked := list.Lookup(certificate.RawIssuer, certificate.SerialNumber.Bytes())
		fmt.Println(revoked, entry.Reason)
		return nil
	}
	_ = run
}
