package certpath

import (
	"encoding/asn1"
	"net/netip"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// nameForm is one of the nine forms of GeneralName (RFC 5280, 4.2.1.6), by the number of its tag.
type nameForm int

const (
	formOther nameForm = iota
	formEmail
	formDNS
	formX400
	formDirectory
	formEDIParty
	formURI
	formIP
	formRegisteredID
)

// generalName is one GeneralName. No form is dropped.
type generalName struct {
	form      nameForm
	text      string // rfc822Name, dNSName, uniformResourceIdentifier; octets of the others
	directory *name  // formDirectory
	otherID   asn1.ObjectIdentifier
	// key is the canonical form: two names are the same exactly when form and key are.
	key string
}

func (g *generalName) equal(other *generalName) bool {
	return g.form == other.form && g.key == other.key
}

// readGeneralNames reads the content of a GeneralNames (SIZE 1..MAX).
func readGeneralNames(list cryptobyte.String) ([]generalName, bool) {
	if list.Empty() {
		return nil, false
	}
	var out []generalName
	for !list.Empty() {
		g, ok := readGeneralName(&list)
		if !ok || len(out) >= limits.GeneralNames {
			return nil, false
		}
		out = append(out, g)
	}
	return out, true
}

// readWholeGeneralNames reads a value that is one GeneralNames.
func readWholeGeneralNames(value cryptobyte.String) ([]generalName, bool) {
	var list cryptobyte.String
	if !value.ReadASN1(&list, cbasn1.SEQUENCE) || !value.Empty() {
		return nil, false
	}
	return readGeneralNames(list)
}

func readGeneralName(s *cryptobyte.String) (g generalName, ok bool) {
	var content cryptobyte.String
	var tag cbasn1.Tag
	if !s.ReadAnyASN1(&content, &tag) {
		return g, false
	}
	g.text = string(content)
	g.key = g.text
	switch tag {
	case der.Tag0C:
		g.form = formOther
		return g, g.readOther(content)
	case der.Tag1:
		g.form = formEmail
		g.key = emailKey(g.text)
	case der.Tag2:
		g.form = formDNS
		g.key = lowerASCII(g.text)
	case der.Tag3C:
		g.form = formX400
		return g, true
	case der.Tag4C:
		g.form = formDirectory
		g.directory, ok = readName(&content)
		if !ok || !content.Empty() {
			return g, false
		}
		g.key = g.directory.key
		return g, true
	case der.Tag5C:
		g.form = formEDIParty
		return g, true
	case der.Tag6:
		g.form = formURI
	case der.Tag7:
		g.form = formIP
		return g, true // its length depends on where it stands
	case der.Tag8:
		g.form = formRegisteredID
		return g, soundOID(content)
	default:
		return g, false
	}
	return g, ascii(content) && !strings.Contains(g.text, "\x00")
}

// readOther reads the content of "[0] OtherName": type-id and "[0] EXPLICIT ANY".
func (g *generalName) readOther(content cryptobyte.String) bool {
	var value, inner cryptobyte.String
	var tag cbasn1.Tag
	return content.ReadASN1ObjectIdentifier(&g.otherID) && content.ReadASN1(&value, der.Tag0C) && content.Empty() &&
		value.ReadAnyASN1(&inner, &tag) && value.Empty()
}

// emailKey compares the local part exactly and the host part without case (RFC 5280, 7.5).
func emailKey(text string) string {
	at := strings.LastIndexByte(text, '@')
	return text[:at+1] + lowerASCII(text[at+1:])
}

// soundSubjectNames refuses values that RFC 5280, 4.2.1.6 does not allow in a subjectAltName: an iPAddress of another
// length than 4 or 16 octets, an empty dNSName.
func soundSubjectNames(names []generalName) bool {
	for i := range names {
		g := &names[i]
		switch g.form {
		case formIP:
			if _, ok := netip.AddrFromSlice([]byte(g.text)); !ok {
				return false
			}
		case formDNS, formEmail, formURI:
			if strings.Trim(g.text, " ") == "" {
				return false
			}
		default:
		}
	}
	return true
}
