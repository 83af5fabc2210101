// Package cardsim is a software My Number Card (個人番号カード) for tests, demonstrations and continuous integration.
//
//	c := cardsim.New(t, person.Hanako)              // a card in one line
//	client, err := c.Client(ctx)                    // the same *card.Card that a PC/SC reader gives
//	err = client.Verify(ctx, card.AuthPIN, "1234")
//
// [Card.Transmit] takes command APDUs and gives response APDUs, [Card.Transport] is an in-process transport for
// jpki/card, and package cardsim/vpcd plugs the same card into pcscd, where any PC/SC program sees it as a card in a
// reader. The keys are RSA-2048, the certificates are issued by a test JPKI (cardsim/issuer), everything else is
// computed from the [person.Person] on the card. [NewCard] configures all of it.
//
// It is a simulator: nothing here is an official service or a real credential, and the persons do not exist.
//
// # What is on the card
//
//   - the issuer security domain, selected when power comes on: the data objects of GET DATA, among them a chain of
//     card-verifiable certificates
//   - 公的個人認証AP (JPKI application): both keys, both certificates, both CA certificates, token information
//   - 券面事項入力補助AP (text application): individual number, four attributes, their signed hashes, card-verifiable
//     certificate, the internal authentication key, secure messaging
//   - 券面事項確認AP (surface application): birth date, the face of the card with its images and the portrait, the image of
//     the individual number, all signed
//   - 共通カードAP (common card application) and 住基AP (resident application): the number of the card, and their PINs
//
// Commands: SELECT, READ BINARY, READ RECORD, GET DATA, VERIFY, CHANGE REFERENCE DATA, CHANGE KEY, COMPUTE DIGITAL
// SIGNATURE, INTERNAL AUTHENTICATE, GET CHALLENGE, SET PUBLIC IC KEY and SET SESSION KEY with the secured forms of
// SELECT, VERIFY and READ BINARY. Any other instruction gets a status word as on the real card; no sequence of commands
// hangs or panics. docs/card-conformance.md has every file and every rule with the test that shows it, and says which
// of them are assumed because nobody has published them.
//
// What the card says is signed as on a real card, under roots of a test hierarchy: [Card.IssuerRoots] for the contents
// of the card, the Trust of [Card.JPKI] for the holder's certificates.
//
// # Which card, and whose
//
// Config.Kind chooses the sort of card: an adult's, a child's without signing certificate, the certificates on a phone
// ([Android], [IPhone]), expired, blocked, or issued by another generation of authorities ([Kinds]). [ATRs] has the
// published answers to reset.
//
// Package cardsim/person has the persons: ready ones, each with something that programs stumble over, made-up ones from
// a seed, and those that a resident record describes.
//
// # Keeping a card
//
// A card is a function of its person, its kind, the time of its issue and the seed of the JPKI, and of its state.
// [Card.Save] and [Load] put that into a file of JSON and make the same card of it again, with changed PINs and spent
// tries. Config.SaveTo keeps the file up to date, so that a crash in the middle of a VERIFY never gives a try back.
//
// Config.Trace writes what goes to and fro as a transcript, with PINs and session keys masked; package
// cardsim/transcript records the same at a reader and plays it without any card.
//
// # Examples
//
// There are examples of [ATRs], [Card.IssuerRoots], [Card.Save], [Card.Transmit], [Config], [Load] and [NewCard].
//
// # Compatibility
//
// Images of cards, and transcripts, that a release has written are read by every later one. The keys of a person and a
// seed never change. What the card says may come closer to real cards in any release; docs/card-conformance.md is the
// record of it.
//
// # How it is built
//
// A card is a list of applications, an application a list of elementary files, a file has a kind, a content and an
// access rule; the commands work on whatever the tables say. A new application is a new table (see jpkiap.go,
// textap.go, surfaceap.go and commonap.go). What changes and outlives power, the values and counters of the references,
// is in one place (see state.go). Sources of the behaviour: JICSAP IC card specification V1.1, ISO/IEC 7816-4, and
// published measurements of real cards by open-source clients.
//
// All types are safe for concurrent use.
package cardsim
