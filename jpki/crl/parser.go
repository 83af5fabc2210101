package crl

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"github.com/kakunin-go/kakunin/internal/certfile"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/sigalg"
)

const (
	tagInteger   = 0x02
	tagBitString = 0x03
	tagUTCTime   = 0x17
	tagGenTime   = 0x18
	tagSequence  = 0x30
	tagExplicit0 = 0xa0
)

// parser reads one list. Its result is complete when parse returned nil, and trusted only when the signature over the
// octets from signedFrom to signedTo was verified.
type parser struct {
	window
	options Options

	frame
	body

	signedFrom, signedTo int64
	// onSigned is told where the signed part lies as soon as that is known.
	onSigned func(from, to int64, algorithm *sigalg.Algorithm)

	index   *indexBuilder
	plain   plainScanner
	unknown []asn1.ObjectIdentifier // critical extensions of entries
}

// parse reads CertificateList, and says where it could not.
func (p *parser) parse() error {
	err := p.read()
	var e *Error
	if errors.As(err, &e) && e.Detail == "" {
		e.Detail = fmt.Sprintf("offset %d", p.offset)
		if start := p.want(64); p.offset == 0 && (len(start) < 2 || start[0] != byte(tagSequence) || start[1] == 0x80) {
			e.Detail += ": " + certfile.NotDER(start)
		}
	}
	return err
}

// read reads CertificateList (RFC 5280, 5.1).
func (p *parser) read() error {
	const anything = 1 << 62
	_, size, length, ok := p.header()
	if ok && int64(size)+length > p.options.maxSize() {
		return tooLarge("size")
	}
	end, ok := p.enter(tagSequence, anything)
	if !ok {
		return malformed("der", "RFC 5280, 5.1")
	}
	p.signedFrom = p.offset
	if p.signedTo, ok = p.enter(tagSequence, end); !ok {
		return malformed("der", "RFC 5280, 5.1")
	}
	if err := p.readHead(); err != nil {
		return err
	}
	if err := p.parseHead(p.head); err != nil {
		return err
	}
	if p.onSigned != nil {
		p.onSigned(p.signedFrom, p.signedTo, p.algorithm)
	}
	if p.peek(p.signedTo) == tagSequence {
		to, ok := p.enter(tagSequence, p.signedTo)
		if !ok {
			return malformed("entries", "RFC 5280, 5.1.2.6")
		}
		if err := p.readEntries(to); err != nil {
			return err
		}
	}
	if p.peek(p.signedTo) == tagExplicit0 {
		if err := p.piece(&p.tail, p.signedTo, "extensions", "RFC 5280, 5.1.2.7"); err != nil {
			return err
		}
	}
	if p.offset != p.signedTo {
		return malformed("extensions", "RFC 5280, 5.1.2.7")
	}
	if err := p.piece(&p.outer, end, "signature-algorithm", "RFC 5280, 5.1.1.2"); err != nil {
		return err
	}
	if err := p.piece(&p.frame.signature, end, "signature", "RFC 5280, 5.1.1.3"); err != nil {
		return err
	}
	if p.offset != end || len(p.want(1)) != 0 {
		return malformed("der", "RFC 5280, 5.1")
	}
	return p.finish()
}

// piece appends a copy of the next element.
func (p *parser) piece(to *[]byte, end int64, step, clause string) error {
	raw, large, ok := p.element(end)
	switch {
	case large || len(*to)+len(raw) > limits.CRLPart:
		return tooLarge(step)
	case !ok:
		return malformed(step, clause)
	}
	*to = append(*to, raw...)
	return nil
}

// readHead collects everything before revokedCertificates: an optional INTEGER, two SEQUENCEs and one or two times.
func (p *parser) readHead() error {
	if p.peek(p.signedTo) == tagInteger {
		if err := p.piece(&p.head, p.signedTo, "version", "RFC 5280, 5.1.2.1"); err != nil {
			return err
		}
	}
	for _, part := range [...]struct{ step, clause string }{
		{"signature-algorithm", "RFC 5280, 5.1.1.2"}, {"issuer", "RFC 5280, 5.1.2.3"},
		{"this-update", "RFC 5280, 5.1.2.4"},
	} {
		if err := p.piece(&p.head, p.signedTo, part.step, part.clause); err != nil {
			return err
		}
	}
	if tag := p.peek(p.signedTo); tag == tagUTCTime || tag == tagGenTime {
		return p.piece(&p.head, p.signedTo, "next-update", "RFC 5280, 5.1.2.5")
	}
	return nil
}

// readEntries reads revokedCertificates up to its end. An empty SEQUENCE, which RFC 5280, 5.1.2.6 forbids to issuers,
// says what its absence says.
func (p *parser) readEntries(end int64) error {
	p.index.listOwner = p.Issuer
	if _, size, length, ok := p.header(); ok {
		p.index.expect((end - p.offset) / (int64(size) + length))
	}
	for p.offset < end {
		b := p.want(limits.CRLPart)
		if int64(len(b)) > end-p.offset {
			b = b[:end-p.offset]
		}
		if p.index.issuer == 0 {
			if n := p.plain.scan(b, p.index.main); n > 0 {
				p.skip(n)
				continue
			}
		}
		at := p.offset
		refuse := func(e *Error) error {
			e.Detail = fmt.Sprintf("entry %d at offset %d", p.index.len()+1, at)
			return e
		}
		raw, large, ok := p.element(end)
		switch {
		case large:
			return refuse(tooLarge("entries"))
		case !ok:
			return refuse(malformed("entries", "RFC 5280, 5.1.2.6"))
		}
		e, ok := parseEntry(raw, p.options.AllowOddSerials)
		if !ok {
			return refuse(malformed("entries", "RFC 5280, 5.3"))
		}
		if !p.keep(&e) {
			return refuse(tooLarge("entries"))
		}
	}
	return nil
}

// keep puts an entry of the general parser where it belongs; false when there are too many certificate issuers.
func (p *parser) keep(e *parsedEntry) bool {
	for _, id := range e.unknown {
		known := slices.ContainsFunc(p.unknown, id.Equal)
		if !known && len(p.unknown) < limits.Extensions {
			p.unknown = append(p.unknown, id)
		}
	}
	p.plain.removed = p.plain.removed || e.Reason == ReasonCodeRemove
	if e.issuer != nil {
		// "If this extension is not present on the first entry in an indirect CRL, the certificate issuer defaults to
		// the CRL issuer. On subsequent entries […], if this extension is not present, the certificate issuer for the
		// entry is the same as that for the preceding entry" (RFC 5280, 5.3.3). From here on no entry is plain.
		if !p.index.setIssuer(e.issuer) {
			return false
		}
	}
	if serial, value, ok := e.plain(); ok && p.index.issuer == 0 {
		p.index.main.add(serial, value)
		return true
	}
	p.index.addOdd(e)
	return true
}

// finish checks what could be known only after the extensions, which follow the entries.
func (p *parser) finish() error {
	if err := p.parseTail(&p.frame); err != nil {
		return err
	}
	// "The removeFromCRL (8) reasonCode value may only appear in delta CRLs" (RFC 5280, 5.3.1).
	if p.plain.removed && !p.IsDelta() {
		return malformed("entries", "RFC 5280, 5.3.1")
	}
	// certificateIssuer is an extension for "an entry in an indirect CRL" (RFC 5280, 5.3.3).
	if p.index.named && (p.Scope == nil || !p.Scope.Indirect) {
		return malformed("entries", "RFC 5280, 5.3.3")
	}
	p.UnknownCritical = append(p.UnknownCritical, p.unknown...)
	return nil
}
