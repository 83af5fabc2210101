package jpki

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/internal/certfile"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// AddedPin is an authority that the caller trusts beside those that this package knows: a generation of J-LIS that was
// published after this version. Whoever adds one vouches for it: compare the fingerprint with the one that J-LIS
// publishes on paper and in the official gazette, not only with the file's.
type AddedPin struct {
	// Name is the published file name without its ending, e.g. "signca04".
	Name string
	// SHA256 is the fingerprint of the certificate's DER in hex; colons and spaces are ignored.
	SHA256 string
}

// fingerprint reads the hex.
func (p AddedPin) fingerprint() (out [sha256.Size]byte, ok bool) {
	text := strings.NewReplacer(":", "", " ", "").Replace(p.SHA256)
	n, err := hex.Decode(out[:], []byte(text[:min(len(text), 2*sha256.Size)]))
	return out, err == nil && n == sha256.Size && len(text) == 2*sha256.Size && p.Name != ""
}

// pins are the authorities of J-LIS as published (SHA-256 of the .cer files): two authorities, three generations.
var pins = [...]AddedPin{
	{"signca01", "19645405A1FE14377434BD55957628AC4038557C542403A2243F21C706FC9355"},
	{"signca02", "79679C33E4CC9319440F1AD120A597FF1844E2EF217063ADB176966FD5E6FBEB"},
	{"signca03", "D227F6CDE11D35C5252178F106F843D24651944975413B539FA2FB68DBFA365F"},
	{"authca01", "4DCFC4CA0AAF9FB2A3081B3F0C991C320B3ACC008667A341EEAEC5AF1D58CA7D"},
	{"authca02", "0D98DE47FC11B7F67126874B7028B6026A803D2638D6EDFE53176953961FADE6"},
	{"authca03", "64114F29620C24ED2631D46476A040E7EE740D956089C00B036A6A8118C322B5"},
}

// testPins are the authorities of J-LIS's test environment, as its test cards carry them. J-LIS does not publish them,
// and there may be more.
var testPins = [...]AddedPin{
	{"test-auth-2019", "B6DE0FF5A384F5AF0242A6CA854DEE57EE2CAD97B341F18B914948FD8E638706"},
	{"test-auth-2023", "5A0E7D690C718FADEBC7FB6EFF66A6DD623458DEBC1AA6FB1778BFE157CBEB25"},
	{"test-sign-2019", "7BDBDF2652A15E6D458EFC143B7201242E1162416251D0903060FA7C642465CC"},
	{"test-sign-2024", "8126DF7DD2DB230BD8EE48CAA40FC3417DDE3607050ED34973D8D3CF267FE723"},
}

// pinned returns the name of the pin with the fingerprint, or "".
func pinned(rows []AddedPin, fingerprint [sha256.Size]byte) string {
	for _, row := range rows {
		if known, ok := row.fingerprint(); ok && known == fingerprint {
			return row.Name
		}
	}
	return ""
}

// Anchor describes one trusted authority.
type Anchor struct {
	// Name is the published file name without its ending, e.g. "signca03"; "" for an anchor of a simulated hierarchy.
	Name string
	// Fingerprint is the SHA-256 of the certificate's DER.
	Fingerprint [sha256.Size]byte
	// KeyID is the subject key identifier.
	KeyID []byte
	// NotBefore and NotAfter bound the validity period, both inclusive.
	NotBefore, NotAfter time.Time
}

// DaysToExpiry returns the whole days from now to the end of the validity period; negative when it is past. Watch it:
// new generations are published every few years. An expired anchor is still needed for verification at earlier times.
func (a Anchor) DaysToExpiry(now time.Time) int {
	left := a.NotAfter.Sub(now)
	if left < 0 {
		return -1 - int(-left/(24*time.Hour))
	}
	return int(left / (24 * time.Hour))
}

// anchor is a trusted authority and the checks that it passed.
type anchor struct {
	form        *form.Certificate
	asked       *revocation.Certificate // for the sources of revocation data
	subject     pkix.Name
	fingerprint [sha256.Size]byte
	name        string
}

// readAnchor reads an authority's certificate and checks that it can be one. The checks are made once, when the anchor
// is loaded; a certificate that fails one is never an anchor.
func readAnchor(der []byte) (*anchor, error) {
	f, err := form.Read(der)
	if err != nil {
		return nil, malformedForm(err)
	}
	name := f.X509().Subject
	var accepted bool
	for _, key := range anchorKeys {
		accepted = accepted || key.accepts(f.Key) && f.Algorithm == key.signature
	}
	var r record
	for _, check := range [...]struct {
		rule rule
		ok   bool
	}{
		{ruleAnchorSelfIssued, bytes.Equal(f.Subject, f.Issuer) && len(name.Names) > 0},
		{ruleAnchorConstraints, f.Constraints && f.Critical && f.CA},
		{ruleAnchorKeyUsage, f.KeyUsage&x509.KeyUsageCertSign != 0},
		{ruleAnchorKeyID, len(f.SubjectKeyID) > 0},
		{ruleAnchorCritical, !f.Unprocessed},
		{ruleAnchorKey, accepted},
		{ruleAnchorSignature, f.SignedBy(f.Key)},
	} {
		if err := r.require(check.rule, check.ok); err != nil {
			return nil, err
		}
	}
	return &anchor{form: f, asked: revocation.Of(f.Facts()), subject: name, fingerprint: sha256.Sum256(f.Raw)}, nil
}

func (a *anchor) describe() Anchor {
	return Anchor{
		Name: a.name, Fingerprint: a.fingerprint, KeyID: bytes.Clone(a.form.SubjectKeyID),
		NotBefore: a.form.NotBefore, NotAfter: a.form.NotAfter,
	}
}

// purpose is what the authority certifies, as its name says: "sign", "auth" or "".
func (a *anchor) purpose() string {
	for _, unit := range a.subject.OrganizationalUnit {
		switch unit {
		case "JPKI for digital signature":
			return "sign"
		case "JPKI for user authentication":
			return "auth"
		}
	}
	return ""
}

// Trust is a set of anchors of one hierarchy. What could not be loaded into it never disables the rest: [Trust.Report]
// says what that was. A Trust without any anchor, like the zero value, is refused by NewVerifier. It is immutable.
type Trust struct {
	anchors   []*anchor
	hierarchy Hierarchy
	refused   []*Error
}

// ProductionTrust loads the certificates of J-LIS's authorities from the files .cer, .crt, .der, .pem, .p7b and .p7c
// in the root of fsys, e.g. os.DirFS("/etc/jpki"): one or several in each, in any of the usual forms (DER, PEM, bare
// base64, PKCS #7). A certificate whose SHA-256 is neither pinned in this package nor added is refused, and said so
// in the report: it was changed on its way, or it is a generation that this version does not know. A program may
// embed the files (package embed). Load every generation whose certificates are still met, expired ones included if
// earlier times are verified.
func ProductionTrust(fsys fs.FS, added ...AddedPin) Trust {
	return loadFiles(Production, fsys, slices.Concat(pins[:], added), added)
}

// InsecureJLISTestTrust is [ProductionTrust] for the authorities of J-LIS's test environment, whose cards and keys are
// in the hands of developers: a production verifier refuses it.
func InsecureJLISTestTrust(fsys fs.FS, added ...AddedPin) Trust {
	return loadFiles(JLISTest, fsys, slices.Concat(testPins[:], added), added)
}

// InsecureTestTrust trusts the given anchors of a simulated JPKI, self-signed and with O=JPKI-TEST in their subject.
// Anybody may have their keys: every other verifier refuses it.
func InsecureTestTrust(anchors ...*x509.Certificate) Trust {
	t := Trust{hierarchy: Simulated}
	for i, cert := range anchors {
		where := "anchor " + strconv.Itoa(i+1)
		if cert == nil {
			t = t.refuse(&Error{Reason: ReasonTrust, Step: "trust.load", Detail: where})
			continue
		}
		a, err := readAnchor(cert.Raw)
		switch {
		case err != nil:
			t = t.refuse(anchorError(err, where))
		case !slices.Equal(a.subject.Organization, []string{"JPKI-TEST"}),
			pinned(pins[:], a.fingerprint) != "", pinned(testPins[:], a.fingerprint) != "":
			t = t.refuse(&Error{Reason: ReasonTrust, Step: "trust.hierarchy", Detail: where})
		default:
			t = t.add(a)
		}
	}
	return t
}

// isCertificateName accepts the endings under which certificates and bundles of them are kept.
func isCertificateName(name string) bool {
	endings := []string{".cer", ".crt", ".der", ".pem", ".p7b", ".p7c"}
	return slices.Contains(endings, strings.ToLower(path.Ext(name)))
}

// loadFiles loads the certificates of a folder.
func loadFiles(h Hierarchy, fsys fs.FS, accepted, added []AddedPin) Trust {
	t := Trust{hierarchy: h}.checkPins(added)
	if fsys == nil {
		return t.refuse(&Error{Reason: ReasonTrust, Step: "trust.load"})
	}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return t.refuse(&Error{Reason: ReasonTrust, Step: "trust.load", Err: err})
	}
	for _, entry := range entries {
		if entry.IsDir() || !isCertificateName(entry.Name()) {
			continue
		}
		where := "file " + entry.Name()
		data, err := readFile(fsys, entry.Name())
		if err != nil {
			t = t.refuse(&Error{Reason: ReasonTrust, Step: "trust.load", Detail: where, Err: err})
			continue
		}
		t = t.load(data, where, accepted)
	}
	return t
}

// maxAnchorFile bounds a file: PEM makes a certificate half as long again, and a PKCS #7 file may hold its siblings,
// too.
const maxAnchorFile = 8 * limits.Certificate

func readFile(fsys fs.FS, name string) ([]byte, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	return io.ReadAll(io.LimitReader(file, maxAnchorFile+1))
}

// checkPins refuses pins that are mistyped.
func (t Trust) checkPins(added []AddedPin) Trust {
	for _, p := range added {
		if _, ok := p.fingerprint(); !ok {
			t = t.refuse(&Error{Reason: ReasonTrust, Step: "trust.added-pin", Detail: "pin " + p.Name})
		}
	}
	return t
}

// load adds the pinned anchor in the content of a file, or notes why there is none.
func (t Trust) load(data []byte, where string, accepted []AddedPin) Trust {
	if len(data) > maxAnchorFile {
		return t.refuse(&Error{Reason: ReasonTrust, Step: "trust.size", Detail: where})
	}
	found, err := certfile.Read(data, certfile.Certificates)
	if err != nil {
		return t.refuse(&Error{Reason: ReasonTrust, Step: "trust.form", Detail: where + ": " + err.Error(), Err: err})
	}
	for i, der := range found { // each of a bundle stands for itself
		at := where
		if len(found) > 1 {
			at += ", certificate " + strconv.Itoa(i+1)
		}
		a, err := readAnchor(der)
		if err != nil {
			t = t.refuse(anchorError(err, at))
			continue
		}
		if a.name = pinned(accepted, a.fingerprint); a.name == "" {
			t = t.refuse(&Error{Reason: ReasonTrust, Step: "trust.pin", Detail: at})
			continue
		}
		t = t.add(a)
	}
	return t
}

// anchorError keeps the step that failed and makes it a fault of the trust configuration.
func anchorError(err error, where string) *Error {
	out := &Error{Reason: ReasonTrust, Step: "trust.form", Err: err, Detail: where}
	var inner *Error
	if errors.As(err, &inner) {
		out.Step, out.Clause = inner.Step, inner.Clause
	}
	return out
}

func (t Trust) refuse(err *Error) Trust {
	t.refused = append(slices.Clip(t.refused), err)
	return t
}

func (t Trust) add(a *anchor) Trust {
	same := func(b *anchor) bool { return a.fingerprint == b.fingerprint }
	if !slices.ContainsFunc(t.anchors, same) {
		t.anchors = append(slices.Clip(t.anchors), a)
	}
	return t
}

// Anchors describes the anchors.
func (t Trust) Anchors() []Anchor {
	out := make([]Anchor, len(t.anchors))
	for i, a := range t.anchors {
		out[i] = a.describe()
	}
	return out
}

// Authorities returns the certificates of the anchors, for [revocation.StoreConfig].
func (t Trust) Authorities() []*x509.Certificate {
	var out []*x509.Certificate
	for _, a := range t.anchors {
		out = append(out, a.form.X509())
	}
	return out
}

// TrustReport is what an operator should look at, at the start and every day.
type TrustReport struct {
	// Refused says, as [*Error] with the file's name, what was not loaded and why.
	Refused []error
	// Expired are anchors whose validity is over; they still serve earlier times.
	Expired []string
	// Missing are the pinned authorities that were not loaded: their certificates are refused.
	Missing []string
	// NextGenerationMissing names the authorities ("sign", "auth") whose newest anchor was published so long ago that
	// its successor should be there: look for it at J-LIS, and add its pin or a newer version of this module.
	NextGenerationMissing []string
}

// successor is how long before its end an authority had a successor so far: those of 2015 and 2019 more than six years.
const successor = 6 * 365 * 24 * time.Hour

// Report says what an operator should look at, at the time now.
func (t Trust) Report(now time.Time) TrustReport {
	var r TrustReport
	for _, err := range t.refused {
		r.Refused = append(r.Refused, err)
	}
	newest := map[string]time.Time{}
	for _, a := range t.anchors {
		if now.After(a.form.NotAfter) {
			r.Expired = append(r.Expired, a.name)
		}
		if p := a.purpose(); p != "" && a.form.NotAfter.After(newest[p]) {
			newest[p] = a.form.NotAfter
		}
	}
	rows := map[Hierarchy][]AddedPin{Production: pins[:], JLISTest: testPins[:]}[t.hierarchy]
	for _, row := range rows {
		known, _ := row.fingerprint()
		if !slices.ContainsFunc(t.anchors, func(a *anchor) bool { return a.fingerprint == known }) {
			r.Missing = append(r.Missing, row.Name)
		}
	}
	for _, purpose := range [...]string{"sign", "auth"} {
		if end, loaded := newest[purpose]; loaded && t.hierarchy != Simulated && end.Sub(now) < successor {
			r.NextGenerationMissing = append(r.NextGenerationMissing, purpose)
		}
	}
	return r
}

var errNoAnchors = errors.New("jpki: no trust anchors")

// validate reports what NewVerifier refuses: another hierarchy, or no anchor at all, for the reason that the first file
// has.
func (t Trust) validate(h Hierarchy) error {
	switch {
	case t.hierarchy != h && (len(t.anchors) > 0 || len(t.refused) > 0):
		return &Error{Reason: ReasonTrust, Step: "trust.hierarchy"}
	case len(t.anchors) > 0:
		return nil
	case len(t.refused) > 0:
		return t.refused[0]
	default:
		return &Error{Reason: ReasonTrust, Step: "trust.load", Err: errNoAnchors}
	}
}
