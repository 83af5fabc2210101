// Package middleware adds "log in with My Number Card" to a net/http application.
//
// Most applications call [New], mount the [Login] at its prefix, wrap pages in [Login.Require] and read who it is with
// [IdentityFrom]:
//
//	login, err := middleware.New(middleware.Config{Client: client, Scopes: authn.Attributes, SealKeys: keys})
//	mux.Handle("/auth/", login)                 // /auth/login, /auth/logout and the callback
//	mux.Handle("/account", login.Require(page)) // logs in first, comes back here
//
// [AgeAtLeast] and other values of [Requirement] ask for more than being logged in; [Login.Sign] has a document signed.
// Logging out is a form: <form method="post" action="/auth/logout">.
//
// # What happens in a login
//
// {Prefix}/login keeps state, nonce, PKCE verifier and the page to return to in one sealed cookie
// (__Host-kakunin-login-…, AES-256-GCM, the cookie's name as associated data) and redirects to the service. The callback
// finds that cookie by the state, deletes it and remembers the state as used, and only then redeems the code. So
//
//   - parallel tabs work: each login has its own cookie, at most five and 6 KiB per browser, the oldest gives way;
//   - a login ends in the browser that began it (RFC 9700, section 2.1; OWASP ASVS 5.0, 10.1.2), hence the cookie:
//     private browsing that forgets it, or an app that opens another browser, ends with ReasonLostLogin and a page that
//     says what to do;
//   - a callback works once: a second one is ReasonReplayed. The memory of used states is per process; with several
//     instances the service's single use of the code is what remains (RFC 6749, section 4.1.2);
//   - a login gets a new session token; what was in an anonymous session stays, what was in another person's does not.
//
// No session comes without the person doing something (OWASP ASVS 5.0, 7.6.2): a link to {Prefix}/login only leads to
// the service, which asks for the card and the PIN each time. Therefore GET is allowed there. Logging out and signing
// are POST and refused when another site causes them ([net/http.CrossOriginProtection]).
//
// The page to return to is a path of this origin; everything else becomes "/".
//
// # Sessions
//
// Sessions are [github.com/alexedwards/scs/v2] sessions on the server: logging out ends them there. The default keeps
// them in memory, at most 131,072, for one instance; its cookie is __Host-kakunin-session with Secure, HttpOnly and SameSite=Lax, ended
// after 30 minutes without a request and 12 hours in any case. The session holds the identity with the attributes that
// were granted, never a token. A value of another type than string, []byte, bool and int that the application puts
// there is encoded by encoding/gob.
//
// An application with a session manager of its own, on Redis or a database, passes it in Config.Sessions. Handlers may
// run inside its LoadAndSave or not. With an idle timeout scs writes the session back at the end of each request, so a
// request that is still running at a logout can bring the session back in stores that do not remember deletions; the
// default store does. Several Logins in one program (sandbox and production) should share one manager: the identity is
// kept per issuer and client.
//
// Cookies with the __Host- prefix need https. Chromium and Firefox make an exception for http://localhost and
// http://127.0.0.1, which is enough to develop; Safari is expected not to.
//
// # Errors
//
// Every failure reaches Config.OnError as a typed error: an [*Error] of this package, or one of authn or sign.
// kakunin.FamilyOf says what to do, kakunin.MessageFor what to tell the person, [StatusOf] the status, [RetryURL] where to
// try again. The default is a page in Japanese and English that shows nothing of the request. After a refusal there is
// no new session, and an existing one stays as it was.
//
// # Concurrency
//
// A [Login] is safe for concurrent use; it starts no goroutine.
package middleware
