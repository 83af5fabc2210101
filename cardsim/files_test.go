package cardsim

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/apdu"
)

// fileRow is what is published of one elementary file. The table of them is the tests' own description of the card; the
// page on conformance and the model of the access rules are made from it.
type fileRow struct {
	app  string
	id   uint16
	what string
	kind kind
	// size is the number of physical bytes, 0 if it depends on the holder. Of record files it is that of record 1.
	size int
	// head is what the content starts with, in hexadecimal.
	head string
	// opens has the references of which one must be verified; nil is nobody, and {0} everybody.
	opens []uint16
	// tries is the number of tries of a reference.
	tries int
	// assumed says which part of the row is not published, measured where it was seen on real cards.
	assumed, measured string
}

// everybody is the access rule of what needs no reference.
var everybody = []uint16{0}

// fileRows has the files of the plastic card of an adult.
var fileRows = []fileRow{
	{app: "JPKI", id: 0x01, what: "署名用証明書, DER", kind: transparent, head: "3082", opens: []uint16{0x1B}},
	{app: "JPKI", id: 0x02, what: "署名用CA証明書, DER", kind: transparent, head: "3082", opens: everybody},
	{app: "JPKI", id: 0x05, what: "unknown", kind: transparent, assumed: "nobody can read it"},
	{app: "JPKI", id: 0x06, what: "token information, CK_TOKEN_INFO of PKCS #11 with 32-bit big-endian numbers",
		kind: transparent, size: 160, head: "4A504B494150494343544F4B454E32 2020", opens: everybody},
	{app: "JPKI", id: 0x08, what: "which certificates there are: signing, authentication, unknown", kind: transparent,
		size: 3, head: "8F8F00", opens: everybody},
	{app: "JPKI", id: 0x09, what: "unknown", kind: transparent},
	{app: "JPKI", id: 0x0A, what: "利用者証明用証明書, DER", kind: transparent, head: "3082", opens: everybody},
	{app: "JPKI", id: 0x0B, what: "利用者証明用CA証明書, DER", kind: transparent, head: "3082", opens: everybody},
	{app: "JPKI", id: 0x10, what: "internal file", kind: opaque},
	{app: "JPKI", id: 0x16, what: "key that certifies terminals (SET PUBLIC IC KEY)", kind: terminalCA},
	{app: "JPKI", id: 0x17, what: "利用者証明用秘密鍵, RSA-2048", kind: signingKey, opens: []uint16{0x18}},
	{app: "JPKI", id: 0x18, what: "利用者証明用暗証番号, 4 digits", kind: reference, tries: 3},
	{app: "JPKI", id: 0x19, what: "internal file", kind: opaque},
	{app: "JPKI", id: 0x1A, what: "署名用秘密鍵, RSA-2048", kind: signingKey, opens: []uint16{0x1B}},
	{app: "JPKI", id: 0x1B, what: "署名用暗証番号, 6 to 16 characters A-Z and 0-9", kind: reference, tries: 5},
	{app: "JPKI", id: 0x1C, what: "internal file", kind: opaque},
	{app: "JPKI", id: 0x1E, what: "internal file", kind: opaque},

	{app: "text", id: 0x01, what: "個人番号", kind: transparent, size: 17, head: "FF10 0C 373031323334303030303130 FFFF",
		opens: []uint16{0x11, 0x14}},
	{app: "text", id: 0x02, what: "基本4情報", kind: transparent, size: 512, head: "FF20", opens: []uint16{0x11, 0x15},
		assumed: "512 physical bytes; a length of 128 to 255 is written 82 00 LL (Config.ShortLengths: 81 LL)"},
	{app: "text", id: 0x03, what: "signed hashes of EF 0001 and EF 0002", kind: transparent, size: 336,
		head: "FF30 82014B DF31 20", opens: []uint16{0x11, 0x14, 0x15}},
	{app: "text", id: 0x04, what: "card-verifiable certificate", kind: transparent, size: 568,
		head:  "7F21 820233 5F4E 820129 36303030303333 0805 303031 00000000 31333130313331 0805 303030 00000000",
		opens: everybody, measured: dumped},
	{app: "text", id: 0x05, what: "basic information", kind: transparent, size: 256,
		head: "FF40 82009F DF41 04 01030E01 DF42 10 36303030303334 0805", opens: everybody,
		assumed: "256 physical bytes; what DF43 means"},
	{app: "text", id: 0x06, what: "key for SET SESSION KEY", kind: transparent, size: 269,
		head: "A1 820109 90 03 010001 91 820100", opens: []uint16{0x11, 0x14, 0x15}},
	{app: "text", id: 0x07, what: "public half of IEF 0013, signed", kind: transparent, size: 536,
		head: "FF50 820213 DF51 820109 90 03 010001", opens: []uint16{0x11, 0x14, 0x15}},
	{app: "text", id: 0x08, what: "not written", kind: transparent, size: 16, head: "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
		opens: []uint16{0x11, 0x14, 0x15}, assumed: "who can read it"},
	{app: "text", id: 0x10, what: "internal file", kind: opaque},
	{app: "text", id: 0x11, what: "暗証番号, 4 digits", kind: reference, tries: 3},
	{app: "text", id: 0x12, what: "PIN that is always blocked", kind: reference, tries: 0},
	{app: "text", id: 0x13, what: "internal authentication key, RSA-2048", kind: signingKey, opens: everybody},
	{app: "text", id: 0x14, what: "照合番号A, the individual number", kind: reference, tries: 10},
	{app: "text", id: 0x15, what: "照合番号B, 14 digits", kind: reference, tries: 10},
	{app: "text", id: 0x1C, what: "internal file", kind: opaque},
	{app: "text", id: 0x1E, what: "internal file", kind: opaque},

	{app: "surface", id: 0x01, what: "年齢確認: birth date, signed", kind: transparent, size: 547,
		head: "FF10 82021E DF11 08 3139383830373233 DF12 820109 90 03 010001", opens: []uint16{0x11}},
	{app: "surface", id: 0x02, what: "券面: face of the card, signed", kind: transparent, head: "FF20 82",
		opens: []uint16{0x12, 0x13},
		assumed: "sizes where a text is longer, and of the portrait: one dump has 378 × 472 and a file of 3,070 " +
			"bytes, with little weight", measured: "images of texts are grey PNGs without a palette; " + dumped +
			"; of 216 × 12 and 288 × 12 pixels, 0.8"},
	{app: "surface", id: 0x03, what: "basic information", kind: transparent, size: 320,
		head: "FF30 82013B DF31 04 06030E01 DF32 10 36303030303234 0805", opens: everybody, assumed: "what DF35 means",
		measured: "DF33 is 00, DF35 names key 5900025; " + dumped},
	{app: "surface", id: 0x04, what: "card-verifiable certificate", kind: transparent, size: 568,
		head:  "7F21 820233 5F4E 820129 36303030303233 0805 303031 00000000 31333130313231 0805 303030 00000000",
		opens: everybody, measured: dumped},
	{app: "surface", id: 0x05, what: "マイナンバー画像: image of the individual number, signed", kind: transparent,
		head: "FF40 82", opens: []uint16{0x13}},
	{app: "surface", id: 0x06, what: "not written", kind: transparent, size: 16,
		head: "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", opens: []uint16{0x12, 0x13}},
	{app: "surface", id: 0x11, what: "生年月日, 6 digits with the year of the era", kind: reference, tries: 10},
	{app: "surface", id: 0x12, what: "照合番号B", kind: reference, tries: 10},
	{app: "surface", id: 0x13, what: "照合番号A", kind: reference, tries: 10},
	{app: "surface", id: 0x14, what: "internal file", kind: opaque,
		assumed: "it holds no reference that VERIFY can use"},
	{app: "surface", id: 0x15, what: "internal file", kind: opaque,
		assumed: "it holds no reference that VERIFY can use"},
	{app: "surface", id: 0x1A, what: "internal authentication key, RSA-2048", kind: signingKey, opens: everybody},
	{app: "surface", id: 0x1C, what: "internal file", kind: opaque},
	{app: "surface", id: 0x1E, what: "internal file", kind: opaque},

	{app: "common", id: 0x01, what: "製造番号, municipality, expiry", kind: records, size: 30, head: "011C34",
		opens: everybody},
	{app: "common", id: 0x02, what: "key reference", kind: records, size: 18, head: "0110", opens: everybody,
		assumed: "the tag, and which key it names"},
	{app: "common", id: 0x19, what: "internal authentication key, RSA-2048", kind: authenticationKey, opens: everybody},
	{app: "common", id: 0x1C, what: "暗証番号, 4 digits", kind: reference, tries: 3},
	{app: "common", id: 0x1E, what: "internal file", kind: opaque},

	{app: "resident", id: 0x02, what: "key reference, the same as in the common card application", kind: records,
		size: 18, head: "0110", opens: everybody, assumed: "the tag, and which key it names"},
	{app: "resident", id: 0x1C, what: "暗証番号, 4 digits", kind: reference, tries: 3},
}

// appRow is an application.
type appRow struct{ name, what, aid, assumed string }

var appRows = []appRow{
	{"ISD", "GlobalPlatform issuer security domain (card manager)", "A0000001510000", ""},
	{"JPKI", "公的個人認証AP", "D392F000260100000001", ""},
	{"text", "券面事項入力補助AP", "D3921000310001010408", ""},
	{"surface", "券面事項確認AP", "D3921000310001010402", ""},
	{"common", "共通カードAP", "D3921000310001010100", ""},
	{"resident", "住基AP", "D3921000310001010401", ""},
}

// rightValues are the values of the references on Hanako's card.
var rightValues = map[string]map[uint16]string{
	"JPKI":     {0x18: "1234", 0x1B: "ABC123"},
	"text":     {0x11: "1234", 0x14: "701234000010", 0x15: "63072320362285"},
	"surface":  {0x11: "630723", 0x12: "63072320362285", 0x13: "701234000010"},
	"common":   {0x1C: "1234"},
	"resident": {0x1C: "1234"},
}

func selectCommand(app string) string {
	for _, a := range appRows {
		if a.name == app {
			return fmt.Sprintf("00A4040C %02X %s", len(a.aid)/2, a.aid)
		}
	}
	return ""
}

func verifyCommand(app string, id uint16) string {
	v := rightValues[app][id]
	return fmt.Sprintf("002000%02X %02X %X", 0x80|id, len(v), v)
}

// TestFiles has one subtest for each row of the table of files, named application/file.
func TestFiles(t *testing.T) {
	for _, row := range fileRows {
		t.Run(fmt.Sprintf("%s/%04X", row.app, row.id), func(t *testing.T) {
			run(t, newCard(t), selectCommand(row.app)+"=9000 \n"+fmt.Sprintf("00A4020C 02 %04X = 9000", row.id))
			row.checkReading(t)
			switch row.kind {
			case transparent, records:
			case reference:
				row.checkReference(t)
			case signingKey, authenticationKey:
				row.checkKey(t)
			case opaque, terminalCA:
				run(t, newCard(t), fmt.Sprintf(
					"%s=9000 \n 002000%02X=6981 \n 002401%02X 01 31=6981 \n 802A00%02X 01 31 00=6981 \n 008800%02X "+
						"01 31 00=6981",
					selectCommand(row.app), 0x80|row.id, 0x80|row.id, 0x80|row.id, 0x80|row.id))
			}
		})
	}
}

// checkReading reads the file in every state that one reference alone brings about.
func (row fileRow) checkReading(t *testing.T) {
	t.Helper()
	binary, record := fmt.Sprintf("00B0%02X00 000000", 0x80|row.id), fmt.Sprintf("00B201%02X 00", row.id<<3|0x04)
	read, other := binary, record
	if row.kind == records {
		read, other = record, binary
	}
	for _, state := range append([]uint16{0}, keysOf(rightValues[row.app])...) {
		c := newCard(t)
		transmit(t, c, selectCommand(row.app))
		if state != 0 {
			run(t, c, verifyCommand(row.app, state)+"=9000")
		}
		response := transmit(t, c, read)
		switch {
		case row.kind != transparent && row.kind != records:
			run(t, c, read+"=6981")
		case row.openIn(state):
			row.checkContent(t, response)
		default:
			run(t, c, read+"=6982")
		}
		run(t, c, other+"=6981")
	}
}

func (row fileRow) openIn(state uint16) bool {
	for _, o := range row.opens {
		if o == 0 || o == state {
			return true
		}
	}
	return false
}

func (row fileRow) checkContent(t *testing.T, response []byte) {
	t.Helper()
	content, ok := bytes.CutSuffix(response, []byte{0x90, 0x00})
	if !ok || len(content) == 0 || !bytes.HasPrefix(content, unhex(t, row.head)) {
		t.Fatalf("%d bytes: %X", len(content), content[:min(len(content), 32)])
	}
	if row.size != 0 && len(content) != row.size {
		t.Fatalf("%d bytes, want %d", len(content), row.size)
	}
}

// checkReference follows the counter of a reference down, up and down to the end.
func (row fileRow) checkReference(t *testing.T) {
	t.Helper()
	p2 := 0x80 | row.id
	wrong := fmt.Sprintf("002000%02X 04 58585858", p2)
	var script strings.Builder
	fmt.Fprintf(&script, "%s=9000 \n 002000%02X=63C%X \n 002000%02X00=6700\n", selectCommand(row.app), p2, row.tries,
		p2)
	if row.tries > 0 {
		fmt.Fprintf(&script, "%s=63C%X \n 002000%02X=63C%X \n %s=9000 \n 002000%02X=63C%X\n",
			wrong, row.tries-1, p2, row.tries-1, verifyCommand(row.app, row.id), p2, row.tries)
		for left := row.tries - 1; left >= 0; left-- {
			fmt.Fprintf(&script, "%s=63C%X\n", wrong, left)
		}
		fmt.Fprintf(&script, "%s=6984\n", verifyCommand(row.app, row.id))
	}
	fmt.Fprintf(&script, "%s=6984 \n 002000%02X=63C0 \n off \n %s=9000 \n 002000%02X=63C0", wrong, p2,
		selectCommand(row.app), p2)
	run(t, newCard(t), script.String())
}

// checkKey signs in every state that one reference alone brings about.
func (row fileRow) checkKey(t *testing.T) {
	t.Helper()
	sign := fmt.Sprintf("802A00%02X 01 AA 00", 0x80|row.id)
	authenticate := fmt.Sprintf("008800%02X 01 AA 00", 0x80|row.id)
	for _, state := range append([]uint16{0}, keysOf(rightValues[row.app])...) {
		c := newCard(t)
		transmit(t, c, selectCommand(row.app))
		if state != 0 {
			run(t, c, verifyCommand(row.app, state)+"=9000")
		}
		want := map[kind][2]string{signingKey: {"#256 9000", "6985"},
			authenticationKey: {"6985", "#256 9000"}}[row.kind]
		if !row.openIn(state) {
			want = [2]string{"6982", "6982"}
		}
		run(t, c, sign+"="+want[0]+"\n"+authenticate+"="+want[1])
	}
}

func keysOf(m map[uint16]string) []uint16 {
	var out []uint16
	for id := range uint16(0x20) {
		if _, ok := m[id]; ok {
			out = append(out, id)
		}
	}
	return out
}

// The card has the files of the table and no others.
func TestNoOtherFiles(t *testing.T) {
	for _, app := range appRows {
		c := newCard(t)
		transmit(t, c, selectCommand(app.name))
		known := map[uint16]bool{}
		for _, row := range fileRows {
			if row.app == app.name {
				known[row.id] = true
			}
		}
		for _, id := range []int{0x3F00, 0x2F00, 0x2F10, 0x2F11, 0xFFFF, 0x0101} {
			known[uint16(id)] = false //nolint:gosec // 16 bits
		}
		for id := range uint16(0x20) {
			if !known[id] {
				known[id] = false // whatever the table does not have is asked for as well
			}
		}
		for id, want := range known {
			got := apdu.Status(0)
			if r := transmit(t, c, fmt.Sprintf("00A4020C 02 %04X", id)); len(r) == 2 {
				got = apdu.Status(r[0])<<8 | apdu.Status(r[1])
			}
			if (got == apdu.OK) != want || !want && got != apdu.FileNotFound {
				t.Errorf("%s/%04X: %s", app.name, id, got.Hex())
			}
		}
	}
}
