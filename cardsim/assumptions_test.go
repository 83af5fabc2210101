package cardsim

import "testing"

// assumptions says of rules of the tests what is not published, so that it was decided here. The key is a row of
// conformance or secureRows; fileRows and appRows have theirs beside them. A real card may prove any of them wrong:
// this list, the row and the code are then the places to change.
var assumptions = map[string]string{
	"-/-/SELECT prefix, next occurrence":                   "the order of the applications",
	"-/-/SELECT next occurrence of a longer prefix":        "the order of the applications",
	"JPKI/-/SELECT with FCI":                               "the contents of the FCI",
	"ISD/-/SELECT":                                         "the contents of the FCI",
	"JPKI/-/SELECT EF":                                     "the contents of the FCI",
	"JPKI/-/SELECT EF with wrong length":                   "the status word",
	"-/-/SELECT name of more than 16 bytes":                "6700, as JICSAP V1.1 has it",
	"JPKI/0018/VERIFY empty while verified":                "inferred from what OpenSC needs, not measured",
	"JPKI/0018/VERIFY of a wrong length":                   "that it costs a try",
	"JPKI/0018/VERIFY of more than 16 bytes":               "that it costs none",
	"JPKI/0018/VERIFY wrong ends an earlier success":       "not measured",
	"JPKI/0018/CHANGE to a bad format":                     "6A80",
	"JPKI/001B/CHANGE":                                     "6A80",
	"common/001C/CHANGE KEY to a bad format":               "6A80",
	"JPKI/0018/CHANGE with old and new value":              "6A86",
	"common/001C/CHANGE REFERENCE DATA":                    "6D00",
	"JPKI/0018/CHANGE KEY":                                 "6D00",
	"text/0014/CHANGE":                                     "the status word; the holder cannot change it",
	"surface/0011/CHANGE":                                  "the status word; the holder cannot change it",
	"surface/0013/CHANGE":                                  "the status word; the holder cannot change it",
	"text/0012/CHANGE":                                     "the status word; the holder cannot change it",
	"JPKI/0017/SIGN without Le or with a short one":        "6700",
	"JPKI/0017/SIGN of 245 and 246 bytes":                  "6985; 6700 is as well possible",
	"JPKI/0017/SIGN of a hash of a wrong length":           "6985; 6700 is as well possible",
	"JPKI/0017/SIGN of a message of 256 bytes":             "6985; 6700 is as well possible",
	"common/0019/SIGN":                                     "6985",
	"common/-/SIGN with default key":                       "6A86",
	"resident/-/SIGN with default key":                     "6A86",
	"ISD/-/COMPUTE DIGITAL SIGNATURE with default key":     "6A86",
	"JPKI/0017/INTERNAL AUTHENTICATE with the PIN":         "6985",
	"common/0019/INTERNAL AUTHENTICATE with wrong lengths": "6700",
	"JPKI/0016/SET PUBLIC IC KEY, a body of a wrong length or form": "the status words; that the 307 bytes are 7F21 " +
		"up to the signature",
	"JPKI/0016/SET PUBLIC IC KEY, a signature of another form": "6A80",
	"JPKI/0016/SET PUBLIC IC KEY, a signature without a body":  "6985",
	"text/-/SET PUBLIC IC KEY":                                 "6982",
	"ISD/0042/GET DATA":                                        "which key it names",
	"ISD/0045/GET DATA":                                        "that it is the 製造番号",
	"ISD/0066/GET DATA": "the versions it names, and that tag 66 is left " +
		"out",
	"ISD/7F21/GET DATA": "what the key at the end is for, and that it is " +
		"the same on all cards",
	"text/-/SELECT of the current application keeps the session":  "that secure messaging is part of what is kept",
	"ISD/-/GET DATA with an Le that is too small":                 "6700, as for a short Le and more than 256 bytes",
	"-/-/GET DATA in an application":                              "6A88",
	"common/0001/READ RECORD 0":                                   "6A86",
	"common/0001/READ RECORD in another way":                      "6A81",
	"common/0001/READ RECORD with a short Le":                     "that it cuts",
	"text/0006/SET SESSION KEY with wrong lengths or parameters":  "the status words",
	"ISD/-/SET SESSION KEY":                                       "6982",
	"-/-/MANAGE ATTRIBUTES with another P1":                       "6A86",
	"-/-/commands of the issuer":                                  "6982 for all of them",
	"text/-/secured command without an object":                    "6987, and that it ends the session",
	"text/-/secured command that has no secured form":             "6882",
	"text/-/secured READ BINARY with a short Le for the response": "6700",
	"text/0002/secured READ BINARY of the whole file": "that a response of more than 127 bytes has its " +
		"length as 82 xxxx",
	"text/0006/SET SESSION KEY again starts a new session": "not measured",
	"-/-/unknown class":                                     "6E00, also for command chaining",
	"text/-/secured command with half a block":              "6988",
	"JPKI/0001/READ refused before the offset is looked at": "the order of the checks",
	"JPKI/0006/READ without Le or with data":                "6700",
	"JPKI/-/READ by short identifier of no file":            "the status words",
	"common/001C/CHANGE KEY with wrong P1 or P2":            "6A86",
	"JPKI/0005/READ":                                        "that nobody can read it",
	"text/0008/READ":                                        "who can read it",
	"text/0003/READ with 照合番号A or B":                        "照合番号B: one published note says PIN or 照合番号A only",
	"-/-/last-command indicator":                            "what an iPhone answers; a plastic card: 6700",
	"common/-/CHANGE KEY of what is no reference":           "the status words are those of VERIFY",
	"common/-/INTERNAL AUTHENTICATE without a key":          "the status words are those of VERIFY",
	"common/0019/INTERNAL AUTHENTICATE with wrong P1 or P2": "6A86",
}

// Where the rules of measured come from.
const (
	atCards = "by the author of an independent client, on real and test cards"
	dumped  = "published dumps of a J-LIS test card, 0.95"
)

// measured says of rules that correct an older source where they were measured, and how sure that is.
var measured = map[string]string{
	"JPKI/-/SELECT again keeps verification":                     atCards + ", 0.9",
	"JPKI/-/SELECT again by prefix keeps verification":           atCards + ", 0.9",
	"text/-/SELECT again keeps verification":                     atCards + ", 0.9",
	"surface/-/SELECT again keeps verification":                  atCards + ", 0.9",
	"common/-/SELECT again keeps verification":                   atCards + ", 0.9",
	"JPKI/-/SELECT of another application clears verification":   atCards + ", 0.9",
	"JPKI/-/SELECT of the domain clears verification":            atCards + ", 0.9",
	"text/-/SELECT of the domain clears verification":            atCards + ", 0.9",
	"JPKI/-/warm reset keeps verification":                       atCards + ", 0.9",
	"JPKI/-/power clears verification":                           atCards + ", 0.9",
	"ISD/001E/SELECT":                                            atCards + ", after a cold reset, 0.7",
	"ISD/00F7/GET DATA":                                          dumped,
	"ISD/00F8/GET DATA":                                          "published dumps of a J-LIS test card, 0.97",
	"ISD/7F21/GET DATA":                                          "published dumps of a J-LIS test card, 0.97",
	"-/5F51/GET DATA in an application":                          atCards + ", 0.8",
	"text/-/secured SELECT after a session was ended by mistake": atCards + ", 0.5",
}

func TestAssumptionsNameRows(t *testing.T) {
	known := map[string]bool{}
	for _, section := range conformance() {
		for _, row := range section.rows {
			if known[row.name] {
				t.Errorf("two rows %q", row.name)
			}
			known[row.name] = true
		}
	}
	for _, row := range secureRows {
		if known[row.name] {
			t.Errorf("two rows %q", row.name)
		}
		known[row.name] = true
	}
	for _, names := range []map[string]string{assumptions, measured} {
		for name := range names {
			if !known[name] {
				t.Errorf("no row %q", name)
			}
		}
	}
}
