package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/crypto/cryptobyte"

	"github.com/kakunin-go/kakunin/internal/certfile"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// maxFile is the largest file of certificates or OCSP responses that is read, in bytes.
const maxFile = 64 << 20

// input is what the files hold.
type input struct {
	anchors, pool []*certpath.Certificate
	leaf          *certpath.Certificate
	leafError     error // the certificate to validate is malformed, which is an answer and no mistake of the caller
	sources       []revocation.Source
	bars          []*bar
}

// endBars takes the progress bars away. A list makes its index when the validator asks it, so they end after that.
func (in *input) endBars() {
	for _, b := range in.bars {
		b.end()
	}
}

func load(ctx context.Context, o *options, stderr io.Writer) (*input, error) {
	in := &input{}
	for _, file := range o.anchors {
		found, err := readObjects(file, certfile.Certificates)
		if err != nil {
			return nil, err
		}
		for _, der := range found {
			c, err := certpath.ParseCertificate(der)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			in.anchors = append(in.anchors, c)
		}
	}
	for _, file := range o.pool {
		found, err := readObjects(file, certfile.Certificates)
		if err != nil {
			return nil, err
		}
		in.addPool(file, found, stderr)
	}
	found, err := readObjects(o.leaf, certfile.Certificates)
	var unreadable formError
	switch {
	case errors.As(err, &unreadable): // which is an answer about the certificate and no mistake of the caller
		complain(stderr, "%v", err)
		_, in.leafError = certpath.ParseCertificate(nil)
		return in, in.loadRevocation(ctx, o, stderr)
	case err != nil:
		return nil, err
	}
	// A file with a whole chain begins with the certificate that it is about.
	in.leaf, in.leafError = certpath.ParseCertificate(found[0])
	in.addPool(o.leaf, found[1:], stderr)
	return in, in.loadRevocation(ctx, o, stderr)
}

// addPool adds what can be read: a malformed certificate in a pool is no part of any path.
func (in *input) addPool(file string, blocks [][]byte, stderr io.Writer) {
	for i, der := range blocks {
		c, err := certpath.ParseCertificate(der)
		if err != nil {
			complain(stderr, "%s, certificate %d left out: %v", file, i+1, err)
			continue
		}
		in.pool = append(in.pool, c)
	}
}

func (in *input) loadRevocation(ctx context.Context, o *options, stderr io.Writer) error {
	var lists []*crl.Unverified
	for _, file := range o.crls {
		b := newBar(stderr, o.language)
		in.bars = append(in.bars, b)
		list, err := readList(ctx, file, b)
		b.end()
		var bad *crl.Error
		switch {
		case err == nil:
			lists = append(lists, list)
		case errors.As(err, &bad) && bad.Reason != crl.ReasonIO:
			// A list that cannot be believed is as good as none; whether one is missing is for the validator to say.
			complain(stderr, "%s left out: %v", file, err)
		default:
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	if len(o.crls) > 0 {
		all, err := revocation.NewLists(lists...)
		if err != nil {
			return err
		}
		in.sources = append(in.sources, all)
	}
	for _, file := range o.ocsp {
		found, err := readObjects(file, certfile.Responses)
		if err != nil {
			return err
		}
		for _, der := range found {
			// No skew: the auditor names the time.
			in.sources = append(in.sources, revocation.RecordedOCSP{Response: der, Skew: -1})
		}
	}
	return nil
}

// readObjects reads a small file.
func readObjects(file string, kind certfile.Kind) ([][]byte, error) {
	f, err := os.Open(file) //nolint:gosec // the user names the files
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxFile:
		return nil, fmt.Errorf("%s: the file is too large", file)
	}
	found, err := certfile.Read(data, kind)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, formError{err})
	}
	return found, nil
}

// formError says what was found in a file instead of what was expected.
type formError struct{ error }

// looksLikeDER reports whether the file begins like a list: a SEQUENCE in which the next is one, too. A PKCS #7 file
// begins with an object identifier.
func looksLikeDER(head []byte) bool {
	s := cryptobyte.String(head)
	var tag, length uint8
	if !s.ReadUint8(&tag) || tag != 0x30 || !s.ReadUint8(&length) || length >= 0x80 && !s.Skip(int(length&0x7f)) {
		return false
	}
	return s.ReadUint8(&tag) && tag == 0x30
}

// readList reads a revocation list. DER is read in a stream, so that a list of any size needs little memory.
func readList(ctx context.Context, file string, b *bar) (*crl.Unverified, error) {
	f, err := os.Open(file) //nolint:gosec // the user names the files
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	head := make([]byte, 4096)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !looksLikeDER(head[:n]) {
		found, err := readObjects(file, certfile.Lists)
		if err != nil {
			return nil, err
		}
		if len(found) != 1 {
			return nil, errors.New("more than one list in the file")
		}
		return crl.Parse(found[0], crl.Options{AllowOddSerials: true})
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	o := crl.Options{Size: info.Size(), AllowOddSerials: true}
	if b.shows(info.Size()) {
		o.Progress = b.update
	}
	return crl.Read(ctx, io.MultiReader(bytes.NewReader(head[:n]), f), o)
}
