package daa

// tokenLessons are about the rest of the token endpoint.
var tokenLessons = map[string]lesson{
	"the body must be application/x-www-form-urlencoded": {
		"本文はapplication/x-www-form-urlencodedにしてください", "RFC 6749, section 4.1.3",
		"パラメーターをJSONではなくフォームとして送る",
		"send the parameters as a form, not as JSON",
	},
	"parameters belong in the body": {
		"パラメーターは本文に入れてください", "RFC 6749, section 2.3.1",
		"パラメーターをPOSTの本文で送る",
		"send the parameters in the body of the POST",
	},
	"the code is unknown, expired or not this client's": {
		"認可コードが不明か、期限切れか、このクライアントのものではありません", "RFC 6749, section 5.2",
		"認可コードは、要求したクライアントがすぐに交換する",
		"exchange the code at once, with the client that asked for it",
	},
	"the code was used before": {
		"認可コードは使用済みです", "RFC 6749, section 4.1.2",
		"認可コードは1回だけ交換する。コールバックの再読み込みで繰り返さない",
		"exchange a code once; a reload of the callback must not do it again",
	},
	"redirect_uri is not that of the authorization request": {
		"redirect_uriが認可要求のものと違います", "RFC 6749, section 4.1.3",
		"認可要求と同じredirect_uriを送る",
		"send the same redirect_uri as in the authorization request",
	},
	"code_verifier is missing": {
		"code_verifierがありません", "RFC 7636, section 4.5",
		"認可要求のcode_challengeの元になったverifierを送る",
		"send the verifier whose SHA-256 was the code_challenge of the authorization request",
	},
	"code_verifier does not match the code_challenge": {
		"code_verifierがcode_challengeと合いません", "RFC 7636, section 4.6",
		"verifierを、ログインごとにstateと並べて保管する",
		"keep the verifier of each login beside its state",
	},
	"grant_type is missing": {
		"grant_typeがありません", "RFC 6749, section 4.1.3",
		"grant_type=authorization_codeかclient_credentialsを送る",
		"send grant_type=authorization_code or client_credentials",
	},
	"only authorization_code and client_credentials": {
		"grant_typeはauthorization_codeとclient_credentialsだけに対応しています", "RFC 6749, section 5.2",
		"grant_type=authorization_codeかclient_credentialsを送る",
		"send grant_type=authorization_code or client_credentials",
	},
	"the form cannot be read": {
		"フォームを読み取れません", "RFC 6749, appendix B",
		"パラメーターをapplication/x-www-form-urlencodedで符号化する",
		"encode the parameters as application/x-www-form-urlencoded",
	},
	"code is missing": {
		"codeがありません", "RFC 6749, section 4.1.3",
		"コールバックで受け取ったcodeを送る",
		"send the code of the callback",
	},
	"redirect_uri is missing": {
		"redirect_uriがありません", "RFC 6749, section 4.1.3",
		"認可要求と同じredirect_uriを送る",
		"send the same redirect_uri as in the authorization request",
	},
	"the scope for starting signature transactions is missing": {
		"署名トランザクションを開始するためのscopeがありません", "published reference",
		"client_credentialsで、このサービスが求めるscopeを送る",
		"send the scope that this service asks for with client_credentials",
	},
	"refresh_token is missing": {
		"refresh_tokenがありません", "RFC 6749, section 6",
		"リフレッシュトークンを送る",
		"send the refresh token",
	},
	"the refresh token is unknown, expired, revoked or not this client's": {
		"リフレッシュトークンが不明か、期限切れか、失効しているか、このクライアントのものではありません", "RFC 6749, section 5.2",
		"もう一度ログインする",
		"log in again",
	},
	"the refresh token was used before": {
		"リフレッシュトークンは使用済みです", "RFC 9700, section 4.14.2",
		"最後の応答のリフレッシュトークンを保管する。もう一度ログインする",
		"keep the refresh token of the last answer; log in again",
	},
	"a scope that was not granted": {
		"許可されていないscopeがあります", "RFC 6749, section 6",
		"ログインで許可されたscopeだけを送るか、scopeを送らない",
		"ask for scopes of the login only, or leave scope out",
	},
}
