// Command keygen makes the key that an application signs its client assertions with, and prints the public half for the
// application form of the service:
//
//	go run ./examples/keygen -out client-key.jwk
//
// Without further arguments that is an RSA key (RS256) under the hash of its public half, which is understood however
// the service takes keys: as PEM or as a JWK Set. Choose -alg ES256, smaller and faster, where a JWK Set is registered.
// As PEM, only no key id (-kid none) or that hash is recognised; a name of your own needs a JWK Set.
//
// The private key goes into a new file that only its owner can read, and the public half beside it, as PEM
// (client-key.pub.pem); an existing file is never overwritten. The public half also goes to the standard output, as JWK
// Set and as PEM. With -public an existing key file is read instead, and
// nothing is written. A key that matters belongs into a KMS or HSM: package authn takes any crypto.Signer.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/kakunin-go/kakunin/authn"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "keygen:", err)
		os.Exit(1)
	}
}

func run(args []string, out, messages io.Writer) error {
	flags := flag.NewFlagSet("keygen", flag.ContinueOnError)
	flags.SetOutput(messages)
	flags.Usage = func() {
		_, _ = io.WriteString(messages, "usage: go run ./examples/keygen [flags]\n\nMakes the key that signs client"+
			" assertions, and prints its public half for the application form.\n\n")
		flags.PrintDefaults()
	}
	alg := flags.String("alg", string(authn.RS256), "algorithm: RS256, ES256 or PS256, as registered with the service")
	kid := flags.String("kid", "", "key id, or none; default: the hash of the public half (SubjectPublicKeyInfo)")
	path := flags.String("out", "client-key.jwk", "new `file` for the private key")
	public := flags.String("public", "", "print the public half of this key `file` and write nothing")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return errors.New("unexpected arguments; see -help")
	}
	if *public != "" {
		key, err := authn.LoadKey(*public)
		if err != nil {
			return err
		}
		return printPublic(out, key)
	}
	key, err := authn.GenerateKey(authn.Algorithm(*alg))
	if err != nil {
		return err
	}
	switch *kid {
	case "none":
		*kid = ""
	case "":
		*kid = key.KeyID()
	}
	if *kid != key.KeyID() {
		if key, err = key.WithKeyID(*kid); err != nil {
			return err
		}
	}
	if err := writePrivate(*path, key); err != nil {
		return err
	}
	beside, err := writePublic(*path, key)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(
		messages,
		"The private key is in %s. Keep it secret, and out of the repository. Its public half is in %s.\n",
		*path, beside,
	); err != nil {
		return err
	}
	return printPublic(out, key)
}

// writePublic writes the public half beside the private key.
func writePublic(private string, key authn.Key) (path string, err error) {
	b, err := key.PublicPEM()
	if err != nil {
		return "", err
	}
	path = strings.TrimSuffix(private, filepath.Ext(private)) + ".pub.pem"
	return path, writeNew(path, b, 0o644)
}

// writePrivate never overwrites: the old key may be the registered one.
func writePrivate(path string, key authn.Key) error {
	b, err := key.RevealJWK()
	if err != nil {
		return err
	}
	return writeNew(path, append(b, '\n'), 0o600)
}

func writeNew(path string, b []byte, mode os.FileMode) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode) //nolint:gosec // the person names the file
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(b); err != nil {
		return err
	}
	return f.Sync()
}

func printPublic(out io.Writer, key authn.Key) error {
	jwks, err := key.PublicJWKS()
	if err != nil {
		return err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, jwks, "", "  "); err != nil {
		return err
	}
	pem, err := key.PublicPEM()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n\n%s", indented.String(), pem)
	return err
}
