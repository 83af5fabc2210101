package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/law"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// report is what -json prints. Nothing in it is personal data but "personal", which is there with -show-personal only.
type report struct {
	Outcome outcome `json:"outcome"`
	Reason  string  `json:"reason"`
	// verifier or private
	Business string `json:"business,omitempty"`
	// of an error: user, account, configuration, unavailable, untrusted
	Family string `json:"family,omitempty"`
	// Earlier are the applications of a start that ended in the middle
	Earlier     []earlier              `json:"earlier,omitempty"`
	Application string                 `json:"application,omitempty"`
	Signature   *signature             `json:"signature"` // null unless signature, chain and revocation held
	Person      []evidence.PersonMatch `json:"person"`    // "expected" is what the customer typed
	Law         *lawCheck              `json:"law"`
	Evidence    *kept                  `json:"evidence"` // null when no record was kept
	Personal    *personal              `json:"personal,omitempty"`

	matches []fourinfo.FieldMatch
	profile law.Profile
}

type signature struct {
	Mode           sign.Mode `json:"mode"`
	DocumentSHA256 string    `json:"document_sha256"`
	Revocation     string    `json:"revocation"`
	VerificationID string    `json:"verification_id,omitempty"` // the operator's, of a private business
}

type lawCheck struct {
	ID       law.ID     `json:"id"`
	Complete bool       `json:"complete"`
	Missing  []law.Item `json:"missing"`
	Review   []law.Item `json:"review"`
	Methods  []string   `json:"methods"`
	Notice   string     `json:"notice"`
}

type personal struct {
	Typed       fourinfo.Stored `json:"typed"`
	Certificate fourinfo.Stored `json:"certificate"`
}

func (r *report) addVerified(tx *sign.Transaction, v verified) {
	// Nothing but "good" gets here: the verifier requires an answer.
	r.Signature = &signature{Mode: tx.Mode, DocumentSHA256: hex.EncodeToString(tx.Digest[:]), Revocation: "good"}
	if v.verdict != nil {
		r.Signature.VerificationID = v.verdict.VerificationID
	}
	r.matches = v.matches
	for _, m := range v.matches {
		p := evidence.PersonMatch{Attribute: m.Attribute, Outcome: m.Outcome.String()}
		for _, f := range m.Findings {
			p.Findings = append(p.Findings, evidence.Finding{
				Step: f.Step.String(), Outcome: f.Outcome.String(),
				Expected: [2]int{f.Expected.From, f.Expected.To}, Certificate: [2]int{f.Actual.From, f.Actual.To},
			})
		}
		r.Person = append(r.Person, p)
	}
}

func (r *report) addLaw(p law.Profile, c law.Result) {
	r.profile = p
	r.Law = &lawCheck{ID: p.ID, Complete: c.Complete(), Notice: words["law.notice"].EN}
	// [] and not null
	r.Law.Missing, r.Law.Review = append([]law.Item{}, c.Missing...), append([]law.Item{}, c.Review...)
	r.Law.Methods = []string{}
	for _, m := range c.Methods {
		r.Law.Methods = append(r.Law.Methods, m.Letter)
	}
}

func (r *report) print(w io.Writer, o options) error {
	if o.json {
		return printJSON(w, r)
	}
	_, err := io.WriteString(w, r.text(o.lang))
	return err
}

func printJSON(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(v)
}

// text is the report for a person. What was not reached is left out.
func (r *report) text(lang string) string {
	var b strings.Builder
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	line("%s", say(lang, "notice"))
	if len(r.Earlier) > 0 {
		line("\n0. %s", say(lang, "earlier"))
	}
	for _, e := range r.Earlier {
		line("   %s %s\n     %s", e.Number, say(lang, string(e.Outcome)), say(lang, e.Reason))
	}
	if r.Application != "" {
		line("\n1. %s", say(lang, "application"))
		for text := range strings.Lines(r.Application) {
			line("%s", strings.TrimRight("   | "+text, " \n"))
		}
	}
	if r.Signature != nil {
		certificate := "certificate"
		line("\n2. %s", say(lang, "signature"))
		if r.Business == privateBusiness {
			certificate = "service"
			line("   "+say(lang, "signature.operator"), r.Signature.VerificationID)
		} else {
			line("   %s", say(lang, "signature.held"))
		}
		line("\n3. %s", say(lang, "person."+certificate))
		for _, m := range r.matches {
			line("   %s: %s", say(lang, m.Attribute), m.Outcome.Wording().In(kakunin.Language(lang)))
			for _, f := range m.Findings {
				line("     [%s] %s (%s: %s, %s: %s)", f.Step, f.Wording().In(kakunin.Language(lang)),
					say(lang, "typed"), place(lang, f.Expected), say(lang, certificate), place(lang, f.Actual))
			}
		}
		if r.Personal != nil {
			line(
				"   %s: %s\n   %s: %s",
				say(lang, "typed"),
				inClear(r.Personal.Typed),
				say(lang, certificate),
				inClear(r.Personal.Certificate),
			)
		}
		line("\n4. %s: %s", say(lang, "law"), r.profile.Law.In(kakunin.Language(lang)))
		line("   %s: %s", say(lang, "law.method"), list(lang, r.Law.Methods))
		line("   %s: %s", say(lang, "law.missing"), list(lang, itemWords(lang, r.Law.Missing)))
		line("   %s: %s", say(lang, "law.review"), list(lang, itemWords(lang, r.Law.Review)))
		for _, k := range r.profile.Retentions {
			line(
				"   "+say(lang, "law.keep"),
				k.Record.In(kakunin.Language(lang)),
				k.Years,
				k.Start.In(kakunin.Language(lang)),
				k.Basis,
			)
		}
		line("   %s", say(lang, "law.notice"))
		line("\n5. %s", say(lang, "evidence"))
		if r.Evidence == nil {
			line("   %s", say(lang, "evidence.none"))
		} else {
			line("   "+say(lang, "evidence.kept"), r.Evidence.Records, r.Evidence.Root)
			line("   "+say(lang, "evidence.archive"), r.Evidence.Archived, r.Evidence.Timestamps)
		}
	}
	line("\n%s\n  %s", say(lang, string(r.Outcome)), say(lang, r.Reason))
	return b.String()
}

// inClear shows personal data.
func inClear(s fourinfo.Stored) string {
	var values []string
	for _, v := range []*string{s.Name, s.Address, s.Birthdate} {
		if v != nil {
			values = append(values, *v)
		}
	}
	return strings.Join(values, " / ")
}
