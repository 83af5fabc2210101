// Package card talks to a My Number Card over any transport.
//
// Most users call [Wait] with a reader (package pcsc below this one), ask [Card.Tries] before anyone types, present a
// PIN with [Card.Verify], and use [Card.AuthKey] or [Card.SigningKey] as a crypto.Signer. Always [Card.Close], which
// makes the card forget the PIN.
//
//	reader, err := pcsc.Open(ctx)
//	c, err := card.Wait(ctx, reader)
//	tries, err := c.Tries(ctx, card.AuthPIN)
//	err = c.Verify(ctx, card.AuthPIN, "1234")
//	key, err := c.AuthKey(ctx)
//
// The examples of [Open], [Wait] and [Card.Verify] show a whole visit. What else a card holds:
//
//   - the four attributes: [Card.Attributes] with the text PIN or with what is printed on the card
//   - the individual number, for a lawful purpose: [Card.IndividualNumber], [Card.ConfirmIndividualNumber] and
//     [Card.NumberImage]
//   - the card face (券面) with portrait: [Card.Face]; the birthdate alone: [Card.AgeCheck]
//   - without a PIN: certificates ([Card.AuthCertificate], [Card.Availability]), [Card.Tries], [Card.TokenInformation],
//     [Card.CardRecord], [Card.FaceInformation], [Card.TextInformation], [Card.IssuerData]
//
// [Card.ChangePIN] replaces a PIN.
//
// The transport is a reader, a software card, or anything else that carries APDUs. The card is recognised by selecting
// the JPKI application by its AID, never by the ATR, which differs between chips, readers and even touches of the same
// card.
//
// # Is it true
//
// The municipality signs attributes, number, face and birthdate. With Config.Roots every method that reads them follows
// the signature over the card verifiable certificate on the card to a root key, and lets the chip sign a challenge with
// the key that the issuer certified. Changed data are [ReasonTampered], a copy on another chip is [ReasonNotGenuine],
// and data of an issuer without a root are [ReasonUnknownIssuer]. The root keys are not on the card: [ParseRoots] reads
// them from a file, [PinnedRoots] takes those that this package knows by fingerprint, and [NewRoots] others for which
// the caller vouches. Without Config.Roots the data are what the card says.
//
// # PINs and tries
//
// Each PIN has few tries, and a blocked one is restored only at the municipal office. The client therefore checks the
// format before anything is sent, asks the card for the remaining tries before each VERIFY, and refuses to spend the
// last one ([ReasonLastTryRefused]) unless the call has the option [AllowLastTry]. PINs appear in no error and no log.
//
// # State on the card
//
// A verified PIN lives on the card, not in the program: on a shared reader every other program can use it. While one is
// verified the client holds the card through [Transactor], until [Card.Release] or [Card.Close]. A real card keeps it
// verified when the application that is current is selected again, over a warm reset and over a new connection; it
// forgets when another application is selected, or without power. Release and Close therefore leave the application,
// and check that the card did. Whatever is not about certificates, keys and their PINs uses another application than
// the keys, so a key used after it answers [ReasonNotVerified] without asking the card.
//
// A card that lost power, or was taken away and put back, has forgotten everything. The client notices, selects again
// and goes on; only what needs a PIN that was verified answers ReasonNotVerified. No try is spent on that.
//
// # Readers
//
// Files are read by their short identifier and with extended lengths, so that a certificate takes one command. Where a
// card, a reader or a relay does not carry those, however it says so, the client goes on in blocks of 256 bytes and
// remembers ([LengthMemory]); it follows 61xx and 6Cxx, and takes answers of any length. Three uses cannot do without:
// secure messaging, the certificates of the issuer security domain, and signatures on a reader that cuts answers below
// 256 bytes. They are [ReasonReaderUnfit] then: another reader will do. Package cardsim/quirks plays such readers.
//
// # Who listens
//
// What passes between card and reader is not encrypted. With Config.SecureMessaging attributes and number are, against
// who only listens: the card offers no integrity and does not sign the key of the channel. PINs cannot be hidden.
//
// # Errors
//
// Every error is an *[Error] with a [Reason], a family and a message for a person in Japanese and English:
//
//	errors.Is(err, &card.Error{Reason: card.ReasonWrongPIN})
//
// Sources: JICSAP IC card specification V1.1, ISO/IEC 7816-4, PKCS #1 v2.2 (RFC 8017), and published measurements of
// real cards.
//
// # Examples
//
// There are examples of [Card.AgeCheck], [Card.Attributes], [Card.AuthCertificate], [Card.CardRecord],
// [Card.ChangePIN], [Card.ConfirmIndividualNumber], [Card.Face], [Card.IndividualNumber], [Card.NumberImage],
// [Card.Verify], [Key.SignContext], [NewRoots], [Open], [PinnedRoots] and [Wait].
//
// # Compatibility
//
// The package stores nothing. Names of reasons, PINs and kinds of token are stable, because logs hold them; the numbers
// behind them are not. Which commands are sent is no promise: a transcript (package cardsim/transcript) of one version
// need not replay under another.
package card
