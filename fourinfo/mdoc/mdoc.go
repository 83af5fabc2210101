// Package mdoc verifies the mobile form of the My Number Card (カード代替電磁的記録, ISO/IEC 18013-5, document type
// org.iso.23220.1.jp.mnc) and maps its elements to the values of package fourinfo.
//
//	verifier, err := mdoc.NewVerifier(mdoc.Config{Anchors: anchors})
//	verified, err := verifier.Verify(response, mdoc.Expect{Session: session})
//	if verified.AgeAtLeast(20) == fourinfo.Yes { … } // asks for less than a birthdate does
//
// The response is the DeviceResponse as decrypted by the caller; the session says what the device must have
// authenticated, by OpenID for Verifiable Presentations ([OpenID4VP], [DigitalCredentials]), by ISO/IEC 18013-7
// ([AnnexC], [AnnexB]), or as encoded by somebody else ([Transcript]). Its nonce is fresh for every request and
// accepted once: that is the caller's part. [Read] maps elements that somebody else verified, and verifies nothing
// itself.
//
// No anchor is shipped, since the root of the Japanese mobile card is not public, and revocation is not looked at,
// since no list is. Whether the holder may be identified by this document under a law is another question: the Act on
// Prevention of Transfer of Criminal Proceeds (犯収法) asks for programs that the Prime Minister has certified, which this
// one is not.
//
// # Errors
//
// Every error is an *[Error] and takes part in the families of package kakunin: a response that cannot be trusted is
// untrusted, a card that has expired is the account's, a wallet that gives no document the user's. An element that
// cannot be read becomes a [fourinfo.Problem] and fails nothing.
//
// # Examples
//
// There are examples of [Read] and [Verifier.Verify].
//
// # Compatibility
//
// Nothing of this package is stored. To keep a person, use fourinfo.Person.RevealAll.
package mdoc

import (
	"slices"
	"strconv"
	"strings"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/internal/redact"
)

// DocType is the document type.
const DocType = "org.iso.23220.1.jp.mnc"

// Namespaces of the document.
const (
	// NamespaceJapan has the elements as printed on the card.
	NamespaceJapan = "org.iso.23220.1.jp"
	// NamespaceISO has the elements of ISO/IEC 23220.
	NamespaceISO = "org.iso.23220.1"
)

// Elements of [NamespaceJapan].
const (
	ElementName             = "full_name_unicode"
	ElementAddress          = "resident_address_unicode"
	ElementMunicipality     = "local_gov_code_unicode"
	ElementIndividualNumber = "individual_number_unicode"
	ElementPortrait         = "portrait"
	ElementSexText          = "sex_unicode"
	ElementBirthDateText    = "birth_date_unicode"
)

// Elements of [NamespaceISO]; the age elements are age_over_20 and the like.
const (
	ElementSex       = "sex"
	ElementBirthDate = "birth_date"
	ElementAge       = "age_in_years"
	elementAgeOver   = "age_over_"
)

// Elements are decoded element values by namespace and name: string for text and full-date, int64 or uint64 for
// integers, bool, and []byte. A full-date comes without its CBOR tag.
type Elements map[string]map[string]any

// Options say what may be read besides the four attributes.
type Options struct {
	// Purpose is the lawful ground for reading the individual number (個人番号). Without one the number is not even looked
	// at, and it is the caller's duty not to ask a wallet for it.
	Purpose mynumber.Purpose
}

// Document is what the elements say. Like its parts it shows nothing personal when printed, logged or marshalled.
type Document struct {
	fourinfo.Person
	// Number is the individual number; absent unless a purpose was named.
	Number mynumber.Number
	// Portrait is the photograph.
	Portrait Portrait

	hidden redact.Value[hidden]
}

type hidden struct {
	municipality string
	over         map[int]bool
	age          *int
}

// AttributeNumber is the individual number in a [fourinfo.Problem].
const AttributeNumber = "individual number"

// Problem reasons besides those of package fourinfo.
const (
	ProblemType        = "not of the element's type"
	ProblemBirthDates  = "birth_date and birth_date_unicode disagree" // a warning
	ProblemSexes       = "sex and sex_unicode disagree"               // a warning
	ProblemApproximate = "approximate birth_date refused"
	ProblemNumber      = "not an individual number"
	ProblemCode        = "not a municipality code"
)

// Read maps the elements. One that is missing is absent; one that cannot be read is absent and becomes a problem, never
// an error. Elements of other names are ignored.
//
// A birth_date may be approximate when the true one is unknown (ISO/IEC 18013-5, 7.2.1). So birth_date_unicode, the
// date as the register has it, decides where it is present; alone, birth_date is taken as complete.
func Read(e Elements, o Options) (Document, []fourinfo.Problem) {
	r := reader{elements: e}
	var d Document
	d.Person = r.person()
	h := hidden{municipality: r.municipality()}
	h.over, h.age = r.ages()
	d.hidden = redact.Seal(h)
	d.Portrait = r.portrait()
	if o.Purpose.Valid() {
		d.Number = r.number(o.Purpose)
	}
	for i := range r.problems {
		// Two elements say the same; one that could not be read costs nothing if the other could.
		if slices.Contains(d.Attributes(), r.problems[i].Attribute) {
			r.problems[i].Warning = true
		}
	}
	return d, r.problems
}

// AgeAtLeast answers from age_over_NN and age_in_years alone, which tell less than a birthdate. Unknown if they do not
// tell.
func (d Document) AgeAtLeast(years int) fourinfo.Answer {
	h := d.hidden.Reveal()
	yes, no := false, false
	for limit, over := range h.over {
		yes = yes || over && limit >= years
		no = no || !over && limit <= years
	}
	if h.age != nil {
		yes = yes || *h.age >= years
		no = no || *h.age < years
	}
	switch {
	case yes == no: // it does not tell, or contradicts itself
		return fourinfo.Unknown
	case yes:
		return fourinfo.Yes
	default:
		return fourinfo.No
	}
}

// RevealMunicipality returns the code of the municipality that issued the card, five digits; "" when absent.
func (d Document) RevealMunicipality() string { return d.hidden.Reveal().municipality }

type reader struct {
	elements Elements
	problems []fourinfo.Problem
}

func (r *reader) problem(attribute, reason string, warning bool) {
	r.problems = append(r.problems, fourinfo.Problem{Attribute: attribute, Reason: reason, Warning: warning})
}

// text returns a text element; "" when it is absent.
func (r *reader) text(namespace, element, attribute string) string {
	v, ok := r.elements[namespace][element]
	if !ok {
		return ""
	}
	s, ok := v.(string)
	if !ok || s == "" {
		r.problem(attribute, ProblemType, false)
		return ""
	}
	return s
}

func (r *reader) person() fourinfo.Person {
	p, problems := fourinfo.FromCard(fourinfo.CardFields{
		Name:      r.text(NamespaceJapan, ElementName, fourinfo.AttributeName),
		Address:   r.text(NamespaceJapan, ElementAddress, fourinfo.AttributeAddress),
		Birthdate: r.birthdate(), Gender: r.gender(),
	})
	r.problems = append(r.problems, problems...)
	return p
}

// birthdate returns YYYYMMDD with zeros for unknown parts; "" when absent.
func (r *reader) birthdate() string {
	full := r.text(NamespaceISO, ElementBirthDate, fourinfo.AttributeBirthdate)
	printed := r.text(NamespaceJapan, ElementBirthDateText, fourinfo.AttributeBirthdate)
	iso := strings.ReplaceAll(full, "-", "")
	if full != "" && (len(full) != len("YYYY-MM-DD") || len(iso) != len("YYYYMMDD")) {
		r.problem(fourinfo.AttributeBirthdate, fourinfo.ProblemDateForm, printed != "")
		iso = ""
	}
	if printed == "" {
		return iso
	}
	date, ok := readPrinted(printed)
	switch {
	case !ok:
		// What the register says cannot be read, so whether birth_date is approximate cannot be told either.
		r.problem(fourinfo.AttributeBirthdate, ProblemApproximate, false)
		return ""
	case iso != "" && contradicts(date, iso):
		r.problem(fourinfo.AttributeBirthdate, ProblemBirthDates, true)
	}
	return date
}

// readPrinted reads 1971年9月1日, with parts missing or unknown (不詳), half or full width.
func readPrinted(s string) (date string, ok bool) {
	s = fourinfo.StepWidth.Apply(s)
	year, rest, ok := strings.Cut(s, "年")
	if !ok || len(year) != 4 {
		return "", false
	}
	month, rest := part(rest, "月")
	day, rest := part(rest, "日")
	if _, err := strconv.Atoi(
		year,
	); err != nil || month == "" || day == "" ||
		rest != "" && rest != "不詳" && rest != "生" {
		return "", false
	}
	return year + month + day, true
}

// part reads a number of up to two digits before its unit; "00" when it is missing or unknown, "" when it is malformed.
func part(s, unit string) (two, rest string) {
	n, rest, ok := strings.Cut(s, unit)
	switch {
	case !ok:
		return "00", s
	case n == "不詳":
		return "00", rest
	case len(n) == 0 || len(n) > 2 || strings.Trim(n, "0123456789") != "":
		return "", rest
	default:
		return strings.Repeat("0", 2-len(n)) + n, rest
	}
}

// contradicts reports whether a known part of the printed date differs from the full one.
func contradicts(printed, full string) bool {
	for _, at := range [...][2]int{{0, 4}, {4, 6}, {6, 8}} {
		p := printed[at[0]:at[1]]
		if strings.Trim(p, "0") != "" && p != full[at[0]:at[1]] {
			return true
		}
	}
	return false
}

// gender returns a code of the card: ISO/IEC 5218 has 0 for not known, where the card has 3 for it and for others.
func (r *reader) gender() string {
	code := ""
	if v, ok := r.elements[NamespaceISO][ElementSex]; ok {
		n, ok := integer(v)
		switch {
		case !ok:
			r.problem(fourinfo.AttributeGender, ProblemType, false)
		default:
			code = strconv.FormatInt(n, 10)
		}
	}
	printed := ""
	switch r.text(NamespaceJapan, ElementSexText, fourinfo.AttributeGender) {
	case "男":
		printed = "1"
	case "女":
		printed = "2"
	}
	if code == "" {
		return printed
	}
	if printed != "" && printed != code {
		r.problem(fourinfo.AttributeGender, ProblemSexes, true)
	}
	return code
}

func (r *reader) ages() (over map[int]bool, age *int) {
	for name, v := range r.elements[NamespaceISO] {
		limit, ok := strings.CutPrefix(name, elementAgeOver)
		n, err := strconv.Atoi(limit)
		if !ok || err != nil || len(limit) != 2 {
			continue
		}
		yes, ok := v.(bool)
		if !ok {
			r.problem(name, ProblemType, false)
			continue
		}
		if over == nil {
			over = map[int]bool{}
		}
		over[n] = yes
	}
	if v, ok := r.elements[NamespaceISO][ElementAge]; ok {
		if n, ok := integer(v); ok && n >= 0 && n < 200 {
			years := int(n)
			age = &years
		} else {
			r.problem(ElementAge, ProblemType, false)
		}
	}
	return over, age
}

func (r *reader) municipality() string {
	code := r.text(NamespaceJapan, ElementMunicipality, fourinfo.AttributeAddress)
	if code != "" && (len(code) != 5 || strings.Trim(code, "0123456789") != "") {
		r.problem(fourinfo.AttributeAddress, ProblemCode, true)
		return ""
	}
	return code
}

func (r *reader) number(p mynumber.Purpose) mynumber.Number {
	raw := r.text(NamespaceJapan, ElementIndividualNumber, AttributeNumber)
	if raw == "" {
		return mynumber.Number{}
	}
	n, err := mynumber.New(raw, p)
	if err != nil {
		r.problem(AttributeNumber, ProblemNumber, false)
	}
	return n
}

func (r *reader) portrait() Portrait {
	v, ok := r.elements[NamespaceJapan][ElementPortrait]
	if !ok {
		return Portrait{}
	}
	image, ok := v.([]byte)
	if !ok {
		r.problem(ElementPortrait, ProblemType, false)
	}
	return newPortrait(image)
}

func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case uint64:
		return int64(n), n <= 1<<62
	case int:
		return int64(n), true
	default:
		return 0, false
	}
}
