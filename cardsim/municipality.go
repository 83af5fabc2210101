package cardsim

// Municipality is where a synthetic person lives. Municipalities exist; the streets behind them should not.
type Municipality struct {
	// Code is the code of the municipality (全国地方公共団体コード) without check digit: 5 digits.
	Code string
	// Prefecture and City are the beginning of the address.
	Prefecture, City string
	// PrefectureRomaji and CityRomaji are the localities in the certificates.
	PrefectureRomaji, CityRomaji string
}

// Municipalities returns some municipalities, from north to south, with those whose names mislead programs that split an
// address at 市 or 郡. The result belongs to the caller.
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
