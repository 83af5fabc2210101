package person_test

import (
	"fmt"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/person"
)

// A ready person: the PINs to type, and nothing in a log.
func ExampleLookup() {
	hanako, err := person.Lookup(person.Hanako, time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(hanako, hanako.Reveal().AuthPIN, hanako.Reveal().SigningPassword)
	// Output: [redacted] 1234 ABC123
}

// From the resident record to what the card and the certificate say.
func ExampleDescription_Person() {
	someone, err := person.Description{
		ID: "example", Family: "\u9AD9橋", Given: "一郎", Gender: "1", // 髙, which no certificate can have
		Municipality: person.Municipalities()[4], Street: "架空1-2-3",
		Birth: person.Birth{Era: person.Showa, Year: 55, Month: time.February}, // the day is not known
	}.Person()
	if err != nil {
		fmt.Println(err)
		return
	}
	d := someone.Reveal()
	fmt.Println("card:       ", d.Name, d.Address)
	fmt.Println("certificate:", d.Subject.Name, d.Subject.NameSubstitutes, d.Subject.Birthdate)
	fmt.Println("in a log:   ", someone)
	// Output:
	// card:        髙橋　一郎 東京都清瀬市架空１－２－３
	// certificate: 高橋　一郎 10000 19800200
	// in a log:    [redacted]
}

// As many persons as a test needs, the same ones in every run.
func ExampleRandom() {
	day := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for i := range 3 {
		p := person.Random(fmt.Sprint("customer ", i), day)
		fmt.Println(p.ID(), len(p.Reveal().IndividualNumber),
			p.Reveal() == person.Random(fmt.Sprint("customer ", i), day).Reveal())
	}
	// Output:
	// random-customer 0 12 true
	// random-customer 1 12 true
	// random-customer 2 12 true
}
