package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/crl"
)

// maxFile is the largest file of certificates or OCSP responses that is read, in bytes.
const maxFile = 64 << 20

// input is what the files hold.
type input struct {
	anchors, pool []*certpath.Certificate
	leaf          *certpath.Certificate
	leafError     error // the certificate to validate is malformed, which is an answer and no mistake of the caller
	sources       []certpath.RevocationSource
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
		blocks, err := readBlocks(file, "CERTIFICATE")
		if err != nil {
			return nil, err
		}
		for _, der := range blocks {
			c, err := certpath.ParseCertificate(der)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			in.anchors = append(in.anchors, c)
		}
	}
	for _, file := range o.pool {
		blocks, err := readBlocks(file, "CERTIFICATE")
		if err != nil {
			return nil, err
		}
		in.addPool(file, blocks, stderr)
	}
	blocks, err := readBlocks(o.leaf, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	// A file with a whole chain begins with the certificate that it is about.
	in.leaf, in.leafError = certpath.ParseCertificate(blocks[0])
	in.addPool(o.leaf, blocks[1:], stderr)
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
		all, err := certpath.NewLists(lists...)
		if err != nil {
			return err
		}
		in.sources = append(in.sources, all)
	}
	for _, file := range o.ocsp {
		blocks, err := readBlocks(file, "OCSP RESPONSE")
		if err != nil {
			return err
		}
		for _, der := range blocks {
			in.sources = append(in.sources, ocspFile(der))
		}
	}
	return nil
}

// readBlocks reads a file of one DER object or of PEM blocks of the type.
func readBlocks(file, pemType string) ([][]byte, error) {
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
	case !isPEM(data):
		return [][]byte{data}, nil
	}
	var blocks [][]byte
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == pemType {
			blocks = append(blocks, block.Bytes)
		}
	}
	if len(blocks) == 0 {
		return nil, fmt.Errorf("%s: no %s in the file", file, pemType)
	}
	return blocks, nil
}

// isPEM reports whether the file is text. DER, which begins with a SEQUENCE of more than 127 octets, may hold PEM of something
// else, and is taken for what it is.
func isPEM(data []byte) bool {
	if len(data) > 1 && data[0] == 0x30 && data[1] >= 0x80 {
		return false
	}
	return bytes.Contains(data[:min(len(data), 4096)], []byte("-----BEGIN "))
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
	if isPEM(head[:n]) {
		blocks, err := readBlocks(file, "X509 CRL")
		if err != nil {
			return nil, err
		}
		if len(blocks) != 1 {
			return nil, errors.New("more than one list in the file")
		}
		return crl.Parse(blocks[0], crl.Options{})
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	o := crl.Options{Size: info.Size()}
	if b.shows(info.Size()) {
		o.Progress = b.update
	}
	return crl.Read(ctx, io.MultiReader(bytes.NewReader(head[:n]), f), o)
}
