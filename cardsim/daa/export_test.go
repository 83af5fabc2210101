package daa

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/once"
)

// Sizes are how many things a service remembers, by the field that remembers them. It finds the fields itself, so that
// none is forgotten: one of a kind that it does not know is a panic.
func (s *Service) Sizes() map[string]int {
	sizes := map[string]int{}
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		name, f := v.Type().Field(i).Name, v.Field(i)
		switch name {
		case "leaves":
			s.leaves.mu.Lock()
			sizes[name] = len(s.leaves.made)
			s.leaves.mu.Unlock()
			continue
		case "lobby":
			s.lobby.mu.Lock()
			sizes[name], sizes[name+" addresses"] = s.lobby.all.Len(), len(s.lobby.byAddress)
			s.lobby.mu.Unlock()
			continue
		case "exchanges":
			sizes[name] = len(s.exchanges.last())
			continue
		}
		switch s.remembers(f.Type()) {
		case "store":
			sizes[name] = f.Elem().FieldByName("m").Len()
		case "once":
			sizes[name] = s.assertions.Len()
		case "no":
		default:
			panic(fmt.Sprintf("field %s of the service: does it grow?", name))
		}
	}
	return sizes
}

// remembers says whether values of a type grow with the requests.
func (s *Service) remembers(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct && hasField(t.Elem(), "m", reflect.Map):
		return "store"
	case t == reflect.TypeFor[*once.Memory]():
		return "once"
	case t.Kind() == reflect.Map,
		t.Kind() == reflect.Struct && (hasField(t, "made", reflect.Map) || hasField(t, "ring", reflect.Array)):
		return "unknown"
	}
	return "no"
}

func hasField(t reflect.Type, name string, kind reflect.Kind) bool {
	f, ok := t.FieldByName(name)
	return ok && f.Type.Kind() == kind
}

// Keep lowers the bounds of what forgets the oldest.
func (s *Service) Keep(most int) {
	s.departed.most, s.codes.most, s.tokens.most = most, most, most
	s.refreshTokens.most, s.transactions.most = most, most
}

// TaughtLesson is a lesson of the inspector.
type TaughtLesson struct {
	Says   string
	Change kakunin.Message
}

// Lessons are the inspector's, by the refusal.
func Lessons() map[string]TaughtLesson {
	all := make(map[string]TaughtLesson)
	for _, table := range []map[string]lesson{authorizationLessons, assertionLessons, tokenLessons, bearerLessons} {
		for refusal, l := range table {
			all[refusal] = TaughtLesson{l.says, kakunin.Message{JA: l.changeJA, EN: l.changeEN}}
		}
	}
	return all
}

// KeptPages are the pages that the service would show again to anybody.
func (s *Service) KeptPages() []string {
	var pages []string
	for _, same := range *s.pages.same.kept.Load() {
		pages = append(pages, string(bytes.Join(same.parts, []byte("…"))))
	}
	return pages
}
