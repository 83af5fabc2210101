package cardsim

import "strings"

// signRows: commands that use a key. What they sign is verified in TestSignatureSchemes and TestInternalAuthenticate.
var signRows = []conformanceRow{
	{"JPKI/0017/SIGN needs the PIN",
		"{JPKI}=9000 \n 00A4020C020017=9000 \n 802A0080 01 AA 00=6982 \n {SIGN}=9000 \n 802A0097 01 AA 00=6982 \n " +
			"{AUTH}=9000 \n 802A0097 01 AA 00=#256 9000"},
	{"JPKI/001A/SIGN needs the password",
		"{JPKI}=9000 \n {AUTH}=9000 \n 802A009A 01 AA 00=6982 \n {SIGN}=9000 \n 802A009A 01 AA 00=#256 9000"},
	{"JPKI/0017/SIGN many times",
		"{JPKI}=9000 \n {AUTH}=9000 \n 00A4020C020017=9000 \n 802A0080 01 AA 00=#256 9000 \n 802A0080 01 AB 00=#256 " +
			"9000"},
	{"JPKI/0017/SIGN extended",
		"{JPKI}=9000 \n {AUTH}=9000 \n 802A0097 000001 AA 0000=#256 9000 \n 802A0097 000001 AA 0100=#256 9000"},
	{"JPKI/0017/SIGN without Le or with a short one",
		"{JPKI}=9000 \n {AUTH}=9000 \n 802A0097 01 AA=6700 \n 802A0097 01 AA FF=6700"},
	{"JPKI/0017/SIGN of nothing", "{JPKI}=9000 \n {AUTH}=9000 \n 802A009700=6700"},
	{"JPKI/0017/SIGN of 245 and 246 bytes", "{JPKI}=9000 \n {AUTH}=9000 \n 802A0097 F5 " + strings.Repeat("5A", 245) +
		"00=#256 9000 \n 802A0097 F6 " + strings.Repeat("5A", 246) + "00=6985"},
	{"JPKI/0017/SIGN of a hash of a wrong length", "{JPKI}=9000 \n {AUTH}=9000 \n 802A0297 1F " + strings.Repeat("5A",
		31) + "00=6985 \n 802A0497 21 " + strings.Repeat("5A", 33) + "00=6985"},
	{"JPKI/0017/SIGN of a message of 256 bytes", "{JPKI}=9000 \n {AUTH}=9000 \n 802A0397 000100 " + strings.Repeat("5A",
		256) + "0000=6985"},
	{"JPKI/0017/SIGN with unknown P1",
		"{JPKI}=9000 \n {AUTH}=9000 \n 802A0697 01 AA 00=6A86 \n 802A9E9A 01 AA 00=6A86"},
	{"JPKI/-/SIGN without file", "{JPKI}=9000 \n 802A0080 01 AA 00=6986"},
	{"JPKI/-/SIGN with what is no key",
		"{JPKI}=9000 \n {AUTH}=9000 \n 802A0098 01 AA 00=6981 \n 802A008A 01 AA 00=6981 \n 802A0083 01 AA 00=6A82"},
	{"JPKI/-/SIGN with wrong P2", "{JPKI}=9000 \n {AUTH}=9000 \n 802A0017 01 AA 00=6A86 \n 802A00B7 01 AA 00=6A86"},
	{"text/0013/SIGN without PIN",
		"{TEXT}=9000 \n 802A0000 01 AA 00=#256 9000 \n 802A0093 01 AA 00=#256 9000 \n 802A0500 20 " +
			strings.Repeat("5A", 32) + "00=#256 9000"},

	{"surface/001A/SIGN without PIN",
		"{SURFACE}=9000 \n 802A0000 01 AA 00=#256 9000 \n 802A009A 01 AA 00=#256 9000 \n 802A0000 20 " +
			strings.Repeat("5A", 32) + "00=#256 9000 \n 802A0500 20 " + strings.Repeat("5A", 32) + "00=#256 9000"},
	{"surface/001A/SIGN of a DigestInfo", "{SURFACE}=9000 \n 802A0000 33 " + strings.Repeat("5A", 51) +
		"00=#256 9000 \n 00A4020C02001A=9000 \n 802A0080 33 " + strings.Repeat("5A", 51) + "00=#256 9000"},
	{"common/-/SIGN with default key", "{COMMON}=9000 \n 802A0000 01 AA 00=6A86"},
	{"resident/-/SIGN with default key", "{RESIDENT}=9000 \n 802A0000 01 AA 00=6A86"},
	{"common/0019/SIGN", "{COMMON}=9000 \n 802A0099 01 AA 00=6985"},

	// INTERNAL AUTHENTICATE.
	{"common/0019/INTERNAL AUTHENTICATE", "{COMMON}=9000 \n 00880099 01 AA 00=#256 9000 \n 00880099 FF " +
		strings.Repeat("5A", 255) + "00=#256 9000 \n 00A4020C020019=9000 \n 00880080 01 AA 00=#256 9000"},
	{"common/0019/INTERNAL AUTHENTICATE with wrong lengths",
		"{COMMON}=9000 \n 0088009900=6700 \n 00880099 01 AA=6700 \n 00880099 01 AA FF=6700 \n 00880099 000100 " +
			strings.Repeat("5A", 256) + "0000=6700"},
	{"common/0019/INTERNAL AUTHENTICATE with wrong P1 or P2",
		"{COMMON}=9000 \n 00880199 01 AA 00=6A86 \n 00880019 01 AA 00=6A86 \n 00880000 01 AA 00=6A86"},
	{"text/0013/INTERNAL AUTHENTICATE", "{TEXT}=9000 \n 00880093 01 AA 00=6985"},
	{"surface/001A/INTERNAL AUTHENTICATE", "{SURFACE}=9000 \n 0088009A 01 AA 00=6985"},
	{"JPKI/0017/INTERNAL AUTHENTICATE", "{JPKI}=9000 \n 00880097 01 AA 00=6982"},
	{"JPKI/0017/INTERNAL AUTHENTICATE with the PIN", "{JPKI}=9000 \n {AUTH}=9000 \n 00880097 01 AA 00=6985"},
	{"JPKI/001A/INTERNAL AUTHENTICATE", "{JPKI}=9000 \n 0088009A 01 AA 00=6982"},
	{"common/-/INTERNAL AUTHENTICATE without a key",
		"{COMMON}=9000 \n 00880080 01 AA 00=6986 \n 0088009C 01 AA 00=6981 \n 00880083 01 AA 00=6A82"},

	// SET PUBLIC IC KEY: a certificate that holds is in TestTerminalCertificate.
	{"JPKI/0016/SET PUBLIC IC KEY with unknown P1-P2",
		"{JPKI}=9000 \n 80A20000 01 AA=6A86 \n 80A200AE 01 AA=6A86 \n 80A28000 01 AA=6A86 \n 80A200B6 01 AA=6A86"},
	{"JPKI/0016/SET PUBLIC IC KEY, a signature without its object",
		"{JPKI}=9000 \n 80A200C1 000100 " + strings.Repeat("00", 256) + "=6700 \n 80A200C1 000100 " +
			strings.Repeat("00", 256) + "0000=6700"},
	{"JPKI/0016/SET PUBLIC IC KEY, a body of a wrong length or form",
		"{JPKI}=9000 \n 80A206C1 000132 " + strings.Repeat("00", 306) + "=6700 \n 80A206C1 000133 " +
			strings.Repeat("00", 307) + "=6A80"},
	{"JPKI/0016/SET PUBLIC IC KEY, a signature of another form",
		"{JPKI}=9000 \n 80A200C1 000105 " + strings.Repeat("00", 261) + "=6A80"},
	{"JPKI/0016/SET PUBLIC IC KEY, a signature without a body",
		"{JPKI}=9000 \n 80A200C1 000105 5F37820100" + strings.Repeat("00", 256) + "=6985"},
	{"text/-/SET PUBLIC IC KEY", "{TEXT}=9000 \n 80A206C1 01 AA=6982 \n 80A200C1 01 AA=6982"},
}
