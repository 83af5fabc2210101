package fourinfo

// FromCard reads the forms of the card's text application (券面事項入力補助AP): the birthdate as YYYYMMDD with zeros for
// unknown parts, the gender as a code. An empty string is an absent attribute; one that cannot be read is absent and
// becomes a [Problem].
func FromCard(name, address, birthdate, gender string) (Person, []Problem) {
	var r reader
	var p Person
	if name != "" && r.accept(AttributeName, name) {
		p.Name = NewName(name)
	}
	if address != "" && r.accept(AttributeAddress, address) {
		p.Address = NewAddress(address)
	}
	if birthdate != "" && r.accept(AttributeBirthdate, birthdate) {
		p.Birthdate = r.readBirthdate(birthdate, formCompact)
	}
	if gender != "" && r.accept(AttributeGender, gender) {
		p.Gender = NewGender(gender)
	}
	return p, r.problems
}
