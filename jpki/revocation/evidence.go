package revocation

import (
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl"
)

// ListEvidence is what a [Store] keeps of a list for one verification, in place of the list, which may have hundreds of
// megabytes: [Answer.Evidence] is a JSON array of these, one for each list that was heard. It names the list by its
// SHA-256, so that the archived list proves the rest, and holds the authority's signature over the digest of what it
// signed. With an entry it holds the serial number of a person's certificate.
type ListEvidence struct {
	// SHA256 is the hash of the list's DER in lower-case hex, and Size its size in bytes.
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	// Issuer is the DER of the issuer's Name.
	Issuer []byte `json:"issuer"`
	// AuthorityKeyID and Number are authorityKeyIdentifier and cRLNumber in lower-case hex; Base is BaseCRLNumber of a
	// delta list.
	AuthorityKeyID string `json:"authority_key_id"`
	Number         string `json:"number"`
	Base           string `json:"base,omitempty"`
	// ThisUpdate and NextUpdate are in UTC.
	ThisUpdate time.Time `json:"this_update"`
	NextUpdate time.Time `json:"next_update"`
	// Scope is the DER of issuingDistributionPoint: the partition.
	Scope []byte `json:"scope,omitempty"`
	// KeySHA256 is the hash of the SubjectPublicKeyInfo that verified the signature, in lower-case hex; Algorithm is
	// the OID of the signature algorithm, Digest the digest of the signed part under its hash.
	KeySHA256 string `json:"key_sha256"`
	Algorithm string `json:"algorithm"`
	Digest    []byte `json:"digest"`
	Signature []byte `json:"signature"`
	// Entry is the DER of the certificate's entry; absent when the list does not have one.
	Entry []byte `json:"entry,omitempty"`
}

// evidenceOf encodes the evidence of the list with an entry, or without one.
func (s *signedList) evidenceOf(entry *crl.Entry) []byte {
	h, sum, key := s.Header(), s.SHA256(), s.key
	digest, signature := s.Proof()
	e := ListEvidence{
		SHA256: hex.EncodeToString(sum[:]), Size: s.Size(), Issuer: h.Issuer,
		AuthorityKeyID: hex.EncodeToString(h.AuthorityKeyID), Number: hex.EncodeToString(h.Number),
		Base: hex.EncodeToString(h.BaseNumber), ThisUpdate: h.ThisUpdate.UTC(), NextUpdate: h.NextUpdate.UTC(),
		Scope: []byte(scopeOf(h)), KeySHA256: hex.EncodeToString(key[:]), Algorithm: h.SignatureAlgorithm.String(),
		Digest: digest, Signature: signature,
	}
	if entry != nil {
		e.Entry = entry.DER()
	}
	out, err := json.Marshal(e)
	if err != nil {
		return nil // strings, numbers and times after the year 0: it cannot fail
	}
	return out
}

// joinEvidence makes a JSON array.
func joinEvidence(parts [][]byte) []byte {
	size := 1
	for _, p := range parts {
		size += len(p) + 1
	}
	out := append(make([]byte, 0, size), '[')
	for i, p := range parts {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, p...)
	}
	return append(out, ']')
}
