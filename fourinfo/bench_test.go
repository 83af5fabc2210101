package fourinfo_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
)

// The targets are 2 µs for reading a person's attribute forms and 30 µs and 60 allocations for matching one person. The
// benchmarks report both and the ratio to a bare reference of the same run; TestMatchAllocations holds the allocations.

func benchmarkPersons() (onFile, certificate fourinfo.Person) {
	onFile, _ = fourinfo.FromCard(fourinfo.CardFields{
		Name: "髙橋 花子", Address: "清瀬市架空町一丁目2番3号 架空荘101", Birthdate: "19880723", Gender: "2",
	})
	name, nameFlags, gender, birthdate := "高橋　花子", "10000", "2", "319880723"
	address := "東京都清瀬市架空町１－２－３"
	flags := strings.Repeat("0", len([]rune(address)))
	certificate, _ = fourinfo.FromCertificate(fourinfo.CertificateFields{
		Name: &name, NameSubstitutes: &nameFlags, Gender: &gender, Birthdate: &birthdate, Address: &address,
		AddressSubstitutes: &flags,
	})
	return onFile, certificate
}

// TestMatchAllocations: matching one person with four attributes that all need work allocates at most 60 times.
func TestMatchAllocations(t *testing.T) {
	onFile, certificate := benchmarkPersons()
	if n := testing.AllocsPerRun(100, func() { onFile.Compare(certificate) }); n > 60 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCompare(b *testing.B) {
	onFile, certificate := benchmarkPersons()
	b.ReportAllocs()
	for b.Loop() {
		onFile.Compare(certificate)
	}
	report(b, bareComparison)
}

// BenchmarkCompareSame is the common case of a bulk run: nothing to normalise.
func BenchmarkCompareSame(b *testing.B) {
	plain, _ := fourinfo.FromCard(fourinfo.CardFields{
		Name: "試験　花子", Address: "東京都清瀬市架空町１－２－３", Birthdate: "19880723", Gender: "2",
	})
	same, _ := fourinfo.FromCard(fourinfo.CardFields{
		Name: "試験　花子", Address: "東京都清瀬市架空町１－２－３", Birthdate: "19880723", Gender: "2",
	})
	b.ReportAllocs()
	for b.Loop() {
		plain.Compare(same)
	}
}

func BenchmarkParseCertificate(b *testing.B) {
	name, flags, gender, birthdate := "高橋　花子", "10000", "2", "319880723"
	address, addressFlags := "東京都清瀬市架空町１－２－３", "00000000000000"
	fields := fourinfo.CertificateFields{Name: &name, NameSubstitutes: &flags, Gender: &gender, Birthdate: &birthdate,
		Address: &address, AddressSubstitutes: &addressFlags}
	b.ReportAllocs()
	for b.Loop() {
		fourinfo.FromCertificate(fields)
	}
	report(b, bareComparison)
}

func BenchmarkParseCard(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		fourinfo.FromCard(fourinfo.CardFields{
			Name: "高橋　花子", Address: "東京都清瀬市架空町１－２－３", Birthdate: "19880723", Gender: "2",
		})
	}
}

// BenchmarkParseUserinfo includes decoding the JSON strings.
func BenchmarkParseUserinfo(b *testing.B) {
	claims := map[string]json.RawMessage{
		"name": []byte(`"高橋　花子"`), "address": []byte(`"東京都清瀬市架空町１－２－３"`), "birthdate": []byte(`"19880723"`),
		"gender": []byte(`"2"`),
	}
	b.ReportAllocs()
	for b.Loop() {
		fourinfo.FromUserinfo(claims, names)
	}
}

func BenchmarkMunicipality(b *testing.B) {
	address := fourinfo.NewAddress("東京都清瀬市架空町１－２－３")
	b.ReportAllocs()
	for b.Loop() {
		if address.InMunicipality("13221") != fourinfo.Yes {
			b.Fatal("not there")
		}
	}
}

// bareComparison is the least that comparing the same texts can cost: decoding both and looking at every code point.
func bareComparison() bool {
	equal := true
	for _, pair := range [...][2]string{{"髙橋 花子", "高橋　花子"}, {"清瀬市架空町一丁目2番3号 架空荘101", "東京都清瀬市架空町１－２－３"}} {
		x, y := []rune(pair[0]), []rune(pair[1])
		for i := range min(len(x), len(y)) {
			equal = equal && x[i] == y[i]
		}
	}
	return equal
}

// report adds the ratio to the reference, measured in the same run.
func report(b *testing.B, reference func() bool) {
	b.Helper()
	own := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
	const rounds = 100_000
	start := time.Now()
	for range rounds {
		if reference() {
			b.Fatal("the reference compares other texts")
		}
	}
	if bare := float64(time.Since(start).Nanoseconds()) / rounds; bare > 0 {
		b.ReportMetric(own/bare, "x-bare")
	}
}
