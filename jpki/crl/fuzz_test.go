package crl_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/jpki/crl"
)

// verified wants a list or an error of Verify.
func verified(t *testing.T, u *crl.Unverified) {
	t.Helper()
	if l, err := u.Verify(t.Context(), &key().PublicKey); err == nil && l == nil {
		t.Fatal("neither a list nor an error")
	}
}

// FuzzParse compares with crypto/x509 wherever both accept, and wants crypto/x509 to accept what is accepted here.
func FuzzParse(f *testing.F) {
	for _, s := range []*spec{
		extended(nil), extended([][]byte{entry([]byte{5}, utc(now)), entry([]byte{6}, utc(now), reason(1)),
			entry([]byte{0, 0x87}, generalized(now))}),
		extended([][]byte{entry([]byte{5}, utc(now), ext(24, false, generalized(now)))},
			ext(28, true, sequence(wrap(0xa0, wrap(0xa0, directory("p"))), []byte{0x83, 2, 5, 0x60}))),
		extended([][]byte{entry([]byte{5}, utc(now), ext(29, true, sequence(directory("A"))))},
			ext(28, true, sequence([]byte{0x84, 1, 0xff}))),
		extended([][]byte{entry([]byte{5}, utc(now), reason(8))}, ext(27, true, integer(2)),
			ext(35, false, sequence(wrap(0x80, []byte{1})))),
		extended(nil, ext(46, false, sequence(sequence(wrap(0xa0,
			wrap(0xa1, sequence(oid(2, 5, 4, 3), text(12, "x")))))))),
	} {
		f.Add(s.sign())
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		u, err := crl.Parse(list, crl.Options{})
		again, err2 := crl.Read(t.Context(), bytes.NewReader(list), crl.Options{})
		if (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() || err == nil &&
			u.SHA256() != again.SHA256() {
			t.Fatalf("Parse: %v, Read: %v", err, err2)
		}
		if err != nil {
			return
		}
		verified(t, u)
		std, err := x509.ParseRevocationList(list)
		if err != nil {
			// crypto/x509 decodes the strings of names, wants version 2 and knows fewer algorithms' parameters.
			for _, known := range []string{"RDNSequence", "version", "string", "signature algorithm"} {
				if strings.Contains(err.Error(), known) {
					return
				}
			}
			t.Fatalf("crypto/x509 refuses it: %v", err)
		}
		h := u.Header()
		if !bytes.Equal(std.RawIssuer, h.Issuer) || !std.ThisUpdate.Equal(h.ThisUpdate) ||
			!std.NextUpdate.Equal(h.NextUpdate) {
			t.Fatal("crypto/x509 reads another header")
		}
		if std.Number != nil && (h.Number == nil || std.Number.Cmp(new(big.Int).SetBytes(h.Number)) != 0) ||
			!bytes.Equal(std.AuthorityKeyId, h.AuthorityKeyID) {
			t.Fatal("crypto/x509 reads other extensions")
		}
	})
}

// FuzzEntries builds signed lists of fuzzed entries, so that whatever crypto/x509 finds in a list must be found here.
func FuzzEntries(f *testing.F) {
	f.Add(sequence(entry([]byte{5}, utc(now)), entry([]byte{6}, utc(now), reason(1)),
		entry([]byte{7}, generalized(now))), false)
	f.Add(sequence(entry([]byte{0, 0xff, 1, 2, 3, 4, 5, 6, 7}, utc(now)),
		entry(bytes.Repeat([]byte{7}, 20), utc(now), reason(9), ext(24, false, generalized(now)))), false)
	f.Add(sequence(entry([]byte{5}, utc(now), ext(29, true, sequence(directory("A")))),
		entry([]byte{5}, utc(now), ext(29, true, sequence(directory("CA"))))), true)
	f.Add(sequence(entry([]byte{1, 2, 3, 4, 5, 6, 7, 8}, text(0x17, "500101000000Z"), reason(0)),
		entry([]byte{1}, text(0x17, "491231235959Z"), reason(10)), entry([]byte{2}, utc(now)),
		entry([]byte{3}, utc(now))), false)
	f.Fuzz(func(t *testing.T, entries []byte, indirect bool) {
		var extensions [][]byte
		if indirect {
			extensions = append(extensions, ext(28, true, sequence([]byte{0x84, 1, 0xff})))
		}
		s := extended(nil, extensions...)
		s.entries = entries
		list := s.sign()
		u, err := crl.Parse(list, crl.Options{})
		if err != nil {
			return
		}
		l, err := u.Verify(t.Context(), &key().PublicKey)
		if err != nil {
			return
		}
		std, err := x509.ParseRevocationList(list)
		if err != nil {
			t.Fatalf("crypto/x509 refuses it: %v", err)
		}
		if len(std.RevokedCertificateEntries) != l.Len() {
			t.Fatalf("crypto/x509 reads %d entries, not %d", len(std.RevokedCertificateEntries), l.Len())
		}
		for _, e := range std.RevokedCertificateEntries {
			serial := append(make([]byte, 1), e.SerialNumber.Bytes()...)
			if serial[1]&0x80 == 0 {
				serial = serial[1:]
			}
			found := false
			for _, issuer := range l.CertificateIssuers() {
				got, ok := l.Lookup(issuer, serial)
				same := ok && got.RevokedAt.Equal(e.RevocationTime) && bytes.Equal(got.DER(), e.Raw) &&
					(int(got.Reason) == e.ReasonCode || got.Reason == -1 && e.ReasonCode == 0)
				found = found || same
			}
			if !found {
				t.Fatalf("entry %v is not found as crypto/x509 reads it", e.SerialNumber)
			}
		}
	})
}

// FuzzOpenIndex has a right checksum put under whatever it makes, so that it gets behind it.
func FuzzOpenIndex(f *testing.F) {
	directory := f.TempDir()
	file := filepath.Join(directory, "seed")
	u, err := crl.Parse(extended([][]byte{entry([]byte{5}, utc(now)), entry([]byte{6}, generalized(now))}).sign(),
		crl.Options{})
	if err != nil {
		f.Fatal(err)
	}
	l, err := u.Verify(context.Background(), &key().PublicKey)
	if err != nil {
		f.Fatal(err)
	}
	if err := l.WriteFile(file); err != nil {
		f.Fatal(err)
	}
	seed, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(0, []byte{}, len(seed))
	f.Add(150, []byte{0xff, 0xff}, len(seed))
	f.Fuzz(func(t *testing.T, at int, change []byte, length int) {
		data := bytes.Clone(seed[:len(seed)-sha256.Size])
		if length >= 0 && length < len(data) {
			data = data[:length]
		}
		if at >= 0 && at < len(data) {
			copy(data[at:], change)
		}
		sum := sha256.Sum256(data)
		name := filepath.Join(directory, "changed")
		if err := os.WriteFile(name, append(data, sum[:]...), 0o600); err != nil {
			t.Fatal(err)
		}
		if l, err := crl.OpenIndex(t.Context(), name, &key().PublicKey); err == nil {
			for _, serial := range [][]byte{{5}, {6}, {7}} {
				l.Lookup(l.Header().Issuer, serial)
			}
		}
	})
}

func FuzzDistributionPoints(f *testing.F) {
	f.Add(sequence(sequence(wrap(0xa0, wrap(0xa0, directory("p"))), []byte{0x81, 2, 5, 0x60},
		wrap(0xa2, directory("i")))))
	f.Add(sequence(sequence(wrap(0xa0, wrap(0xa1, sequence(oid(2, 5, 4, 3), text(12, "x")))))))
	f.Fuzz(func(t *testing.T, value []byte) {
		points, err := crl.ParseDistributionPoints(value)
		if err == nil && len(points) == 0 {
			t.Fatal("no point and no error")
		}
		for _, p := range points {
			if p.Name == nil && p.CRLIssuer == nil {
				t.Fatal("a point without a name and an issuer")
			}
			for _, general := range p.Name.Names(name("CA")) {
				crl.DirectoryName(general)
			}
		}
	})
}
