// Package authn logs people in with the 認証API of the デジタル認証サービス (until 2026 デジタル認証アプリサービス): OpenID
// Connect code flow with PKCE and private_key_jwt.
//
// Most applications use package middleware, which wraps this one. Without it, call [New] once, [Client.Begin] for every
// login and [Client.Finish] at the callback:
//
//	key, err := authn.LoadKey("client-key.jwk")
//	client, err := authn.New(authn.Config{
//		Environment: authn.Sandbox(), ClientID: "RP00000001", Key: key,
//		RedirectURL: "https://shop.example/auth/callback",
//	})
//
//	// Redirect to begun.URL and keep begun.Pending.
//	begun, err := client.Begin(ctx, authn.Request{Scopes: authn.Attributes})
//	id, err := client.Finish(ctx, pending, r.URL.Query())
//
// A key is made, and its public half printed for the application form, by examples/keygen or by [GenerateKey],
// [Key.RevealJWK], [Key.PublicJWKS] and [Key.PublicPEM]; a key in a KMS or HSM comes in with [NewKey].
//
// # Keeping the pending login
//
// [Pending] binds the callback to the browser that began the login. Keep it where only that browser's session finds it,
// one entry per login so that parallel tabs work, encrypted and authenticated if it leaves the server (a cookie needs
// SameSite=Lax, Secure and HttpOnly; Strict would be lost on the way back), and delete it before calling Finish.
//
// # Environments and registrations
//
// [Sandbox] and [Production] are constants; [Custom] takes the same paths under another base URL; [Discover] reads the
// provider metadata. One [Client] stands for one registered application. Several of them in one program, say of several
// customers, are [Tenants]: a login that one began cannot be finished by another. [PrivateSector] and [Government] name
// the two kinds of registration.
//
// In the test environment the service can be told to answer without app and card (テストカード代替機能): at the place
// of the QR code there is a form with a list of test cards, and everything before and after it is the ordinary flow.
// Nothing is to be set here. It is offered to registrations for the 認証API, is switched on for a registration as a
// whole, and then excludes test app and test cards. Subjects of test environment and production have nothing to do with
// each other.
//
// # What Finish checks, in this order
//
//  1. The pending login was begun by this client: same tenant, issuer, client id and redirect URL.
//  2. No parameter of the callback occurs twice; unknown ones are ignored.
//  3. state, in constant time; then that this pending login was not finished before.
//  4. iss, if present, is the issuer (RFC 9207); absent is fine unless the metadata promised it.
//  5. error: cancelled, refused or failed; then the age of the pending login; then code.
//  6. The token endpoint's answer, before x/oauth2, which makes the request, reads it: no redirect, JSON with unique
//     members, Bearer, no negative lifetime.
//  7. The ID token: compact form with a strict header, typ absent or JWT, allowed alg bound to the kind of key,
//     signature by the one key that fits; then iss, aud and azp, exp, iat, nbf, auth_time, sub, nonce, at_hash, c_hash
//     and acr. go-oidc verifies first, and everything that it leaves to its caller follows. It may come encrypted;
//     what is inside is then held to the same rules.
//  8. Userinfo, unless only openid and sign were asked for: same sub; JSON, a signed JWT, or either of them encrypted.
//     An attribute that cannot be read becomes a Problem of the Identity and does not fail the login.
//
// # Threats, and what stands against them
//
//   - A forged callback, a callback in another browser or tab, a stolen code (login CSRF, code injection): state,
//     nonce and PKCE verifier of 256 bits each, made for one login, kept in one Pending, used once.
//   - Another server's answer (mix-up): issuer in the Pending, in the callback and in the ID token; one redirect URL
//     for each client.
//   - Another tenant's login: the tenant in the Pending, compared before anything is sent.
//   - A token made for somebody else, of another kind, or with an algorithm of the attacker's choice: step 7.
//   - An attribute of somebody else: the subjects of ID token and userinfo are compared.
//   - A stolen client assertion: valid for 30 s, for one audience, once.
//   - A flood of bad tokens: at most one request for signing keys in 30 s; known keys stay in use.
//   - Answers without end, slow ones, compressed ones, redirects: limits on time and size, none followed.
//   - A service that hangs: calls are refused after five failures in a row until it answers again.
//   - The logs: nothing of the person, no secret, and no text from the network is in an error or a log record. The
//     service's own words about a refusal are in [Error.Description] and [Event], quoted, for the developer.
//
// What stays with the application: to begin a login only for a request of its own page (POST with a check of its
// origin), to bind the Pending to the browser, to end the old session and begin a new one after a login, and to decide
// what a person may do. A login is no consent.
//
// # Choices that the standards leave open
//
// A token without kid is accepted only if exactly one published key fits; one that is listed twice is one. A signature
// that no key verifies makes the client look for new keys once, at most every 30 s; known keys stay in use for up to 24
// h while the service is down. Tokens are kept only if the login carried a signature transaction, or on
// Request.KeepTokens. A code or refresh token is sent again only if no connection could be had the first time, under a
// new assertion; userinfo, which changes nothing, is asked once more when the connection breaks.
//
// # What ends no login
//
// What decides is checked as strictly as the standards allow: iss, aud, azp, exp, iat, nonce, sub, at_hash, algorithm
// and key. What decides nothing turns nobody away: a member that is null is absent, so is a time of 0 in nbf and
// auth_time, and what cannot be read (amr, acr, scope, lifetimes, an attribute) is unknown and becomes a [Problem] of
// the Identity. A page of the service that was left open for too long means "start again", not an outage. A malformed
// callback uses nothing up.
//
// # Keys
//
// A key that [GenerateKey] makes for RS256 is understood however it was registered; [Key.WithKeyID] says which key id
// fits which way of registering. [KeyRing] changes the key while logins go on.
//
// # The individual number
//
// It is off until Config.Wire names its scope and claim and Config.IndividualNumberPurpose the lawful purpose. It
// arrives as [Identity.IndividualNumber], is never stored with the Identity, and is no [Identity.Claim].
//
// # Examples
//
// There are examples of the package as a whole, [AuditLog], [Client.Begin], [Client.Refresh], [Config], [Custom],
// [GenerateKey], [Key.PublicPEM], [KeyRing], [LoadDecryptionKey], [NewKey], [ParseKey] and [Tenants].
//
// # Compatibility
//
// What was stored stays readable by later versions: [Pending.RevealBytes], [RefreshToken.RevealBytes] and
// [Identity.RevealBytes] write a version into it, and their Parse functions read all versions that were ever released.
// They refuse a newer one, with ReasonStored: update every instance before one of them writes. Key files are
// standard JWK and PEM. Names of reasons, steps and events are stable.
//
// # When the subject changes
//
// The subject (利用者識別子) stays the same when the card or its certificates are renewed, but may change when a
// certificate is issued anew after a loss, or the individual number changes. An account therefore needs a path back
// that does not depend on it; see the example "Relink". Never link by agreement of the four attributes alone.
//
// # Errors
//
// Every error is an [*Error] with a Reason. [kakunin.FamilyOf] says what to do, [kakunin.MessageFor] what to tell the
// person in Japanese or English. Texts of errors contain nothing that a person or the network supplied.
//
//	User           ReasonUserCancelled, ReasonExpired, ReasonReplayed, ReasonInteractionRequired, ReasonTokenRejected
//	Account        ReasonAccessDenied
//	Configuration  ReasonConfiguration, ReasonRequestRefused
//	Unavailable    ReasonTransport, ReasonProviderError, ReasonKey
//	Untrusted      ReasonStateMismatch, ReasonCallback, ReasonIssuerMismatch, ReasonTokenResponse, ReasonIDToken,
//	               ReasonUserinfo, ReasonStored
//
// Error.Step names the rule that did not hold: a claim ("nonce"), a step ("signature"), or what went wrong on the way
// ("timeout", "circuit open"). Every outcome of Begin, Finish and Refresh is also one [Event] for Config.Audit.
//
// What is not officially documented about the service is in [wire.Profile] and can be changed there.
package authn
