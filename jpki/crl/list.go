package crl

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"runtime"
)

// Unverified is a list that was read completely and is well-formed, but may come from anybody. Its header helps to find
// the key of its issuer. It is safe for concurrent use.
type Unverified struct {
	body    *body
	frame   frame
	options Options
	sha256  [sha256.Size]byte
	digest  []byte // of the signed part, under the algorithm's hash
	size    int64

	// turn holds one token: who has it makes the index, or goes on where another caller gave up.
	turn    chan struct{}
	builder *indexBuilder // nil when the index is made
	index   *index
	failure error // of building the index
	last    *List // the latest key's
}

// Header returns what the list says of itself. Nothing of it is trusted yet.
func (u *Unverified) Header() *Header { return &u.body.Header }

// SHA256 returns the hash of the list's DER.
func (u *Unverified) SHA256() [sha256.Size]byte { return u.sha256 }

// Size returns the size of the list's DER in bytes, more than what is in memory of it.
func (u *Unverified) Size() int64 { return u.size }

// Verify checks the signature with the key of the list's issuer (RFC 5280, 6.3.3 (g)) and makes the index. Whether the
// key is that of the issuer, and may sign lists, is for the caller to know. It may be called again, by anybody and with
// other keys: the index is made once, and a caller whose context ends leaves it to the next one.
//
// Errors are [*Error]: [ReasonSignature]; [ReasonCritical] for a list with a critical extension that is not understood;
// [ReasonMalformed] when two entries are for one certificate; [ReasonIO] when the context ends.
func (u *Unverified) Verify(ctx context.Context, key crypto.PublicKey) (*List, error) {
	if u.body.algorithm.VerifyDigest(key, u.digest, u.body.signature) != nil {
		return nil, &Error{Reason: ReasonSignature, Step: "crl.signature", Clause: "RFC 5280, 6.3.3 (g)"}
	}
	if len(u.body.UnknownCritical) > 0 {
		return nil, &Error{Reason: ReasonCritical, Step: "crl.critical-extensions", Clause: "RFC 5280, 5.2"}
	}
	keyHash, err := hashKey(key)
	if err != nil {
		return nil, err
	}
	return u.indexed(ctx, keyHash)
}

// indexed returns the list behind the key; one caller makes its index while the others wait.
func (u *Unverified) indexed(ctx context.Context, keyHash [sha256.Size]byte) (*List, error) {
	select {
	case u.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ioError("context", ctx.Err())
	}
	defer func() { <-u.turn }()
	if u.builder != nil {
		ix, err := u.builder.build(ctx, u.indexing(int64(u.builder.len())))
		if err != nil && ctx.Err() != nil {
			return nil, err
		}
		u.index, u.failure, u.builder = ix, err, nil
	}
	if u.failure != nil {
		return nil, u.failure
	}
	if u.last == nil || u.last.keyHash != keyHash {
		u.last = &List{
			body:    u.body,
			frame:   u.frame,
			index:   u.index,
			sha256:  u.sha256,
			digest:  u.digest,
			size:    u.size,
			keyHash: keyHash,
		}
	}
	return u.last, nil
}

func (u *Unverified) indexing(total int64) func(done int) {
	if u.options.Progress == nil {
		return nil
	}
	return func(done int) { u.options.Progress(Progress{Indexing: true, Done: int64(done), Total: total}) }
}

func hashKey(key crypto.PublicKey) ([sha256.Size]byte, error) {
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return [sha256.Size]byte{}, &Error{Reason: ReasonSignature, Step: "crl.signature", Err: err}
	}
	return sha256.Sum256(spki), nil
}

// List is a list whose signature was verified, indexed for look-ups. It is immutable and safe for concurrent use.
type List struct {
	body    *body
	frame   frame
	index   *index
	sha256  [sha256.Size]byte
	digest  []byte
	size    int64
	keyHash [sha256.Size]byte
}

// Header returns what the list says of itself.
func (l *List) Header() *Header { return &l.body.Header }

// SHA256 returns the hash of the list's DER, which names the list in records.
func (l *List) SHA256() [sha256.Size]byte { return l.sha256 }

// KeySHA256 returns the SHA-256 of the SubjectPublicKeyInfo with which the signature was verified.
func (l *List) KeySHA256() [sha256.Size]byte { return l.keyHash }

// Size returns the size of the list's DER in bytes.
func (l *List) Size() int64 { return l.size }

// Len returns the number of entries.
func (l *List) Len() int { return l.index.len() }

// IndexSize returns the bytes that the index occupies, in memory or in a mapped file.
func (l *List) IndexSize() int { return l.index.size() }

// Proof returns what the authority signed, without the list: the digest of the signed part under the hash of the
// signature algorithm, and the signature. They are shared: do not change them.
func (l *List) Proof() (digest, signature []byte) { return l.digest, l.body.signature }

// CertificateIssuers returns the DER of the Name of every certificate issuer that the list has or may have entries of:
// the issuer of the list first, then those of an indirect list. [List.Lookup] compares names as encoded; a caller that
// compares by the rules of RFC 5280, 7.1 does so with these and passes the one that is equal.
func (l *List) CertificateIssuers() [][]byte {
	return append([][]byte{l.body.Issuer}, l.index.issuers...)
}

// Lookup returns the entry of the certificate with the issuer, as the DER of its Name compared octet by octet, and the
// octets of the serial number's INTEGER.
func (l *List) Lookup(issuer, serial []byte) (Entry, bool) {
	number := uint32(0)
	if !bytes.Equal(issuer, l.body.Issuer) {
		if number = l.index.issuerNumber(issuer); number == 0 {
			return Entry{}, false
		}
	}
	e, found := l.index.lookup(number, serial)
	if found {
		e.Issuer = l.body.Issuer
		if number > 0 {
			e.Issuer = l.index.issuers[number-1]
		}
	}
	runtime.KeepAlive(l) // and with it the file that the index may be mapped from
	return e, found
}
