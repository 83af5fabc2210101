package fourinfo_test

import (
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/fourinfo"
)

// stepExample is what one step alone makes of a text. The documentation shows them.
type stepExample struct{ in, out string }

// stepExamples try every step that transforms. Those whose text stays say where the step leaves off.
var stepExamples = map[fourinfo.Step][]stepExample{
	fourinfo.StepSelector: {{"\u845b\U000e0100飾", "葛飾"}, {"\u6674\ufe00", "晴"}, {"葛飾", "葛飾"}},
	fourinfo.StepCompatibility: {{"\ufa19", "神"}, {"\ufa10", "塚"}, {"\ufa1b", "福"}, {"\uf9dc", "隆"}, {"\ufa12", "晴"},
		{"\ufa26", "都"}, {"\ufa11", "\ufa11"}, {"\ufa0e", "\ufa0e"}},
	fourinfo.StepWidth:       {{"ＡＢ１２－", "AB12-"}, {"ﾔﾏﾀﾞ", "ヤマタ\u3099"}, {"試験　花子", "試験 花子"}, {"\u9ad9", "\u9ad9"}},
	fourinfo.StepSymbol:      {{"㈱試験", "(株)試験"}, {"①", "1"}, {"\u2fbc橋", "高橋"}, {"㍾", "明治"}, {"2\u2460", "2\u2460"}},
	fourinfo.StepComposition: {{"か\u3099", "が"}, {"ハ゜", "パ"}, {"E\u0301", "É"}, {"花\u3099", "花\u3099"}},
	fourinfo.StepDash: {{"1\u22122\u20103\u20154\u20135\u20146", "1-2-3-4-5-6"}, {"1ー2", "1-2"},
		{"タワー", "タワー"}, {"\u301c", "~"}},
	fourinfo.StepCase:     {{"McDonald", "MCDONALD"}, {"é", "É"}},
	fourinfo.StepSpace:    {{"架空町 1-2", "架空町1-2"}, {"2-3 101", "2-3-101"}, {"2 三番", "2-三番"}, {"2 三田荘", "2三田荘"}},
	fourinfo.StepPostcode: {{"〒204-0000東京都", "東京都"}, {"2040000東京都", "東京都"}, {"204東京都", "204東京都"}},
	fourinfo.StepKe:       {{"霞が関", "霞ヶ関"}, {"霞ケ関", "霞ヶ関"}, {"ひばりが丘", "ひばりヶ丘"}, {"ながれ", "ながれ"}, {"タケ山", "タケ山"}},
	fourinfo.StepOaza:     {{"大字架空字仮想", "架空仮想"}, {"十文字町", "十文字町"}, {"名字", "名字"}},
	fourinfo.StepNumeral: {
		{"二十三番地", "23番地"}, {"二三番地", "23番地"}, {"千二百三十四番", "1234番"}, {"一丁目二番三号", "1丁目2番3号"}, {"一の二", "1の2"},
		{"北十二条西三丁目", "北12条西3丁目"}, {"一番町", "1番町"}, {"三田", "三田"}, {"六本木", "六本木"}, {"三ノ輪", "三ノ輪"}, {"二十十番地", "二十十番地"},
		{"二○三番地", "203番地"}, {"廿三番地", "23番地"},
		{"0012番地", "12番地"}, {"○番地", "○番地"},
	},
	fourinfo.StepUnit: {
		{"1丁目2番3号", "1-2-3"}, {"1丁目2番地の3", "1-2-3"}, {"123番地", "123"}, {"1の2", "1-2"}, {"1丁2番3号", "1-2-3"},
		{"架空荘101号室", "架空荘101"},
		{"1番町2", "1番町2"}, {"12番丁1", "12番丁1"}, {"3号棟", "3号棟"}, {"1丁目架空荘", "1架空荘"}, {"6番地ロ", "6ロ"}, {"6-ロ", "6ロ"},
		{"1-2-架空荘", "1-2架空荘"}, {"3地割2", "3-2"}, {"ビル3階", "ビル3F"},
	},
	fourinfo.StepVariant: {{"\u9ad9橋", "高橋"}, {"山\ufa11", "山崎"}, {"渡\u9089", "渡辺"}, {"\U00020bb7田", "吉田"},
		{"佐々木", "佐佐木"}, {"埼玉", "埼玉"}},
	fourinfo.StepParticle:    {{"西の町", "西ノ町"}, {"神之木", "神ノ木"}, {"三つ境", "三ツ境"}, {"五箇山", "五ヶ山"}, {"きのこ", "きのこ"}},
	fourinfo.StepNameKe:      {{"八ケ代", "八ヶ代"}},
	fourinfo.StepLongVowel:   {{"タワ-", "タワー"}, {"1-2", "1-2"}},
	fourinfo.StepKana:        {{"はなこ", "ハナコ"}, {"みゑ", "ミエ"}, {"ヰサヲ", "イサヲ"}},
	fourinfo.StepSmallKana:   {{"キョウコ", "キヨウコ"}, {"リッコ", "リツコ"}},
	fourinfo.StepDiacritic:   {{"José", "Jose"}, {"Müller", "Muller"}, {"Đ", "D"}, {"Ł", "L"}, {"がん", "がん"}},
	fourinfo.StepIgnorable:   {{"試\u200d験\u202c", "試験"}, {"1\u00ad2", "1\u00ad2"}},
	fourinfo.StepApostrophe:  {{"O’BRIEN", "O'BRIEN"}, {"O`BRIEN", "O'BRIEN"}},
	fourinfo.StepBracketKind: {{"山田［佐藤］", "山田［佐藤］"}, {"山田[佐藤]", "山田(佐藤)"}, {"山田【佐藤】", "山田(佐藤)"}},
	fourinfo.StepSeparator:   {{"清瀬市、架空町", "清瀬市架空町"}, {"1,234", "1,234"}},
	fourinfo.StepOrdinal:     {{"第3地割", "3地割"}, {"第三番地", "三番地"}, {"第一町", "第一町"}},
	fourinfo.StepSubstitute:  {{"\u9ad9橋", "\u9ad9橋"}},
}

// TestSteps: every step alone does what it says, and doing it twice changes nothing more.
func TestSteps(t *testing.T) {
	t.Parallel()
	for step, examples := range stepExamples {
		for _, e := range examples {
			if got := step.Apply(e.in); got != e.out {
				t.Errorf("%v: %q becomes %q, want %q", step, e.in, got, e.out)
			}
			if got := step.Apply(e.out); got != e.out {
				t.Errorf("%v: %q is not final: %q", step, e.out, got)
			}
		}
	}
	seen := map[string]bool{}
	for _, s := range fourinfo.Steps() {
		if s.String() == "unknown" || seen[s.String()] || s.Wording().JA == "" || s.Wording().EN == "" ||
			s.Outcome() == fourinfo.OutcomeUnknown {
			t.Errorf("step %d is not described", s)
		}
		seen[s.String()] = true
	}
	if s := fourinfo.Step(0); s.String() != "unknown" || s.Outcome() != fourinfo.OutcomeUnknown || s.Apply("①") != "①" {
		t.Error("the zero step does something")
	}
}

func TestWording(t *testing.T) {
	t.Parallel()
	for o := fourinfo.OutcomeUnknown; o <= fourinfo.Different; o++ {
		if w := o.Wording(); w.In(kakunin.Japanese) == "" || w.In(kakunin.English) == "" ||
			w.In(kakunin.Japanese) == w.In(kakunin.English) || o.String() == "" {
			t.Errorf("outcome %d has no words", o)
		}
	}
	f := fourinfo.Finding{Step: fourinfo.StepVariant}
	if f.Wording() != fourinfo.StepVariant.Wording() || f.Wording().In("fr") != f.Wording().EN {
		t.Error("the words of a finding are not those of its step")
	}
}
