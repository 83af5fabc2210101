package fourinfo_test

import (
	"fmt"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/fourinfo"
)

// The reasons come with their places in both raw values, in both languages, and without a character of them.
func ExampleFinding() {
	onFile := fourinfo.Person{Name: fourinfo.NewName("髙橋 花子"), Address: fourinfo.NewAddress("清瀬市架空町一丁目2番3号")}
	stated := fourinfo.Person{Name: fourinfo.NewName("高橋　花子"), Address: fourinfo.NewAddress("東京都清瀬市架空町１－２－３")}
	for _, m := range onFile.Compare(stated) {
		fmt.Println(m.Attribute+":", m.Outcome, "/", m.Outcome.Wording().In(kakunin.Japanese))
		for _, f := range m.Findings {
			fmt.Println(" ", f.Expected, f.Actual, f.Step, "/", f.Wording().In(kakunin.Japanese))
		}
	}
	// Output:
	// name: needs-review / 確認が必要
	//   {0 1} {0 1} variant / 異体字・新旧字体
	//   {2 3} {2 3} space / 空白の有無・種類
	// address: same-after-normalisation / 表記の違いを除いて一致
	//   {0 0} {0 3} prefecture / 都道府県名の省略
	//   {6 12} {9 14} width / 全角と半角
	//   {6 7} {9 10} numeral / 漢数字と算用数字
	//   {7 9} {10 11} unit / 「丁目」「番地」「号」「の」とハイフン
	//   {10 11} {12 13} unit / 「丁目」「番地」「号」「の」とハイフン
	//   {12 13} {14 14} unit / 「丁目」「番地」「号」「の」とハイフン
}

// Each step of the comparison can be tried alone.
func ExampleStep_Apply() {
	fmt.Println(fourinfo.StepNumeral.Apply("一丁目二十三番地"))
	fmt.Println(fourinfo.StepUnit.Apply("1丁目23番地"))
	fmt.Println(fourinfo.StepVariant.Apply("髙橋"), fourinfo.StepVariant.Outcome())
	// Output:
	// 1丁目23番地
	// 1-23
	// 高橋 needs-review
}

// Whether somebody lives in a municipality, also where the prefecture is left out.
func ExampleAddress_InMunicipality() {
	address := fourinfo.NewAddress("三重県四日市市架空町１－２－３")
	fmt.Println(address.InMunicipality("24202")) // 四日市市: residents only
	fmt.Println(fourinfo.NewAddress("府中市架空町１").InMunicipality("13206"))
	parts, ok := address.RevealParts()
	fmt.Println(parts.Prefecture, parts.City, parts.Code, ok)
	// Output:
	// yes
	// unknown
	// 三重県 四日市市 242021 true
}

// A birthdate without a day or a month gives the ages that are possible.
func ExampleBirthdate_AgesOn() {
	birthdate, err := fourinfo.ParseBirthdate("20060400") // the day is unknown
	if err != nil {
		fmt.Println(err)
		return
	}
	on := fourinfo.Date{Year: 2026, Month: 4, Day: 15}
	fmt.Println(birthdate.AgeOn(on))
	fmt.Println(birthdate.AgesOn(on))
	fmt.Println(birthdate.ReachedBetween(20))
	// Output:
	// 0 false
	// 19 20 true
	// 2026-03-31 2026-04-29 true
}
