// Package card talks to a My Number Card over any transport.
//
// Most users call [Wait] with a reader (package pcsc below this one), ask [Card.AuthPINTries] before anyone types, present
// the PIN with [Card.VerifyAuthPIN] or [Card.VerifySigningPassword], and use [Card.AuthKey] or [Card.SigningKey] as a
// crypto.Signer. Always [Card.Close]: it removes power, and nothing else is sure to make the card forget a PIN.
//
//	reader, err := pcsc.Open(ctx)
//	c, err := card.Wait(ctx, reader)
//	tries, err := c.AuthPINTries(ctx)
//
// What else a card holds:
//
//   - the four attributes: [Card.Attributes] with the text PIN, [Card.AttributesByNumberB] with what is printed on the card
//   - the individual number, for a lawful purpose: [Card.IndividualNumber], [Card.ConfirmIndividualNumber] and
//     [Card.NumberImage]
//   - the card face with portrait: [Card.CardFace]; the birthdate alone: [Card.AgeCheck]
//   - without a PIN: certificates ([Card.AuthCertificate], [Card.Availability]), [Card.Tries], [Card.TokenInformation],
//     [Card.CardRecord], [Card.FaceInformation], [Card.TextInformation], [Card.IssuerData]
//
// [Card.ChangePIN] replaces a PIN.
//
// The transport is a reader, a software card, or anything else that carries APDUs. The card is recognised by selecting the
// JPKI application by its AID, never by the ATR, which differs between chips, readers and even touches of the same card.
//
// # Is it true
//
// The municipality signs attributes, number, face and birthdate. With Options.Roots every method that reads them follows
// the signature over the card verifiable certificate on the card to a root key, and lets the chip sign a challenge with the
// key that the issuer certified. Changed data are [ReasonTampered], a copy on another chip is [ReasonNotGenuine], and data of an issuer
// without a root are an [ReasonUnknownIssuer]. The root keys are not on the card and not in this package: [NewRoots] takes them
// from the caller, and refuses those of the test hierarchy. Without Options.Roots the data are what the card says.
//
// # PINs and tries
//
// Each PIN has few tries, and a blocked one is restored only at the municipal office. The client therefore checks the
// format before anything is sent, asks the card for the remaining tries before each VERIFY, and refuses to spend the last
// one ([ReasonLastTryRefused]) unless told so by [Options] or [Card.AllowLastTry]. PINs appear in no error and no log.
//
// # State on the card
//
// A verified PIN lives on the card, not in the program: on a shared reader every other program can use it. While one is
// verified the client holds the card through [Transactor], until [Card.Release] or [Card.Close]. Selecting another
// application makes the card forget: whatever is not about certificates, keys and their PINs uses another application than
// the keys, so a key used after it answers [ReasonNotVerified] without asking the card.
//
// # Who listens
//
// What passes between card and reader is not encrypted. With Options.SecureMessaging attributes and number are, against who
// only listens: the card offers no integrity and does not sign the key of the channel. PINs cannot be hidden.
//
// # Round trips
//
// Every command takes milliseconds at a reader. Files are read by their short identifier and with extended lengths, so that
// a certificate takes one command; where a card or reader does not carry those, the client goes on in blocks of 256 bytes.
//
// # Errors
//
// Every error is an *[Error] or a *[PINError], both with a [Reason] (see [ReasonOf]), a family and a message for a person
// in Japanese and English. Sources: JICSAP IC card specification V1.1, ISO/IEC 7816-4, PKCS #1 v2.2 (RFC 8017), and
// published measurements of real cards.
package card
