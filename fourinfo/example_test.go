package fourinfo_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
)

// The claims of userinfo, in any of the forms that were seen, become a person who prints as nothing.
func ExampleFromUserinfo() {
	claims := map[string]json.RawMessage{
		"name":      []byte(`"試験　花子"`),
		"address":   []byte(`{"formatted":"東京都架空区１－２－３"}`),
		"birthdate": []byte(`"20060401"`),
		"gender":    []byte(`"unheard of"`),
	}
	person, problems := fourinfo.FromUserinfo(claims, fourinfo.ClaimNames{
		Name: "name", Address: "address", Birthdate: "birthdate", Gender: "gender",
	})
	fmt.Println(person) // nothing personal is shown by accident
	fmt.Println(person.Attributes(), len(problems))
	fmt.Println(person.Name.Reveal())
	fmt.Println(person.Gender.Reveal())
	// Output:
	// [redacted]
	// [name address birthdate gender] 0
	// 試験　花子
	// unknown
}

// In law an age is reached as the day before the birthday ends, in Japan.
func ExampleBirthdate_IsAtLeast() {
	birthdate, err := fourinfo.ParseBirthdate("20060401")
	if err != nil {
		fmt.Println(err)
		return
	}
	evening := time.Date(2026, time.March, 31, 14, 59, 59, 0, time.UTC) // 23:59:59 in Japan
	fmt.Println(birthdate.IsAtLeast(20, fourinfo.DateOf(evening)))
	fmt.Println(birthdate.IsAtLeast(20, fourinfo.DateOf(evening.Add(time.Second))))
	legal, _ := birthdate.ReachedOn(20)
	fmt.Println(legal)
	// Output:
	// no
	// yes
	// 2026-03-31
}

// A name with a character that the certificate cannot hold is for a human to decide.
func ExamplePerson_Compare() {
	onFile := fourinfo.Person{Name: fourinfo.NewName("髙橋　花子"), Gender: fourinfo.NewGender("female")}
	name, flags, gender := "高橋　花子", "10000", "2" // the certificate cannot hold 髙 and says so
	certificate, _ := fourinfo.FromCertificate(fourinfo.CertificateFields{Name: &name, NameSubstitutes: &flags,
		Gender: &gender})
	for _, m := range onFile.Compare(certificate) {
		fmt.Println(m.Attribute, m.Outcome)
	}
	// Output:
	// name needs-review
	// gender same
}

// What is to be stored comes out in one call, with a version.
func ExamplePerson_RevealAll() {
	person, _ := fourinfo.FromCard(fourinfo.CardFields{Name: "試験　花子", Birthdate: "20060401", Gender: "2"})
	plain, err := json.Marshal(person.RevealAll()) // personal data from here on
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(plain))
	// Output: {"v":1,"name":"試験　花子","birthdate":"20060401","birthdate_form":"compact","gender":"2"}
}
