package evidence_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/law"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/storetest"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

// TestChangedRecordIsRefused: a record is encoded once, when it is made. Whoever changes it afterwards, in any of its
// parts, is refused all the same, and what was made is not changed with it.
func TestChangedRecordIsRefused(t *testing.T) {
	profile, _ := law.Lookup(law.CriminalProceeds)
	rule, ok := evidence.RetentionOf(profile)
	if !ok {
		t.Fatal("no rule")
	}
	signature := storetest.Report(1, 1).Opened.RevealSignature()
	stamped := stampOf(t, timestamp.Of(signature))
	fresh := func() *evidence.Record {
		report := storetest.Report(1, 1)
		report.PersonCompared, report.PersonMatches = true, []fourinfo.FieldMatch{{
			Attribute: "name", Outcome: fourinfo.SameAfterNormalisation, Findings: []fourinfo.Finding{{
				Step: fourinfo.StepWidth, Outcome: fourinfo.SameAfterNormalisation,
				Expected: fourinfo.Span{From: 1, To: 2}, Actual: fourinfo.Span{From: 1, To: 2},
			}},
		}}
		report.Chain.Revocation.ThisUpdate, report.Chain.Revocation.NextUpdate = storetest.Now(), storetest.Now()
		r, err := evidence.FromReport(report, storetest.Now(), evidence.WithRetention(rule), evidence.Clock("NTP"),
			evidence.RetainUntil(storetest.Now()), evidence.Timestamp(stamped))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	appendOne := func(r *evidence.Record) error {
		l, err := evidence.OpenLog(evidence.LogConfig{Store: evidence.NewMemory(), PlainHeld: true})
		if err != nil {
			t.Fatal(err)
		}
		_, err = l.AppendRecords(t.Context(), r)
		return err
	}
	if err := appendOne(fresh()); err != nil {
		t.Fatal(err)
	}
	verdict := func() *evidence.Record { return storetest.Record(t, 1) }
	n := 0
	for _, make := range []func() *evidence.Record{fresh, verdict} {
		for i := range places(reflect.ValueOf(make()).Elem(), "") {
			r := make()
			place := places(reflect.ValueOf(r).Elem(), "")[i]
			place.change()
			n++
			if err := appendOne(r); !errors.Is(err, &evidence.Error{Reason: evidence.ReasonRequest}) &&
				!errors.Is(err, &evidence.Error{Reason: evidence.ReasonFormat}) {
				t.Errorf("%s: %v", place.name, err)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d places were changed", n)
	}
}

// place is one value in a record that can be changed.
type place struct {
	name   string
	change func()
}

func places(v reflect.Value, name string) (all []place) {
	switch v.Kind() { //nolint:exhaustive // those that records have
	case reflect.Pointer:
		if !v.IsNil() {
			all = append(all, place{name + " gone", v.SetZero})
			return append(all, places(v.Elem(), name)...)
		}
		if v.CanSet() && v.Type().Elem().Kind() == reflect.Struct && name != ".Held" {
			all = append(all, place{name + " added", func() { v.Set(reflect.New(v.Type().Elem())) }})
		}
	case reflect.Struct:
		if at, ok := v.Interface().(time.Time); ok {
			return []place{{name, func() { v.Set(reflect.ValueOf(at.Add(time.Second))) }}}
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				all = append(all, places(v.Field(i), name+"."+f.Name)...)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			all = append(all, places(v.Index(i), name+"[]")...)
		}
	case reflect.Slice:
		all = append(all, place{name + " longer", func() { v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem()))) }})
		for i := range v.Len() {
			all = append(all, places(v.Index(i), name+"[]")...)
		}
	case reflect.String:
		all = append(all, place{name, func() { v.SetString(v.String() + "0") }})
	case reflect.Int:
		all = append(all, place{name, func() { v.SetInt(v.Int() ^ 3) }})
	case reflect.Bool:
		all = append(all, place{name, func() { v.SetBool(!v.Bool()) }})
	}
	return all
}

// TestCopiedRecord: a copy of a record that is given a held part of another signature is refused too.
func TestCopiedRecord(t *testing.T) {
	l := storetest.Log(t, evidence.NewMemory())
	held := func(i int) *evidence.Record {
		r, err := evidence.FromReport(storetest.Report(i, i), storetest.Now(), evidence.WithCertificate())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	one, two := held(1), held(2)
	mixed := *one
	mixed.Held = two.Held
	if _, err := l.AppendRecords(t.Context(), &mixed); !errors.Is(err, &evidence.Error{Reason: evidence.ReasonHash}) {
		t.Errorf("the held part of another: %v", err)
	}
	copied := *one
	kept, err := l.AppendRecords(t.Context(), &copied)
	if err != nil {
		t.Fatal(err)
	}
	got, err := l.Record(t.Context(), kept[0].Index)
	if err != nil {
		t.Fatal(err)
	}
	want, err := one.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := got.Marshal(); err != nil || !bytes.Equal(b, want) {
		t.Errorf("%s, %v", b, err)
	}
}
