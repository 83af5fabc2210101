package cardsim

import (
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
)

// Kind is what sort of card it is, and what has become of it. The zero value is [DefaultKind].
type Kind int

// Kinds of cards.
const (
	// DefaultKind is Plastic, and Child for a holder under 15 years of age.
	DefaultKind Kind = iota
	// Plastic is the card of an adult, as it was handed out: both certificates, all applications.
	Plastic
	// Child is the card of a holder under 15 years of age: no signing certificate (EF 0008 says 00 8F 00, selecting EF
	// 0001 gives 6A82), and no signing password has been set.
	Child
	// Android is the certificate function of an Android phone (スマホ用電子証明書): the JPKI application alone, token label
	// JPKIAPGPSETOKEN, the authentication certificate behind the PIN.
	Android
	// IPhone is the certificate function of an iPhone: as Android with the token label JPKIAPIOSTOKEN, and 80 FC 00 00,
	// which announces the last command of a session, is accepted.
	IPhone
	// ExpiredCard is a plastic card whose expiry has passed, and that of its certificates before it.
	ExpiredCard
	// ExpiredCertificates is a plastic card that is good, with certificates that were not renewed in time. Certificates
	// of a holder under 18 at the time of the issue expire with the card, so such a holder has no card of this kind.
	ExpiredCertificates
	// BlockedPINs is a plastic card on which every PIN and password that the holder chose is blocked.
	BlockedPINs
	// OlderCA is a plastic card with certificates of the generation of CAs before the present one, of the same name.
	OlderCA
	// NewerCA is a plastic card with certificates of CAs that have the same name and keys that the JPKI's Trust does
	// not have; [Card.JPKI] returns the JPKI that does.
	NewerCA
)

// authority says which generation of CAs issued the certificates.
type authority int

const (
	presentCA authority = iota
	olderCA
	newerCA
)

// personality is what a kind means for the card.
type personality struct {
	name  string
	label string // of the token
	// phone has no applications but JPKI, its certificates have policies of their own, and reading the authentication
	// certificate takes the PIN.
	phone bool
	// unsigned has no signing certificate.
	unsigned bool
	// lastCommand takes the announcement of the last command.
	lastCommand bool
	// blocked has no tries left for what the holder chose.
	blocked bool
	// issued says how long ago the card was made, as candidates in years: the first that fits the holder counts. None:
	// now.
	issued []int
	// expired says whether a card of that age must have expired or must still be good.
	expired   bool
	authority authority
}

// Token labels: they alone tell kinds of tokens apart.
const (
	plasticLabel = "JPKIAPICCTOKEN2"
	androidLabel = "JPKIAPGPSETOKEN"
	iPhoneLabel  = "JPKIAPIOSTOKEN"
)

// personalities has the kinds in their order.
var personalities = [...]personality{
	DefaultKind:         {name: "default", label: plasticLabel},
	Plastic:             {name: "plastic", label: plasticLabel},
	Child:               {name: "child", label: plasticLabel, unsigned: true},
	Android:             {name: "android", label: androidLabel, phone: true},
	IPhone:              {name: "iphone", label: iPhoneLabel, phone: true, lastCommand: true},
	ExpiredCard:         {name: "expired-card", label: plasticLabel, issued: []int{11, 6}, expired: true},
	ExpiredCertificates: {name: "expired-certificates", label: plasticLabel, issued: []int{6}},
	BlockedPINs:         {name: "blocked-pins", label: plasticLabel, blocked: true},
	OlderCA:             {name: "older-ca", label: plasticLabel, authority: olderCA},
	NewerCA:             {name: "newer-ca", label: plasticLabel, authority: newerCA},
}

// Kinds returns all kinds but [DefaultKind], which stands for one of them.
func Kinds() []Kind {
	out := make([]Kind, 0, len(personalities)-1)
	for k := DefaultKind + 1; int(k) < len(personalities); k++ {
		out = append(out, k)
	}
	return out
}

// ParseKind returns the kind with the name that String gives it: plastic, child, android, iphone, expired-card,
// expired-certificates, blocked-pins, older-ca, newer-ca, or default. The error is an *[Error] with
// [ReasonUnknownKind].
func ParseKind(name string) (Kind, error) {
	for k, p := range personalities {
		if p.name == name {
			return Kind(k), nil
		}
	}
	return DefaultKind, &Error{Reason: ReasonUnknownKind}
}

// String returns the name, "unknown" for a number that is no kind.
func (k Kind) String() string {
	if !k.valid() {
		return "unknown"
	}
	return personalities[k].name
}

func (k Kind) valid() bool { return k >= 0 && int(k) < len(personalities) }

// childAge is the age from which on signing certificates are issued.
const childAge = 15

// kindFor settles the default kind. A holder whose year of birth is not known counts as an adult.
func kindFor(k Kind, d person.Details, now time.Time) (Kind, error) {
	switch {
	case !k.valid():
		return 0, &Error{Reason: ReasonInvalidConfig, Detail: "Kind"}
	case k != DefaultKind:
		return k, nil
	case d.AgeOn(now) < childAge:
		return Child, nil
	default:
		return Plastic, nil
	}
}

// issuedFor is when a card that is of the kind now was made.
func (k Kind) issuedFor(d person.Details, now time.Time) (time.Time, error) {
	traits := personalities[k]
	if traits.issued == nil {
		return now, nil
	}
	for _, years := range traits.issued {
		at := now.AddDate(-years, 0, 0)
		if d.AgeOn(at) < 0 {
			continue // not born yet
		}
		if end, ok := d.IssuedOn(at).CardEnd(); ok && end.Before(now) == traits.expired {
			return at, nil
		}
	}
	return time.Time{}, &Error{Reason: ReasonInvalidPerson, Detail: "Kind does not fit the holder's age"}
}

// authorities returns the JPKI whose CAs issue the certificates of a card of the kind that is made at a time.
func (k Kind) authorities(j *issuer.JPKI, issued time.Time) (*issuer.JPKI, error) {
	out, err := j.At(issued)
	if err == nil {
		switch personalities[k].authority {
		case olderCA:
			out, err = out.Older()
		case newerCA:
			out, err = out.Successor(issued)
		case presentCA:
		}
	}
	if err != nil {
		return nil, &Error{Reason: ReasonIssuanceFailed, Err: err}
	}
	return out, nil
}
