package law

import (
	"slices"

	"github.com/kakunin-go/kakunin/fourinfo"
)

// Case is what is known of one person and transaction.
type Case struct {
	// Person is the one that the certificate or document names.
	Person fourinfo.Person
	// Means is how the person was verified.
	Means Means
	// Stated are the items that the signed text contains.
	Stated []Item
	// HighRisk asks for the items of high-risk transactions too.
	HighRisk bool
	// On is the day of the transaction; ages and the letters of methods go by it.
	On fourinfo.Date
}

// Result is what a case comes to under a profile. It holds no value of a person and may be kept.
type Result struct {
	// Missing are items that were not confirmed.
	Missing []Item
	// Review are items that need a human: a substitute character, a partial birthdate, an attribute from an unsigned
	// source.
	Review []Item
	// Refused are items that are certain and not as the law asks: the person is a child.
	Refused []Item
	// Methods are the letters in force on the day that fit the means; none means that the law lists no such method.
	Methods []Method
}

// Complete reports whether everything is confirmed, nothing needs review and a well-founded method is in force. It is
// true only for a case that leaves nothing to ask, and no legal advice even then.
func (r Result) Complete() bool {
	founded := slices.ContainsFunc(r.Methods, func(m Method) bool { return m.Confidence != ToBeConfirmed })
	return founded && len(r.Missing) == 0 && len(r.Review) == 0 && len(r.Refused) == 0
}

// Check says what the case lacks. A profile without requirements, such as the zero value, is never complete.
func (p Profile) Check(c Case) Result {
	var r Result
	for _, m := range p.Methods {
		if m.Means == c.Means && m.InForce(c.On) {
			r.Methods = append(r.Methods, m)
		}
	}
	if len(p.Requirements) == 0 {
		r.Methods = nil
	}
	for _, q := range p.Requirements {
		if q.HighRisk && !c.HighRisk {
			continue
		}
		switch status := q.status(c); {
		case status == missing || q.Signed && !slices.Contains(c.Stated, q.Item):
			r.Missing = append(r.Missing, q.Item)
		case status == doubtful:
			r.Review = append(r.Review, q.Item)
		case status == refused:
			r.Refused = append(r.Refused, q.Item)
		}
	}
	return r
}

type status int

const (
	missing status = iota
	doubtful
	refused
	confirmed
)

// status says how far the item is confirmed, apart from the signed text.
func (q Requirement) status(c Case) status {
	if q.Origin == Declared {
		if slices.Contains(c.Stated, q.Item) {
			return confirmed
		}
		return missing
	}
	s := missing
	switch q.Item {
	case Name:
		s = textStatus(c.Person.Name.Present(), c.Person.Name.Substitutes())
	case Address:
		s = textStatus(c.Person.Address.Present(), c.Person.Address.Substitutes())
	case Birthdate:
		_, complete := c.Person.Birthdate.Reveal().Complete()
		s = dateStatus(c.Person.Birthdate.Present(), complete)
	case Age:
		_, known := c.Person.Birthdate.AgeOn(c.On)
		s = dateStatus(c.Person.Birthdate.Present(), known)
	case Occupation, Reason, Assets:
		// nothing but the person's own word tells these
	case NotAChild:
		s = childStatus(c.Person.Birthdate, q.MinimumAge, c.On)
	}
	if s == confirmed && (c.Means == ServiceAttributes || c.Means == DocumentImage) {
		return doubtful // no certificate vouches for it
	}
	return s
}

// textStatus doubts a text with a substitute character, flagged or possible.
func textStatus(present bool, s fourinfo.Substitutes) status {
	switch {
	case !present:
		return missing
	case s.Known && (!s.LengthMatches || len(s.Positions) > 0):
		return doubtful
	default:
		return confirmed
	}
}

func dateStatus(present, known bool) status {
	switch {
	case !present:
		return missing
	case !known:
		return doubtful
	default:
		return confirmed
	}
}

func childStatus(b fourinfo.Birthdate, minimum int, on fourinfo.Date) status {
	switch b.IsAtLeast(minimum, on) {
	case fourinfo.Yes:
		return confirmed
	case fourinfo.No:
		return refused
	default:
		return dateStatus(b.Present(), false)
	}
}
