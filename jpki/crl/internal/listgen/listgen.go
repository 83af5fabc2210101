// Package listgen writes large revocation lists for tests and measurements, without holding them in memory.
package listgen

import (
	"bufio"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Spec describes a list. It is signed with RSA and SHA-256, or with ECDSA and SHA-256.
type Spec struct {
	// Issuer is the DER of the issuer's Name.
	Issuer []byte
	// Number is cRLNumber.
	Number int64
	// ThisUpdate and NextUpdate are in UTCTime.
	ThisUpdate, NextUpdate time.Time
	// Extensions has the DER of further extensions.
	Extensions [][]byte
	// Entries is their number.
	Entries int
	// SerialOctets is the length of every serial number, 4 to 20.
	SerialOctets int
	// Sorted writes the serial numbers in their order, as few authorities do; otherwise they are scattered.
	Sorted bool
	// NoReasons leaves out reasonCode.
	NoReasons bool
	// Key signs.
	Key crypto.Signer
}

// Serial returns the octets of the serial number of entry i. They differ for different i below 2²⁴.
func (s *Spec) Serial(i int) []byte {
	out := make([]byte, s.SerialOctets)
	s.serial(out, i)
	return out
}

func (s *Spec) serial(out []byte, i int) {
	n := uint64(i) //nolint:gosec // not negative
	if !s.Sorted {
		n = scatter(n)
	}
	var tail [8]byte
	binary.BigEndian.PutUint64(tail[:], n)
	clear(out)
	out[0] = 0x41
	copy(out[max(len(out)-7, 1):], tail[max(8-(len(out)-1), 1):])
}

// scatter is a bijection on 24 bits, spread over more of them.
func scatter(n uint64) uint64 {
	n = n * 0x9e3779b1 & 0xffffff
	n ^= n >> 11
	return n * 0x85ebca6b & 0xffffff
}

// date returns the revocation date of entry i, within four years before ThisUpdate.
func (s *Spec) date(i int) time.Time {
	return s.ThisUpdate.Add(-time.Duration(i%126_000_017) * time.Second)
}

// Reason returns the reasonCode of entry i.
func (s *Spec) Reason(i int) int { return [...]int{3, 4, 5, 4, 1, 4, 3, 9}[i%8] }

func (s *Spec) entry(out []byte, i int) []byte {
	length := 2 + s.SerialOctets + 15
	if !s.NoReasons {
		length += 14
	}
	out = append(out, 0x30, byte(length), 0x02, byte(s.SerialOctets))
	at := len(out)
	out = append(out, make([]byte, s.SerialOctets)...)
	s.serial(out[at:], i)
	out = append(out, 0x17, 13)
	out = s.date(i).UTC().AppendFormat(out, "060102150405Z")
	if !s.NoReasons {
		out = append(out, "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01"...)
		out = append(out, byte(s.Reason(i)))
	}
	return out
}

func algorithm(key crypto.PublicKey) []byte {
	// sha256WithRSAEncryption with NULL; ecdsa-with-SHA256.
	if _, is := key.(interface{ Size() int }); is {
		return []byte{0x30, 13, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0}
	}
	return []byte{0x30, 10, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2}
}

func header(tag byte, length int) []byte {
	switch {
	case length < 0x80:
		return []byte{tag, byte(length)}
	case length < 1<<8:
		return []byte{tag, 0x81, byte(length)}
	case length < 1<<16:
		return []byte{tag, 0x82, byte(length >> 8), byte(length)}
	case length < 1<<24:
		return []byte{tag, 0x83, byte(length >> 16), byte(length >> 8), byte(length)}
	}
	return []byte{tag, 0x84, byte(length >> 24), byte(length >> 16), byte(length >> 8), byte(length)}
}

var errSpec = errors.New("listgen: serial numbers of 4 to 20 octets, at most 2²⁴ entries, RSA or ECDSA")

// WriteTo writes the list.
func (s *Spec) WriteTo(w io.Writer) (int64, error) {
	if s.SerialOctets < 4 || s.SerialOctets > 20 || s.Entries > 1<<24 || s.Key == nil {
		return 0, errSpec
	}
	id := algorithm(s.Key.Public())
	head := append([]byte{2, 1, 1}, id...)
	head = append(head, s.Issuer...)
	var b cryptobyte.Builder
	b.AddASN1UTCTime(s.ThisUpdate.UTC())
	b.AddASN1UTCTime(s.NextUpdate.UTC())
	times, err := b.Bytes()
	if err != nil {
		return 0, err
	}
	head = append(head, times...)
	tail, err := s.extensions()
	if err != nil {
		return 0, err
	}
	size := 0
	if s.Entries > 0 {
		size = s.Entries * len(s.entry(nil, 0))
		head = append(head, header(0x30, size)...)
	}
	tbs := len(head) + size + len(tail)
	start := append(header(0x30, tbs), head...)
	signatureSize, err := s.signatureSize()
	if err != nil {
		return 0, err
	}
	rest := len(id) + len(header(3, signatureSize+1)) + signatureSize + 1

	digest := sha256.New()
	out := &counter{w: bufio.NewWriterSize(w, 1<<20)}
	out.write(header(0x30, len(header(0x30, tbs))+tbs+rest))
	signed := io.MultiWriter(out, digest)
	_, _ = signed.Write(start) // counter keeps its error
	buffer := make([]byte, 0, 1<<16)
	for i := range s.Entries {
		if buffer = s.entry(buffer, i); len(buffer) > 1<<15 {
			_, _ = signed.Write(buffer)
			buffer = buffer[:0]
		}
	}
	_, _ = signed.Write(buffer)
	_, _ = signed.Write(tail)
	signature, err := s.Key.Sign(rand.Reader, digest.Sum(nil), crypto.SHA256)
	for err == nil && len(signature) != signatureSize { // ECDSA signatures have several lengths
		signature, err = s.Key.Sign(rand.Reader, digest.Sum(nil), crypto.SHA256)
	}
	if err != nil {
		return out.n, err
	}
	out.write(id)
	out.write(header(3, signatureSize+1))
	out.write([]byte{0})
	out.write(signature)
	if out.err == nil {
		out.err = out.w.Flush()
	}
	return out.n, out.err
}

func (s *Spec) signatureSize() (int, error) {
	digest := sha256.Sum256(nil)
	signature, err := s.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
	return len(signature), err
}

func (s *Spec) extensions() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.Tag(0xa0), func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddBytes([]byte{6, 3, 0x55, 0x1d, 20}) // cRLNumber
				b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1Int64(s.Number) })
			})
			for _, e := range s.Extensions {
				b.AddBytes(e)
			}
		})
	})
	return b.Bytes()
}

type counter struct {
	w   *bufio.Writer
	n   int64
	err error
}

func (c *counter) Write(b []byte) (int, error) {
	c.write(b)
	return len(b), nil
}

func (c *counter) write(b []byte) {
	if c.err == nil {
		var n int
		n, c.err = c.w.Write(b)
		c.n += int64(n)
	}
}
