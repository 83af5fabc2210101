package cardsim

import (
	"fmt"
	"io"
	"strings"
)

// masked ends a command of which only the header is shown.
const masked = "**"

// writeTrace records one exchange as "> command" and "< response" in hexadecimal. A trace that cannot be written is no
// reason for a card to stop.
func writeTrace(w io.Writer, command, response []byte) {
	_, _ = fmt.Fprintf(w, "> %s\n< %X\n", maskCommand(command), response)
}

// maskCommand shows a command in hexadecimal. Of a command that carries a PIN, another reference (of which one is the
// individual number) or a session key it shows the header only, in any class and however malformed it is: not even the
// length, which for a password is worth knowing.
func maskCommand(command []byte) string {
	if len(command) > 5 && secretive(command[1]) {
		return fmt.Sprintf("%X", command[:4]) + masked
	}
	return fmt.Sprintf("%X", command)
}

// secretive reports whether the data of an instruction are a secret. The odd codes are the same instructions with data in
// BER-TLV (ISO/IEC 7816-4, 5.4.2); 2C is RESET RETRY COUNTER, which this card does not have and a program may try.
func secretive(ins byte) bool {
	switch ins {
	case insVerify, insVerify | 1, insChangeReferenceData, insChangeReferenceData | 1, insChangeKey, insSetSessionKey, 0x2C, 0x2D:
		return true
	default:
		return false
	}
}

// maskedHeader returns the header of a masked command, upper case, and whether it is one.
func maskedHeader(s string) (string, bool) {
	header, ok := strings.CutSuffix(s, masked)
	return header, ok && len(header) == 8
}
