package cardsim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// imageFormat and imageVersion are what an image file begins with. A change that older programs would misread takes a new
// version.
const (
	imageFormat  = "kakunin card image"
	imageVersion = 1
)

// image is a card in a file: what it was made of, and its state. Keys are not in it, because they follow from the seed and
// the person. The order of the fields is that of the file.
type image struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	// Digest is SHA-256, in hexadecimal, of the image with an empty Digest, as this package writes it. It finds damage and
	// changes made by hand; it is no protection against someone who computes it again.
	Digest string      `json:"digest"`
	Seed   string      `json:"seed"`
	Kind   string      `json:"kind"`
	Issued time.Time   `json:"issued"`
	ATR    string      `json:"atr"`
	Person imagePerson `json:"person"`
	// The certificates are there for other programs, and to find out that they would be issued in another form today.
	SigningCertificate        []byte           `json:"signing_certificate,omitempty"`
	AuthenticationCertificate []byte           `json:"authentication_certificate"`
	References                []imageReference `json:"references"`
}

// imagePerson is a Person, of which every field is part of the format.
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

func (p Person) image() imagePerson {
	s := p.Subject
	return imagePerson{
		p.ID, p.Name, p.Address, s.Name, s.NameSubstitutes, s.Address, s.AddressSubstitutes, s.Gender, s.Birthdate,
		s.PrefectureRomaji, s.CityRomaji, s.MunicipalityCode, p.IndividualNumber, p.AuthPIN, p.TextPIN, p.SigningPassword,
		p.SecurityCode, p.CardExpiry,
	}
}

func (p imagePerson) person() Person {
	return Person{
		ID: p.ID, Name: p.Name, Address: p.Address,
		Subject: issuer.Subject{
			Name: p.CertificateName, NameSubstitutes: p.NameSubstitutes,
			Address: p.CertificateAddress, AddressSubstitutes: p.AddressSubstitutes,
			Gender: p.Gender, Birthdate: p.Birthdate,
			PrefectureRomaji: p.PrefectureRomaji, CityRomaji: p.CityRomaji, MunicipalityCode: p.MunicipalityCode,
		},
		IndividualNumber: p.IndividualNumber, AuthPIN: p.AuthPIN, TextPIN: p.TextPIN,
		SigningPassword: p.SigningPassword, SecurityCode: p.SecurityCode, CardExpiry: p.CardExpiry,
	}
}

// imageWith encodes the card with a state.
func (c *Card) imageWith(s state) ([]byte, error) {
	i := image{
		Format: imageFormat, Version: imageVersion,
		Seed: c.jpki.Seed(), Kind: c.kind.String(), Issued: c.issued.UTC(), ATR: hex.EncodeToString(c.atr),
		Person: c.person.image(), SigningCertificate: c.signing, AuthenticationCertificate: c.auth,
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
		return nil, &Error{Reason: InvalidImage, Err: err}
	}
	digest := sha256.Sum256(plain)
	i.Digest = hex.EncodeToString(digest[:])
	return i.encode()
}

// parseImage reads an image and checks its form and digest; whether it fits a card shows when the card is made again.
func parseImage(data []byte) (image, error) {
	bad := func(field string) (image, error) { return image{}, &Error{Reason: InvalidImage, Field: field} }
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
	if i.Version != imageVersion {
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
			return nil, &Error{Reason: InvalidImage, Field: "references.file"}
		}
		out = append(out, &referenceState{application: r.Application, file: uint16(id), value: []byte(r.Value), tries: r.Tries})
	}
	return out, nil
}

// cardFrom makes the card of an image again.
func cardFrom(data []byte, c Config) (*Card, error) {
	i, err := parseImage(data)
	if err != nil {
		return nil, err
	}
	kind, err := ParseKind(i.Kind)
	if err != nil || kind == DefaultKind {
		return nil, &Error{Reason: InvalidImage, Field: "kind"}
	}
	if c.JPKI == nil {
		if c.JPKI, err = issuer.New(issuer.Config{Seed: i.Seed, Now: c.Now}); err != nil {
			return nil, &Error{Reason: IssuanceFailed, Err: err}
		}
	}
	if c.JPKI.Seed() != i.Seed {
		return nil, &Error{Reason: InvalidImage, Field: "seed: another JPKI"}
	}
	if len(c.ATR) == 0 {
		if c.ATR, err = ParseATR(i.ATR); err != nil {
			return nil, &Error{Reason: InvalidImage, Field: "atr"}
		}
	}
	c.Person = i.Person.person()
	if err := c.Person.validate(); err != nil {
		return nil, &Error{Reason: InvalidImage, Field: "person", Err: err}
	}
	out, err := c.card(kind, i.Issued)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(out.signing, i.SigningCertificate) || !bytes.Equal(out.auth, i.AuthenticationCertificate) {
		return nil, &Error{Reason: InvalidImage, Field: "certificates: not those of this person, time and JPKI"}
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

// resume takes over a state that came from outside, if every reference of the card is in it and every value and counter is
// one that commands can have brought about.
func (c *Card) resume(from state) error {
	bad := func(field string) error { return &Error{Reason: InvalidImage, Field: "references." + field} }
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
