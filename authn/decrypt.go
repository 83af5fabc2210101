package authn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
)

// DecryptionKey opens what the service encrypts to this application: userinfo, and the ID token, if that was agreed at
// registration. Make one with [LoadDecryptionKey], [ParseDecryptionKey] or [NewDecryptionKey]; the zero value is
// refused by [New]. It redacts itself. It must not be the key that signs assertions (RFC 7517, section 4.2: one use for
// a key).
type DecryptionKey struct {
	redacted
	v redact.Value[decryptionKey]
}

type decryptionKey struct {
	key crypto.PrivateKey
	kid string
}

// LoadDecryptionKey reads a private key file as [LoadKey] does. A JWK for signatures ("use":"sig") is refused. Errors
// have ReasonConfiguration and say what is wrong with the file, by the path that was given.
func LoadDecryptionKey(path string) (DecryptionKey, error) {
	b, err := readKeyFile(path)
	if err != nil {
		return DecryptionKey{}, err
	}
	k, err := ParseDecryptionKey(b)
	return k, inFile(err, path)
}

// ParseDecryptionKey reads a private JWK or PEM as [ParseKey] does.
func ParseDecryptionKey(b []byte) (DecryptionKey, error) {
	key, kid, err := jose.ParseDecryptionKey(b)
	if err != nil {
		return DecryptionKey{}, keyError(err)
	}
	return NewDecryptionKey(key, kid)
}

// NewDecryptionKey wraps an *rsa.PrivateKey of at least 2048 bits or an *ecdsa.PrivateKey on P-256. kid may be empty:
// then the key is tried whatever the token's "kid" says.
func NewDecryptionKey(key crypto.PrivateKey, kid string) (DecryptionKey, error) {
	d := decryptionKey{key: key, kid: kid}
	if err := d.check(); err != nil {
		return DecryptionKey{}, keyError(err)
	}
	return DecryptionKey{v: redact.Seal(d)}, nil
}

func (d decryptionKey) check() error {
	if len(d.kid) > limits.KeyID {
		return errors.New("kid is too long")
	}
	switch k := d.key.(type) {
	case *rsa.PrivateKey:
		if k == nil {
			return errors.New("no key")
		}
		_, err := jose.Thumbprint(&k.PublicKey)
		return err
	case *ecdsa.PrivateKey:
		if k == nil {
			return errors.New("no key")
		}
		_, err := jose.Thumbprint(&k.PublicKey)
		return err
	default:
		return errors.New("neither RSA nor P-256")
	}
}

// readKeyFile reads at most one byte more than the parsers accept.
func readKeyFile(path string) ([]byte, error) {
	bad := func(err error) ([]byte, error) {
		text := "it cannot be read"
		switch {
		case errors.Is(err, fs.ErrNotExist):
			text = "there is no such file"
		case errors.Is(err, fs.ErrPermission):
			text = "this program may not read it"
		case errors.Is(err, syscall.EISDIR):
			text = "it is a directory"
		}
		return nil, inFile(&Error{Reason: ReasonConfiguration, Detail: text, Err: err}, path)
	}
	f, err := os.Open(path) //nolint:gosec // the application names its own key file
	if err != nil {
		return bad(err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, limits.KeyFile+1))
	if err != nil {
		return bad(err)
	}
	return b, nil
}

// decrypter opens compact JWEs (RFC 7516) of the service.
type decrypter struct {
	keys    []decryptionKey
	options jose.DecryptOptions
}

func newDecrypter(c Config) decrypter {
	d := decrypter{options: jose.DecryptOptions{
		KeyAlgorithms: slices.Clone(
			c.Encryption.KeyAlgorithms,
		),
		ContentAlgorithms: slices.Clone(c.Encryption.ContentAlgorithms),
		MaxSize:           limits.Token,
	}}
	for _, k := range c.Encryption.Keys {
		d.keys = append(d.keys, k.v.Reveal())
	}
	return d
}

// opens recognises the compact form of a JWE by its five parts (RFC 7516, section 9). Without keys there are no JWEs:
// what looks like one is then a malformed JWS.
func (d decrypter) opens(token string) bool { return len(d.keys) > 0 && isEncrypted(token) }

func isEncrypted(token string) bool { return strings.Count(token, ".") == 4 }

// open returns the content. Errors are [*jose.Error]: of the header, or the one for everything else.
func (d decrypter) open(token string) (content []byte, err error) {
	h, err := jose.ParseHeader(token)
	if err != nil {
		return nil, err
	}
	err = &jose.Error{Check: jose.CheckDecryption, Detail: "no key fits"}
	for _, k := range d.keys {
		if h.KeyID != "" && k.kid != "" && k.kid != h.KeyID {
			continue
		}
		var tried error
		if content, _, tried = jose.Decrypt(token, k.key, d.options); tried == nil {
			return content, nil
		}
		var j *jose.Error
		if !errors.As(tried, &j) || j.Check != jose.CheckKey { // a key of the other kind is no key for this token
			err = tried
		}
	}
	return nil, err
}
