package crl

import (
	"encoding/binary"
	"math/bits"
	"time"

	"github.com/kakunin-go/kakunin/internal/der"
)

// Nearly all entries of nearly all lists are plain: a positive serial number below 2⁶⁴, a UTCTime, and no extension or
// a reasonCode that is not critical. DER has one encoding for each of them, so a plain entry is kept as its three
// numbers, and its bytes are made again when they are wanted. scanPlain reads plain entries without the general parser;
// whatever it does not recognise is left to parseEntry.

const (
	reasonLength = 14                              // of the encoded extensions with a reasonCode
	plainMaximum = 2 + (2 + 9) + 15 + reasonLength // length of the longest plain entry
	// 1950-01-01, the first day of UTCTime (RFC 5280, 4.1.2.5.1), in Unix time
	epoch        = -631152000
	absentReason = 15 // of a plain value
	lastDate     = 1<<32 - 1
)

// The encoded Extensions of a reasonCode, but for its last octet:
// 30 0C 30 0A 06 03 55 1D 15 04 03 0A 01.
const reasonPrefix = "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01"

// The last seven octets of reasonPrefix as a little-endian number, shifted by the octet that follows them.
const reasonTail = 0x010a0304_151d5500

const (
	sixOctets = 1<<48 - 1
	sixZeros  = 0x3030_30303030 // "000000"
)

// sixDigits reads six ASCII digits in the low 48 bits, as three numbers of two digits in the low octets of 16 bits
// each.
func sixDigits(text uint64) (pairs uint64, ok bool) {
	const high = 0xf0f0_f0f0f0f0
	ok = text&high == sixZeros && (text+0x0606_06060606)&high == sixZeros
	text -= sixZeros
	return text&0x000f_000f000f*10 + text>>8&0x000f_000f000f, ok
}

// plainValue packs date and reason into 40 bits.
func plainValue(at time.Time, reason ReasonCode) uint64 {
	v := uint64(at.Unix()-epoch) & lastDate //nolint:gosec // the caller checked the range
	if reason == ReasonCodeAbsent {
		return v | absentReason<<32
	}
	return v | uint64(reason)<<32 //nolint:gosec // 0 to 10
}

func plainDate(value uint64) time.Time { return time.Unix(int64(value&lastDate)+epoch, 0).UTC() }

func plainReason(value uint64) ReasonCode {
	if r := ReasonCode(value >> 32); r != absentReason {
		return r
	}
	return ReasonCodeAbsent
}

// appendPlain appends the DER of a plain entry.
func appendPlain(out []byte, serial, value uint64) []byte {
	octets := serialOctets(serial)
	length := 2 + len(octets) + 15
	reason := plainReason(value)
	if reason != ReasonCodeAbsent {
		length += reasonLength
	}
	out = append(out, 0x30, byte(length), 0x02, byte(len(octets)))
	out = append(out, octets...)
	out = append(out, 0x17, 13)
	out = plainDate(value).AppendFormat(out, "060102150405Z")
	if reason != ReasonCodeAbsent {
		out = append(append(out, reasonPrefix...), byte(reason))
	}
	return out
}

// serialOctets returns the octets of the INTEGER.
func serialOctets(serial uint64) []byte {
	n := bits.Len64(serial)/8 + 1 // one bit more than the value needs, for the sign
	var b [9]byte
	binary.BigEndian.PutUint64(b[1:], serial)
	return b[9-n:]
}

// serialValue returns the value of a positive minimal INTEGER below 2⁶⁴.
func serialValue(octets []byte) (value uint64, ok bool) {
	if len(octets) > 9 || !der.Positive(octets) || len(octets) == 9 && octets[0] != 0 {
		return 0, false
	}
	for _, b := range octets {
		value = value<<8 | uint64(b)
	}
	return value, true
}

// plain returns the key and value of an entry that is plain.
func (e *parsedEntry) plain() (serial, value uint64, ok bool) {
	serial, ok = serialValue(e.Serial)
	if !ok || e.RevokedAt.Year() < 1950 || e.RevokedAt.Year() > 2049 {
		return 0, 0, false
	}
	value = plainValue(e.RevokedAt, e.Reason)
	var buffer [plainMaximum]byte
	return serial, value, string(appendPlain(buffer[:0], serial, value)) == string(e.raw)
}

// plainScanner reads runs of plain entries. It remembers the last day that it saw, because lists are long and days are
// few.
type plainScanner struct {
	date    uint64 // the six digits of the last day, ASCII, in the low 48 bits
	seconds uint64 // from epoch to that day
	removed bool   // an entry has removeFromCRL
}

// scan reads plain entries from the start of b into the builder and returns how many octets it read. It stops at the
// first entry that is not plain or lies within the last octets of b.
func (s *plainScanner) scan(b []byte, to *builder) (read int) {
	for {
		n, serial, value := s.one(b[read:])
		if n == 0 {
			return read
		}
		to.add(serial, value)
		read += n
	}
}

// one reads one plain entry; n is 0 when there is none.
func (s *plainScanner) one(b []byte) (n int, serial, value uint64) {
	const room = 4 + 9 + 15 + 16 // every load below stays within it
	if len(b) < room {
		return 0, 0, 0
	}
	b = b[:len(b):len(b)]
	octets := int(b[3])
	if b[0] != 0x30 || b[2] != 0x02 || octets-1 > 7 || octets == 0 || b[4]&0x80 != 0 {
		return 0, 0, 0 // nine octets, for values from 2⁶³, are rare enough for the general parser
	}
	serial = binary.BigEndian.Uint64(b[4:]) >> (64 - 8*octets)
	if serial == 0 || octets > 1 && b[4] == 0 && b[5]&0x80 == 0 {
		return 0, 0, 0
	}
	t := b[4+octets : 4+octets+15+16]
	if t[0] != 0x17 || t[1] != 13 || t[14] != 'Z' {
		return 0, 0, 0
	}
	day := binary.LittleEndian.Uint64(t[2:]) & sixOctets
	if day != s.date || day == 0 {
		if !s.setDay(day) {
			return 0, 0, 0
		}
	}
	clock, ok := sixDigits(binary.LittleEndian.Uint64(t[8:]) & sixOctets)
	hour, minute, second := clock&0xff, clock>>16&0xff, clock>>32
	if !ok || hour > 23 || minute > 59 || second > 59 {
		return 0, 0, 0
	}
	value = s.seconds + 3600*hour + 60*minute + second
	switch length := int(b[1]); length {
	case 2 + octets + 15:
		return 2 + length, serial, value | absentReason<<32
	case 2 + octets + 15 + reasonLength:
		last := binary.LittleEndian.Uint64(t[21:])
		reason := last >> 56
		if string(t[15:21]) != reasonPrefix[:6] || last<<8 != reasonTail || reason > uint64(ReasonCodeAACompromise) ||
			reason == 7 {
			return 0, 0, 0
		}
		s.removed = s.removed || reason == uint64(ReasonCodeRemove)
		return 2 + length, serial, value | reason<<32
	}
	return 0, 0, 0
}

// setDay reads the six digits YYMMDD.
func (s *plainScanner) setDay(text uint64) bool {
	pairs, ok := sixDigits(text)
	year, month, day := int(pairs&0xff), time.Month(pairs>>16&0xff), int(pairs>>32) //nolint:gosec // two digits each
	if !ok || month < 1 || month > 12 || day < 1 {
		return false
	}
	if year += 1900; year < 1950 { // RFC 5280, 4.1.2.5.1
		year += 100
	}
	date := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	if date.Day() != day { // 31 February
		return false
	}
	s.date, s.seconds = text, uint64(date.Unix()-epoch) //nolint:gosec // not before 1950
	return true
}
