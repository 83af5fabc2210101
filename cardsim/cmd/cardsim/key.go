package main

import (
	"crypto/x509"
	"encoding/pem"
	"io"

	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
)

// runKey is "cardsim key".
func runKey(args []string, stdout, stderr io.Writer) error {
	flags := newFlags(
		"key",
		"Prints the private key (PEM) of the simulated platform operator, to whom results of the sign API are "+
			"encrypted.\nIt comes from a public seed: nothing but tests may use it.",
		stderr,
	)
	if err := parse(flags, args); err != nil {
		return err
	}
	authorities, err := issuer.New(issuer.Config{})
	if err != nil {
		return err
	}
	service, err := daa.New(daa.Config{BaseURL: "http://127.0.0.1", JPKI: authorities})
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(service.OperatorKey())
	if err != nil {
		return err
	}
	return pem.Encode(stdout, &pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}
