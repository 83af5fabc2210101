// Package middleware adds "log in with My Number Card" to a net/http application.
//
// Most applications call [New], mount the [Login] at its prefix, wrap pages in [Login.Require] and read who it is with
// [IdentityFrom]:
//
//	login, err := middleware.New(middleware.Config{Client: client, Scopes: authn.Attributes, SealKeys: keys})
//	mux.Handle("/auth/", login)                 // /auth/login, /auth/logout and the callback
//	mux.Handle("/account", login.Require(page)) // logs in first, comes back here
//
// [AgeAtLeast], [RequireAttributes], [RequireMunicipality], [RequireFresh] and other values of [Requirement] ask for
// more than being logged in; [Login.Sign] has a document signed, [Login.Consent] a consent to the service of the latest
// attributes. [Login.Middleware] is Require as chi, echo and others
// take it. Config.OnLogin finds or creates the user; package accounts helps with people whose subject changed. Logging
// out is a form: <form method="post" action="/auth/logout">. Package middlewaretest tests pages behind Require in one
// line.
//
// See the examples of the package, of [Login.Require], [AgeAtLeast], [RequireFresh], [Config], [Login.Sign],
// [Login.Consent], [RetryURL], [ByHost] and [Login.Middleware].
//
// # What happens in a login
//
// {Prefix}/login keeps state, nonce, PKCE verifier and the page to return to in one sealed cookie
// (__Host-kakunin-login-…, AES-256-GCM, the cookie's name as associated data) and redirects to the service. The
// callback finds that cookie by the state, remembers the state as used, and only then redeems the code. So
//
//   - parallel tabs work: each login has its own cookie, at most five and 6 KiB per browser, the oldest gives way;
//   - a login ends in the browser that began it (RFC 9700, section 2.1; OWASP ASVS 5.0, 10.1.2), hence the cookie:
//     private browsing that forgets it, or an app that opens another browser, ends with ReasonLostLogin and a page that
//     says what to do;
//   - a code is redeemed once, whoever comes back how often. The browser that holds the session, by reloading or by the
//     back button, is sent on to where the login led. Of two callbacks at once one gets the session, and the other is
//     sent on, too. Whoever went away before the answer (a second tap, a lost connection) finds the result, of a
//     login or of a signature, waiting for five minutes. For everybody else a second callback is ReasonReplayed;
//   - prefetches, previews and malformed callbacks use nothing up;
//   - a login gets a new session token; what was in an anonymous session stays, what was in another person's does not.
//
// No session comes without the person doing something (OWASP ASVS 5.0, 7.6.2): a link to {Prefix}/login only leads to
// the service, which asks for the card and the PIN each time. Therefore GET is allowed there. Logging out and signing
// are POST and refused when another site causes them ([net/http.CrossOriginProtection]).
//
// The page to return to is a path of this origin; everything else becomes the first page.
//
// # Sessions
//
// [Sessions] are four methods. The default, package scssession, keeps them in memory, at most 131,072, for one
// instance; its cookie is __Host-kakunin-session with Secure, HttpOnly and SameSite=Lax, ended after 30 minutes without
// a request and 12 hours in any case. Logging out ends them on the server, and [Login.EndSessions] those of a person in
// every browser. The session holds the identity with the attributes that were granted, never a token. Several Logins in
// one program (sandbox and production) should share one Sessions: the identity is kept per issuer and client.
//
// Cookies with the __Host- prefix need https. Chromium and Firefox make an exception for http://localhost and
// http://127.0.0.1, which is enough to develop; Safari is expected not to.
//
// # Several instances
//
// Instances behind one address need the same SealKeys, Sessions on a store that all reach, and a [Shared] for the
// callbacks that were used; package sharedstore has one on Redis and one on SQL. With these a login may begin at one
// instance and end at another, also when the first one has ended. What an instance was redeeming when it was killed is
// lost, and the person starts again; everything else goes on. Examples/instances does it with processes behind nginx
// and HAProxy that are killed in the middle of requests; BenchmarkInstances there counts what two and four can do. To
// change the seal keys, give every instance the new key behind the old one, then in front of it, then alone, each time
// after the pending logins of the step before are over (15 minutes by default): docs/instances.md.
//
// Behind a proxy that takes a path away or sends another Host, see Config.OutsideURL.
//
// # Observability
//
// Everything is an http.Handler, an http.Client or a function, so that any library of traces and metrics goes around
// it: otelhttp or its like around the Login and the pages; its transport in authn.Config.HTTPClient, which sees every
// call to the service with the context of the request (the exchange goes on when the browser is gone, and keeps the
// context's values); authn.Config.Audit for one authn.Event for each login that is begun, finished or refused, with the
// reason, the family, how long it took and an id that the events of one login share; Config.OnError for every request
// that failed; [ConsentConfig].OnState. Nothing of the person is in any of them. Examples/observability does it.
//
// # Errors
//
// Every failure reaches Config.OnError as a typed error: an [*Error] of this package, or one of authn or sign.
// kakunin.FamilyOf says what to do, kakunin.MessageFor what to tell the person, [StatusOf] the status, [RetryURL] where
// to try again. The default is a page in Japanese and English that shows nothing of the request. After a refusal there
// is no new session, and an existing one stays as it was.
//
// # Examples
//
// There are examples of the package as a whole, [AgeAtLeast], [ByHost], [Config], [Login.Consent],
// [Login.Middleware], [Login.Require], [Login.Sign], [Problem], [Refuse], [RequireFresh], [RequireMunicipality] and
// [RetryURL].
//
// # Compatibility
//
// Sessions that were stored stay readable: their form has a version, and one that is unknown counts as not logged in.
// Pending logins and waiting results are readable by the version that sealed them, for fifteen and five minutes:
// whoever is at the service while a version with another form is deployed starts again. The names of cookies, paths
// below the Prefix, the keys of [Shared] and Reason's texts are part of the interface.
//
// # Concurrency
//
// A [Login] is safe for concurrent use; it starts no goroutine.
package middleware
