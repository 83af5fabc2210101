package der

import (
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

func TestReadTime(t *testing.T) {
	for _, tc := range []struct {
		tag  cbasn1.Tag
		text string
		want time.Time // zero: refused
	}{
		{cbasn1.UTCTime, "261102030405Z", time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)},
		{cbasn1.UTCTime, "491231235959Z", time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC)},
		{cbasn1.UTCTime, "500101000000Z", time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC)},
		{cbasn1.UTCTime, "240229000000Z", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		{cbasn1.GeneralizedTime, "20500101000000Z", time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)},
		{cbasn1.GeneralizedTime, "20261102030405Z", time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)},
		{cbasn1.UTCTime, "250229000000Z", time.Time{}}, {cbasn1.UTCTime, "260431000000Z", time.Time{}},
		{cbasn1.UTCTime, "261302030405Z", time.Time{}}, {cbasn1.UTCTime, "260002030405Z", time.Time{}},
		{cbasn1.UTCTime, "261100030405Z", time.Time{}}, {cbasn1.UTCTime, "261102240405Z", time.Time{}},
		{cbasn1.UTCTime, "261102036005Z", time.Time{}}, {cbasn1.UTCTime, "261102030460Z", time.Time{}},
		{cbasn1.UTCTime, "2611020304Z", time.Time{}}, {cbasn1.UTCTime, "261102030405", time.Time{}},
		{cbasn1.UTCTime, "261102030405z", time.Time{}}, {cbasn1.UTCTime, "+61102030405Z", time.Time{}},
		{cbasn1.UTCTime, "20261102030405Z", time.Time{}}, {cbasn1.GeneralizedTime, "261102030405Z", time.Time{}},
		{cbasn1.GeneralizedTime, "20261102030405.0Z", time.Time{}},
		{cbasn1.GeneralizedTime, "2026110203Z", time.Time{}},
		{cbasn1.GeneralizedTime, "20261102030405+0900", time.Time{}},
		{cbasn1.IA5String, "20261102030405Z", time.Time{}},
	} {
		s := cryptobyte.String(wrap(tc.tag, tc.text))
		got, ok := ReadTime(&s)
		if ok == tc.want.IsZero() || ok && !got.Equal(tc.want) {
			t.Errorf("%s: %v, %v", tc.text, got, ok)
		}
	}
	s := cryptobyte.String(wrap(cbasn1.UTCTime, "261102030405Z"))
	if _, ok := ReadGeneralizedTime(&s); ok {
		t.Error("a UTCTime is read where only GeneralizedTime may be")
	}
}
