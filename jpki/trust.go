package jpki

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// Trust is a set of anchors. A faulty set is reported by NewVerifier; the zero value is one, because there is no default
// set of anchors. A Trust is immutable.
type Trust struct {
	anchors     []*anchor
	environment Environment
	err         error
}

// ProductionTrust loads the certificates of J-LIS's authorities from the files *.cer (DER or PEM, one certificate each)
// in the root of fsys, e.g. os.DirFS("/etc/jpki"). A file whose SHA-256 is not pinned in this package makes the whole set
// faulty: it was changed on its way, or it is a generation that this version does not know. Load every generation whose
// certificates are still met, expired ones included if earlier times are verified.
func ProductionTrust(fsys fs.FS) Trust {
	t := Trust{environment: Production}
	if fsys == nil {
		return t.fail(&Error{Reason: ReasonTrust, Step: "trust.load"})
	}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return t.fail(&Error{Reason: ReasonTrust, Step: "trust.load", Err: err})
	}
	for _, entry := range entries {
		if entry.IsDir() || !strings.EqualFold(path.Ext(entry.Name()), ".cer") {
			continue
		}
		a, err := loadPinned(fsys, entry.Name())
		if err != nil {
			return t.fail(err)
		}
		t = t.add(a)
	}
	return t
}

// ProductionCertificates is [ProductionTrust] for the contents of certificate files, for a program that embeds them or has
// them from a configuration service; each is one certificate, DER or PEM.
func ProductionCertificates(files ...[]byte) Trust {
	t := Trust{environment: Production}
	for i, data := range files {
		a, err := readPinned(data, "certificate "+strconv.Itoa(i+1))
		if err != nil {
			return t.fail(err)
		}
		t = t.add(a)
	}
	return t
}

func loadPinned(fsys fs.FS, name string) (*anchor, error) {
	where := "file " + name
	refuse := func(step string, err error) error {
		return &Error{Reason: ReasonTrust, Step: step, Err: err, where: where}
	}
	file, err := fsys.Open(name)
	if err != nil {
		return nil, refuse("trust.load", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	// PEM makes a certificate half as long again.
	data, err := io.ReadAll(io.LimitReader(file, 2*limits.Certificate+1))
	if err != nil {
		return nil, refuse("trust.load", err)
	}
	return readPinned(data, where)
}

// readPinned reads a pinned anchor from the content of a file.
func readPinned(data []byte, where string) (*anchor, error) {
	refuse := func(step string, err error) error {
		return &Error{Reason: ReasonTrust, Step: step, Err: err, where: where}
	}
	if len(data) > 2*limits.Certificate {
		return nil, refuse("trust.size", nil)
	}
	der, ok := oneCertificate(data)
	if !ok {
		return nil, refuse("trust.form", nil)
	}
	a, err := readAnchor(der)
	if err != nil {
		return nil, anchorError(err, where)
	}
	p := pinned(a.fingerprint)
	if p == nil {
		return nil, refuse("trust.pin", nil)
	}
	a.name = p.name
	return a, nil
}

// anchorError keeps the step that failed and makes it a fault of the trust configuration.
func anchorError(err error, where string) error {
	out := &Error{Reason: ReasonTrust, Step: "trust.form", Err: err, where: where}
	var inner *Error
	if errors.As(err, &inner) {
		out.Step, out.Clause = inner.Step, inner.Clause
	}
	return out
}

// oneCertificate returns the DER of a file that holds exactly one certificate, as DER or as PEM.
func oneCertificate(data []byte) ([]byte, bool) {
	if len(data) > 0 && data[0] == 0x30 {
		return data, true
	}
	block, rest := pem.Decode(data)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, false
	}
	if again, _ := pem.Decode(rest); again != nil {
		return nil, false
	}
	return block.Bytes, true
}

// TestTrust trusts the given anchors of a test JPKI, self-signed and with O=JPKI-TEST in their subject; a production
// verifier refuses it.
func TestTrust(anchors ...*x509.Certificate) Trust {
	t := Trust{environment: Test}
	for _, cert := range anchors {
		if cert == nil {
			return t.fail(&Error{Reason: ReasonTrust, Step: "trust.load"})
		}
		a, err := readAnchor(cert.Raw)
		if err != nil {
			return t.fail(anchorError(err, ""))
		}
		if !slices.Equal(a.form.x509.Subject.Organization, []string{"JPKI-TEST"}) || pinned(a.fingerprint) != nil {
			return t.fail(&Error{Reason: ReasonTrust, Step: "trust.environment"})
		}
		t = t.add(a)
	}
	return t
}

func (t Trust) fail(err error) Trust {
	return Trust{environment: t.environment, err: err}
}

func (t Trust) add(a *anchor) Trust {
	same := func(b *anchor) bool { return a.fingerprint == b.fingerprint }
	if !slices.ContainsFunc(t.anchors, same) {
		t.anchors = append(t.anchors, a)
	}
	return t
}

// Anchors describes the anchors, none for a faulty set.
func (t Trust) Anchors() []Anchor {
	out := make([]Anchor, len(t.anchors))
	for i, a := range t.anchors {
		out[i] = a.describe()
	}
	return out
}

var errNoAnchors = errors.New("jpki: no trust anchors")

// validate reports what NewVerifier refuses.
func (t Trust) validate(e Environment) error {
	switch {
	case t.err != nil:
		return t.err
	case len(t.anchors) == 0:
		return &Error{Reason: ReasonTrust, Step: "trust.load", Err: errNoAnchors}
	case t.environment != e:
		return &Error{Reason: ReasonTrust, Step: "trust.environment"}
	}
	return nil
}
