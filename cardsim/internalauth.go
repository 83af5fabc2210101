package cardsim

import "github.com/kakunin-go/kakunin/internal/apdu"

// maxAuthenticationChallenge is the longest challenge of INTERNAL AUTHENTICATE.
const maxAuthenticationChallenge = 255

// internalAuthenticate is INTERNAL AUTHENTICATE, 00 88 00 P2: the key signs the challenge by RSASSA-PKCS1-v1_5 with SHA-256.
// Only the common card application has a key for it; the others are behind a PIN (6982) or sign in another way (6985).
func (c *Card) internalAuthenticate(cmd apdu.Command) apdu.Response {
	if cmd.P1 != 0 {
		return status(apdu.IncorrectP1P2)
	}
	f, s := c.referenced(cmd.P2)
	if s != apdu.OK {
		return status(s)
	}
	if f.kind != signingKey && f.kind != authenticationKey {
		return status(apdu.IncompatibleFile)
	}
	if !f.access.grants(c.session.verified) {
		return status(apdu.SecurityNotSatisfied)
	}
	if f.kind != authenticationKey {
		return status(apdu.ConditionsNotSatisfied)
	}
	key := f.key()
	if len(cmd.Data) == 0 || len(cmd.Data) > maxAuthenticationChallenge || cmd.Ne < key.Size() {
		return status(apdu.WrongLength)
	}
	signature, err := signSHA256(key, cmd.Data)
	if err != nil {
		return status(apdu.ExecutionError)
	}
	return success(signature)
}
