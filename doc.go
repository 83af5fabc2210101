// Package kakunin (確認) is a software development kit for relying parties of Japan's デジタル認証サービス (until 2026
// デジタル認証アプリサービス): it logs people in with their My Number Card, reads their four attributes (基本4情報), gets
// documents signed, verifies those signatures and keeps the evidence. It brings a software card, a test JPKI and a
// simulated service, so that everything can be developed and tested without a contract, a phone or a card.
//
// This package has what all the others share: [FamilyOf] tells what the application should do about an error of any of
// them, and [MessageFor] gives a text in Japanese or English that can be shown to the person. Import what you need
// beside it:
//
//   - [github.com/kakunin-go/kakunin/middleware] for a net/http application: log in, sessions, age gate, sign flow.
//   - [github.com/kakunin-go/kakunin/authn] for the 認証API without the middleware: Begin and Finish a login.
//   - [github.com/kakunin-go/kakunin/sign/signapi] for the 署名API, [github.com/kakunin-go/kakunin/sign] for verifying
//     what it returns, [github.com/kakunin-go/kakunin/sign/operator] for a platform operator,
//     [github.com/kakunin-go/kakunin/sign/evidence] to keep the proof and [github.com/kakunin-go/kakunin/sign/consent]
//     for the consent of the 最新の利用者情報 service.
//   - [github.com/kakunin-go/kakunin/jpki] to answer whether a certificate was valid at a time;
//     [github.com/kakunin-go/kakunin/jpki/revocation] is where revocation data comes from.
//   - [github.com/kakunin-go/kakunin/jpki/card] to talk to a card;
//     [github.com/kakunin-go/kakunin/jpki/card/pcsc] reaches one in a reader (build tag pcsc).
//   - [github.com/kakunin-go/kakunin/fourinfo] for the values: name, address, birthdate, gender.
//   - [github.com/kakunin-go/kakunin/cardsim] and below, in tests only: the software card, the test JPKI
//     (cardsim/issuer), the simulated service (cardsim/daa) and the plug into pcscd (cardsim/vpcd).
//
// Personal data, PINs and tokens redact themselves wherever they are printed, logged or marshalled; the value comes out
// only through methods named Reveal….
//
// Every package says of what it has examples; docs/examples.md lists them all.
//
// kakunin is an independent project. It is not made, endorsed or supported by the Digital Agency (デジタル庁) or by the
// Japan Agency for Local Authority Information Systems (J-LIS).
//
// # Examples
//
// There is an example of the package as a whole.
//
// # Compatibility
//
// Families and their words are in logs and metrics: they do not change. What packages store, and how long it stays
// readable, is in the documentation of each.
package kakunin
