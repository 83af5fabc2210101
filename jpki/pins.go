package jpki

import "encoding/hex"

// pin is an authority that production trusts, identified by the SHA-256 of its certificate.
type pin struct {
	name        string
	fingerprint string // SHA-256 of the DER, upper-case hex
	keyID       string // subject key identifier, upper-case hex
}

// pins are the authorities of J-LIS as published (SHA-256 of the .cer files). The fingerprint of authca02 (2019–2029) could
// not be confirmed by a second source, so it is not listed and the file is refused; add a row when it is known.
var pins = [...]pin{
	{"signca01", "19645405A1FE14377434BD55957628AC4038557C542403A2243F21C706FC9355", "0D034CBB34D0714F45E45A1CAFD8FD143FAB54A7"},
	{"signca02", "79679C33E4CC9319440F1AD120A597FF1844E2EF217063ADB176966FD5E6FBEB", "4DE017DE4B7F473DCD867A62D38B134ACE83558A"},
	{"signca03", "D227F6CDE11D35C5252178F106F843D24651944975413B539FA2FB68DBFA365F", "D21EA55895617E93ADBF966B941AB4EDF653F08F"},
	{"authca01", "4DCFC4CA0AAF9FB2A3081B3F0C991C320B3ACC008667A341EEAEC5AF1D58CA7D", "9567951B5CA70D84A0FFF1D85A87F1AAB1340385"},
	{"authca03", "64114F29620C24ED2631D46476A040E7EE740D956089C00B036A6A8118C322B5", "1AC100F596A3BC8C4B3DF195E32699249E9E308A"},
}

// pinned returns the row of a fingerprint, or nil.
func pinned(fingerprint [32]byte) *pin {
	for i := range pins {
		if want, err := hex.DecodeString(pins[i].fingerprint); err == nil && [32]byte(want) == fingerprint {
			return &pins[i]
		}
	}
	return nil
}
