// Package cardsim is a software My Number Card (個人番号カード) for tests, demonstrations and continuous integration.
//
//	c := cardsim.New(t, cardsim.Hanako)             // a card in one line
//	client, err := c.Client(ctx)                    // the same *card.Card that a PC/SC reader gives
//	err = client.VerifyAuthPIN(ctx, "1234")
//
// [Card.Transmit] takes command APDUs and gives response APDUs, [Card.Transport] is an in-process transport for
// jpki/card, and package cardsim/vpcd plugs the same card into pcscd, where any PC/SC program sees it as a card in a
// reader. The keys are RSA-2048, the certificates are issued by a test JPKI (cardsim/issuer), everything else is
// computed from the [Person] on the card. [NewCard] configures all of it.
//
// It is a simulator: nothing here is an official service or a real credential, and the persons do not exist.
//
// # What is on the card
//
//   - the issuer security domain, selected when power comes on
//   - 公的個人認証AP (JPKI application): both keys, both certificates, both CA certificates, token information
//   - 券面事項入力補助AP (text application): individual number, four attributes, their signed hashes, card-verifiable
//     certificate, the internal authentication key
//
// Commands: SELECT, READ BINARY, VERIFY, CHANGE REFERENCE DATA, COMPUTE DIGITAL SIGNATURE and GET CHALLENGE. Any other
// instruction gets a status word as on the real card; no sequence of commands hangs or panics.
//
// # How it is built
//
// A card is a list of applications, an application a list of elementary files, a file has a kind, a content and an
// access rule; the commands work on whatever the tables say. A new application is a new table (see jpkiap.go and
// textap.go). Sources of the behaviour: JICSAP IC card specification V1.1, ISO/IEC 7816-4, and published measurements
// of real cards by open-source clients.
//
// All types are safe for concurrent use.
package cardsim
