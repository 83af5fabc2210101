package cardsim

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

// imageFormat and a version are what an image file begins with. A change that older programs would misread takes a new
// version.
const imageFormat = "kakunin card image"

// imageVersion is the version of an image. It says which form the certificates have; a card keeps it for life.
type imageVersion int

const (
	// imageFirst has certificates as they were assumed to be before a test card was read: see [imageVersion.faults].
	imageFirst   imageVersion = 1
	imagePresent imageVersion = 2
)

// image is a card in a file: what it was made of, and its state. Keys are not in it, because they follow from the seed
// and the person. The order of the fields is that of the file.
type image struct {
	Format  string       `json:"format"`
	Version imageVersion `json:"version"`
	// Digest is SHA-256, in hexadecimal, of the image with an empty Digest, as this package writes it. It finds damage
	// and changes made by hand; it is no protection against someone who computes it again.
	Digest string      `json:"digest"`
	Seed   string      `json:"seed"`
	Kind   string      `json:"kind"`
	Issue  int         `json:"issue,omitempty"`
	Issued time.Time   `json:"issued"`
	ATR    string      `json:"atr"`
	Person imagePerson `json:"person"`
	// The certificates are there for other programs, and to find out that they would be issued in another form today.
	SigningCertificate        []byte           `json:"signing_certificate,omitempty"`
	AuthenticationCertificate []byte           `json:"authentication_certificate"`
	References                []imageReference `json:"references"`
}

// imagePerson is a person, of whom every field is part of the format.
type imagePerson struct {
	ID                 string `json:"id"`
	Name               string `json:"name"`
	Address            string `json:"address"`
	CertificateName    string `json:"certificate_name"`
	NameSubstitutes    string `json:"name_substitutes,omitempty"`
	CertificateAddress string `json:"certificate_address"`
	AddressSubstitutes string `json:"address_substitutes,omitempty"`
	Gender             string `json:"gender"`
	Birthdate          string `json:"birthdate"`
	PrefectureRomaji   string `json:"prefecture_romaji"`
	CityRomaji         string `json:"city_romaji"`
	MunicipalityCode   string `json:"municipality_code"`
	IndividualNumber   string `json:"individual_number"`
	AuthPIN            string `json:"auth_pin"`
	TextPIN            string `json:"text_pin"`
	SigningPassword    string `json:"signing_password"`
	SecurityCode       string `json:"security_code"`
	CardExpiry         string `json:"card_expiry"`
}

// imageReference is a reference of the card with its present value.
type imageReference struct {
	Application string `json:"application"`
	File        string `json:"file"` // four hexadecimal digits
	Value       string `json:"value"`
	Tries       int    `json:"tries"`
}

func imageOf(p person.Details) imagePerson {
	s := p.Subject
	return imagePerson{
		p.ID, p.Name, p.Address, s.Name, s.NameSubstitutes, s.Address, s.AddressSubstitutes, s.Gender, s.Birthdate,
		s.PrefectureRomaji, s.CityRomaji, s.MunicipalityCode,
		p.IndividualNumber, p.AuthPIN, p.TextPIN, p.SigningPassword, p.SecurityCode, p.CardExpiry,
	}
}

func (p imagePerson) person() (person.Person, error) {
	return person.New(person.Details{
		ID: p.ID, Name: p.Name, Address: p.Address,
		Subject: issuer.Subject{
			Name: p.CertificateName, NameSubstitutes: p.NameSubstitutes,
			Address: p.CertificateAddress, AddressSubstitutes: p.AddressSubstitutes,
			Gender: p.Gender, Birthdate: p.Birthdate,
			PrefectureRomaji: p.PrefectureRomaji, CityRomaji: p.CityRomaji, MunicipalityCode: p.MunicipalityCode,
		},
		IndividualNumber: p.IndividualNumber, AuthPIN: p.AuthPIN, TextPIN: p.TextPIN,
		SigningPassword: p.SigningPassword, SecurityCode: p.SecurityCode, CardExpiry: p.CardExpiry,
	})
}

// faults turn certificates as they are issued today into those of the version: without extKeyUsage and
// authorityInfoAccess, with a key identifier only in authorityKeyIdentifier, and with C=JP, O=公的個人認証サービス as
// issuerAltName.
func (v imageVersion) faults(ca *issuer.CA) issuer.Faults {
	if v != imageFirst {
		return issuer.Faults{}
	}
	const printable, utf8 = 0x13, 0x0C
	attribute := func(oid byte, form tlv.Tag, value string) []byte {
		pair := append([]byte{0x06, 0x03, 0x55, 0x04, oid}, tlv.Append(nil, form, []byte(value))...)
		return tlv.Append(nil, 0x31, tlv.Append(nil, 0x30, pair))
	}
	country, organization := attribute(0x06, printable, "JP"), attribute(0x0A, utf8, "公的個人認証サービス")
	name := tlv.Append(nil, 0x30, append(country, organization...))
	key := tlv.Append(nil, 0x80, ca.Certificate().SubjectKeyId)
	return issuer.Faults{
		Omit: []asn1.ObjectIdentifier{{2, 5, 29, 37}, {1, 3, 6, 1, 5, 5, 7, 1, 1}},
		Put: []pkix.Extension{
			{Id: asn1.ObjectIdentifier{2, 5, 29, 35}, Value: tlv.Append(nil, 0x30, key)},
			{Id: asn1.ObjectIdentifier{2, 5, 29, 18}, Value: tlv.Append(nil, 0x30, tlv.Append(nil, 0xA4, name))},
		},
	}
}

// imageWith encodes the card with a state.
func (c *Card) imageWith(s state) ([]byte, error) {
	i := image{
		Format: imageFormat, Version: c.version,
		Seed: c.jpki.Seed(), Kind: c.kind.String(), Issue: c.issue, Issued: c.issued.UTC(),
		ATR:    hex.EncodeToString(c.atr),
		Person: imageOf(c.holder.Reveal()), SigningCertificate: c.signing, AuthenticationCertificate: c.auth,
	}
	for _, r := range s {
		i.References = append(i.References, imageReference{
			Application: r.application, File: fileName(r.file), Value: string(r.value), Tries: r.tries,
		})
	}
	return i.seal()
}

func fileName(id uint16) string { return hex.EncodeToString([]byte{byte(id >> 8), byte(id)}) }

// encode writes the image the one way that its digest covers.
func (i image) encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(i)
	return b.Bytes(), err
}

// seal encodes the image with its digest.
func (i image) seal() ([]byte, error) {
	i.Digest = ""
	plain, err := i.encode()
	if err != nil {
		return nil, &Error{Reason: ReasonInvalidImage, Err: err}
	}
	digest := sha256.Sum256(plain)
	i.Digest = hex.EncodeToString(digest[:])
	return i.encode()
}

// parseImage reads an image and checks its form and digest; whether it fits a card shows when the card is made again.
func parseImage(data []byte) (image, error) {
	bad := func(field string) (image, error) { return image{}, &Error{Reason: ReasonInvalidImage, Detail: field} }
	if len(data) > limits.CardImage {
		return bad("size")
	}
	var i image
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	// The decoder's errors quote the file: they go no further.
	if err := d.Decode(&i); err != nil {
		return bad("form")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return bad("form")
	}
	if i.Format != imageFormat {
		return bad("format")
	}
	if i.Version != imageFirst && i.Version != imagePresent {
		return bad("version")
	}
	// Sealing again must give the same bytes: that compares the digest, and leaves no second spelling of an image.
	again, err := i.seal()
	if err != nil || !bytes.Equal(again, data) {
		return bad("digest")
	}
	return i, nil
}

// state returns the references of the image as a state.
func (i image) state() (state, error) {
	var out state
	for _, r := range i.References {
		id, err := strconv.ParseUint(r.File, 16, 16)
		if err != nil || len(r.File) != 4 {
			return nil, &Error{Reason: ReasonInvalidImage, Detail: "references.file"}
		}
		out = append(out, &referenceState{
			application: r.Application, file: uint16(id), value: []byte(r.Value), tries: r.Tries,
		})
	}
	return out, nil
}

// cardFrom makes the card of an image again.
func cardFrom(data []byte, c Config) (*Card, error) {
	i, err := parseImage(data)
	if err != nil {
		return nil, err
	}
	if i.Issue < 0 {
		return nil, &Error{Reason: ReasonInvalidImage, Detail: "issue"}
	}
	kind, err := ParseKind(i.Kind)
	if err != nil || kind == DefaultKind {
		return nil, &Error{Reason: ReasonInvalidImage, Detail: "kind"}
	}
	if c.JPKI == nil {
		if c.JPKI, err = issuer.New(issuer.Config{Seed: i.Seed, Now: c.Now}); err != nil {
			return nil, &Error{Reason: ReasonIssuanceFailed, Err: err}
		}
	}
	if c.JPKI.Seed() != i.Seed {
		return nil, &Error{Reason: ReasonInvalidImage, Detail: "seed: another JPKI"}
	}
	if len(c.ATR) == 0 {
		if c.ATR, err = ParseATR(i.ATR); err != nil {
			return nil, &Error{Reason: ReasonInvalidImage, Detail: "atr"}
		}
	}
	if c.Person, err = i.Person.person(); err != nil {
		return nil, &Error{Reason: ReasonInvalidImage, Detail: "person", Err: err}
	}
	c.Issue = i.Issue
	out, err := c.card(kind, i.Issued, i.Version)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(out.signing, i.SigningCertificate) || !bytes.Equal(out.auth, i.AuthenticationCertificate) {
		return nil, &Error{Reason: ReasonInvalidImage, Detail: "certificates: not those of this person, time and JPKI"}
	}
	from, err := i.state()
	if err != nil {
		return nil, err
	}
	if err := out.resume(from); err != nil {
		return nil, err
	}
	return out, nil
}

// resume takes over a state that came from outside, if every reference of the card is in it and every value and counter
// is one that commands can have brought about.
func (c *Card) resume(from state) error {
	bad := func(field string) error { return &Error{Reason: ReasonInvalidImage, Detail: "references." + field} }
	if len(from) != len(c.state) {
		return bad("number")
	}
	for _, a := range c.applications {
		for _, f := range a.order {
			if f.secret == nil {
				continue
			}
			r := from.find(a.name, f.id)
			switch {
			case r == nil:
				return bad("file")
			case r.tries < 0 || r.tries > f.secret.max:
				return bad("tries")
			case !bytes.Equal(r.value, f.secret.value) && (f.secret.changeable == nil || !f.secret.changeable(r.value)):
				return bad("value")
			}
		}
	}
	if !c.state.restore(from) {
		return bad("file")
	}
	return nil
}

// Image returns the card as versioned JSON (UTF-8): the person, the kind, the certificates, and every reference with
// its present value and counter. The keys follow from the seed of the JPKI, which is named. What the card has selected
// and verified is not part of it. The image holds PINs: keep it like the card. The error is an *[Error].
func (c *Card) Image() ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.imageWith(c.state)
}

// Save writes the [Card.Image] to a file, which only its owner may read. The file is complete or unchanged, also after
// a loss of power: it is written beside its place and synced before it takes it. The error is an *[Error].
func (c *Card) Save(path string) error {
	data, err := c.Image()
	if err != nil {
		return err
	}
	return writeFile(path, data)
}

// Load makes the card of an image file again, with the PINs and counters that it had. Of the configuration, Person,
// Kind and Issue are ignored, and ATR if it is empty, because the image has them; JPKI may be nil, which makes one from
// the seed in the image, and must have that seed otherwise. With SaveTo, the same path or another one, the card goes on
// being kept there. The error is an *[Error]: [ReasonStorageFailed], or [ReasonInvalidImage] for a file that is too
// large, damaged or changed.
func Load(path string, c Config) (*Card, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return FromImage(data, c)
}

// FromImage is [Load] for an image that the caller has read.
func FromImage(data []byte, c Config) (*Card, error) {
	out, err := cardFrom(data, c)
	if err != nil {
		return nil, err
	}
	if c.SaveTo != "" {
		if err := out.keepIn(c.SaveTo, true); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// keepIn writes the image to a file now and whenever the state changes.
func (c *Card) keepIn(path string, replace bool) error {
	if _, err := os.Lstat(path); !replace && !errors.Is(err, fs.ErrNotExist) {
		return &Error{Reason: ReasonInvalidConfig, Detail: "SaveTo: the file exists", Err: err}
	}
	keep := func(s state) error {
		data, err := c.imageWith(s)
		if err != nil {
			return err
		}
		return writeFile(path, data)
	}
	if err := keep(c.state); err != nil {
		return err
	}
	c.persist = keep
	return nil
}

func readFile(path string) ([]byte, error) {
	failed := func(err error) ([]byte, error) {
		return nil, &Error{Reason: ReasonStorageFailed, Detail: "read", Err: err}
	}
	f, err := os.Open(path) //nolint:gosec // the caller's choice
	if err != nil {
		return failed(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, limits.CardImage+1))
	if err != nil {
		return failed(err)
	}
	return data, nil
}

// writeFile replaces a file as a whole: the new contents are on the disk before they get the name, and the name is
// before this function returns.
func writeFile(path string, data []byte) (err error) {
	defer func() {
		if err != nil {
			err = &Error{Reason: ReasonStorageFailed, Detail: "write", Err: err}
		}
	}()
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".card-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDirectory(dir)
}

// syncDirectory makes a new name in a directory durable. Where directories cannot be synced, a rename is durable with
// its file system's journal.
func syncDirectory(dir string) error {
	switch runtime.GOOS {
	case "windows", "plan9", "js", "wasip1":
		return nil
	}
	d, err := os.Open(dir) //nolint:gosec // the directory of the caller's file
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
