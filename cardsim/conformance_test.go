package cardsim

import "testing"

// conformanceRow is a published rule of the card, named application/file/command, and a script that shows it. Every row
// starts on Hanako's card as it left the factory, after power-up.
type conformanceRow struct{ name, script string }

// conformanceSection is a chapter of the page on conformance.
type conformanceSection struct {
	title string
	rows  []conformanceRow
}

func conformance() []conformanceSection {
	return []conformanceSection{
		{"Selection and security state", selectRows},
		{"READ BINARY", readRows},
		{"VERIFY, CHANGE REFERENCE DATA, CHANGE KEY", verifyRows},
		{"COMPUTE DIGITAL SIGNATURE, INTERNAL AUTHENTICATE, SET PUBLIC IC KEY", signRows},
		{"GET CHALLENGE, GET DATA, READ RECORD, SET SESSION KEY, classes", otherRows},
		{"Sequences of programs in the field", clientRows},
	}
}

// TestConformance has one subtest for each row.
func TestConformance(t *testing.T) {
	for _, section := range conformance() {
		for _, row := range section.rows {
			t.Run(row.name, func(t *testing.T) { run(t, newCard(t), row.script) })
		}
	}
}

func TestBlockedStatusOption(t *testing.T) {
	c := customCard(t, func(c *Config) { c.BlockedStatus = 0x6983 })
	run(t, c, `{TEXT}=9000
		00200092 04 31323334=6983
		00200092=63C0`)
}

func TestSlowStartOption(t *testing.T) {
	c := customCard(t, func(c *Config) { c.SlowStart = true })
	run(t, c, `{JPKI}=6F00
		{JPKI}=9000
		00B0860004=4A504B49 9000
		off
		00A40000=6F00
		00A40000=6A86
		00200098 04 30303030=6A82`)
}

// Cards from before a certain time have no lower certificate, and the certificate function of a phone has no data
// objects of a card.
func TestDataObjectsOfOtherKinds(t *testing.T) {
	run(t, customCard(t, func(c *Config) { c.Kind = OlderCA }), "00CA7F21000000=6A88 \n 00CA00F8000000=#575 9000")
	run(t, customCard(t, func(c *Config) { c.Kind = Android }),
		"00CA7F21000000=6A88 \n 00CA00F200=6A88 \n {JPKI}=9000 \n {TEXT}=6A82 \n {SURFACE}=6A82 \n {COMMON}=6A82 \n "+
			"{RESIDENT}=6A82")
}

// A reader that takes the power away for a reset takes everything with it.
func TestResetClearsOption(t *testing.T) {
	c := customCard(t, func(c *Config) { c.ResetClears = true })
	run(t, c, `{JPKI}=9000
		{AUTH}=9000
		reset
		00A40000=6A86
		{JPKI}=9000
		802A0097 01 AA 00=6982`)
}

// Whatever has verified values of its own, and however a program leaves it: what was verified does not come back.
func TestLeavingAnApplicationForgets(t *testing.T) {
	for app, values := range rightValues {
		for id := range values {
			for _, other := range appRows {
				c := newCard(t)
				run(t, c, selectCommand(app)+"=9000 \n "+verifyCommand(app, id)+"=9000")
				run(t, c, selectCommand(other.name)+"=9000 \n "+selectCommand(app)+"=9000")
				if kept := c.session.verified != 0; kept != (other.name == app) {
					t.Errorf("%s/%04X, by way of %s: kept %v", app, id, other.name, kept)
				}
			}
		}
	}
}

// About forty drivers of OpenSC look at a card before the right one does. One that is answered 9000 would keep it.
func TestOpenSCProbesFail(t *testing.T) {
	run(t, newCard(t), `
		00A40400 07 627601FF000000 = 6A82
		00A40400 06 A00000000101 = 6A82
		00A40400 0B E82B0601040181C31F0201 00 = 6A82
		00A4040C 0F D23300000045737445494420763335 = 6A82
		00CADF30 05 = 6A88
		00CB3FFF 03 5C017E 08 = 6D00
		00A40400 09 A00000030800001000 00 = 6A82
		00A40400 09 A00000030800001000 00 = 6A82
		00A4040C 07 A000000116DB00 00 = 6A82
		00A4040C 07 A0000000791000 00 = 6A82
		00A40400 0C F276A288BCFBA69D34F31001 = 6A82
		00A40400 09 A00000039742544659 00 = 6A82
		00A40400 06 D27600012401 00 = 6A82
		00A4040C 0A D392F000260100000001 = 9000`)
	for i := range 16 {
		if got := newCard(t).Transmit(append(unhex(t, "00A4040C07A0000000790100"), byte(i), 0)); len(got) != 2 {
			t.Errorf("probe %d: %X", i, got)
		}
	}
}
