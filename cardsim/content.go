package cardsim

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"

	"github.com/kakunin-go/kakunin/internal/tlv"
)

// fill pads a file with FF to its physical size.
func fill(content []byte, size int) []byte {
	if n := size - len(content); n > 0 {
		return append(content, bytes.Repeat([]byte{0xFF}, n)...)
	}
	return content
}

// withOffsets encodes outer { table, fields }: the tags of the fields count up from the one behind the table's, and the
// table has the distance of each from the first byte of the file.
func withOffsets(outer, table tlv.Tag, fields [][]byte) []byte {
	var body []byte
	starts := make([]int, len(fields))
	for i, f := range fields {
		starts[i] = len(body)
		body = tlv.Append(body, table+1+tlv.Tag(i), f) //nolint:gosec // a handful of fields
	}
	// The distances depend on the form that the two lengths in front take.
	size := len(tlv.Append(nil, table, make([]byte, 2*len(fields))))
	header := len(tlv.Append(nil, outer, make([]byte, size+len(body)))) - len(body)
	var offsets []byte
	for _, s := range starts {
		offsets = binary.BigEndian.AppendUint16(offsets, uint16(header+s)) //nolint:gosec // the files are smaller than 32 KiB
	}
	return tlv.Append(nil, outer, append(tlv.Append(nil, table, offsets), body...))
}

// signedObject is outer { signed, tag signature over signed }.
func signedObject(outer tlv.Tag, signed []byte, tag tlv.Tag, key *rsa.PrivateKey) ([]byte, error) {
	signature, err := signSHA256(key, signed)
	if err != nil {
		return nil, err
	}
	return tlv.Append(nil, outer, tlv.Append(signed, tag, signature)), nil
}

// signSHA256 is RSASSA-PKCS1-v1_5 with SHA-256 over the data (RFC 8017, 8.2).
func signSHA256(key *rsa.PrivateKey, data []byte) ([]byte, error) {
	digest := sha256.Sum256(data)
	return rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
}
