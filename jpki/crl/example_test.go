package crl_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kakunin-go/kakunin/jpki/crl"
)

// A list is read once, kept as an index file, and looked up in.
func Example() {
	directory, err := os.MkdirTemp("", "crl")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(directory) }()
	if err := readAndLookUp(filepath.Join(directory, "authority.crlindex")); err != nil {
		panic(err)
	}
	// Output:
	// true true 2026-11-02 03:04:05 +0000 UTC
	// false
}

func readAndLookUp(file string) error {
	published := bytes.NewReader(extended([][]byte{entry([]byte{0x12, 0x34}, utc(now), reason(4))}).sign())
	authority := &key().PublicKey
	ctx := context.Background()

	unverified, err := crl.Read(ctx, published, crl.Options{})
	if err != nil {
		return err
	}
	list, err := unverified.Verify(ctx, authority) // nothing of the list is trusted before this
	if err != nil {
		return err
	}
	if err := list.WriteFile(file); err != nil {
		return err
	}

	// After a restart:
	list, err = crl.OpenIndex(ctx, file, authority)
	if err != nil {
		return err
	}
	revoked, found := list.Lookup(name("CA"), []byte{0x12, 0x34})
	fmt.Println(found, revoked.Reason == crl.ReasonCodeSuperseded, revoked.RevokedAt)
	_, found = list.Lookup(name("CA"), []byte{0x12, 0x35})
	fmt.Println(found)
	return nil
}
