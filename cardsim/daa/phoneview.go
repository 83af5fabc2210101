package daa

import (
	"fmt"

	"github.com/kakunin-go/kakunin/fourinfo"
)

// phoneView is a page of the simulated phone screen.
type phoneView struct {
	frame
	Submit     string // where the page's own form goes
	Cancel     string // where the form that cancels goes
	SameDevice bool   // the answer can be sent back from here
	Asked      []string
	Cards      []cardChoice
	Choose     bool   // among several cards
	Hint       string // PIN of the simulated card, when the configuration shows it
	Remaining  int
	Invalid    bool
	Attributes []attributeRow
	Sign       bool
	Number     string
	Expired    bool
	Outcome    string
	Blocked    string
	PhoneHeld  bool // with the outcome wrong-kind
}

type cardChoice struct {
	Index                             int
	Label                             string
	Checked                           bool
	AuthPIN, TextPIN, SigningPassword string
}

type attributeRow struct{ Key, Label, Value string }

func (s *Service) cardChoices() []cardChoice {
	choices := make([]cardChoice, len(s.hands()))
	for i, h := range s.hands() {
		p := h.held().Person().Reveal()
		choices[i] = cardChoice{Index: i, Label: h.label, Checked: i == 0}
		if s.showPINs {
			choices[i].AuthPIN, choices[i].TextPIN, choices[i].SigningPassword = p.AuthPIN, p.TextPIN, p.SigningPassword
		}
	}
	return choices
}

func (s *Service) hint(v *visit) cardChoice {
	for _, choice := range s.cardChoices() {
		if v.hand != nil && choice.Label == v.hand.label {
			return choice
		}
	}
	return cardChoice{}
}

// askedLabels names what the relying party asks for.
func askedLabels(f frame, req *authorizationRequest) []string {
	labels := []string{f.T("本人の確認", "proof that it is you")}
	for _, one := range []struct{ scope, ja, en string }{
		{scopeName, "氏名", "name"}, {scopeAddress, "住所", "address"},
		{scopeBirthdate, "生年月日", "date of birth"}, {scopeGender, "性別", "gender"},
		{scopeSign, "電子署名", "an electronic signature"},
	} {
		if req.asks(one.scope) {
			labels = append(labels, f.T(one.ja, one.en))
		}
	}
	return labels
}

// attributeRows lists exactly the attributes that were asked, with their values.
func attributeRows(f frame, v *visit) []attributeRow {
	var rows []attributeRow
	for _, one := range []struct{ scope, ja, en, value string }{
		{scopeName, "氏名", "Name", v.person.Name.Reveal()},
		{scopeAddress, "住所", "Address", v.person.Address.Reveal()},
		{scopeBirthdate, "生年月日", "Date of birth", birthdateText(f, v.person.Birthdate)},
		{scopeGender, "性別", "Gender", genderText(f, v.person.Gender)},
	} {
		if v.req.asks(one.scope) {
			rows = append(rows, attributeRow{one.scope, f.T(one.ja, one.en), one.value})
		}
	}
	return rows
}

func birthdateText(f frame, b fourinfo.Birthdate) string {
	d := b.Reveal()
	part := func(n, width int) string {
		if n == 0 {
			return f.T("不明", "unknown")
		}
		return fmt.Sprintf("%0*d", width, n)
	}
	if f.T("ja", "en") == "ja" {
		return part(d.Year, 4) + "年" + part(int(d.Month), 1) + "月" + part(d.Day, 1) + "日"
	}
	return part(d.Year, 4) + "-" + part(int(d.Month), 2) + "-" + part(d.Day, 2)
}

func genderText(f frame, g fourinfo.Gender) string {
	switch g.Reveal() {
	case fourinfo.Male:
		return f.T("男", "Male")
	case fourinfo.Female:
		return f.T("女", "Female")
	case fourinfo.GenderOther:
		return f.T("その他", "Other")
	case fourinfo.GenderNotApplicable:
		return f.T("適用不能", "Not applicable")
	default:
		return f.T("不明", "Unknown")
	}
}
