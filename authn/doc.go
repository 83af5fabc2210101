// Package authn logs people in with the 認証API of the デジタル認証アプリ service: OpenID Connect code flow with PKCE and
// private_key_jwt.
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
//	begun, err := client.Begin(ctx, authn.Request{Scopes: authn.Attributes}) // redirect to begun.URL, keep begun.Pending
//	id, err := client.Finish(ctx, pending, r.URL.Query())
//
// # Keeping the pending login
//
// [Pending] binds the callback to the browser that began the login. Keep it where only that browser's session finds it,
// one entry per login so that parallel tabs work, encrypted and authenticated if it leaves the server (a cookie needs
// SameSite=Lax, Secure and HttpOnly; Strict would be lost on the way back), and delete it before calling Finish.
//
// # What Finish checks, in this order
//
//  1. The pending login was begun by this client: same issuer, client id and redirect URL.
//  2. No parameter of the callback occurs twice; unknown ones are ignored.
//  3. state, in constant time; then that this pending login was not finished before.
//  4. iss, if present, is the issuer (RFC 9207); absent is fine.
//  5. error: cancelled, refused or failed; then the age of the pending login; then code.
//  6. The token endpoint's answer: no redirect, JSON with unique members, Bearer, no negative lifetime.
//  7. The ID token: compact form with a strict header, typ absent or JWT, allowed alg bound to the kind of key, signature
//     by the one key that fits; then iss, aud and azp, exp, iat, nbf, sub, nonce, at_hash and acr. go-oidc verifies first,
//     and everything that it leaves to its caller follows.
//  8. Userinfo, unless only openid and sign were asked for: same sub, JSON or signed JWT. An attribute that cannot be read
//     becomes a Problem of the Identity and does not fail the login.
//
// # Choices that the standards leave open
//
// A token without kid is accepted only if exactly one published key fits. A signature that no key verifies makes the
// client look for new keys once, at most every 30 s; known keys stay in use for up to 24 h while the service is down. The
// access token is kept only if the login carried a signature transaction. Nothing is retried after a code was sent.
//
// # Errors
//
// Every error is an [*Error] with a Reason. [FamilyOf] says what to do, [MessageFor] what to tell the person in Japanese or
// English. Texts of errors contain nothing that a person or the network supplied.
//
// What is not officially documented about the service is in [WireProfile] and can be changed there.
package authn
