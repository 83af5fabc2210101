package fourinfo

// CertificateFields are the texts of the six otherNames of a signing certificate; nil is absent. Their object identifiers
// are 1.2.392.200149.8.5.5.N with N = 1 name, 2 its substitute flags, 3 gender, 4 birthdate, 5 address, 6 its substitute
// flags.
type CertificateFields struct {
	Name, NameSubstitutes, Gender, Birthdate, Address, AddressSubstitutes *string
}

// FromCertificate reads the certificate's forms: the birthdate EYYYYMMDD, where YYYY is Gregorian, unknown parts are zeros
// and an era E that contradicts the date is a warning; the substitute flags, one "0" or "1" per code point. A field that
// cannot be read is absent and becomes a [Problem].
func FromCertificate(f CertificateFields) (Person, []Problem) {
	var r reader
	var p Person
	p.Name = Name{r.readFlagged(AttributeName, f.Name, f.NameSubstitutes)}
	p.Address = Address{r.readFlagged(AttributeAddress, f.Address, f.AddressSubstitutes)}
	if f.Birthdate != nil && r.accept(AttributeBirthdate, *f.Birthdate) {
		p.Birthdate = r.readBirthdate(*f.Birthdate, formEra)
		if p.Birthdate.Present() {
			if reason := checkEra(p.Birthdate); reason != "" {
				r.warning(AttributeBirthdate, reason)
			}
		}
	}
	if f.Gender != nil && r.accept(AttributeGender, *f.Gender) {
		p.Gender = NewGender(*f.Gender)
	}
	return p, r.problems
}

// readFlagged reads a text with its substitute flags. Odd flags are kept, surfaced as a warning and by
// Substitutes.LengthMatches, and never aligned by guessing.
func (r *reader) readFlagged(attribute string, value, flags *string) text {
	if value == nil {
		if flags != nil {
			r.warning(attribute, ReasonSubstitutesAlone)
		}
		return text{}
	}
	if !r.accept(attribute, *value) {
		return text{}
	}
	if flags == nil {
		return newText(*value, nil)
	}
	kept := *flags
	switch {
	case len(kept) > maxAttribute || !wellFormedFlags(kept):
		r.warning(attribute, ReasonSubstitutes)
		// What is no flag is not worth keeping; an empty string still tells that the flags are unusable.
		kept = ""
	case !readSubstitutes(*value, kept).LengthMatches:
		r.warning(attribute, ReasonSubstitutesCount)
	}
	return newText(*value, &kept)
}
