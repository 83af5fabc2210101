package fourinfo

import (
	"testing"

	"github.com/kakunin-go/kakunin/internal/kanji"
	"github.com/kakunin-go/kakunin/internal/municipality"
)

// TestEveryMunicipalityIsFound: every row of the table by its own official name.
func TestEveryMunicipalityIsFound(t *testing.T) {
	t.Parallel()
	for _, m := range municipality.Rows() {
		address := m.PrefectureName() + m.County + m.City + m.Ward
		got, ok := NewAddress(address + "架空１").RevealParts()
		if !ok || got.Code != m.CodeText() || got.Rest != "架空１" {
			t.Errorf("%s: %+v, %v; want %s", address, got, ok, m.CodeText())
		}
	}
}

func TestInMunicipality(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		address, code string
		want          Answer
	}{
		{"東京都清瀬市架空町１－２－３", "13221", Yes}, {"東京都清瀬市架空町１－２－３", "132217", Yes}, {"清瀬市架空町1", "13221", Yes},
		{"東京都清瀬市架空町１", "13222", No}, {"東京都東久留米市架空町１", "13221", No},
		{"神奈川県横浜市中区架空町1", "14100", Yes}, {"神奈川県横浜市中区架空町1", "14104", Yes}, {"神奈川県横浜市中区架空町1", "14103", No},
		{"神奈川県横浜市架空町1", "14100", Yes}, {"神奈川県横浜市架空町1", "14104", Unknown}, {"神奈川県川崎市架空町1", "14104", No},
		{"静岡県浜松市中区架空町1", "22130", Yes}, {"静岡県浜松市中区架空町1", "22138", Unknown}, {"静岡県浜松市中区架空町1", "14100", No},
		{"府中市架空町1", "13206", Unknown}, {"東京都府中市架空町1", "13206", Yes}, {"広島県府中市架空町1", "13206", No},
		{"府中市架空町1", "13221", No}, // whichever of the two
		{"港区架空1", "13103", Unknown}, {"東京都港区架空1", "13103", Yes},
		{"試験県架空市1", "13221", Unknown}, {"", "13221", Unknown}, {"東京都", "13221", Unknown},
		{"東京都清瀬市架空町１", "", Unknown}, {"東京都清瀬市架空町１", "13999", Unknown}, {"東京都清瀬市架空町１", "132218", Unknown},
		{"東京都清瀬市架空町１", "1322x", Unknown},
		{"東京都清瀬市架空町１", "１３２２１", Unknown},
	} {
		if got := NewAddress(tc.address).InMunicipality(tc.code); got != tc.want {
			t.Errorf("%s in %s: %v, want %v", tc.address, tc.code, got, tc.want)
		}
	}
	if got := (Address{}).InMunicipality("13221"); got != Unknown {
		t.Errorf("an absent address: %v", got)
	}
	for flags, want := range map[string]Answer{"0000000000": Yes, "0001000000": Unknown, "0000001000": Yes,
		"00": Unknown} {
		address := "東京都葛飾区架空１号"
		p, _ := FromCertificate(CertificateFields{Address: &address, AddressSubstitutes: &flags})
		if got := p.Address.InMunicipality("13122"); got != want {
			t.Errorf("flags %s: %v, want %v", flags, got, want)
		}
	}
}

// TestWardWithoutItsCity: whichever city's ward of that name the other address names, it may be the same place.
func TestWardWithoutItsCity(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, special := range municipality.Rows() {
		if !special.IsSpecialWard() {
			continue
		}
		for _, m := range municipality.Rows() {
			if m.Ward != special.City || m.Former {
				continue
			}
			tried++
			short, long := NewAddress(m.Ward+"架空1"), NewAddress(m.City+m.Ward+"架空1")
			if o, findings := compareAddresses(short.text, long.text); o != NeedsReview {
				t.Errorf("%s without its city: %v, %+v", m.City+m.Ward, o, findings)
			}
		}
	}
	if tried < 10 {
		t.Errorf("only %d wards share a name with a special ward", tried)
	}
}

// TestNumeralsAreNoVariants: no two ideographs of different numbers are forms of each other.
func TestNumeralsAreNoVariants(t *testing.T) {
	t.Parallel()
	for r := rune(0x3007); r < 0xA000; r++ {
		to := kanji.Representative(r)
		if numeralValue(r) >= 0 && numeralValue(to) >= 0 && numeralValue(r) != numeralValue(to) {
			t.Errorf("%c and %c are different numbers", r, to)
		}
	}
}
