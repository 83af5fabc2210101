// Package daa is the simulated service: OpenID Provider, sign API and phone screen as one [http.Handler], so that a
// relying party can be built and tested without a contract, a phone or a card. It is not the official service, is not
// connected to it, and says so on every page.
//
// In a Go test most users call [Start], register their client with [WithClient], and let a [visitor.Person] act for the
// person:
//
//	svc := daa.Start(t, daa.WithClient(registration))
//	client, err := authn.New(authn.Config{Environment: svc.Environment(), HTTPClient: svc.Client(), …})
//	callback, err := svc.Visitor().Approve(ctx, begun.URL)
//
// [New] gives the bare handler for a program of its own; a browser, or a [visitor.Person] in another process, then
// works against it over HTTP.
//
// # What is real
//
// Nothing between the ends is faked. The phone screen drives the simulated card by command APDUs through package
// jpki/card, as a reader would: the card checks the PINs, counts the tries, blocks itself and signs. The service
// verifies the signature over a fresh challenge, the certification path and the revocation status with package jpki.
// Client assertions, PKCE, ID tokens, access tokens and results are made and checked by the rules of the standards.
//
// # As tolerant and as strict as the real one
//
// Client assertions are judged as Keycloak 26.0 does, which the real service appears to be and which accepts what the
// one relying party sends that is known to have passed the Sandbox; [AssertionProfile] has the stricter versions. What
// a stricter service would refuse is logged, and shown by the inspector at /simulator/inspector beside every refusal:
// what was received, what is registered, the clause, and what to change. Everything else punishes what the real service
// is documented or expected to punish: every constraint of the authorization parameters, exact redirect URLs,
// private_key_jwt and nothing else, assertions and codes that are used once, codes bound to client, redirect URL and
// PKCE verifier, results that only the access token of the same flow may fetch, once. A code or, with
// [RefreshReuseDetection], a refresh token that comes back takes all tokens of its login with it.
//
// [ClientRegistration] says what may differ for each client: how its keys were registered ([KeyForm]), whether PKCE is
// required, which cards are accepted ([Cards]), and whether the page of テストカード代替機能 stands for app and card.
//
// # Whole logins
//
// [Running.Browser] follows an application's own pages: one call is a whole login. [Running.Verifier] and
// [Running.Opener] check and open what was signed. Programs in other languages use the command cardsim service and
// package control. See the Examples of Start, Running.Visitor and Running.Browser.
//
// # Knobs
//
// Tests loosen or poison single points with [Knobs], also on a running service: hostile ID tokens and key sets, key
// rotation in the middle of a login, refresh tokens, every form of the attributes and of userinfo that the documents
// leave open, other policies for client assertions, clocks that differ, and [NetworkKnobs] for a network that is slow,
// breaks off, or answers with the error page of something in between. Nothing in them sleeps: a test that wants time to
// pass moves its clock in NetworkKnobs.Wait.
//
// # What is ASSUMED
//
// These are choices of this package, because no public reference states them; expect corrections.
//
//   - Every name, status and code of the sign API's bodies: they come from wire.Profile and nowhere else. So do the
//     claim names of the four attributes and the scopes that have no confirmed name.
//   - The lifetimes ([Lifetimes]), the number of result retrievals, what is done with client assertions
//     ([AssertionProfile]).
//   - The algorithms of the sealed result (RSA-OAEP-256, A256GCM) and that a government relying party gets plain JSON.
//   - The redirect error access_denied for every end that is not a success ([FailureKnobs]).
//   - Refresh tokens, their rotation and lifetime ([RefreshKnobs]); signed and encrypted userinfo ([UserinfoForm]); the
//     individual number's scope and claim.
//   - acr "aal3", auth_time, azp, sid and jti in the ID token; the Keycloak-like members of the token response; a
//     provider metadata document ([DiscoveryOn]).
//   - The order of the pages, their wording, the six-digit number's lifetime, and that the PINs are asked one by one.
//   - Everything below /phone/ and /simulator/: these paths exist only in the simulator.
//
// # Examples
//
// There are examples of [Running.Browser], [Running.Visitor] and [Start].
//
// # Compatibility
//
// Nothing is stored, and keys, subjects and the PINs of ready persons follow from the JPKI's seed: the same in every
// run and every later release of the same major version. The words of the knobs in JSON and the markers in the pages
// stay.
//
// # Secrets
//
// PINs travel in POST bodies only, are given to the card and forgotten; they are in no URL, log line or stored value.
// The four attributes are held in memory from the reading of the card until the access token expires. The keys come
// from a public seed: never use them for anything but tests.
package daa
