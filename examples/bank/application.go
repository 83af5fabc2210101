package main

import (
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/law"
)

// What a customer declares is chosen from a list, as in a bank's form: free text could hold anything, an individual
// number (個人番号) included.
var (
	purposes = map[string]law.Text{
		"living": {JA: "生計費の決済", EN: "living expenses"}, "salary": {JA: "給与の受取り", EN: "receiving a salary"},
		"savings": {JA: "貯蓄", EN: "savings"},
	}
	occupations = map[string]law.Text{
		"employee": {JA: "会社員", EN: "employee"}, "official": {JA: "公務員", EN: "public official"},
		"student": {JA: "学生", EN: "student"}, "self-employed": {JA: "個人事業主", EN: "self-employed"},
	}
)

func keys(m map[string]law.Text) string { return strings.Join(slices.Sorted(maps.Keys(m)), ", ") }

// application is the text that the customer reads and signs: what is seen is what is signed. It names nobody, because
// the certificate does; so it can be shown, logged and kept without being personal data.
type application struct {
	number string // as it stands in the text
	text   string
	// stated are the items that the text declares: the law wants them signed.
	stated []law.Item
}

func newApplication(o options, now time.Time) application {
	a := application{number: rand.Text()[:12]}
	var declared strings.Builder
	declare := func(item law.Item, list map[string]law.Text, key string) {
		if value, ok := list[key]; ok {
			declared.WriteString(say(o.lang, "application."+string(item)) + value.In(kakunin.Language(o.lang)) + "\n")
			a.stated = append(a.stated, item)
		}
	}
	declare(law.Reason, purposes, o.purpose)
	declare(law.Occupation, occupations, o.occupation)
	a.text = say(o.lang, "application.title") + "\n\n" + say(o.lang, "application.apply") + "\n" + declared.String() +
		say(o.lang, "application.person") + "\n\n" +
		// Number and time: no two signatures are over the same bytes, so none can be used twice.
		say(o.lang, "application.number") + a.number + "\n" +
		say(o.lang, "application.time") + now.In(time.FixedZone("JST", 9*60*60)).Format("2006-01-02 15:04") + " JST\n"
	return a
}

// typed is what the customer typed into the bank's form before signing, or what the bank has on file. No gender: the
// law does not ask for it, so the bank does not either. The names on the card are wider than those in certificates.
func typed(p person.Details) (fourinfo.Person, error) {
	birthdate, err := fourinfo.ParseBirthdate(p.Subject.Birthdate)
	if err != nil {
		return fourinfo.Person{}, err
	}
	address := p.Address
	switch p.ID {
	case string(person.Hanako): // types as people do
		address = strings.Replace(address, "１丁目２番３号", "1-2-3", 1)
	case string(person.Akira): // has moved and types the old address
		address = "大阪府大阪市北区架空町2-1-1"
	}
	return fourinfo.Person{
		Name:      fourinfo.NewName(p.Name),
		Address:   fourinfo.NewAddress(address),
		Birthdate: birthdate,
	}, nil
}
