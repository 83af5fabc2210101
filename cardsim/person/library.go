package person

import "time"

// Persona names a ready synthetic person.
type Persona string

// Ready synthetic persons. None of them exists; the municipalities do, the streets do not.
const (
	// Hanako is the default: adult woman, PIN 1234, text PIN 1234, signing password ABC123.
	Hanako Persona = "hanako"
	// Taro is an adult man whose name has the character 髙, for which the certificate has the substitute character 高
	// and a flag at the first position.
	Taro Persona = "taro"
	// Minor is 17 years old at the time of the look-up.
	Minor Persona = "minor"
	// Pupil is 12 years old at the time of the look-up: the card is one without a signing certificate.
	Pupil Persona = "pupil"
	// Eve has the 20th birthday on the day after the look-up: in law 20 years old at the end of today, and not today.
	Eve Persona = "eve"
	// Saki has 﨑 (U+FA11), a character of its own in the block of compatibility ideographs.
	Saki Persona = "saki"
	// Yoshiko has 𠮷 (U+20BB7), one character outside the basic plane: four bytes, two UTF-16 units.
	Yoshiko Persona = "yoshiko"
	// Katsuo has 葛 with a variation selector (U+E0100): the name on the card has one code point more than in the
	// certificate.
	Katsuo Persona = "katsuo"
	// Wayan has one name only, without a space.
	Wayan Persona = "wayan"
	// Alexandra is a foreign resident with a long name in Latin letters, several spaces, and an everyday name (通称).
	Alexandra Persona = "alexandra"
	// Umeko does not know the day of her birth.
	Umeko Persona = "umeko"
	// Takeo does not know the month and the day of his birth.
	Takeo Persona = "takeo"
	// Matsu does not know her date of birth at all.
	Matsu Persona = "matsu"
	// Tome was born on the last day of Meiji that was not yet Taisho as well, 1912-07-29.
	Tome Persona = "tome"
	// Kiyoshi was born on 1926-12-25, which is Taisho 15 and Showa 1.
	Kiyoshi Persona = "kiyoshi"
	// Akira was born on the last day of Showa, 1989-01-07.
	Akira Persona = "akira"
	// Hajime was born on the first day of Heisei, 1989-01-08.
	Hajime Persona = "hajime"
	// Rei was born on the first day of Reiwa, 2019-05-01: a child until 2034.
	Rei Persona = "rei"
	// Uruu was born on a leap day, 2004-02-29.
	Uruu Persona = "uruu"
	// Nagai has an address of more than 100 characters.
	Nagai Persona = "nagai"
	// Mutsumi has a former family name on the record (旧氏).
	Mutsumi Persona = "mutsumi"
	// Tokuji has an address and a name with characters that have a canonical equivalent: U+FA19, U+FA26, U+FA10.
	Tokuji Persona = "tokuji"
	// Midori lives in a building with a name: the file of her four attributes has between 128 and 255 bytes, the one
	// size whose length is written in two ways, and the image of her address has a second line.
	Midori Persona = "midori"
)

// library has the ready persons in the order of the constants; those whose age matters are described as of a time.
func library(at time.Time) []Description {
	chiyoda, uji, iizuka := municipality("13101"), municipality("26204"), municipality("40205")
	return []Description{
		{
			ID: string(Hanako), Family: "確認", Given: "花子", Gender: "2", Birth: Birth{Showa, 63, time.July, 23},
			Municipality: chiyoda, Street: "架空町１丁目２番３号",
			IndividualNumber: "701234000010", SecurityCode: "2285",
			AuthPIN: "1234", TextPIN: "1234", SigningPassword: "ABC123",
		},
		{
			ID: string(Taro), Family: "\u9AD9確", Given: "太郎", Gender: "1", Birth: Birth{Showa, 50, time.January, 2},
			Municipality: uji, Street: "架空４５番地の６",
			IndividualNumber: "701234000029", SecurityCode: "0417",
			AuthPIN: "2345", TextPIN: "3456", SigningPassword: "TARO2345",
		},
		{
			ID: string(Minor), Family: "確認", Given: "未成", Gender: "1", Birth: halfwayPast(at, 17),
			Municipality: iizuka, Street: "架空７－８",
			IndividualNumber: "701234000037", SecurityCode: "9630",
			AuthPIN: "3456", TextPIN: "4567", SigningPassword: "MINOR3456",
		},
		{
			ID: string(Pupil), Family: "確認", Given: "学", Gender: "1", Birth: halfwayPast(at, 12),
			Municipality: municipality("12203"), Street: "架空台２丁目５番１号",
		},
		{
			ID: string(Eve), Family: "前夜", Given: "待子", Gender: "2", Birth: bornYearsBefore(at.AddDate(0, 0, 1), 20),
			Municipality: municipality("13221"), Street: "架空１－２－３",
		},
		{
			ID: string(Saki), Family: "山\uFA11", Given: "咲", Gender: "2", Birth: Birth{Heisei, 7, time.March, 31},
			Municipality: municipality("24202"), Street: "架空町三丁目１０番地",
		},
		{
			ID: string(Yoshiko), Family: "\U00020BB7野", Given: "佳子",
			Gender: "2", Birth: Birth{Showa, 45, time.November, 3},
			Municipality: municipality("34213"), Street: "架空一丁目２番３－４０５号",
		},
		{
			ID: string(Katsuo), Family: "葛\U000E0100城", Given: "勝男",
			Gender: "1", Birth: Birth{Showa, 39, time.October, 10},
			Municipality: municipality("29203"), Street: "架空町１０８番地の１",
		},
		{
			ID: string(Wayan), Given: "ワヤン", Gender: "1", Birth: Birth{Gregorian, 1990, time.May, 4},
			Municipality: municipality("47201"), Street: "架空３丁目４番５号",
		},
		{
			ID: string(Alexandra), Latin: "KAKUNIN VON BEISPIEL-MUSTERMANN ALEXANDRA MAXIMILIANA THEODORA",
			Alias:  "確認　亜里",
			Gender: "2", Birth: Birth{Gregorian, 1984, time.June, 15},
			Municipality: municipality("01202"), Street: "架空町１５番２号",
		},
		{
			ID: string(Umeko), Family: "確認", Given: "梅子", Gender: "2", Birth: Birth{Showa, 22, time.February, 0},
			Municipality: municipality("17212"), Street: "架空二丁目６番地",
		},
		{
			ID: string(Takeo), Family: "確認", Given: "竹男", Gender: "1", Birth: Birth{Showa, 19, 0, 0},
			Municipality: municipality("07203"), Street: "字架空７番地",
		},
		{
			ID: string(Matsu), Family: "確認", Given: "マツ", Gender: "2",
			Municipality: uji, Street: "架空８番地",
		},
		{
			ID: string(Tome), Family: "明治", Given: "トメ", Gender: "2", Birth: Birth{Meiji, 45, time.July, 29},
			Municipality: municipality("24202"), Street: "架空町９番地",
		},
		{
			ID: string(Kiyoshi), Family: "大正", Given: "清", Gender: "1", Birth: Birth{Taisho, 15, time.December, 25},
			Municipality: municipality("29203"), Street: "架空町１１番地",
		},
		{
			ID: string(Akira), Family: "昭和", Given: "明", Gender: "1", Birth: Birth{Showa, 64, time.January, 7},
			Municipality: chiyoda, Street: "架空町２丁目１番１号",
		},
		{
			ID: string(Hajime), Family: "平成", Given: "元", Gender: "1", Birth: Birth{Heisei, 1, time.January, 8},
			Municipality: chiyoda, Street: "架空町２丁目１番２号",
		},
		{
			ID: string(Rei), Family: "令和", Given: "玲", Gender: "3", Birth: Birth{Reiwa, 1, time.May, 1},
			Municipality: municipality("12203"), Street: "架空台１丁目５番１号",
		},
		{
			ID: string(Uruu), Family: "確認", Given: "閏", Gender: "1", Birth: Birth{Heisei, 16, time.February, 29},
			Municipality: iizuka, Street: "架空２２９番地",
		},
		{
			ID: string(Nagai), Family: "長居", Given: "寿限無", Gender: "1", Birth: Birth{Showa, 57, time.September, 9},
			Municipality: municipality("07203"),
			Street: "架空町大字架空字架空前下り東側一丁目２番地３４５６の７８９架空地区土地区画整理事業地内街区番号第１２３号画地番号第４５６号" +
				"　架空ガーデンヒルズプレミアムレジデンスセントラルタワー東棟南側第二別館４３階４３２１号室確認方",
		},
		{
			ID: string(Mutsumi), Family: "確認", FormerFamily: "旧氏", Given: "睦美",
			Gender: "2", Birth: Birth{Heisei, 3, time.April, 1},
			Municipality: municipality("13221"), Street: "架空４－５－６",
		},
		{
			ID: string(Tokuji), Family: "\uFA19\uFA10", Given: "徳二",
			Gender: "1", Birth: Birth{Showa, 55, time.February, 17},
			Municipality: municipality("17212"), Street: "架空\uFA26町１番地",
		},
		{
			ID: string(Midori), Family: "確認", Given: "緑", Gender: "2", Birth: Birth{Heisei, 10, time.May, 4},
			Municipality: municipality("13221"), Street: "架空３丁目１８番７号　架空ハイツ清瀬２０４号室",
		},
	}
}

// halfwayPast is the fifteenth of the month so many and a half years ago.
func halfwayPast(at time.Time, years int) Birth {
	at = at.In(jst())
	d := time.Date(at.Year()-years, at.Month()-6, 15, 0, 0, 0, 0, jst())
	return Birth{Gregorian, d.Year(), d.Month(), d.Day()}
}

// bornYearsBefore is the date so many years before the day of a time.
func bornYearsBefore(at time.Time, years int) Birth {
	d := at.In(jst()).AddDate(-years, 0, 0)
	return Birth{Gregorian, d.Year(), d.Month(), d.Day()}
}

// Personas returns the names of the ready persons, Hanako first.
func Personas() []Persona {
	people := library(time.Time{}.AddDate(100, 0, 0)) // the names are the same at any time
	out := make([]Persona, len(people))
	for i, d := range people {
		out[i] = Persona(d.ID)
	}
	return out
}

// Lookup returns a ready person as of a time, which only matters for [Minor] and [Pupil], who have their age from five
// months before that time to five months after it, and for [Eve]. The error is an *[Error] with [ReasonNobody].
func Lookup(p Persona, at time.Time) (Person, error) {
	for _, d := range library(at) {
		if d.ID == string(p) {
			return d.Person()
		}
	}
	return Person{}, &Error{Reason: ReasonNobody}
}

// Municipality is where a synthetic person lives. Municipalities exist; the streets behind them should not.
type Municipality struct {
	// Code is the code of the municipality (全国地方公共団体コード) without check digit: 5 digits.
	Code string
	// Prefecture and City are the beginning of the address.
	Prefecture, City string
	// PrefectureRomaji and CityRomaji are the localities in the certificates.
	PrefectureRomaji, CityRomaji string
}

// Municipalities returns some municipalities, from north to south, with those whose names mislead programs that split
// an address at 市 or 郡. The result belongs to the caller.
func Municipalities() []Municipality {
	return []Municipality{
		{"01202", "北海道", "函館市", "Hokkaido", "Hakodate-shi"},
		{"07203", "福島県", "郡山市", "Fukushima-ken", "Koriyama-shi"},
		{"12203", "千葉県", "市川市", "Chiba-ken", "Ichikawa-shi"},
		{"13101", "東京都", "千代田区", "Tokyo-to", "Chiyoda-ku"},
		{"13221", "東京都", "清瀬市", "Tokyo-to", "Kiyose-shi"},
		{"17212", "石川県", "野々市市", "Ishikawa-ken", "Nonoichi-shi"},
		{"24202", "三重県", "四日市市", "Mie-ken", "Yokkaichi-shi"},
		{"26204", "京都府", "宇治市", "Kyoto-fu", "Uji-shi"},
		{"29203", "奈良県", "大和郡山市", "Nara-ken", "Yamatokoriyama-shi"},
		{"34213", "広島県", "廿日市市", "Hiroshima-ken", "Hatsukaichi-shi"},
		{"40205", "福岡県", "飯塚市", "Fukuoka-ken", "Iizuka-shi"},
		{"47201", "沖縄県", "那覇市", "Okinawa-ken", "Naha-shi"},
	}
}

// municipality returns the one with a code; the zero value, which no card accepts, if there is none.
func municipality(code string) Municipality {
	for _, m := range Municipalities() {
		if m.Code == code {
			return m
		}
	}
	return Municipality{}
}
