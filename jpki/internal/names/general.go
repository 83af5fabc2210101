package names

import (
	"encoding/asn1"
	"net/netip"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// Form is one of the nine forms of GeneralName (RFC 5280, 4.2.1.6), by the number of its tag.
type Form int

// Forms.
const (
	FormOther Form = iota
	FormEmail
	FormDNS
	FormX400
	FormDirectory
	FormEDIParty
	FormURI
	FormIP
	FormRegisteredID
)

// General is one GeneralName. No form is dropped.
type General struct {
	Form      Form
	Text      string // rfc822Name, dNSName, uniformResourceIdentifier; octets of the others
	Directory *Name  // FormDirectory
	OtherID   asn1.ObjectIdentifier
	// Key is the canonical form: two names are the same exactly when form and key are.
	Key string
}

// Equal reports whether the names are the same.
func (g *General) Equal(other *General) bool {
	return g.Form == other.Form && g.Key == other.Key
}

// ReadGenerals reads the content of a GeneralNames (SIZE 1..MAX).
func ReadGenerals(list cryptobyte.String) ([]General, bool) {
	if list.Empty() {
		return nil, false
	}
	var out []General
	for !list.Empty() {
		g, ok := ReadGeneral(&list)
		if !ok || len(out) >= limits.GeneralNames {
			return nil, false
		}
		out = append(out, g)
	}
	return out, true
}

// ReadWholeGenerals reads a value that is one GeneralNames.
func ReadWholeGenerals(value cryptobyte.String) ([]General, bool) {
	var list cryptobyte.String
	if !value.ReadASN1(&list, cbasn1.SEQUENCE) || !value.Empty() {
		return nil, false
	}
	return ReadGenerals(list)
}

// ReadGeneral reads one GeneralName.
func ReadGeneral(s *cryptobyte.String) (g General, ok bool) {
	var content cryptobyte.String
	var tag cbasn1.Tag
	if !s.ReadAnyASN1(&content, &tag) {
		return g, false
	}
	g.Text = string(content)
	g.Key = g.Text
	switch tag {
	case der.Tag0C:
		g.Form = FormOther
		return g, g.readOther(content)
	case der.Tag1:
		g.Form = FormEmail
		g.Key = EmailKey(g.Text)
	case der.Tag2:
		g.Form = FormDNS
		g.Key = LowerASCII(g.Text)
	case der.Tag3C:
		g.Form = FormX400
		return g, true
	case der.Tag4C:
		g.Form = FormDirectory
		g.Directory, ok = Read(&content)
		if !ok || !content.Empty() {
			return g, false
		}
		g.Key = g.Directory.Key
		return g, true
	case der.Tag5C:
		g.Form = FormEDIParty
		return g, true
	case der.Tag6:
		g.Form = FormURI
	case der.Tag7:
		g.Form = FormIP
		return g, true // its length depends on where it stands
	case der.Tag8:
		g.Form = FormRegisteredID
		return g, SoundOID(content)
	default:
		return g, false
	}
	return g, ascii(content) && !strings.Contains(g.Text, "\x00")
}

// readOther reads the content of "[0] OtherName": type-id and "[0] EXPLICIT ANY".
func (g *General) readOther(content cryptobyte.String) bool {
	var value, inner cryptobyte.String
	var tag cbasn1.Tag
	return content.ReadASN1ObjectIdentifier(&g.OtherID) && content.ReadASN1(&value, der.Tag0C) && content.Empty() &&
		value.ReadAnyASN1(&inner, &tag) && value.Empty()
}

// EmailKey compares the local part exactly and the host part without case (RFC 5280, 7.5).
func EmailKey(text string) string {
	at := strings.LastIndexByte(text, '@')
	return text[:at+1] + LowerASCII(text[at+1:])
}

// SoundSubjectNames refuses values that RFC 5280, 4.2.1.6 does not allow in a subjectAltName: an iPAddress of another
// length than 4 or 16 octets, an empty dNSName.
func SoundSubjectNames(names []General) bool {
	for i := range names {
		g := &names[i]
		switch g.Form {
		case FormIP:
			if _, ok := netip.AddrFromSlice([]byte(g.Text)); !ok {
				return false
			}
		case FormDNS, FormEmail, FormURI:
			if strings.Trim(g.Text, " ") == "" {
				return false
			}
		default:
		}
	}
	return true
}
