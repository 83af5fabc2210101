package cardsim

import (
	"encoding/hex"
	"strings"
)

// ATR is a published answer to reset. The real cards come from several chip vendors, and readers build the answer of a
// contactless card themselves: a client that wants to work with all of them finds a card by SELECT, never by its ATR.
type ATR struct {
	// Name is a short name for command lines.
	Name string
	// Bytes has TS first and the check character last.
	Bytes []byte
	// Note says where it was seen.
	Note string
}

// ATRs returns the answers to reset that were published, the default first. The result belongs to the caller.
func ATRs() []ATR {
	var out []ATR
	for _, a := range [...]struct{ name, bytes, note string }{
		{"default", "3BF59100FF918171FE400042000100D1D6", "listed as My Number Card; OpenSC looks for the application"},
		{"vendor-b3", "3BF59100FF918171FE4000420001B3A115", "listed as My Number Card, another chip"},
		{"contact", "3BE000FF8131FE4514", "the contact interface; the only one that OpenSC's driver knows"},
		{"contact-2024", "3BDA13FF8131FB468012392F31C173C601C03B", "a card issued in 2024, with historical bytes"},
		{"contact-extended", "3BC5FF8131FB458073C6010000", "historical bytes announce extended lengths"},
		{"type-b-05", "3B888001000005E0B381A1007F", "contactless, type B"},
		{"type-b-41", "3B888001000041E0B381A1003B", "contactless, type B"},
		{"type-b-4b00", "3B888001004B51FF0081D100BC", "contactless, type B"},
		{"type-b-4bb3", "3B888001004B51FFB381D1000F", "contactless, type B"},
		{"juki", "3B888001000014E0B38191005E", "contactless, the resident card (住基カード) of before 2016"},
	} {
		b, err := hex.DecodeString(a.bytes)
		if err != nil {
			continue // a test reads every row
		}
		out = append(out, ATR{Name: a.name, Bytes: b, Note: a.note})
	}
	return out
}

// ParseATR returns the answer to reset with a name of [ATRs], or the one written in hexadecimal, with or without
// spaces. The error is an *[Error] with [ReasonInvalidConfig].
func ParseATR(s string) ([]byte, error) {
	for _, a := range ATRs() {
		if a.Name == s {
			return a.Bytes, nil
		}
	}
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil || len(b) == 0 {
		return nil, &Error{Reason: ReasonInvalidConfig, Detail: "ATR"}
	}
	return checkATR(b)
}

// defaultATR is one seen on real cards in a contact reader; OpenSC does not know it and detects the card by its AID.
func defaultATR() []byte { return ATRs()[0].Bytes }

func checkATR(atr []byte) ([]byte, error) {
	if len(atr) == 0 {
		return defaultATR(), nil
	}
	// ISO/IEC 7816-3, 8.1 and 8.2.1: TS is 3B or 3F, at most 32 characters follow it.
	if len(atr) < 2 || len(atr) > 33 || (atr[0] != 0x3B && atr[0] != 0x3F) {
		return nil, &Error{Reason: ReasonInvalidConfig, Detail: "ATR"}
	}
	return append([]byte(nil), atr...), nil
}
