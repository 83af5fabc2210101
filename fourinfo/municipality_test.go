package fourinfo

import (
	"slices"
	"testing"
)

// TestMunicipalityRows: the table is whole, sorted, and every row is found by its own name.
func TestMunicipalityRows(t *testing.T) {
	t.Parallel()
	if len(prefectures) != 47 || prefectures[0] != "北海道" || prefectures[12] != "東京都" || prefectures[46] != "沖縄県" {
		t.Errorf("prefectures: %v", prefectures)
	}
	if !slices.IsSortedFunc(municipalityTable[:], func(a, b municipality) int { return int(a.code - b.code) }) {
		t.Error("rows are not sorted")
	}
	if !slices.IsSortedFunc(municipalityKeys[:], func(a, b municipalityKey) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		default:
			return int(a.row) - int(b.row)
		}
	}) {
		t.Error("keys are not sorted")
	}
	covered := map[int]bool{}
	designated := map[int32]bool{}
	whole, wards, special := 0, 0, 0
	for _, m := range municipalityTable {
		covered[int(m.code)/1000] = true
		switch {
		case m.former:
		case m.ward != "":
			wards++
			designated[m.parent] = true
		default:
			whole++
		}
		if m.isSpecialWard() {
			special++
		}
		address := prefectures[m.code/1000-1] + m.county + m.city + m.ward
		got, ok := NewAddress(address + "架空１").RevealParts()
		if !ok || got.Code != municipalityCode(int(m.code)) || got.Rest != "架空１" {
			t.Errorf("%s: %+v, %v; want %s", address, got, ok, municipalityCode(int(m.code)))
		}
	}
	// 1,718 municipalities, 23 special wards and the six villages without residents; 20 designated cities with 171 wards.
	if len(covered) != 47 || whole != 1718+23+6 || special != 23 || len(designated) != 20 || wards != 171 {
		t.Errorf("%d prefectures, %d municipalities, %d special wards, %d designated cities with %d wards", len(covered), whole, special, len(designated), wards)
	}
}

// TestMunicipalityCode: the check digits of published codes.
func TestMunicipalityCode(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{1100: "011002", 13101: "131016", 14364: "143642", 13221: "132217", 27100: "271004", 47382: "473821"} {
		if got := municipalityCode(code); got != want {
			t.Errorf("%d: %s, want %s", code, got, want)
		}
	}
}

// TestVariantTable: representatives represent themselves, so that folding twice changes nothing.
func TestVariantTable(t *testing.T) {
	t.Parallel()
	if !slices.IsSortedFunc(variantTable[:], func(a, b variant) int { return int(a.from - b.from) }) {
		t.Error("the table is not sorted")
	}
	for _, v := range variantTable {
		if v.from == v.to || representative(v.to) != v.to || !isIdeograph(v.from) && v.from != '⻆' || !isIdeograph(v.to) {
			t.Errorf("%c stands for %c", v.to, v.from)
		}
		if numeralValue(v.from) >= 0 && numeralValue(v.to) >= 0 && numeralValue(v.from) != numeralValue(v.to) {
			t.Errorf("%c and %c are different numbers", v.from, v.to)
		}
	}
	for _, pair := range []string{"太大", "土士", "末未", "己巳", "千干", "日曰", "人入", "崎埼", "東藤", "田由", "一二"} {
		r := []rune(pair)
		if representative(r[0]) == representative(r[1]) {
			t.Errorf("%s are taken for variants", pair)
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
		{"東京都清瀬市架空町１", "", Unknown}, {"東京都清瀬市架空町１", "13999", Unknown}, {"東京都清瀬市架空町１", "132218", Unknown}, {"東京都清瀬市架空町１", "1322x", Unknown},
		{"東京都清瀬市架空町１", "１３２２１", Unknown},
	} {
		if got := NewAddress(tc.address).InMunicipality(tc.code); got != tc.want {
			t.Errorf("%s in %s: %v, want %v", tc.address, tc.code, got, tc.want)
		}
	}
	if got := (Address{}).InMunicipality("13221"); got != Unknown {
		t.Errorf("an absent address: %v", got)
	}
	for flags, want := range map[string]Answer{"0000000000": Yes, "0001000000": Unknown, "0000001000": Yes, "00": Unknown} {
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
	for _, special := range municipalityTable {
		if !special.isSpecialWard() {
			continue
		}
		for _, m := range municipalityTable {
			if m.ward != special.city || m.former {
				continue
			}
			tried++
			short, long := NewAddress(m.ward+"架空1"), NewAddress(m.city+m.ward+"架空1")
			if o, findings := compareAddresses(short.text, long.text); o != NeedsReview {
				t.Errorf("%s without its city: %v, %+v", m.city+m.ward, o, findings)
			}
		}
	}
	if tried < 10 {
		t.Errorf("only %d wards share a name with a special ward", tried)
	}
}
