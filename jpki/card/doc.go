// Package card talks to a My Number Card over any transport.
//
// Most users call [Open], ask [Card.AuthPINTries] before anyone types, present the PIN with [Card.VerifyAuthPIN] or
// [Card.VerifySigningPassword], and use [Card.AuthKey] or [Card.SigningKey] as a crypto.Signer. [Card.Attributes] reads
// the four attributes. Always [Card.Close]: it removes power, and nothing else is sure to make the card forget a PIN.
//
// The transport is a reader (package pcsc below this one), a software card, or anything else that carries APDUs. The card
// is recognised by selecting the JPKI application by its AID, never by the ATR, which differs between chips, readers and
// even touches of the same card.
//
// # PINs and tries
//
// Each PIN has few tries, and a blocked one is restored only at the municipal office. The client therefore checks the
// format before anything is sent, asks the card for the remaining tries before each VERIFY, and refuses to spend the last
// one ([LastTryRefused]) unless told so by [Options] or [Card.AllowLastTry]. PINs appear in no error and no log.
//
// # State on the card
//
// A verified PIN lives on the card, not in the program: on a shared reader every other program can use it. While one is
// verified the client holds the card through [Transactor], until [Card.Release] or [Card.Close]. Selecting another
// application makes the card forget: [Card.Attributes] and the tries of [TextPIN] use another application than the keys,
// so a key used after them answers [NotVerified] without asking the card.
//
// # Errors
//
// Every error is an *[Error] or a *[PINError], both with a [Reason] (see [ReasonOf]), a family and a message for a person
// in Japanese and English. Sources: JICSAP IC card specification V1.1, ISO/IEC 7816-4, PKCS #1 v2.2 (RFC 8017).
package card
