package daa

import (
	"regexp"
	"strings"

	"github.com/kakunin-go/kakunin"
)

// lesson is what the inspector teaches about a refusal: what was wrong, in Japanese (what goes over the wire is
// English), by which clause, and what to change, in both languages.
type lesson struct{ says, clause, changeJA, changeEN string }

// lessonOf finds the lesson by the refusal's description.
func lessonOf(description string) lesson {
	for _, table := range [...]map[string]lesson{
		authorizationLessons, assertionLessons, tokenLessons, bearerLessons,
	} {
		if l, known := table[description]; known {
			return l
		}
	}
	return lesson{}
}

// said is a refusal's description in the language.
func said(description string, l kakunin.Language) string {
	if says := lessonOf(description).says; says != "" {
		return kakunin.Message{JA: says, EN: description}.In(l)
	}
	return description
}

// teach says what was wrong and what to change.
func (i *inspected) teach(p *protocolError, l kakunin.Language) {
	known := lessonOf(p.description)
	i.Code, i.Description = p.code, p.description
	if i.Says = said(p.description, l); p.says != "" {
		i.Says = kakunin.Message{JA: p.says, EN: p.description}.In(l)
	}
	i.Clause = clauseIn(known.clause, l)
	i.Advice = kakunin.Message{JA: known.changeJA, EN: known.changeEN}.In(l)
}

var sectionNumber = regexp.MustCompile(`, section ([0-9.]+)`)

// clauseIn names a clause in the language.
func clauseIn(clause string, l kakunin.Language) string {
	if l != kakunin.Japanese {
		return clause
	}
	clause = strings.NewReplacer(
		"published reference", "公開されている仕様", "wire profile of the operator (assumed)", "PF事業者のワイヤプロファイル(仮定)",
		"wire profile (assumed)", "ワイヤプロファイル(仮定)", "Keycloak since 26.0.10, 26.1.3 and 26.2",
		"Keycloak 26.0.10・26.1.3・26.2以降", "; ", "、", ", appendix ", " 付録",
	).Replace(clause)
	return sectionNumber.ReplaceAllString(clause, " ${1}節")
}
